"""Edits of the server: made on a copy, committed first, then applied and sent on."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pycrdt import merge_updates

from parvis.plugins import Caller, Refused, YDoc
from parvis.protocol import ErrorCode, Malformed
from parvis.protocol.update import scan
from parvis.storage import Entry, SqlValue, Statement

from .fast import FastPart
from .part import LivePart
from .seat import Submission

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
        self._before = b""
        self._updates: list[bytes] = []
        self._preconditions: list[Statement] = []
        self._statements: list[Statement] = []

    async def __aenter__(self) -> RoomEdit:
        self._part = await self._room.open_part(self._name)
        return self

    def document(self, kind: type[YDocT]) -> YDocT:
        if self._copy is None:
            part = self._part
            if not isinstance(part, FastPart) or not issubclass(kind, YDoc):
                raise TypeError(f"{part.address} holds no document")
            self._copy = kind(self._room.node.random.below(2**32))
            for update in part.diff(b""):
                self._copy.doc.apply_update(update)
            self._before = self._copy.doc.get_state()
        return cast(YDocT, self._copy)

    def append(self, update: bytes) -> None:
        if not isinstance(self._part, FastPart) and self._updates:
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
            self.offset = await self._commit(self._whole_update())

    def _whole_update(self) -> bytes:
        updates = list(self._updates)
        if self._copy is not None:
            change = self._copy.doc.get_update(self._before)
            updates.append(change)
        if len(updates) <= 1:
            return updates[0] if updates else b""
        return merge_updates(*updates)

    async def _commit(self, update: bytes) -> int:
        room, part = self._room, self._part
        scanned: Any = None
        if isinstance(part, FastPart) and update:
            try:
                scanned = scan(update)
            except Malformed as problem:
                raise Refused(ErrorCode.INVALID_UPDATE, f"the edit: {problem}") from None
            if scanned.is_empty:
                update = b""
        if not update and not self._statements and not self._preconditions:
            return part.durable
        if room.lost:
            raise Refused(ErrorCode.TRY_AGAIN, "the room was closed meanwhile")
        fate: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        entry = Entry(
            update,
            self._author.user,
            room.node.clock.time(),
            room.next_key(),
            tuple(self._preconditions),
            tuple(self._statements),
        )
        submission = Submission(None, 0, update, scan=scanned)
        submission.settled = lambda offset, reason: (
            None if fate.done() else fate.set_result((offset, reason))
        )
        part.enqueue(submission, entry)
        offset, reason = await fate
        if not offset:
            raise Refused(ErrorCode.CONFLICT, reason)
        return offset
