"""Checksums of what an archive holds: one per table, and one per room, the same in every store."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgpack

from parvis.storage.api import SqlValue
from parvis.storage.archive import Layout, Row, Table
from parvis.storage.packing import unpack

_ROOM = ("name", "creator", "created", "deleted")
_PART = ("name", "incarnation", "end_offset", "since")
_LOG = ("offset", "sender", "time", "key")
_Pick = Callable[[Row], list[SqlValue]]


def packed(row: Sequence[SqlValue]) -> bytes:
    """Return a row as bytes, the same ones for equal rows."""
    return msgpack.packb(row, use_bin_type=True)


class TableSum:
    """The sum of the SHA-256 of a table's rows, whatever the order of rows and columns."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.rows = 0
        self._total = 0
        self._places = sorted(range(len(columns)), key=lambda place: columns[place])

    def add(self, rows: Sequence[Row]) -> None:
        """Count rows in."""
        self.rows += len(rows)
        for row in rows:
            content = packed([row[place] for place in self._places])
            self._total += int.from_bytes(hashlib.sha256(content).digest(), "big")

    def digest(self) -> bytes:
        """Return the sum of the rows so far."""
        return (self._total % 2**256).to_bytes(32, "big")


class _Log:
    """SHA-256 over the log of one part."""

    def __init__(self) -> None:
        hash = hashlib.sha256()
        self.update = hash.update
        self.digest = hash.digest


@dataclass(slots=True)
class _Part:
    room: SqlValue
    head: bytes
    first: int
    log: bytes = b""


@dataclass(slots=True)
class RoomSums:
    """A checksum per room of a tenant, over the room, the heads of its parts and their logs.

    Left out are numbers that a store gives as it likes (ids, fences), how rows are packed,
    and snapshots, which are caches. Feed the tables in the order of the layout, each in the order
    of its key.
    """

    layout: Layout
    _names: dict[SqlValue, str] = field(default_factory=dict[SqlValue, str])
    _rooms: dict[SqlValue, bytes] = field(default_factory=dict[SqlValue, bytes])
    _parts: dict[SqlValue, _Part] = field(default_factory=dict[SqlValue, _Part])
    _part: SqlValue = None
    _log: "_Log | None" = None
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
        columns = self._tables["parvis_part"].columns
        key, facts = self._picks("parvis_part", ("id", "room")), self._picks("parvis_part", _PART)
        first = columns.index("first") if "first" in columns else None
        for row in rows:
            id, room = key(row)
            begins = 1 if first is None else row[first]
            assert isinstance(begins, int)
            self._parts[id] = _Part(room, packed(facts(row)), begins)

    def _add_log(self, rows: Sequence[Row]) -> None:
        columns = self._tables["parvis_log"].columns
        part, offset, body = (columns.index(name) for name in ("part", "offset", "body"))
        packing = columns.index("packing") if "packing" in columns else None
        facts = self._picks("parvis_log", _LOG)
        for row in rows:
            if self._log is None or row[part] != self._part:
                self._end_part()
                self._part, self._log = row[part], _Log()
            # Rows that a compaction has replaced may still be there; nobody sees them any more.
            place = row[offset]
            assert isinstance(place, int)
            if row[part] in self._parts and place >= self._parts[row[part]].first:
                kept = _unpacked(row[body], 0 if packing is None else row[packing])
                self._log.update(packed((*facts(row), kept)))

    def _end_part(self) -> None:
        if self._log is not None and self._part in self._parts:
            self._parts[self._part].log = self._log.digest()
        self._part = self._log = None

    def _picks(self, table: str, columns: Sequence[str]) -> _Pick:
        places = [self._tables[table].columns.index(column) for column in columns]
        return lambda row: [row[place] for place in places]


def _unpacked(body: SqlValue, packing: SqlValue) -> SqlValue:
    """Return an update as it was logged; as it is kept if it cannot be unpacked."""
    try:
        assert isinstance(body, bytes) and isinstance(packing, int)
        return unpack(packing, body)
    except ValueError:
        return body
