"""The hot path: an update's way into a document and on to all the others.

`submit` screens an update and puts it into the window; `_flush` hands what the window holds to
`integration.py`. A quiet part flushes in the next turn of the loop; a busy one gathers for a moment
that grows with the number of its peers.
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
from ..firewall.order import advance
from ..lives.retired import NOBODY, RELOAD, Life, Retired
from . import screening
from .document import Document
from .gaps import Gaps
from .halves import Halves
from .integration import Integration
from .loading import load_document
from .part import LivePart
from .put_off import PutOff
from .recovery import Recovery
from .reverting import revert
from .seat import Seat, Submission
from .sending import MERGE, offer
from .shadowing import Shadowing
from .viewing import Viewing

if TYPE_CHECKING:
    from .room import LiveRoom

logger = logging.getLogger(__name__)

PEER_COST: Final = 20e-6
"""Seconds that sending one frame to one peer takes, roughly: a window of n times this keeps the
loop at most half busy with one part."""

LONGEST_WINDOW: Final = 0.02

LARGEST_STATE: Final = 64 * 1024
"""Bytes of a state vector that are always read; it takes microseconds for each client in it."""

SHORTEST_WAIT: Final = 0.0005
"""The loop's timers step by a millisecond: for less, the next turn is the better choice."""


class FastPart(LivePart):
    """A Yjs document that peers write at the same time.

    Attributes:
        document: The replica, and what is known of it without asking.
        gaps: What waits for a predecessor.
        integration: Takes in what the window holds.
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
        self.integration = Integration(self)
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
                whole = self.integration.integrate(batch)
            except Exception:  # a bug of ours: whoever comes back hands it in again
                logger.exception("%s: updates were lost to a bug", self.address)
                self.room.fail("internal error")
                return
            if not whole:
                self._window = window[start + MERGE :] + self._window
                break
        self.room.node.committed.announce()  # whoever waits until nothing is under way looks again

    # What was integrated

    def put_behind(self, submission: Submission) -> None:
        """Let an ack wait until all that is queued now is durable: what freed it is among that.

        Without it, a crash would leave a row that nobody can see.
        """
        submission.gapped = False
        if submission.watermark <= self.settled:  # the queue of acks has passed it over
            self._owed.append(submission)
        submission.watermark = self.queued

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
        self.viewing.show(submissions)
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
            self.integration.hold_back(submission)
            return
        advance(self.document.clocks, submission.scan)
        if self.integration.apply([submission]):
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
            self.integration.integrate([again.pop(0)])
        self._window = [*again, *self._window]
        if self.recovery.working:
            return
        if self.gaps and not self.integration.close_gaps():
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
