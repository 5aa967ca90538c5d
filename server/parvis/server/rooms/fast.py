"""The hot path: an update's way into a document and on to all the others.

`submit` screens an update and puts it into the window; `_flush` merges what the window holds,
applies it once, sends it on and queues it for the log. A quiet part flushes in the next turn of
the loop; a busy one gathers for a moment that grows with the number of its peers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from pycrdt import merge_updates

from parvis.plugins import Part, Refused, YDoc
from parvis.protocol import ErrorCode
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.update import Scan, read_delete_set, scan
from parvis.protocol.yjs import decode_state_vector, encode_state_vector
from parvis.storage import Head

from ..firewall.helpers import Shadow
from ..ports import HelperDied, HelperFailed, HelperMissing, HelperPanicked, HelperTimeout
from . import screening
from .loading import load_document
from .part import LivePart
from .seat import Encoder, Seat, Submission
from .state_cache import StateCache

if TYPE_CHECKING:
    from .room import LiveRoom

logger = logging.getLogger(__name__)

MERGE: Final = 32
"""Merging more updates at once costs more than it saves: it is quadratic."""

PEER_COST: Final = 20e-6
"""Seconds that sending one frame to one peer takes, roughly: a window of n times this keeps the
loop at most half busy with one part."""

LONGEST_WINDOW: Final = 0.02
QUIET: Final = 0.005
"""A part that has sent nothing for so long, in seconds, sends the next update at once."""


class FastPart(LivePart):
    """A Yjs document that peers write at the same time.

    Attributes:
        clocks: The document's state vector, kept beside it, so that a gap is seen without asking.
    """

    replica: YDoc

    def __init__(self, room: LiveRoom, name: str, rules: Part, head: Head) -> None:
        super().__init__(room, name, rules, head)
        self.clocks: dict[int, int] = {}
        self.pending: list[Submission] = []
        self.waiting: list[bytes] = []
        self._window: list[Submission] = []
        self._flushing = False
        self._flushed = float("-inf")
        self._deletes: tuple[int, DeleteSet] | None = None
        self._version = 0
        self._starved: dict[Seat, None] = {}
        self._recovery: asyncio.Task[None] | None = None
        self._suspects: list[Submission] = []
        self._shadow: Shadow | None = None
        self.renew_replica()

    def renew_replica(self) -> None:
        """Start with an empty document; the old one, if it broke, is never touched again."""
        self.replica = self.room.new_replica(self.rules.replica, YDoc)
        self.cache = StateCache(self.replica)

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
            self.take(submission)

    async def look_through(self, submission: Submission) -> bool:
        return await screening.look_through(self, submission)

    def take(self, submission: Submission) -> None:
        """Put a screened update into the window, unless it adds nothing."""
        if self._adds_nothing(submission):
            self.enqueue(submission, None)
            return
        self._window.append(submission)
        if not self._flushing and self._recovery is None:
            self._flushing = True
            self._schedule()

    def _schedule(self) -> None:
        clock = self.room.node.clock
        busy = min(LONGEST_WINDOW, len(self.seats) * PEER_COST)
        wait = self._flushed + busy - clock.monotonic()
        if wait <= 0.0005:
            clock.call_soon(self._flush)
        else:
            clock.call_later(wait, self._flush)

    def _adds_nothing(self, submission: Submission) -> bool:
        scanned = submission.scan
        assert scanned is not None
        if scanned.is_empty:
            return True
        if self._window or self.waiting:
            return False
        for client, ranges in scanned.structs.items():
            if ranges[-1][1] > self.clocks.get(client, 0):
                return False
        if not scanned.deletes:
            return True
        # Finding out about deletions costs a look at the whole document's, so it is done only for
        # answers to SyncStep1, which carry them all.
        return submission.complete and scanned.covered_by(self.clocks, self.deleted())

    def holds(self, update: bytes) -> bool:
        """Whether an update adds nothing to what is here. Raises `Malformed`."""
        return scan(update).covered_by(self.clocks, self.deleted())

    def deleted(self) -> DeleteSet:
        """Return everything that was deleted in the document."""
        if self._deletes is None or self._deletes[0] != self._version:
            nothing_new = self.replica.doc.get_update(self.replica.doc.get_state())
            self._deletes = (self._version, read_delete_set(nothing_new))
        return self._deletes[1]

    # From the window to the peers and the log

    def _flush(self) -> None:
        self._flushing = False
        if self._recovery is not None or self.room.lost:
            return
        self._flushed = self.room.node.clock.monotonic()
        window, self._window = self._window, []
        for start in range(0, len(window), MERGE):
            batch = window[start : start + MERGE]
            if not self._integrate(batch):
                self._window = window[start + len(batch) :] + self._window
                return

    def _integrate(self, batch: list[Submission]) -> bool:
        """Apply, send on and queue a few updates; False if the document broke."""
        merged = self._apply(batch)
        if merged is None:
            return False
        if not merged:
            return True
        self._send_on(batch, merged)
        for submission in batch:
            if submission.entry is None:
                self.enqueue(submission, self.entry(submission))
            else:
                self.enqueue(submission, submission.entry)
        return True

    def _apply(self, batch: list[Submission]) -> bytes | None:
        """Merge and apply. Returns what was applied, b"" if all were refused, None if broken."""
        note = [(s.update, s.seat.session.id if s.seat else "") for s in batch]
        self.room.node.watch.enter("apply", self.address, note)
        try:
            if len(batch) == 1:
                merged = batch[0].update
            else:
                merged = merge_updates(*[s.update for s in batch])
            self.replica.doc.apply_update(merged)
        except (ValueError, RuntimeError) as problem:
            return self._apply_singly(batch, problem)
        except BaseException as panic:  # PanicException is no Exception, and the Doc is now broken
            self.recover(batch, panic)
            return None
        finally:
            self.room.node.watch.leave()
        self._applied(batch, merged)
        return merged

    def _apply_singly(self, batch: list[Submission], problem: Exception) -> bytes | None:
        """One of several made the merged update unreadable: find it."""
        if len(batch) == 1:
            submission = batch.pop()
            if submission.seat is not None:
                self.turn_down(submission, ErrorCode.INVALID_UPDATE, str(problem)[:200])
            return b""
        good: list[Submission] = []
        for submission in batch:
            single = [submission]
            if self._apply(single) is None:
                return None
            good += single
        batch[:] = good
        return merge_updates(*[s.update for s in good]) if good else b""

    def _applied(self, batch: Sequence[Submission], merged: bytes) -> None:
        self._version += 1
        self.cache.add(merged)
        for submission in batch:
            assert submission.scan is not None
            if submission.scan.gap(self.clocks):
                self.wait_for_predecessor(submission)
            else:
                for client, ranges in submission.scan.structs.items():
                    if ranges[-1][1] > self.clocks.get(client, 0):
                        self.clocks[client] = ranges[-1][1]
        if self.waiting:
            self._look_at_gaps()

    # Updates that wait for a predecessor

    def wait_for_predecessor(self, submission: Submission) -> None:
        submission.gapped = True
        self.pending.append(submission)
        self.waiting.append(submission.update)

    def _look_at_gaps(self) -> None:
        """See which waiting updates the document has been able to integrate."""
        self.clocks = decode_state_vector(self.replica.doc.get_state())
        still: list[Submission] = []
        done: list[Submission] = []
        for submission in self.pending:
            scanned = submission.scan
            assert scanned is not None
            if _reached(scanned, self.clocks):
                submission.gapped = False
                if submission.offset:
                    done.append(submission)
            else:
                still.append(submission)
        self.pending = still
        self.waiting = [s.update for s in still]
        self._ack(done)
        if still:
            state = self.state()
            for seat in {s.seat: None for s in still if s.seat is not None and not s.seat.left}:
                seat.resync(state)

    # Broadcasting

    def _send_on(self, batch: Sequence[Submission], merged: bytes) -> None:
        """Give an update to everybody who could give it back, but not to its own writer."""
        own: dict[Seat, list[bytes]] = {}
        for submission in batch:
            if submission.seat is not None:
                own.setdefault(submission.seat, []).append(submission.update)
        others = [seat for seat in self.seats if seat.may_write and seat not in own]
        self._offer(others, merged, batch)
        if len(own) > 1:
            for seat, theirs in zip(own, without_own(list(own.values())), strict=True):
                if seat in self.seats:
                    self._offer([seat], theirs, batch)

    def _offer(self, seats: Iterable[Seat], update: bytes, batch: Sequence[Submission]) -> None:
        """Write one frame per encoder to each seat; who is slow gets one update later instead."""
        frames: dict[Encoder, bytes] = {}
        sent = 0
        for seat in seats:
            if seat.behind is not None:
                continue
            encoder = seat.encoder
            frame = frames.get(encoder)
            if frame is None:
                frame = frames[encoder] = encoder.changed(update)
            if seat.session.outbox.offer(frame):
                sent += 1
            else:
                seat.behind = self._state_before(batch)
                self.room.node.metrics.outbox_drops.inc()
        self.room.node.metrics.deliveries.inc(sent)

    def _state_before(self, batch: Sequence[Submission]) -> bytes:
        """Return a state vector that does not claim anything of these updates."""
        clocks = decode_state_vector(self.replica.doc.get_state())
        for submission in batch:
            assert submission.scan is not None
            for client, ranges in submission.scan.structs.items():
                if client in clocks:
                    clocks[client] = min(clocks[client], ranges[0][0])
        return encode_state_vector({c: clock for c, clock in clocks.items() if clock})

    def catch_up(self, seat: Seat) -> None:
        if seat.behind is not None and not seat.left and self._recovery is None:
            behind, seat.behind = seat.behind, None
            seat.caught_up(self.diff(behind))
            self.room.node.metrics.resyncs.inc()

    # Joining

    async def missing(self, state: bytes) -> Sequence[bytes]:
        while self._recovery is not None:
            await asyncio.wait([self._recovery])
        return self.diff(state)

    def when_whole(self, answer: Callable[[], None]) -> None:
        """Call now, or once the document has been rebuilt if it is broken."""
        if self._recovery is None:
            answer()
        else:
            self._recovery.add_done_callback(lambda _: answer())

    def diff(self, state: bytes) -> Sequence[bytes]:
        """Return updates that bring a peer from a state vector to what is here."""
        if len(state) <= 1:
            updates = list(self.cache.updates())
        else:
            decode_state_vector(state)  # yrs checks no bounds
            updates = [self.replica.doc.get_update(state)]
        return updates + self.waiting

    def state(self) -> bytes:
        return self.replica.doc.get_state()

    def leave(self, seat: Seat) -> None:
        super().leave(seat)
        self._starved.pop(seat, None)

    # After the commit

    def logged(self, submissions: Sequence[Submission]) -> None:
        late = [s for s in submissions if s.seat is None]
        for submission in late:
            self._apply_late(submission)
        viewers = [seat for seat in self.seats if not seat.may_write]
        if viewers:
            visible = [s for s in submissions if s.update and s.scan is not None]
            for start in range(0, len(visible), MERGE):
                batch = visible[start : start + MERGE]
                self._offer(viewers, merged_update([s.update for s in batch]), batch)
        if self._starved and self.unlogged_bytes < self.room.node.limits.unlogged // 2:
            starved, self._starved = self._starved, {}
            state = self.state()
            for seat in starved:
                seat.resync(state)

    def _apply_late(self, submission: Submission) -> None:
        """An edit of the server is durable: now it may be seen."""
        if submission.update:
            submission.scan = scan(submission.update)
            if self._apply([submission]):
                writers = [seat for seat in self.seats if seat.may_write]
                self._offer(writers, submission.update, [submission])

    def put_off(self, submission: Submission, reason: str) -> None:
        super().put_off(submission, reason)
        assert submission.seat is not None
        self._starved[submission.seat] = None

    # A broken document

    def recover(self, suspects: Sequence[Submission], panic: BaseException) -> None:
        """Replace a document that panicked by one made from the log and what is not yet logged."""
        logger.error("%s: the document broke (%s), rebuilding it", self.address, panic)
        self.room.node.metrics.rebuilds.inc()
        self._suspects += suspects
        self.renew_replica()  # the broken one is never touched again
        if self._recovery is None:
            self._recovery = asyncio.get_running_loop().create_task(self._recover())

    async def _recover(self) -> None:
        good: list[Submission] = []
        try:
            while self._suspects:
                suspects, self._suspects = self._suspects, []
                await self._rebuild([*self.unlogged, *good])
                good += await self._try_out(suspects, good)
        except Exception:
            logger.exception("%s: could not be rebuilt", self.address)
            self.room.fail("the document could not be rebuilt")
            return
        finally:
            self._recovery = None
        self._window = good + self._window
        state = self.state()
        for seat in tuple(self.seats):
            if seat.may_write:
                seat.resync(state)
        if self._window and not self._flushing:
            self._flushing = True
            self._schedule()

    async def _rebuild(self, unlogged: Sequence[Submission]) -> None:
        """Fill the fresh document; what the log does not have yet is applied on top.

        The server's own edits are left out: they are applied when they are durable.
        """
        await load_document(self)
        for submission in unlogged:
            if submission.seat is not None:
                self.replica.doc.apply_update(submission.update)
        self.reset_clocks()

    async def _try_out(
        self, suspects: Sequence[Submission], known_good: Sequence[Submission]
    ) -> list[Submission]:
        """Let helpers find out who broke it; returns the others."""
        base = [self.replica.doc.get_update(), *[s.update for s in known_good]]
        good: list[Submission] = []
        for submission in suspects:
            seat = submission.seat
            sender = seat.caller.user if seat else ""
            node = self.room.node
            if await node.quarantine.judge(self.address, base, submission.update, sender):
                good.append(submission)
                base.append(submission.update)
            else:
                screening.condemn(submission)
        return good

    def reset_clocks(self) -> None:
        """Ask the document anew what it has."""
        self._version += 1
        self.cache.clear()
        self.clocks = decode_state_vector(self.replica.doc.get_state())

    async def load(self) -> None:
        await load_document(self)
        self.reset_clocks()

    # A room over which workers died

    async def survives_in_shadow(self, submission: Submission) -> bool:
        """Let a copy in a process of its own take the update first."""
        if self._shadow is None:
            self._shadow = self.room.node.make_shadow()
        try:
            if not self._shadow.is_open:
                await self._shadow.open(self.diff(b""))
            await self._shadow.apply(submission.update)
        except HelperMissing:
            raise Refused(ErrorCode.TRY_AGAIN, "no helper could be started") from None
        except (HelperDied, HelperTimeout, HelperPanicked) as death:
            assert submission.seat is not None
            sender = submission.seat.caller.user
            await self.room.node.quarantine.condemn(
                self.address, submission.update, sender, f"broke the room's shadow: {death}"
            )
            return False
        except HelperFailed as problem:
            raise Refused(ErrorCode.INVALID_UPDATE, str(problem)) from None
        return True

    @property
    def working(self) -> bool:
        return super().working or bool(self._window) or self._recovery is not None

    def abandon(self) -> None:
        super().abandon()
        if self._shadow is not None:
            self.room.node.spawn(self._shadow.close())


def _reached(scanned: Scan, clocks: dict[int, int]) -> bool:
    """Whether a document with these clocks has integrated all of an update."""
    for client, ranges in (*scanned.structs.items(), *scanned.deletes.items()):
        if ranges[-1][1] > clocks.get(client, 0):
            return False
    return True


def merged_update(updates: Sequence[bytes]) -> bytes:
    """Return one update worth all of these."""
    return updates[0] if len(updates) == 1 else merge_updates(*updates)


def without_own(groups: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Return, for each writer, the others' updates merged: linear in the number of writers."""
    merged = [merged_update(group) for group in groups]
    suffixes = [b""] * len(merged)
    for at in range(len(merged) - 2, -1, -1):
        after = suffixes[at + 1]
        suffixes[at] = merge_updates(merged[at + 1], after) if after else merged[at + 1]
    result: list[bytes] = []
    prefix = b""
    for at, group in enumerate(merged):
        both = [update for update in (prefix, suffixes[at]) if update]
        result.append(merged_update(both))
        prefix = merge_updates(prefix, group) if prefix else group
    return result
