"""Edits of the server: made on a copy, committed first, then applied and sent on."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, cast

from pycrdt import TransactionEvent

from parvis.plugins import Caller, Refused, YDoc
from parvis.protocol import ErrorCode
from parvis.protocol.update import Scan
from parvis.storage import Entry, SqlValue, Statement

from .fast import FastPart
from .part import LivePart
from .screening import look_through_edit, merge_edit, read_edit
from .seat import Submission
from .sending import merged_update

if TYPE_CHECKING:
    from .room import LiveRoom

YDocT = TypeVar("YDocT", bound=YDoc)


class RoomEdit:
    """Implements `parvis.plugins.Edit`, as the context manager that `Room.edit` returns."""

    def __init__(self, room: LiveRoom, author: Caller, part: str) -> None:
        self.offset = 0
        self._room = room
        self._author = author
        self._name = part
        self._part: LivePart
        self._copy: YDoc | None = None
        self._observing: object = None
        self._updates: list[bytes] = []
        self._preconditions: list[Statement] = []
        self._statements: list[Statement] = []

    async def __aenter__(self) -> RoomEdit:
        self._part = await self._room.open_part(self._name)
        if isinstance(self._part, FastPart):
            await self._part.recovery.done()
        return self

    def document(self, kind: type[YDocT]) -> YDocT:
        if self._copy is None:
            part = self._part
            if not isinstance(part, FastPart):
                raise TypeError(f"{part.address} holds no document")
            if part.recovery.working:
                raise Refused(ErrorCode.TRY_AGAIN, "the document is being rebuilt")
            self._copy = kind(self._room.node.random.below(2**32))
            for update in part.diff(b""):
                self._copy.doc.apply_update(update)
            # An update against the state before would repeat all deletions of the document.
            self._observing = self._copy.doc.observe(self._changed)
        return cast(YDocT, self._copy)

    def _changed(self, event: TransactionEvent) -> None:
        self._updates.append(event.update)

    def append(self, update: bytes) -> None:
        if self._updates and not isinstance(self._part, FastPart):
            raise ValueError("an edit appends one update to an ordered part")
        self._updates.append(update)

    def require(self, sql: str, *args: SqlValue) -> None:
        self._preconditions.append(Statement(sql, args))

    def execute(self, sql: str, *args: SqlValue) -> None:
        self._statements.append(Statement(sql, args))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.offset = await self._commit(await self._merged())

    async def _merged(self) -> bytes:
        """Return the block's updates as one, each looked through before it is merged."""
        part, updates = self._part, self._updates
        if not updates or not isinstance(part, FastPart):
            return updates[0] if updates else b""
        if len(updates) > 1:
            for update in updates:
                await read_edit(part, update)
        if len(updates) > 1 and sum(map(len, updates)) > self._room.node.limits.quick_update:
            return await merge_edit(part, updates)
        return merged_update(updates)

    async def _commit(self, update: bytes) -> int:
        room, part = self._room, self._part
        scanned: Scan | None = None
        if isinstance(part, FastPart) and update:
            scanned = await look_through_edit(part, update)
            if scanned.is_empty:
                update = b""
        if not update and not self._statements and not self._preconditions:
            return part.durable
        if room.lost:
            raise Refused(ErrorCode.TRY_AGAIN, "the room was closed meanwhile")
        fate: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        entry = Entry(
            update,
            self._author.user,
            room.node.clock.time(),
            room.next_key(),
            tuple(self._preconditions),
            tuple(self._statements),
        )
        submission = Submission(None, 0, update, scan=scanned)

        def settled(fated: int | Refused) -> None:
            if fate.done():
                return
            if isinstance(fated, Refused):
                fate.set_exception(fated)
            else:
                fate.set_result(fated)

        submission.settled = settled
        part.enqueue(submission, entry)
        return await fate
