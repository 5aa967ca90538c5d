"""A folder of LevelDB: which of its files count, and what they say together."""

import fcntl
import heapq
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .checks import Damaged, number, string
from .journal import Journal
from .tables import Entry, Table

COMPARATOR: Final = b"leveldb.BytewiseComparator"

DELETED, VALUE = 0, 1
"""Kinds of writes."""

NAMES: Final = ("{:06d}.ldb", "{:06d}.sst")
"""How a table's file is called, now and by the first versions of LevelDB."""

_FLOCK: Final = struct.Struct("hhqqi4x")
"""``struct flock`` on 64-bit Linux; elsewhere nobody is asked who holds the lock."""


class Folder:
    """The newest values in a folder of LevelDB.

    Attributes:
        cut: Whether the last write was cut off by a crash, and is left out.
    """

    def __init__(self, path: Path) -> None:
        """Read what is not yet in tables, and the indexes of those.

        Raises:
            Damaged: If a file is missing, or not as LevelDB writes it.
            OSError: If a file cannot be read.
        """
        self.cut = False
        self._path = path
        self._log = self._previous = 0
        self._live: dict[int, int] = {}
        self._read_manifest()
        self._tables = [self._table(number, size) for number, size in sorted(self._live.items())]
        self._recent = sorted(entry for log in self._logs() for entry in self._writes(log))

    def entries(
        self, start: bytes = b"", end: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values, in order, from one key up to another one that is not included."""
        last: bytes | None = None
        recent = (entry for entry in self._recent if entry[0] >= start)
        for key, _, kind, value in heapq.merge(
            recent, *(self._checked(table, start) for table in self._tables)
        ):
            if end is not None and key >= end:
                return
            if key != last:
                last = key
                if kind == VALUE:
                    yield key, value

    def _checked(self, table: tuple[str, Table], start: bytes) -> Iterator[Entry]:
        name, opened = table
        try:
            yield from opened.entries(start)
        except Damaged as problem:
            raise Damaged(f"{name}: {problem}") from None

    def _read_manifest(self) -> None:
        try:
            name = (self._path / "CURRENT").read_text("ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            raise Damaged("there is no CURRENT that names its list of files") from None
        if not name.startswith("MANIFEST-") or not name.endswith("\n") or "/" in name:
            raise Damaged("CURRENT does not name a list of files")
        try:
            journal = Journal((self._path / name.strip()).read_bytes())
        except FileNotFoundError:
            raise Damaged(f"{name.strip()}, which CURRENT names, is missing") from None
        try:
            for record in journal:
                self._edit(record)
        except Damaged as problem:
            raise Damaged(f"{name.strip()}: {problem}") from None

    def _edit(self, record: bytes) -> None:
        """Apply one change of the list of files."""
        at = 0
        while at < len(record):
            tag, at = number(record, at)
            match tag:
                case 1:
                    comparator, at = string(record, at)
                    if comparator != COMPARATOR:
                        raise Damaged(f"keys in an order of its own: {comparator[:80]!r}")
                case 2:
                    self._log, at = number(record, at)
                case 3 | 4:  # the next file's number, and that of the last write
                    _, at = number(record, at)
                case 9:
                    self._previous, at = number(record, at)
                case 5:  # how far a level was compacted
                    _, at = number(record, at)
                    _, at = string(record, at)
                case 6:
                    _, at = number(record, at)
                    gone, at = number(record, at)
                    self._live.pop(gone, None)
                case 7:
                    _, at = number(record, at)
                    new, at = number(record, at)
                    self._live[new], at = number(record, at)
                    _, at = string(record, at)
                    _, at = string(record, at)
                case _:
                    raise Damaged(f"an entry of an unknown kind ({tag})")

    def _table(self, number: int, size: int) -> tuple[str, Table]:
        for pattern in NAMES:
            path = self._path / pattern.format(number)
            try:
                there = path.stat().st_size
            except FileNotFoundError:
                continue
            if there != size:
                raise Damaged(f"{path.name} has {there} bytes; its list of files says {size}")
            try:
                return path.name, Table(path)
            except Damaged as problem:
                raise Damaged(f"{path.name}: {problem}") from None
        raise Damaged(f"{NAMES[0].format(number)} is missing")

    def _logs(self) -> list[Path]:
        """Return the logs that are not in tables yet, oldest first."""
        found = [path for path in self._path.glob("*.log") if path.stem.isdigit()]
        counted = sorted((int(path.stem), path) for path in found)
        return [path for n, path in counted if n >= self._log or n == self._previous != 0]

    def _writes(self, path: Path) -> Iterator[Entry]:
        journal = Journal(path.read_bytes())
        try:
            for record in journal:
                yield from _batch(record)
        except Damaged as problem:
            raise Damaged(f"{path.name}: {problem}") from None
        self.cut = self.cut or journal.cut


def _batch(record: bytes) -> Iterator[Entry]:
    """Yield the writes of one record, which happened together."""
    if len(record) < 12:
        raise Damaged("a record without a head")
    sequence, count = struct.unpack_from("<QI", record)
    at = 12
    for written in range(count):
        if at >= len(record):
            raise Damaged(f"{count} writes in a record, of which {written} are there")
        kind, at = record[at], at + 1
        if kind not in (DELETED, VALUE):
            raise Damaged(f"a write of an unknown kind ({kind})")
        key, at = string(record, at)
        value = b""
        if kind == VALUE:
            value, at = string(record, at)
        yield key, -(sequence + written), kind, value
    if at != len(record):
        raise Damaged("a record with more in it than it says")


def holder(path: Path) -> int | None:
    """Return the process that has a folder open; None if there is none, or it cannot be told.

    Asking takes no lock.
    """
    try:
        with (path / "LOCK").open("rb") as file:
            asked = _FLOCK.pack(fcntl.F_WRLCK, 0, 0, 0, 0)
            kind, _, _, _, process = _FLOCK.unpack(fcntl.fcntl(file, fcntl.F_GETLK, asked))
    except (OSError, struct.error):
        return None
    return None if kind == fcntl.F_UNLCK else process
