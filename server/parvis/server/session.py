"""One websocket: who it speaks for, the parts it is in, and its end. What its bytes mean is the
business of its dialect."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, ClassVar

from parvis.plugins import Caller
from parvis.protocol import CloseCode, Malformed
from parvis.protocol.messages import Value

from .core import Core
from .identity.proof import Identified
from .limits import Limits
from .outbox import Outbox
from .ports import Timer, Transport
from .rooms.joining import leave
from .rooms.seat import Seat

logger = logging.getLogger(__name__)


Identify = Callable[[str], Awaitable[Identified]]
"""Says for whom a ticket or token speaks; raises `Unauthenticated`."""


TURN = 0.01
"""Seconds of work for one peer, after which the others get a turn of the loop: what came in one
piece from the network can hold thousands of frames."""


class DialectSession(ABC):
    """What sessions of all dialects have in common.

    Attributes:
        caller: Whom it speaks for; None until that is known, in dialects where it comes later.
        on_admitted: Called each time it has shown for whom it speaks.
    """

    dialect: ClassVar[str]
    malformed: ClassVar[CloseCode] = CloseCode.MALFORMED
    slow: ClassVar[CloseCode] = CloseCode.SLOW
    late: ClassVar[CloseCode] = CloseCode.NO_HELLO
    expired: ClassVar[CloseCode] = CloseCode.TOKEN_EXPIRED
    revoked: ClassVar[CloseCode] = CloseCode.SIGNED_OUT
    poison: ClassVar[CloseCode] = CloseCode.POISON

    def __init__(self, core: Core, transport: Transport) -> None:
        self.core = core
        self.id = core.random.bytes(12).hex()
        self.transport = transport
        self.outbox = Outbox(transport, core.slow, self._drained, self._give_up)
        self.seats: dict[Seat, None] = {}  # in their order, which a set of them has not
        self.closed = False
        self._errands = 0
        self._used = 0.0
        self._resting: asyncio.Future[None] | None = None
        self.identified: Identified | None = None
        self._expiry: Timer | None = None
        self.on_admitted: Callable[[], None] | None = None
        self._deadline: Timer | None = core.clock.call_later(core.limits.hello, self._too_late)
        core.metrics.sessions(self.dialect).inc()

    @property
    def limits(self) -> Limits:
        return self.core.limits

    @property
    def caller(self) -> Caller:
        assert self.identified is not None
        return self.identified.caller

    # What the web layer calls

    def received(self, frame: bytes) -> None:
        """Take in one binary websocket message. Never raises for what a client sends."""
        if self.closed:
            return
        began = self.core.clock.monotonic()
        try:
            self.take(frame)
        except Malformed as problem:
            self.close(self.malformed, str(problem))
        except Exception:
            logger.exception("%s: a frame was lost to a bug", self.id)
            self.close(CloseCode.TRY_LATER, "internal error")
        self._used += self.core.clock.monotonic() - began

    def received_text(self) -> None:
        """No dialect has text frames."""
        self.close(self.malformed, "expected binary frames, got text")

    def disconnected(self) -> None:
        """The socket has gone."""
        self.closed = True
        self.outbox.close()
        self._look_up()
        for timer in (self._expiry, self._deadline):
            if timer is not None:
                timer.cancel()
        self._go_unlisted()
        for seat in tuple(self.seats):
            self.stand_up(seat)
        self.core.metrics.sessions(self.dialect).dec()

    @abstractmethod
    def take(self, data: bytes) -> None:
        """Understand one message. Raises `Malformed`."""

    # Identity

    def admitted(self, identified: Identified) -> None:
        """The session has shown for whom it speaks."""
        self._go_unlisted()
        self.identified = identified
        if not self.closed:
            self.core.sessions.add(self.caller.tenant, self.caller.user, self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self.on_admitted is not None:
            self.on_admitted()
        self._expire_at(identified.expires)

    def _go_unlisted(self) -> None:
        if self.identified is not None:
            self.core.sessions.discard(self.caller.tenant, self.caller.user, self)

    def _expire_at(self, expires: float | None) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        if expires is not None and not self.closed:
            left = expires - self.core.clock.time()
            self._expiry = self.core.clock.call_later(max(left, 0.0), self._expire)

    @property
    def shown(self) -> Sequence[Identified]:
        """All that the session rests on: if one of these is void, it ends."""
        return [] if self.identified is None else [self.identified]

    def is_same_person(self, identified: Identified) -> bool:
        """Whether a new token speaks for whom this session speaks."""
        caller = identified.caller
        same = caller.anyone or caller.user == self.caller.user
        return same and caller.tenant == self.caller.tenant

    def tell(self, name: str, body: Value) -> None:  # noqa: B027  as it says
        """Say something that concerns the person; not every dialect has words for it."""

    def _expire(self) -> None:
        self.close(self.expired, "the token has expired")

    def _too_late(self) -> None:
        self._deadline = None
        self.close(self.late, f"expected to know who you are within {self.limits.hello:g} s")

    # Seats

    def sit_down(self, seat: Seat) -> None:
        """The session is in a part now; if it ended meanwhile, it leaves at once."""
        self.seats[seat] = None
        if self.closed:
            self.stand_up(seat)

    def stand_up(self, seat: Seat) -> None:
        self.seats.pop(seat, None)
        leave(self.core, seat)

    # Errands: what runs beside the reading of the socket

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        self._errands += 1
        self.core.spawn(work).add_done_callback(self._errand_done)

    def _errand_done(self, _: object) -> None:
        self._errands -= 1
        self._look_up()

    @property
    def busy(self) -> bool:
        """Whether it is the others' turn: so much was done, or is under way, for this peer."""
        return (self._used > TURN or self._crowded) and not self.closed

    @property
    def _crowded(self) -> bool:
        return self._errands >= self.limits.errands

    async def rested(self) -> None:
        """Let the others have their turn, and wait until not too much is under way."""
        if self._used > TURN:
            self._used = 0.0
            await self.core.clock.sleep(0)
        while self._crowded and not self.closed:
            if self._resting is None:
                self._resting = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._resting)

    def _look_up(self) -> None:
        if self._resting is not None and (self.closed or not self._crowded):
            self._resting.set_result(None)
            self._resting = None

    # The end

    def close(self, code: CloseCode, reason: str) -> None:
        """End the session, with a code that says whether to come back."""
        if not self.closed:
            self.closed = True
            self.core.metrics.closes(code).inc()
            self.outbox.close()
            # A close frame carries at most 123 bytes of reason (RFC 6455 section 5.5.1).
            self.transport.close(int(code), reason.encode()[:120].decode(errors="ignore"))
            self._look_up()

    def drain(self, within: float) -> None:
        """The node is about to go."""
        self.close(CloseCode.RESTART, "the node restarts")

    def _drained(self) -> None:
        for seat in tuple(self.seats):
            seat.live.catch_up(seat)
            if seat.awareness_missed:
                seat.awareness_missed = False
                if states := seat.live.awareness.everyone():
                    self.outbox.offer(seat.encoder.awareness(states))

    def _give_up(self) -> None:
        if not self.closed:
            self.closed = True
            self.core.metrics.closes(self.slow).inc()
            logger.info("%s: closed, it does not read", self.id)
            self.transport.close(int(self.slow), "you read too slowly")
            self.transport.abort()
            self._look_up()
