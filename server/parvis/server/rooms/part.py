"""A part of a live room: its seats, its queue to the log, and who is owed an ack.

What an update means is the business of `FastPart` and `OrderedPart`. Here stands what both
promise: batches are logged strictly in order, a failed one stays at the head of the queue, and an
ack says that everything which was unlogged when the update came is durable.
"""

from __future__ import annotations

import hashlib
import logging
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from parvis.plugins import Access, Part, Refused, Replica
from parvis.protocol import ErrorCode
from parvis.storage import Address, Appended, Batch, Entry, Head, Status

from .awareness import PartAwareness
from .inbox import Inbox
from .seat import OVERHEAD, Encoder, Seat, Submission

if TYPE_CHECKING:
    from .room import LiveRoom

logger = logging.getLogger(__name__)

Encode = Callable[[Encoder], bytes | None]

BATCH_ENTRIES = 1000
BATCH_BYTES = 4 * 1024 * 1024

MOST_OWED = 50_000
"""Acks that may wait, also of updates that add nothing and are not logged."""


class LivePart(ABC):
    """What fast and ordered parts have in common.

    Attributes:
        since: Offset at which this incarnation began; what was logged before is history.
        first: Offset at which the log begins, since it was compacted.
        channel: Number under which native sessions of this node know the part.
        durable: Offset up to which the log is on disk.
        queued: How many submissions were ever queued for the log.
        settled: How many of those are on disk, or were refused there.
        frozen: Nothing is logged for the moment, as the log is about to be begun anew.
    """

    @property
    @abstractmethod
    def replica(self) -> Replica:
        """The server's copy of the part's state."""

    def __init__(self, room: LiveRoom, name: str, rules: Part, head: Head) -> None:
        self.room = room
        self.rules = rules
        self.address = Address(room.tenant, room.id, name)
        self.channel = room.node.next_channel()
        self.incarnation = head.incarnation
        self.since = head.since
        self.first = head.first
        self.durable = head.offset
        self.seats: dict[Seat, None] = {}
        self.echoed = False  # since somebody came in whose dialect echoes
        self.awareness = PartAwareness(self, room.node.clock, room.node.limits)
        self.inboxes: dict[Seat, Inbox] = {}
        self.unsaved = False
        self.frozen = False
        self.queued = 0
        self.settled = 0
        self.unlogged: deque[Submission] = deque()
        self.unlogged_bytes = 0
        self._owed: deque[Submission] = deque()
        self._in_flight: list[Submission] = []
        self._logged_rows = 0
        self._logged_bytes = 0

    # Seats

    @abstractmethod
    async def seat(
        self, seat: Seat, state: bytes | None, entered: Callable[[Sequence[bytes]], None]
    ) -> None:
        """Give a joiner its place, as soon as it may see what is here.

        Args:
            state: What it has; None: it will ask later.
            entered: Called with what it lacks; nothing comes between that and the first update
                that the seat gets.

        Raises:
            Malformed: If `state` is not one.
            Refused: If the room was closed meanwhile.
        """

    def enter(
        self, seat: Seat, missing: Sequence[bytes], entered: Callable[[Sequence[bytes]], None]
    ) -> None:
        if self.room.lost:
            raise Refused(ErrorCode.TRY_AGAIN, "the room was closed meanwhile")
        self.seats[seat] = None
        self.echoed = self.echoed or seat.echoed
        entered(missing)
        if self.unsaved:
            seat.unsaved(True)

    def leave(self, seat: Seat) -> None:
        """Take a peer out, for whatever reason. Its updates stay."""
        if self.seats.pop(seat, seat) is None:
            seat.left = True
            self.awareness.leave(seat)

    def change_access(self, seat: Seat, access: Access) -> None:
        """Let a peer do more or less from now on, and tell it."""
        seat.access = access
        seat.access_changed()

    @abstractmethod
    async def missing(self, state: bytes) -> Sequence[bytes]:
        """Return what a peer lacks, in order; nothing comes between that and what is done next.

        Raises:
            Malformed: If `state` is not one.
        """

    @abstractmethod
    def state(self) -> bytes:
        """Say what the replica has, in the form that `missing` takes."""

    @abstractmethod
    def catch_up(self, seat: Seat) -> None:
        """Send a peer that was behind what it missed; its socket has drained."""

    # Updates

    @abstractmethod
    def submit(self, submission: Submission) -> None:
        """Take an update in. It is answered through its seat, sooner or later."""

    @abstractmethod
    async def look_through(self, submission: Submission) -> bool:
        """Judge an update that needs time. Raises `Refused`; False if the peer was told."""

    @abstractmethod
    def take(self, submission: Submission) -> None:
        """Go on with an update that was looked through."""

    def inbox(self, seat: Seat) -> Inbox:
        if seat not in self.inboxes:
            self.inboxes[seat] = Inbox(self, seat)
        return self.inboxes[seat]

    def inbox_done(self, seat: Seat) -> None:
        del self.inboxes[seat]
        self.room.node.committed.announce()

    async def looked_through(self, seat: Seat) -> None:
        """Wait until nothing that a peer sent so far waits to be looked at."""
        while seat in self.inboxes and not self.room.lost:
            await self.room.node.committed.wait()

    def admit(self, submission: Submission) -> bool:
        """Look at what needs no understanding of the update: right, size, room in the queue."""
        seat = submission.seat
        assert seat is not None
        limits = self.room.node.limits
        if not seat.may_write:
            self.tell(submission, ErrorCode.PERMISSION_DENIED, "you may not write here")
        elif len(submission.update) > self.room.settings.max_update:
            most, got = self.room.settings.max_update, len(submission.update)
            reason = f"an update may take {most} bytes, this one has {got}"
            self.turn_down(submission, ErrorCode.TOO_LARGE, reason)
        elif self.unlogged_bytes > limits.unlogged or len(self._owed) > MOST_OWED:
            self.put_off(submission, "too much waits for the store")
        else:
            return True
        return False

    async def refuse(self, submission: Submission, refusal: Refused) -> None:
        """The room type has looked at an update and says no."""
        if refusal.code.retryable:
            self.put_off(submission, refusal.reason, refusal.code)
        else:
            self.turn_down(submission, refusal.code, refusal.reason)

    def put_off(
        self, submission: Submission, reason: str, code: ErrorCode = ErrorCode.TRY_AGAIN
    ) -> None:
        """Refuse for now; the peer is asked for what is missing when there is room again."""
        self.tell(submission, code, reason)

    def turn_down(self, submission: Submission, code: ErrorCode, reason: str) -> None:
        """Refuse for good: the peer's copy now holds what the room will never have."""
        self.tell(submission, code, reason)
        assert submission.seat is not None
        submission.seat.reset(code, reason)

    def tell(self, submission: Submission, code: ErrorCode, reason: str) -> None:
        """Tell a peer that its update is refused, and count it."""
        assert submission.seat is not None
        self.room.node.metrics.refusals(code).inc()
        submission.seat.refused(submission, code, reason)

    def enqueue(self, submission: Submission, entry: Entry | None) -> None:
        """Queue for the log, or, with nothing to log, behind all that waits for it now."""
        if entry is not None:
            submission.entry = entry
            self.queued += 1
            self.unlogged.append(submission)
            self.unlogged_bytes += len(submission.update) + OVERHEAD
            self.room.committer.wake(self)
        submission.watermark = self.queued
        if entry is None and self.settled >= self.queued and not self._owed:
            submission.offset = self.durable
            if not submission.gapped:
                self._ack([submission])
        else:
            self._owed.append(submission)

    def entry(self, submission: Submission) -> Entry:
        """Make the log row of a peer's update."""
        assert submission.seat is not None
        node = self.room.node
        sender = submission.seat.caller.user
        if submission.key:
            # Led by the user, so that nobody can use up somebody else's key.
            key = hashlib.blake2b(submission.key, key=sender.encode()[:64], digest_size=32).digest()
        else:
            key = self.room.next_key()
        return Entry(submission.update, sender, node.clock.time(), key)

    # The log

    def next_batch(self) -> Batch | None:
        if self.room.lost or not self.unlogged or self.frozen:
            return None
        self._in_flight = []
        size = 0
        for submission in self.unlogged:
            size += len(submission.update)
            if self._in_flight and (size > BATCH_BYTES or len(self._in_flight) >= BATCH_ENTRIES):
                break
            self._in_flight.append(submission)
        entries = tuple(s.entry for s in self._in_flight if s.entry is not None)
        return Batch(self.address.room, self.address.part, self.room.fence, self.durable, entries)

    def settle(self, batch: Batch, appended: Appended) -> None:
        if appended.status is Status.LOGGED:
            self._set_unsaved(False)
            done = self._in_flight
            for _ in done:
                self.unlogged_bytes -= len(self.unlogged.popleft().update) + OVERHEAD
            self.durable = max(self.durable, appended.end)
            self.settled += len(done)
            logged: list[Submission] = []
            reasons: list[str] = []
            for index, (submission, offset) in enumerate(zip(done, appended.offsets, strict=True)):
                submission.offset = offset
                if offset:
                    logged.append(submission)
                reasons.append(appended.refusals.get(index, ""))
            self._logged_rows += len(logged)
            self._logged_bytes += sum(len(s.update) for s in logged)
            self.logged(logged)
            for submission, reason in zip(done, reasons, strict=True):
                if submission.settled is not None:
                    refusal = Refused(ErrorCode.CONFLICT, reason)
                    submission.settled(submission.offset or refusal)
            self.settle_acks()
            self._after_commit()
        elif appended.status is Status.FAILED:
            self._set_unsaved(True)
        else:
            self.room.lose(appended.status, appended.detail)

    @abstractmethod
    def logged(self, submissions: Sequence[Submission]) -> None:
        """These are durable now; acks follow."""

    def settle_acks(self) -> None:
        """Acknowledge, in their order, updates for which nothing is left to wait for."""
        done: list[Submission] = []
        while self._owed and self._owed[0].watermark <= self.settled:
            submission = self._owed.popleft()
            if submission.entry is None:
                submission.offset = self.durable
            if not submission.gapped and (submission.offset or submission.entry is None):
                done.append(submission)
        self._ack(done)

    def _ack(self, done: Iterable[Submission]) -> None:
        by_seat: dict[Seat, list[Submission]] = {}
        now = self.room.node.clock.monotonic()
        for submission in done:
            if submission.seat is not None and not submission.seat.left:
                by_seat.setdefault(submission.seat, []).append(submission)
                self.room.node.metrics.ack_seconds.observe(now - submission.received)
                self.room.node.metrics.acks.inc()
        for seat, theirs in by_seat.items():
            seat.acked(theirs)

    def _after_commit(self) -> None:
        if self.unlogged:
            self.room.committer.wake(self)
        limits = self.room.node.limits
        if self._logged_rows >= limits.snapshot_rows or self._logged_bytes >= limits.snapshot_bytes:
            self.room.snapshot_soon(self)
        self.room.committed(self)

    @property
    def logged_since_snapshot(self) -> int:
        """Rows that the newest snapshot lacks."""
        return self._logged_rows

    def loaded(self, rows: int) -> None:
        """The newest snapshot lacked so many rows, whoever wrote them."""
        self._logged_rows = rows

    def snapshot_saved(self) -> None:
        """A snapshot holds what was logged so far, or is about to."""
        self._logged_rows = self._logged_bytes = 0

    def _set_unsaved(self, unsaved: bool) -> None:
        if unsaved is not self.unsaved:
            self.unsaved = unsaved
            for seat in tuple(self.seats):
                seat.unsaved(unsaved)

    # Broadcasts

    def send_all(self, encode: Encode, seats: Iterable[Seat]) -> int:
        """Write one frame per encoder to each of these seats, whatever is in their outboxes.

        Returns:
            How many frames that took.
        """
        frames: dict[Encoder, bytes | None] = {}
        for seat in seats:
            encoder = seat.encoder
            if encoder not in frames:
                frames[encoder] = encode(encoder)
            if (frame := frames[encoder]) is not None:
                seat.session.outbox.write(frame)
        return len(frames)

    def broadcast_awareness(self, states: bytes) -> None:
        """Send states to everybody, those they are of included: stock clients wait for that."""
        frames: dict[Encoder, bytes] = {}
        sent = 0
        for seat in self.seats:
            frame = frames.get(seat.encoder)
            if frame is None:
                frame = frames[seat.encoder] = seat.encoder.awareness(states)
            if seat.session.outbox.offer(frame):
                sent += 1
            else:
                seat.awareness_missed = True
        self.room.node.metrics.awareness.inc(sent)

    @abstractmethod
    async def load(self) -> None:
        """Bring the replica up to the end of the log."""

    def abandon(self) -> None:
        """Give up what is not logged; peers hand their updates in again when they come back."""
        for submission in self.unlogged:
            if submission.settled is not None:
                reason = "the room was closed before it was durable"
                submission.settled(Refused(ErrorCode.TRY_AGAIN, reason))
        self.awareness.close()

    @property
    def unsettled(self) -> bool:
        """Whether an update is on its way to the log."""
        return bool(self.unlogged or self.inboxes)

    @property
    def working(self) -> bool:
        """Whether an update is on its way, or a broadcast of awareness is due."""
        return self.unsettled or self.awareness.due

    def expel_all(self, code: ErrorCode, reason: str) -> None:
        """Send everybody out, without telling each of them how the others leave."""
        seats, self.seats = self.seats, {}
        self.awareness.close()
        for seat in seats:
            seat.left = True
            seat.expelled(code, reason)
