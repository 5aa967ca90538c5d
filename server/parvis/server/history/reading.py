"""What is read of a log for its history: where it begins and ends, its rows, what came when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from parvis.plugins import ErrorCode, Refused
from parvis.storage import Address, LoggedUpdate, Store

ROWS: Final = 4096
"""Rows that are worked on at a time."""

BYTES: Final = 8 * 1024 * 1024
"""Of updates that are worked on at a time."""

PAGE: Final = 1000
"""Rows that are read at a time; the loop waits for them to be made, for a millisecond or two."""


@dataclass(frozen=True, slots=True)
class Span:
    """The log of one life of a part.

    Attributes:
        since: Offset of the last row of earlier lives.
        first: Offset of the first row that is kept; after a compaction it is worth all before it,
            and nobody's.
        end: Offset of the last durable row.
    """

    address: Address
    incarnation: int
    since: int
    first: int
    end: int

    @property
    def start(self) -> int:
        """The offset after which rows are read."""
        return max(self.since, self.first - 1)

    @property
    def shown(self) -> int:
        """The last offset of what is not shown row by row."""
        return max(self.since, self.first if self.first > 1 else 0)

    def require(self, offset: int) -> None:
        """Raise `Refused` unless the offset is a moment of this life; 0 is before its first row."""
        if not 0 <= offset <= self.end:
            reason = f"there is no such moment: the log ends at offset {self.end}"
            raise Refused(ErrorCode.MALFORMED, reason)
        if self.since and offset <= self.since:
            reason = (
                f"the document was rebuilt after offset {self.since}, and what was before cannot"
                " be shown; versions that were named before can"
            )
            raise Refused(ErrorCode.STALE_INCARNATION, reason)
        if offset < self.first != 1:
            reason = (
                f"the history before offset {self.first} is not kept any more; versions that were"
                " named before can be seen"
            )
            raise Refused(ErrorCode.REFUSED, reason)


def missing(address: Address) -> Refused:
    """There is no such room, or the caller may not know its past."""
    reason = f"there is no room {address.room}, or you may not see its history"
    return Refused(ErrorCode.ROOM_NOT_FOUND, reason)


class Reading:
    """Reads logs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def span(self, address: Address) -> Span:
        """Return where a part's log begins and ends; a part without a log has an empty one.

        Raises:
            Refused: If there is no such room.
        """
        info = await self._store.room(address.tenant, address.room)
        if info is None or info.deleted is not None:
            raise missing(address)
        head = info.parts.get(address.part)
        if head is None:
            return Span(address, 1, 0, 1, 0)
        return Span(address, head.incarnation, head.since, head.first, head.offset)

    async def rows(self, span: Span, after: int, upto: int) -> list[LoggedUpdate]:
        """Return the next rows after an offset, as many as are worked on at a time.

        Raises:
            Refused: If they cannot be read now.
        """
        rows: list[LoggedUpdate] = []
        size = 0
        while after < upto and len(rows) < ROWS and size < BYTES:
            limit = min(PAGE, upto - after, ROWS - len(rows))
            page = await self._store.read(
                span.address, after=after, limit=limit, max_bytes=BYTES - size
            )
            if not page:
                raise Refused(ErrorCode.TRY_AGAIN, "the history cannot be read now")
            if page[0].offset != after + 1:
                # It was compacted meanwhile.
                raise Refused(ErrorCode.TRY_AGAIN, "the history is being made shorter")
            rows += page
            size += sum(len(row.update) for row in page)
            after = page[-1].offset
        return rows

    async def back(
        self, span: Span, before: int, most: int, chunk: int, most_bytes: int
    ) -> tuple[list[LoggedUpdate], int]:
        """Return rows before an offset, oldest first, and the offset of the last one not read.

        Rows that are not kept any more, and those of earlier lives, are as if they never were: the
        second value is then the span's `shown`.
        """
        rows: list[LoggedUpdate] = []
        low, size = before - 1, 0
        while low > span.shown and len(rows) < most and size < most_bytes:
            limit = min(chunk, low - span.shown)
            page = await self._store.read_back(
                span.address, before=low + 1, limit=limit, max_bytes=most_bytes
            )
            if not page:
                return rows[::-1], span.shown
            rows += page
            size += sum(len(row.update) for row in page)
            low = page[-1].offset - 1
        return rows[::-1], low

    async def offset(self, span: Span, time: float) -> int:
        """Return the offset of the last row that had come by then; `start` if none had.

        Where the clock was set back meanwhile, it is one of those around the moment.
        """
        low, high = span.start, span.end
        while low < high:
            middle = (low + high + 1) // 2
            page = await self._store.read(span.address, after=middle - 1, limit=1)
            if page and page[0].time <= time:
                low = middle
            else:
                high = middle - 1
        return low
