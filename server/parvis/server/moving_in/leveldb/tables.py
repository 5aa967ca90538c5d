"""LevelDB's table files: sorted keys and values in packed blocks, with an index of them."""

import struct
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from . import snappy
from .checks import Damaged, masked, number

FOOTER: Final = 48
MAGIC: Final = 0xDB4775248B80FB57.to_bytes(8, "little")
TRAILER: Final = 5
PLAIN, SNAPPY = 0, 1

Entry = tuple[bytes, int, int, bytes]
"""Key; number of the write, negative, so that the newest sorts first; kind; value."""


class Table:
    """One table file."""

    def __init__(self, path: Path) -> None:
        """Read the index. Raises `Damaged` or `OSError`."""
        self._path = path
        self._size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(max(0, self._size - FOOTER))
            footer = file.read()
            if len(footer) < FOOTER or not footer.endswith(MAGIC):
                raise Damaged("it does not end as a table does")
            _, at = self._handle(footer, 0)
            handle, _ = self._handle(footer, at)
            index = list(_pairs(self._block(file, *handle)))
        self._ends = [_entry(key, b"")[:2] for key, _ in index]
        self._blocks = [self._handle(value, 0)[0] for _, value in index]

    def entries(self, start: bytes) -> Iterator[Entry]:
        """Yield what is written for each key from one on, in order. Raises `Damaged`, `OSError`."""
        first = bisect_left(self._ends, start, key=lambda end: end[0])
        with self._path.open("rb") as file:
            for handle in self._blocks[first:]:
                for key, value in _pairs(self._block(file, *handle)):
                    entry = _entry(key, value)
                    if entry[0] >= start:
                        yield entry

    def _handle(self, data: bytes, at: int) -> tuple[tuple[int, int], int]:
        offset, at = number(data, at)
        size, at = number(data, at)
        if offset + size + TRAILER > self._size:
            raise Damaged("a block that lies behind the end of the file")
        return (offset, size), at

    def _block(self, file: IO[bytes], offset: int, size: int) -> bytes:
        file.seek(offset)
        data = file.read(size + TRAILER)
        if len(data) < size + TRAILER:
            raise Damaged("it is shorter than it was a moment ago")
        if masked(data[: size + 1]) != int.from_bytes(data[size + 1 :], "little"):
            raise Damaged(f"a checksum that does not fit, of the block at byte {offset}")
        if data[size] == PLAIN:
            return data[:size]
        if data[size] != SNAPPY:
            raise Damaged(f"blocks packed in a way that is not known here ({data[size]})")
        return snappy.unpack(data[:size])


def _pairs(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block; each key says how much it shares with the last one."""
    if len(block) < 4:
        raise Damaged("a block without an end")
    (restarts,) = struct.unpack_from("<I", block, len(block) - 4)
    end = len(block) - 4 * (restarts + 1)
    if end < 0:
        raise Damaged("a block without an end")
    at, key = 0, b""
    while at < end:
        shared, at = number(block, at)
        own, at = number(block, at)
        size, at = number(block, at)
        if shared > len(key) or at + own + size > end:
            raise Damaged("an entry that leaves its block")
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + size]
        at += own + size


def _entry(key: bytes, value: bytes) -> Entry:
    if len(key) < 8:
        raise Damaged("a key without the number of its write")
    tail = int.from_bytes(key[-8:], "little")
    return key[:-8], -(tail >> 8), tail & 0xFF, value
