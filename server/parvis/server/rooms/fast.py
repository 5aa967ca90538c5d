"""The hot path: an update's way into a document and on to all the others.

`submit` screens an update and puts it into the window; `_flush` merges what the window holds,
applies it once, sends it on (`sending.py`) and queues it for the log (`part.py`). A quiet part
flushes in the next turn of the loop; a busy one gathers for a moment that grows with the number of
its peers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from parvis.plugins import Access, Part, Refused, YDoc
from parvis.protocol import ErrorCode, Malformed
from parvis.protocol.update import Scan
from parvis.storage import Head

from ..firewall.depth import DepthGuard
from ..firewall.order import advance, repeats
from ..lives.retired import NOBODY, RELOAD, Life, Retired
from . import screening
from .document import Document
from .gaps import Gaps, reached, senders
from .halves import Halves, TakesLong
from .loading import load_document
from .part import LivePart
from .put_off import PutOff
from .recovery import Recovery
from .reverting import revert
from .seat import Seat, Submission
from .sending import MERGE, merged_update, offer, send_on
from .shadowing import Shadowing
from .viewing import Viewing

if TYPE_CHECKING:
    from .room import LiveRoom

logger = logging.getLogger(__name__)

PEER_COST: Final = 20e-6
"""Seconds that sending one frame to one peer takes, roughly: a window of n times this keeps the
loop at most half busy with one part."""

LONGEST_WINDOW: Final = 0.02

SLOW: Final = 0.5
"""Seconds that everybody may wait for one update; after a longer one a shadow goes first."""

LARGEST_STATE: Final = 64 * 1024
"""Bytes of a state vector that are always read; it takes microseconds for each client in it."""

SHORTEST_WAIT: Final = 0.0005
"""The loop's timers step by a millisecond: for less, the next turn is the better choice."""


class FastPart(LivePart):
    """A Yjs document that peers write at the same time.

    Attributes:
        document: The replica, and what is known of it without asking.
        gaps: What waits for a predecessor.
        halves: Characters of which an edit may take one half, which yrs cannot stand.
        shadow: Takes each update first, in rooms over which workers died.
        viewing: Who waits to see it.
        retired: Client ids of earlier lives; who names one holds what must not be merged.
        held: What comes in stays in the window: the part is about to begin a new life.
        ending: The life that was this part's until a moment ago, once it has begun a new one.
    """

    def __init__(self, room: LiveRoom, name: str, rules: Part, head: Head) -> None:
        super().__init__(room, name, rules, head)
        self.document = Document(lambda: room.new_replica(rules.replica, YDoc))
        self.gaps = Gaps()
        self.halves = Halves(self)
        self.depth = DepthGuard()
        self.recovery = Recovery(self)
        self.shadow = Shadowing(self)
        self.viewing = Viewing(self)
        self.retired: Retired = NOBODY
        self.held = False
        self.ending: Life | None = None
        self._put_off = PutOff(self)
        self._window: list[Submission] = []
        self._flushing = False
        self._flushed = float("-inf")
        self._late: list[Submission] = []
        self._freed: list[Submission] = []

    @property
    def replica(self) -> YDoc:
        return self.document.replica

    # From the session into the window

    def submit(self, submission: Submission) -> None:
        """Screen an update and put it into the window; see `LivePart.submit`."""
        submission.received = self.room.node.clock.monotonic()
        self.room.node.metrics.received.inc()
        seat = submission.seat
        assert seat is not None
        if seat in self.inboxes or screening.needs_time(self, submission):
            self.inbox(seat).put(submission)
        elif self.admit(submission) and screening.screen(self, submission):
            if screening.at_once(self, submission):
                self.take(submission)
            else:
                self.inbox(seat).put(submission)

    async def look_through(self, submission: Submission) -> bool:
        return await screening.look_through(self, submission)

    async def refuse(self, submission: Submission, refusal: Refused) -> None:
        assert submission.seat is not None
        if submission.seat.resettable or refusal.code.retryable:
            await super().refuse(submission, refusal)
        else:
            await revert(self, submission, refusal)

    def take(self, submission: Submission) -> None:
        """Put a screened update into the window, unless it adds nothing to what is here."""
        scanned = submission.scan
        assert scanned is not None
        if self._adds_nothing(submission):
            if self.gaps and scanned.gap(self.document.clocks):
                self.gaps.repeat(submission)
            self.enqueue(submission, None)
        else:
            self.depth.add(scanned.types)
            self._window.append(submission)
            self._schedule()

    def _schedule(self) -> None:
        if self._flushing or not self._window or self.recovery.working or self.held:
            return
        if self.viewing.asked and self.unlogged and not self.unsaved:
            return  # for a moment, so that a viewer can be shown what is durable
        self._flushing = True
        clock = self.room.node.clock
        busy = min(LONGEST_WINDOW, len(self.seats) * PEER_COST)
        wait = self._flushed + busy - clock.monotonic()
        if wait <= SHORTEST_WAIT:
            clock.call_soon(self._flush)
        else:
            clock.call_later(wait, self._flush)

    def _adds_nothing(self, submission: Submission) -> bool:
        if self._window or self.recovery.working:
            return False
        scanned = submission.scan
        assert scanned is not None
        for client, ranges in scanned.structs.items():
            clock = self.document.clocks.get(client, 0)
            if ranges[-1][1] > clock and not (self.gaps and self.gaps.hold(client, ranges, clock)):
                return False
        if not scanned.deletes:
            return True
        # Finding out about deletions costs a look at the whole document's, so it is done only for
        # answers to SyncStep1, which carry them all.
        return submission.complete and self.document.deleted().union(*self.gaps.deleted).covers(
            scanned.deletes
        )

    # From the window to the peers and the log

    def _flush(self) -> None:
        self._flushing = False
        if self.recovery.working or self.room.lost or self.held:
            return
        self._flushed = self.room.node.clock.monotonic()
        window, self._window = self._window, []
        for start in range(0, len(window), MERGE):
            batch = window[start : start + MERGE]
            try:
                whole = self._integrate(batch)
            except Exception:  # a bug of ours: whoever comes back hands it in again
                logger.exception("%s: updates were lost to a bug", self.address)
                self.room.fail("internal error")
                return
            if not whole:
                self._window = window[start + MERGE :] + self._window
                break
        self.room.node.committed.announce()  # whoever waits until nothing is under way looks again

    def _integrate(self, batch: list[Submission]) -> bool:
        """Take in a few updates, and what waited for them; False if the document broke."""
        ready: list[Submission] = []
        for submission in batch:
            assert submission.scan is not None
            if submission.scan.gap(self.document.clocks):
                self._hold_back(submission)
            else:
                submission.repeats = repeats(submission.scan, self.document.clocks)
                advance(self.document.clocks, submission.scan)
                ready.append(submission)
        if ready and not self._take_in(ready):
            return False
        if self.gaps:
            return self._close_gaps(batch)
        return True

    def _take_in(self, batch: list[Submission]) -> bool:
        """Apply, queue and send on updates that have no gap; False if the document broke."""
        merged = self._apply(batch)
        if merged is None:
            return False
        if merged:
            if any(s.scan is not None and len(s.scan.structs) > 1 for s in batch):
                self._look_for_circles(batch)
            for submission in batch:
                self._queue(submission)
            send_on(self, batch, merged)
        return True

    def _look_for_circles(self, batch: Sequence[Submission]) -> None:
        """Blocks of several clients can wait for each other: what counts is the state."""
        thought = self.document.clocks
        clocks = self.document.ask_clocks()
        if clocks != thought:
            for submission in batch:
                if submission.scan is not None and not reached(submission.scan, clocks):
                    self.gaps.repeat(submission)

    def _queue(self, submission: Submission) -> None:
        assert submission.scan is not None
        if submission.seat is None or submission.entry is not None:
            return  # it was logged while it waited
        nothing = submission.scan.is_empty
        self.enqueue(submission, None if nothing else self.entry(submission))
        history = self.room.node.history
        if history is not None and (submission.complete or len(submission.scan.structs) > 1):
            history.note(self.address, submission)

    def _hold_back(self, submission: Submission) -> None:
        """Log an update whose predecessor has not come; nobody else sees it before that has."""
        if self.gaps.full and submission.seat is not None and submission.entry is None:
            self.put_off(submission, "too much waits for what it builds on")
            return
        self.gaps.add(submission)
        self._queue(submission)

    def _close_gaps(self, batch: Sequence[Submission] = ()) -> bool:
        """Take in what has no gap any more; ask the senders of this batch's rest for what lacks."""
        while freed := self.gaps.freed(self.document.clocks):
            if not self._take_in(freed):
                return False
            for submission in freed:
                self._put_behind(submission)
            self._freed += freed
        for submission in self.gaps.repeats(self.document.clocks):
            self._put_behind(submission)
        self._show(())
        self._settle_acks()
        for seat in senders(batch):
            seat.resync(self.state())
        return True

    def _put_behind(self, submission: Submission) -> None:
        """Let an ack wait until all that is queued now is durable: what freed it is among that.

        Without it, a crash would leave a row that nobody can see.
        """
        submission.gapped = False
        if submission.watermark <= self.settled:  # the queue of acks has passed it over
            self._owed.append(submission)
        submission.watermark = self.queued

    def _show(self, submissions: Sequence[Submission]) -> None:
        """Show viewers what is durable now, with what it freed, none before what it builds on."""
        fresh = [s for s in submissions if not s.gapped and s not in self._freed]
        if self._freed:
            fresh += [s for s in self._freed if s.watermark <= self.settled]
            fresh.sort(key=_watermark)
            self._freed = [s for s in self._freed if s.watermark > self.settled]
        self.viewing.show(fresh)

    def _apply(self, batch: list[Submission]) -> bytes | None:
        """Merge and apply. Returns what was applied, b"" if all were refused, None if not yet."""
        note = [(s.update, s.seat.id if s.seat else "") for s in batch]
        began = self.room.node.clock.monotonic()
        self.room.node.watch.enter("apply", self.address, note)
        try:
            merged = self.give(batch)
        except TakesLong as work:
            self.recovery.mend(batch, work.state)
            return None
        except ValueError as problem:  # raised before anything is applied
            return self._apply_singly(batch, problem)
        except BaseException as panic:  # PanicException is no Exception
            self.recovery.start(batch, panic)
            return None
        finally:
            self.room.node.watch.leave()
        if self.room.node.clock.monotonic() - began > SLOW and not self.room.guarded:
            logger.warning("%s: an update took long, a shadow takes them first now", self.address)
            self.room.guarded = True
        self.document.grown(merged)
        return merged

    def give(self, batch: Sequence[Submission], *, at_once: bool = False) -> bytes:
        """Merge updates that have no gap and apply them; returns what was applied.

        Raises:
            TakesLong: If they cut a document that is large, unless it must be at once.
        """
        merged = merged_update(self.halves.prepare(batch, at_once=at_once))
        self.replica.doc.apply_update(merged)
        return merged

    def _apply_singly(self, batch: list[Submission], problem: Exception) -> bytes | None:
        """Find out which of several cannot be read, and turn it down; leaves the others."""
        self.document.ask_clocks()
        if len(batch) == 1:
            submission = batch.pop()
            if submission.seat is not None:
                self.turn_down(submission, ErrorCode.INVALID_UPDATE, str(problem)[:200])
            return b""
        good: list[Submission] = []
        for at, submission in enumerate(batch):
            assert submission.scan is not None
            if submission.scan.gap(self.document.clocks):  # it was built on the unreadable one
                self._hold_back(submission)
                continue
            advance(self.document.clocks, submission.scan)
            single = [submission]
            if self._apply(single) is None:
                self.recovery.suspect(good + batch[at + 1 :])
                return None
            good += single
        batch[:] = good
        return self.halves.merge([s.update for s in good]) if good else b""

    # A new life

    def hold(self) -> None:
        """Take nothing in any more, until `release`: what comes waits in the window."""
        self.held = True

    def release(self) -> None:
        """Go on as before."""
        self.held = self.frozen = False
        self.room.committer.wake(self)
        self._schedule()

    @property
    def waiting(self) -> Sequence[Submission]:
        """What is in the window: neither applied nor logged."""
        return self._window

    def reborn(self, ending: Life) -> None:
        """The part has begun a new life: everybody's copy is of the one before, also this one."""
        self.incarnation = ending.incarnation + 1
        self.ending = ending
        seats, self.seats = self.seats, {}
        self.awareness.close()
        for seat in seats:
            seat.left = True
            seat.reset(ErrorCode.STALE_INCARNATION, RELOAD)

    # What peers lack

    async def missing(self, state: bytes) -> Sequence[bytes]:
        await self.recovery.done()
        return self.diff(state)

    def diff(self, state: bytes) -> Sequence[bytes]:
        """Return updates that bring a peer from a state vector to what is here, at least one.

        Raises:
            Malformed: If it is no state vector; yrs itself checks no bounds.
            Refused: If the document breaks over it; it is then rebuilt.
        """
        try:
            if len(state) <= 1:
                return self.document.cache.updates()
            if len(state) > LARGEST_STATE + 2 * len(self.state()):
                raise Malformed("a state vector of a size like the document's own")
            return [self.replica.doc.get_update(self.halves.before(state))]
        except Exception:
            raise
        except BaseException as panic:  # PanicException is no Exception
            self.recovery.start([], panic)
            raise Refused(ErrorCode.TRY_AGAIN, "the document is being rebuilt") from None

    def present(self) -> Sequence[bytes]:
        """Return updates worth the document as it is now, with what has just come.

        Raises:
            Refused: If the document breaks over it; it is then rebuilt.
        """
        if self._window:
            self._flush()
        if self.recovery.working:
            raise Refused(ErrorCode.TRY_AGAIN, "the document is being rebuilt")
        return self.diff(b"")

    def everything(self) -> Sequence[bytes]:
        """Return updates worth all that is here, also what is not applied yet."""
        window = [submission.update for submission in self._window]
        return [*self.diff(b""), *self.gaps.updates, *window]

    async def seat(
        self, seat: Seat, state: bytes | None, entered: Callable[[Sequence[bytes]], None]
    ) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def answer() -> None:
            if done.cancelled():
                return
            try:
                self.enter(seat, () if state is None else self.diff(state), entered)
            except Exception as problem:
                done.set_exception(problem)
            else:
                done.set_result(None)

        self.viewing.when_ready(seat, answer)
        await done

    def when_ready(self, seat: Seat, answer: Callable[[], None]) -> None:
        """Call as soon as a peer may see the document as it is; see `Viewing`."""
        self.viewing.when_ready(seat, answer)

    def state(self) -> bytes:
        return self.document.state()

    def holds(self, scanned: Scan) -> bool:
        """Whether an update adds nothing to what is here."""
        return self.document.holds(scanned)

    def catch_up(self, seat: Seat) -> None:
        self.viewing.catch_up(seat)

    def change_access(self, seat: Seat, access: Access) -> None:
        before = seat.may_write
        super().change_access(seat, access)
        if seat.may_write and not before:
            self.viewing.may_write_now(seat)

    def leave(self, seat: Seat) -> None:
        super().leave(seat)
        self._put_off.forget(seat)

    # After the commit

    def logged(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions:
            if submission.seat is None and submission.update:
                self._apply_late(submission)
        self._show(submissions)
        self.viewing.look_again()
        self._schedule()

    def _apply_late(self, submission: Submission) -> None:
        """An edit of the server is durable: now it may be seen."""
        if self.recovery.working:
            self._late.append(submission)
            return
        if submission.scan is None:
            return
        self.depth.add(submission.scan.types)
        if submission.scan.gap(self.document.clocks):
            self._hold_back(submission)
            return
        advance(self.document.clocks, submission.scan)
        if self._apply([submission]):
            writers = [seat for seat in self.seats if seat.may_write]
            offer(self, writers, submission.update, [submission])

    def _set_unsaved(self, unsaved: bool) -> None:
        super()._set_unsaved(unsaved)
        self._schedule()

    def put_off(
        self, submission: Submission, reason: str, code: ErrorCode = ErrorCode.TRY_AGAIN
    ) -> None:
        super().put_off(submission, reason, code)
        assert submission.seat is not None
        self._put_off.add(submission.seat)

    # The document as a whole

    async def load(self) -> None:
        if self.incarnation > 1:
            self.retired = await self.room.node.lives.rows.retired(self.address)
        await load_document(self)
        self.document.ask_clocks()

    def whole_again(self, good: Sequence[Submission], *, lost: bool = True) -> None:
        """The document was rebuilt; what was in flight is taken up again.

        Args:
            lost: Whether something may be missing that writers have.
        """
        late, self._late = self._late, []
        again = [submission for submission in good if submission.seat is not None]
        for submission in (*[s for s in good if s.seat is None], *late):
            self._apply_late(submission)
        # One by one, for perhaps it was their merge that broke the document.
        while again and not self.recovery.working:
            self._integrate([again.pop(0)])
        self._window = [*again, *self._window]
        if self.recovery.working:
            return
        if self.gaps and not self._close_gaps():
            return
        for seat in tuple(self.seats):
            if seat.behind is not None:
                self.catch_up(seat)
            elif lost and seat.may_write:
                seat.resync(self.state())
        self.viewing.look_again()
        self._schedule()

    @property
    def unsettled(self) -> bool:
        return super().unsettled or bool(self._window) or self.recovery.working

    def abandon(self) -> None:
        super().abandon()
        self.recovery.cancel()
        self._put_off.close()
        self.shadow.close()
        self.viewing.answer_all()


def _watermark(submission: Submission) -> int:
    return submission.watermark
