"""Checksums of what an archive holds: one per table, and one per room, the same in every store."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgpack

from parvis.storage.api import SqlValue
from parvis.storage.archive import Layout, Row, Table

_ROOM = ("name", "creator", "created", "deleted")
_PART = ("name", "incarnation", "end_offset", "since")
_LOG = ("offset", "body", "sender", "time", "key")
_Pick = Callable[[Row], list[SqlValue]]


def packed(row: Sequence[SqlValue]) -> bytes:
    """Return a row as bytes, the same ones for equal rows."""
    return msgpack.packb(row, use_bin_type=True)


class TableSum:
    """SHA-256 over a table's rows in the order of its key."""

    def __init__(self) -> None:
        self.rows = 0
        self._hash = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        """Count rows in."""
        self.rows += len(rows)
        for row in rows:
            self._hash.update(packed(row))

    def digest(self) -> bytes:
        """Return the sum of the rows so far."""
        return self._hash.digest()


@dataclass(slots=True)
class _Part:
    room: SqlValue
    head: bytes
    log: bytes = b""


@dataclass(slots=True)
class RoomSums:
    """A checksum per room of a tenant, over the room, the heads of its parts and their logs.

    Left out are numbers that a store gives as it likes (ids, fences), and snapshots, which are
    caches. Feed the tables in the order of the layout, each in the order of its key.
    """

    layout: Layout
    _names: dict[SqlValue, str] = field(default_factory=dict[SqlValue, str])
    _rooms: dict[SqlValue, bytes] = field(default_factory=dict[SqlValue, bytes])
    _parts: dict[SqlValue, _Part] = field(default_factory=dict[SqlValue, _Part])
    _part: SqlValue = None
    _log: TableSum = field(default_factory=TableSum)
    _tables: Mapping[str, Table] = field(init=False)

    def __post_init__(self) -> None:
        self._tables = {table.name: table for table in self.layout.tables}

    def add(self, table: str, rows: Sequence[Row]) -> None:
        """Count rows of a table in; most tables do not matter here."""
        match table:
            case "parvis_room":
                self._add_rooms(rows)
            case "parvis_part":
                self._add_parts(rows)
            case "parvis_log":
                self._add_log(rows)
            case _:
                pass

    def sums(self) -> Iterator[tuple[str, str]]:
        """Yield each room's name and checksum in hex, by name."""
        self._end_part()
        parts: dict[SqlValue, list[tuple[bytes, bytes]]] = {}
        for part in self._parts.values():
            parts.setdefault(part.room, []).append((part.head, part.log))
        for id, name in sorted(self._names.items(), key=lambda each: each[1]):
            total = hashlib.sha256(self._rooms[id])
            for head, log in sorted(parts.get(id, [])):
                total.update(packed((head, log)))
            yield name, total.hexdigest()

    def _add_rooms(self, rows: Sequence[Row]) -> None:
        key, facts = self._picks("parvis_room", ("id",)), self._picks("parvis_room", _ROOM)
        for row in rows:
            (id,), values = key(row), facts(row)
            self._names[id] = str(values[0])
            self._rooms[id] = packed(values)

    def _add_parts(self, rows: Sequence[Row]) -> None:
        key, facts = self._picks("parvis_part", ("id", "room")), self._picks("parvis_part", _PART)
        for row in rows:
            id, room = key(row)
            self._parts[id] = _Part(room, packed(facts(row)))

    def _add_log(self, rows: Sequence[Row]) -> None:
        key, facts = self._picks("parvis_log", ("part",)), self._picks("parvis_log", _LOG)
        for row in rows:
            (part,) = key(row)
            if part != self._part:
                self._end_part()
                self._part = part
            self._log.add([tuple(facts(row))])

    def _end_part(self) -> None:
        if self._part in self._parts:
            self._parts[self._part].log = self._log.digest()
        self._part, self._log = None, TableSum()

    def _picks(self, table: str, columns: Sequence[str]) -> _Pick:
        places = [self._tables[table].columns.index(column) for column in columns]
        return lambda row: [row[place] for place in places]
