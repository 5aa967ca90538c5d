"""Updates of one peer that somebody has to look at before they are merged, one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING

from parvis.plugins import Refused
from parvis.protocol import ErrorCode

from .seat import OVERHEAD, Seat, Submission

if TYPE_CHECKING:
    from .part import LivePart

logger = logging.getLogger(__name__)


class Inbox:
    """Keeps a peer's updates in their order while one of them needs time."""

    def __init__(self, part: LivePart, seat: Seat) -> None:
        self._part = part
        self._seat = seat
        self._queue: deque[Submission] = deque()
        self._bytes = 0
        self._task: asyncio.Task[None] | None = None

    def put(self, submission: Submission) -> None:
        if self._bytes > self._part.room.node.limits.unlogged:
            self._part.put_off(submission, "too much waits to be looked at")
            return
        self._queue.append(submission)
        self._bytes += len(submission.update) + OVERHEAD
        if self._task is None:
            self._task = self._part.room.node.spawn(self._run())

    async def _run(self) -> None:
        part = self._part
        while self._queue and not part.room.lost:
            submission = self._queue.popleft()
            self._bytes -= len(submission.update) + OVERHEAD
            try:
                await self._look_through(submission)
            except asyncio.CancelledError:
                raise
            except BaseException:  # of a hook, or of pycrdt in one, whose panics are no Exception
                logger.exception("%s: an update was lost to a bug", part.address)
                part.turn_down(submission, ErrorCode.INTERNAL, "internal error")
        part.inbox_done(self._seat)

    async def _look_through(self, submission: Submission) -> None:
        part = self._part
        try:
            if part.admit(submission) and await part.look_through(submission):
                part.take(submission)
        except Refused as refusal:
            await part.refuse(submission, refusal)
