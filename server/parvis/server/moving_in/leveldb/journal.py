"""LevelDB's log files: records in blocks of 32 KiB. The manifest is one, and so is what was written
last."""

from collections.abc import Iterator, Mapping
from typing import Final

from .checks import Damaged, masked

BLOCK: Final = 32_768
HEADER: Final = 7

FULL, FIRST, MIDDLE, LAST = range(1, 5)

CONTINUES: Final[Mapping[int, bool]] = {FULL: False, FIRST: False, MIDDLE: True, LAST: True}
"""Kind of a fragment → whether another one must come before it."""

ENDS: Final = frozenset({FULL, LAST})


class Journal:
    """The records of a log file.

    Attributes:
        cut: Whether the last record was being written when its program or its machine stopped;
            LevelDB leaves such a one out, too, as nobody was told that it is kept.
    """

    def __init__(self, data: bytes) -> None:
        self.cut = False
        self._data = data

    def __iter__(self) -> Iterator[bytes]:
        """Yield the records. Raises `Damaged` if one that is not the last is not as written."""
        record, open = bytearray(), False
        for kind, payload in self._fragments():
            if CONTINUES[kind] != open:
                raise Damaged("a record that begins or ends where it should not")
            record += payload
            open = kind not in ENDS
            if not open:
                yield bytes(record)
                record.clear()
        self.cut = self.cut or open

    def _fragments(self) -> Iterator[tuple[int, bytes]]:
        data, at = self._data, 0
        while at < len(data):
            left = BLOCK - at % BLOCK
            if left < HEADER:
                at += left  # a trailer, in which no header has room
                continue
            header = data[at : at + HEADER]
            length, kind = int.from_bytes(header[4:6], "little"), header[-1] if header else 0
            end = at + HEADER + length
            if len(header) < HEADER or end > len(data) or not any(data[at:]):
                self.cut = True
                return
            payload = data[at + HEADER : end]
            good = kind in CONTINUES and left >= HEADER + length
            if not good or masked(data[at + 6 : end]) != int.from_bytes(header[:4], "little"):
                if end == len(data):
                    self.cut = True
                    return
                raise Damaged(f"a checksum that does not fit, at byte {at}")
            yield kind, payload
            at = end
