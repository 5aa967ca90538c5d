"""Folders of y-leveldb, as y-websocket's server writes them.

A key is a row of strings (00, length, UTF-8) and numbers (01, four bytes, big-endian):

=======================================  =========================================================
``"v1", name, "update", n``              an update; `n` counts them
``"v1", name, "meta", key``              a value that an application keeps beside a document
``"v1_sv", name``                        ``n`` and the state vector as it was then
=======================================  =========================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from parvis.protocol.errors import Malformed
from parvis.protocol.lib0 import Reader, var_bytes
from parvis.protocol.yjs import decode_state_vector

from ..firewall.order import Order
from .leveldb import Damaged, Folder
from .leveldb.folder import holder
from .sources import DocumentBroken, Found, Row, SourceError

STRING, NUMBER = 0, 1
Key = tuple[str | int, ...]

HINT: Final = (
    "Copy it while its server is stopped; if it is damaged where it lies, LevelDB's own repair may"
    " save what is left of it."
)


class YLevelDB:
    """The documents of a folder of y-leveldb."""

    kind = "y-leveldb"

    def __init__(self, path: Path) -> None:
        """Read what is in it. Raises `SourceError`."""
        self.path = str(path)
        self.notes: list[str] = []
        process = holder(path)
        if process is not None:
            raise SourceError(
                f"{path} is open in process {process}",
                "Stop the server that writes it, and try again.",
            )
        try:
            self._folder = Folder(path)
        except Damaged as problem:
            raise SourceError(f"{path}: {problem}", HINT) from None
        except OSError as error:
            raise SourceError(f"{error.filename or path}: {error.strerror}") from None
        if self._folder.cut:
            self.notes.append(
                "the last write was cut off by a crash; as LevelDB does, it is left out"
            )

    def documents(self) -> Sequence[Found]:
        sizes: dict[str, tuple[int, int]] = {}
        others = metas = 0
        for key, value in self._entries(b"", None):
            match key:
                case ("v1", str(name), "update", int()):
                    count, size = sizes.get(name, (0, 0))
                    sizes[name] = count + 1, size + len(value)
                case ("v1", str(), "meta", str()):
                    metas += 1
                case ("v1_sv", str(name)):
                    sizes.setdefault(name, (0, 0))
                case _:
                    others += 1
        if metas:
            self.notes.append(
                f"{metas} values of meta data are left out: rooms have no place for them"
            )
        if others and not sizes:
            raise SourceError(f"{self.path} is a LevelDB, and not one of y-leveldb")
        if others:
            self.notes.append(f"{others} entries are not y-leveldb's, and are left out")
        return [
            Found(name, size, count, "" if count else "it has a state vector and no updates")
            for name, (count, size) in sorted(sizes.items())
        ]

    def rows(self, name: str) -> Sequence[Row]:
        start = _key("v1", name, "update")
        rows = [Row(value) for _, value in self._entries(start + b"\x01", start + b"\x02")]
        noted = [
            value for _, value in self._entries(_key("v1_sv", name), _key("v1_sv", name) + b"\x00")
        ]
        if noted and not _reaches(rows, noted[0]):
            raise DocumentBroken(
                "its updates do not reach as far as the state vector beside them: some are missing"
            )
        return rows

    def notes_of(self, name: str, rows: Sequence[Row]) -> Sequence[str]:
        return ()

    def close(self) -> None:
        """Nothing is open."""

    def _entries(self, start: bytes, end: bytes | None) -> Iterator[tuple[Key, bytes]]:
        try:
            for key, value in self._folder.entries(start, end):
                yield _read(key), value
        except Damaged as problem:
            raise SourceError(f"{self.path}: {problem}", HINT) from None
        except OSError as error:
            raise SourceError(f"{error.filename or self.path}: {error.strerror}") from None


def _read(key: bytes) -> Key:
    """Return a key's strings and numbers; empty if it is none of y-leveldb's."""
    reader, found = Reader(key), list[str | int]()
    try:
        while not reader.at_end:
            if reader.byte() == STRING:
                found.append(reader.var_string())
            else:
                found.append(int.from_bytes(bytes(reader.byte() for _ in range(4)), "big"))
    except Malformed:
        return ()
    return tuple(found)


def _key(*strings: str) -> bytes:
    return b"".join(bytes((STRING,)) + var_bytes(each.encode()) for each in strings)


def _reaches(rows: Sequence[Row], noted: bytes) -> bool:
    """Whether updates are worth the state vector that was noted of them."""
    order = Order()
    for _ in order.ready(row.update for row in rows):
        pass
    reader = Reader(noted)
    try:
        reader.var_uint()  # the number of the last update by then
        clocks = decode_state_vector(reader.var_bytes())
    except Malformed:
        raise DocumentBroken("its state vector cannot be read") from None
    return all(order.clocks.get(client, 0) >= clock for client, clock in clocks.items())
