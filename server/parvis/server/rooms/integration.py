"""From the window into the document: what has no gap is applied, and the rest waits for it.

A batch is merged and applied once, then queued for the log (`part.py`) and sent on (`sending.py`).
What waits for a predecessor is logged, and kept in the part's `gaps` until that has come.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from parvis.protocol import ErrorCode

from ..firewall.order import advance, repeats
from .gaps import reached, senders
from .halves import TakesLong
from .seat import Submission
from .sending import merged_update, send_on

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)

SLOW: Final = 0.5
"""Seconds that everybody may wait for one update; after a longer one a shadow goes first."""


class Integration:
    """The way of one part's updates into its document.

    A document that breaks is handed to the part's `recovery`, with what was not taken in yet.
    """

    def __init__(self, part: FastPart) -> None:
        self._part = part

    def integrate(self, batch: list[Submission]) -> bool:
        """Take in a few updates, and what waited for them; False if the document broke."""
        part = self._part
        ready: list[Submission] = []
        for submission in batch:
            assert submission.scan is not None
            if submission.scan.gap(part.document.clocks):
                self.hold_back(submission)
            else:
                submission.repeats = repeats(submission.scan, part.document.clocks)
                advance(part.document.clocks, submission.scan)
                ready.append(submission)
        if ready and not self._take_in(ready):
            return False
        if part.gaps:
            return self.close_gaps(batch)
        return True

    def _take_in(self, batch: list[Submission]) -> bool:
        """Apply, queue and send on updates that have no gap; False if the document broke."""
        part = self._part
        merged = self.apply(batch)
        if merged is None:
            return False
        if merged:
            if any(s.scan is not None and len(s.scan.structs) > 1 for s in batch):
                self._look_for_circles(batch)
            for submission in batch:
                self._queue(submission)
            send_on(part, batch, merged)
        return True

    def _look_for_circles(self, batch: Sequence[Submission]) -> None:
        """Blocks of several clients can wait for each other: what counts is the state."""
        part = self._part
        thought = part.document.clocks
        clocks = part.document.ask_clocks()
        if clocks != thought:
            for submission in batch:
                if submission.scan is not None and not reached(submission.scan, clocks):
                    part.gaps.repeat(submission)

    def _queue(self, submission: Submission) -> None:
        part = self._part
        assert submission.scan is not None
        if submission.seat is None or submission.entry is not None:
            return  # it was logged while it waited
        nothing = submission.scan.is_empty
        part.enqueue(submission, None if nothing else part.entry(submission))
        history = part.room.node.history
        if history is not None and (submission.complete or len(submission.scan.structs) > 1):
            history.note(part.address, submission)

    def hold_back(self, submission: Submission) -> None:
        """Log an update whose predecessor has not come; nobody else sees it before that has."""
        part = self._part
        if part.gaps.full and submission.seat is not None and submission.entry is None:
            part.put_off(submission, "too much waits for what it builds on")
            return
        part.gaps.add(submission)
        self._queue(submission)

    def close_gaps(self, batch: Sequence[Submission] = ()) -> bool:
        """Take in what has no gap any more; ask the senders of this batch's rest for what lacks."""
        part = self._part
        while freed := part.gaps.freed(part.document.clocks):
            if not self._take_in(freed):
                return False
            for submission in freed:
                part.put_behind(submission)
            part.viewing.freed(freed)
        for submission in part.gaps.repeats(part.document.clocks):
            part.put_behind(submission)
        part.viewing.show(())
        part.settle_acks()
        for seat in senders(batch):
            seat.resync(part.state())
        return True

    def apply(self, batch: list[Submission]) -> bytes | None:
        """Merge and apply. Returns what was applied, b"" if all were refused, None if not yet."""
        part = self._part
        note = [(s.update, s.seat.id if s.seat else "") for s in batch]
        began = part.room.node.clock.monotonic()
        part.room.node.watch.enter("apply", part.address, note)
        try:
            merged = self.give(batch)
        except TakesLong as work:
            part.recovery.mend(batch, work.state)
            return None
        except ValueError as problem:  # raised before anything is applied
            return self._apply_singly(batch, problem)
        except BaseException as panic:  # PanicException is no Exception
            part.recovery.start(batch, panic)
            return None
        finally:
            part.room.node.watch.leave()
        if part.room.node.clock.monotonic() - began > SLOW and not part.room.guarded:
            logger.warning("%s: an update took long, a shadow takes them first now", part.address)
            part.room.guarded = True
        part.document.grown(merged)
        return merged

    def give(self, batch: Sequence[Submission], *, at_once: bool = False) -> bytes:
        """Merge updates that have no gap and apply them; returns what was applied.

        Raises:
            TakesLong: If they cut a document that is large, unless it must be at once.
        """
        part = self._part
        merged = merged_update(part.halves.prepare(batch, at_once=at_once))
        part.replica.doc.apply_update(merged)
        return merged

    def _apply_singly(self, batch: list[Submission], problem: Exception) -> bytes | None:
        """Find out which of several cannot be read, and turn it down; leaves the others."""
        part = self._part
        part.document.ask_clocks()
        if len(batch) == 1:
            submission = batch.pop()
            if submission.seat is not None:
                part.turn_down(submission, ErrorCode.INVALID_UPDATE, str(problem)[:200])
            return b""
        good: list[Submission] = []
        for at, submission in enumerate(batch):
            assert submission.scan is not None
            if submission.scan.gap(part.document.clocks):  # it was built on the unreadable one
                self.hold_back(submission)
                continue
            advance(part.document.clocks, submission.scan)
            single = [submission]
            if self.apply(single) is None:
                part.recovery.suspect(good + batch[at + 1 :])
                return None
            good += single
        batch[:] = good
        return part.halves.merge([s.update for s in good]) if good else b""
