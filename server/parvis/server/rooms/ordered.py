"""A part whose updates the server orders and cannot read: commit first, then broadcast."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgpack

from parvis.plugins import OpaqueLog, Part, Submission as Proposal
from parvis.protocol import ErrorCode, Malformed
from parvis.storage import Head, LoggedUpdate

from .part import LivePart
from .seat import Seat, Submission

if TYPE_CHECKING:
    from .room import LiveRoom

TAIL = 256
"""How many of the newest updates are kept in memory."""

PAGE = 500
"""Most updates given to a joiner at once; it asks for more with `Sync`."""


class OrderedPart(LivePart):
    """An `OpaqueLog`: everybody, the sender included, gets each update with its offset."""

    def __init__(self, room: LiveRoom, name: str, rules: Part, head: Head) -> None:
        super().__init__(room, name, rules, head)
        self._replica = room.new_replica(rules.replica, OpaqueLog)
        self._rows: deque[LoggedUpdate] = deque(maxlen=TAIL)

    @property
    def replica(self) -> OpaqueLog:
        return self._replica

    def submit(self, submission: Submission) -> None:
        submission.received = self.room.node.clock.monotonic()
        self.room.node.metrics.received.inc()
        seat = submission.seat
        assert seat is not None
        if seat in self.inboxes or self.room.inspects:
            self.inbox(seat).put(submission)
        elif self.admit(submission):
            self.take(submission)

    async def look_through(self, submission: Submission) -> bool:
        if self.room.inspects:
            assert submission.seat is not None
            async with self.room.turn:
                proposal = Proposal(self.address.part, submission.update)
                await self.room.kind.on_update(self.room, submission.seat, proposal)
        return True

    def turn_down(self, submission: Submission, code: ErrorCode, reason: str) -> None:
        """Refuse for good. The peer's copy is the log as it stands: there is nothing to undo."""
        self.tell(submission, code, reason)

    def take(self, submission: Submission) -> None:
        self.enqueue(submission, self.entry(submission))

    def logged(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions:
            entry = submission.entry
            assert entry is not None
            if submission.offset > self.replica.end:  # else it is from an earlier, repeated call
                row = LoggedUpdate(
                    submission.offset, entry.update, entry.sender, entry.time, entry.key
                )
                self._remember(row)
                self._announce(row)

    def _announce(self, row: LoggedUpdate) -> None:
        if row.update:
            frames = self.send_all(
                lambda encoder: encoder.changed(row.update, row.offset, row.sender, row.time),
                self.seats,
            )
            self.room.node.metrics.broadcasts.inc(frames)
            self.room.node.metrics.deliveries.inc(len(self.seats))

    def _remember(self, row: LoggedUpdate) -> None:
        self._rows.append(row)
        self.replica.end = row.offset
        self.replica.tail = [row.update for row in self._rows]

    async def seat(
        self, seat: Seat, state: bytes | None, entered: Callable[[Sequence[bytes]], None]
    ) -> None:
        self.enter(seat, () if state is None else await self.missing(state), entered)

    async def missing(self, state: bytes) -> Sequence[bytes]:
        after = self._offset(state)
        if self._rows and self._rows[0].offset <= after + 1:
            rows = [row for row in self._rows if row.offset > after][:PAGE]
        elif after >= self.replica.end:
            rows = []
        else:
            rows = list(await self.room.node.store.read(self.address, after=after, limit=PAGE))
        return [
            msgpack.packb([row.offset, row.sender, row.time, row.update])
            for row in rows
            if row.offset <= self.replica.end
        ]

    def _offset(self, state: bytes) -> int:
        if not state:
            return 0
        if len(state) != 8:
            raise Malformed("an offset of 8 bytes")
        return int.from_bytes(state, "big")

    def state(self) -> bytes:
        return self.replica.end.to_bytes(8, "big")

    def catch_up(self, seat: Seat) -> None:
        """Nothing: ordered updates are never dropped."""

    async def load(self) -> None:
        rows = await self.room.node.store.read_back(self.address, limit=TAIL)
        self._rows.clear()
        self._rows.extend(reversed(rows))
        self.replica.end = self.durable
        self.replica.tail = [row.update for row in self._rows]
