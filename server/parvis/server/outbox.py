"""What is on its way to one session, bounded in bytes.

Nothing is queued here: a frame goes straight to the transport, whose buffer is looked at before
each write. Over the bound, what can be had again later (broadcasts of a document) is not written;
what cannot (acks, signals, ordered entries) is, and nothing more is read from that socket.
"""

import asyncio
import logging
from collections.abc import Callable

from .limits import Limits
from .ports import Clock, Timer, Transport

logger = logging.getLogger(__name__)

LOOK_AGAIN = 0.05
"""Seconds between two looks at the buffers of slow sockets."""


class SlowWatch:
    """Looks after the outboxes of a node that are over their bound, and only those."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self.clock = clock
        self.limits = limits
        self._slow: dict[Outbox, tuple[float, int]] = {}
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._slow)

    def add(self, outbox: "Outbox") -> None:
        if outbox not in self._slow:
            self._slow[outbox] = (self.clock.monotonic(), outbox.transport.buffered())
            if self._timer is None:
                self._timer = self.clock.call_later(LOOK_AGAIN, self._look)

    def remove(self, outbox: "Outbox") -> None:
        self._slow.pop(outbox, None)

    def _look(self) -> None:
        self._timer = None
        now = self.clock.monotonic()
        for outbox, (since, least) in list(self._slow.items()):
            if outbox not in self._slow:
                continue  # closed by what another one's end brought about
            buffered = outbox.transport.buffered()
            if buffered <= self.limits.outbox // 2:
                del self._slow[outbox]
                self._call(outbox.drained)
            elif buffered < least:
                self._slow[outbox] = (now, buffered)  # slow, but it reads
            elif now - since > self.limits.slow:
                del self._slow[outbox]
                self._call(outbox.give_up)
        if self._slow and self._timer is None:
            self._timer = self.clock.call_later(LOOK_AGAIN, self._look)

    def _call(self, what: Callable[[], None]) -> None:
        try:
            what()
        except Exception:  # of one session; the others are still to be looked after
            logger.exception("a slow session could not be looked after")


class Outbox:
    """The way out to one session.

    Args:
        on_drained: Called when a slow socket has caught up.
        on_give_up: Called once when the session must be closed as slow.
    """

    __slots__ = ("_closed", "_on_drained", "_on_give_up", "_waiter", "full", "transport", "watch")

    def __init__(
        self,
        transport: Transport,
        watch: SlowWatch,
        on_drained: Callable[[], None],
        on_give_up: Callable[[], None],
    ) -> None:
        self.transport = transport
        self.watch = watch
        self.full = False
        self._closed = False
        self._on_drained = on_drained
        self._on_give_up = on_give_up
        self._waiter: asyncio.Future[None] | None = None

    def offer(self, frame: bytes) -> bool:
        """Write a frame that can be had again later, unless the peer is slow: then False."""
        if self.full or self._closed:
            return False
        if self.transport.buffered() > self.watch.limits.outbox:
            self._fill()
            return False
        self.transport.write(frame)
        return True

    def write(self, frame: bytes) -> None:
        """Write a frame that must not be lost."""
        if self._closed:
            return
        self.transport.write(frame)
        buffered = self.transport.buffered()
        if buffered > self.watch.limits.outbox:
            self._fill()
            # One frame may be larger than the bound, e.g. the state that a joiner gets: only what
            # piles up beside it counts.
            if buffered - len(frame) > self.watch.limits.outbox_hard:
                self.give_up()

    def _fill(self) -> None:
        if not self.full:
            self.full = True
            self.watch.add(self)

    async def ready(self) -> None:
        """Wait until the peer has read what it was sent; the session reads nothing meanwhile."""
        while self.full and not self._closed:
            if self._waiter is None:
                self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiter)

    def drained(self) -> None:
        self.full = False
        self._wake()
        self._on_drained()

    def give_up(self) -> None:
        if not self._closed:
            self.close()
            self._on_give_up()

    def close(self) -> None:
        self._closed = True
        self.watch.remove(self)
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        self._waiter = None
