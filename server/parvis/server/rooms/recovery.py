"""A document that panicked is never touched again: another is made from the log and the queue."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import screening
from .loading import load_document
from .seat import Submission

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)


class Recovery:
    """Rebuilds one part's document, and finds out in helpers which update broke it.

    While it works, updates gather in the part's window, and joins wait.
    """

    def __init__(self, part: FastPart) -> None:
        self._part = part
        self._suspects: list[Submission] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def working(self) -> bool:
        return self._task is not None

    async def done(self) -> None:
        """Wait until the document is whole."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def start(self, suspects: Sequence[Submission], panic: BaseException) -> None:
        """Begin anew without the broken document; `suspects` were not sent on or queued yet."""
        part = self._part
        logger.error("%s: the document broke (%s), rebuilding it", part.address, panic)
        part.room.node.metrics.rebuilds.inc()
        self._suspects += suspects
        part.document.renew()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    def mend(self, batch: Sequence[Submission], state: bytes) -> None:
        """Have a helper spell the characters that some updates cut, in a large document.

        Args:
            batch: The updates, which were not applied, sent on or queued yet.
            state: The document.
        """
        self._task = self._part.room.node.spawn(self._mend(batch, state))

    def suspect(self, submissions: Sequence[Submission]) -> None:
        """These were applied to the broken document too, and are neither sent on nor queued."""
        self._suspects += submissions

    def cancel(self) -> None:
        """Give up; the room is gone."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _mend(self, batch: Sequence[Submission], state: bytes) -> None:
        part = self._part
        try:
            await part.halves.mend_in_helper(state, [submission.update for submission in batch])
            part.document.look_again()
        except asyncio.CancelledError:
            raise
        except BaseException:  # PanicException is no Exception
            logger.exception("%s: could not be mended", part.address)
            part.room.fail("the document could not be mended")
            return
        finally:
            self._task = None
        others, self._suspects = self._suspects, []
        if not part.room.lost:
            for submission in batch:
                if submission.gapped:  # it is logged already, and its ack still waits
                    part.gaps.add(submission)
            again = [submission for submission in batch if not submission.gapped]
            part.whole_again([*again, *others], lost=False)

    async def _run(self) -> None:
        part = self._part
        good: list[Submission] = []
        try:
            while True:
                suspects, self._suspects = self._suspects, []
                await self._rebuild([*part.unlogged, *good])
                good += await self._try_out(suspects)
                if not self._suspects:
                    break
        except asyncio.CancelledError:
            raise
        except BaseException:  # PanicException is no Exception
            logger.exception("%s: could not be rebuilt", part.address)
            part.room.fail("the document could not be rebuilt")
            return
        finally:
            self._task = None
        if not part.room.lost:
            part.whole_again(good)

    async def _rebuild(self, unlogged: Sequence[Submission]) -> None:
        """Fill the fresh document; what the log does not have yet is applied on top.

        The server's own edits are left out: they are applied when they are durable.
        """
        part = self._part
        await load_document(part)
        for submission in unlogged:
            if submission.seat is not None and not submission.gapped:
                part.integration.give([submission], at_once=True)
        part.document.look_again()

    async def _try_out(self, suspects: Sequence[Submission]) -> list[Submission]:
        """Let helpers find out who broke it; returns the others."""
        part = self._part
        quarantine = part.room.node.quarantine
        base = list(part.diff(b""))
        good: list[Submission] = []
        for submission in suspects:
            sender = submission.seat.caller.user if submission.seat else ""
            if submission.tried:
                reason = "broke the document a second time, alone"
                await quarantine.condemn(part.address, submission.update, sender, reason)
            elif await quarantine.judge(part.address, base, submission.update, sender):
                submission.tried = True
                good.append(submission)
                base.append(submission.update)
                continue
            screening.condemn(submission)
        return good
