"""The y-websocket dialect: one document per socket, named by the URL. SPEC.md section 11."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import ClassVar, Final

from parvis.plugins import Access, Refused
from parvis.protocol import CloseCode, ErrorCode, Malformed, RoomName
from parvis.protocol.messages import Value
from parvis.protocol.yjs import (
    Awareness,
    PermissionDenied,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    YUpdate,
    decode,
    decode_state_vector,
    encode_awareness,
    encode_permission_denied,
    encode_sync_step1,
    encode_update,
)

from ..core import Core
from ..identity.proof import Identified
from ..ports import Timer, Transport
from ..rooms.joining import join
from ..rooms.part import LivePart
from ..rooms.seat import Session, Submission
from ..rooms.sending import merged_update
from .early import Early
from .framing import frame
from .stock import StockSeat, StockSession, close_code

logger = logging.getLogger(__name__)


class YjsEncoder:
    """Frames for all y-websocket clients; they carry no name."""

    def changed(self, update: bytes, offset: int = 0, sender: str = "", time: float = 0) -> bytes:
        return frame(encode_update(update))

    def awareness(self, states: bytes) -> bytes:
        return frame(encode_awareness(states))

    def signaled(self, name: str, body: Value, sender: str) -> None:
        """The dialect has no words for signals."""


ENCODER: Final = YjsEncoder()

REFUSAL_PAUSE: Final = 2.5
"""Seconds from a refusal to its close.

y-websocket 1 and 2 come back 100 ms after every close of a socket that had opened, for ever. Held
as long as their own longest pause, a refused client costs a quiet socket and no storm; version 3
heeds the final close code when it comes.
"""


class YjsSeat(StockSeat):
    """A y-websocket client in its document."""

    encoder = ENCODER
    echoed = True

    def __init__(self, session: Session, part: LivePart, access: Access) -> None:
        super().__init__(session, part, access)

    def answer(self, state: bytes) -> None:
        if self.ahead is None and self.live.retired:
            self.write(encode_sync_step1(self.live.state()))
        super().answer(state)
        durable = self.live.viewing.durable()
        self.ahead = {
            client: clock
            for client, clock in decode_state_vector(state).items()
            if clock > durable.get(client, 0)
        }

    def write(self, message: bytes) -> None:
        self.session.outbox.write(frame(message))

    def acked(self, done: Sequence[Submission]) -> None:
        """Send the client its own updates back: that is how y-websocket 4 knows they are safe."""
        own = [submission.update for submission in done if submission.entry is not None]
        for start in range(0, len(own), 32):
            self.write(encode_update(merged_update(own[start : start + 32])))

    def refused(self, submission: Submission, code: ErrorCode, reason: str) -> None:
        """The protocol says to pass over what a read-only client sends."""

    def reload(self, reason: str) -> None:
        assert isinstance(self.session, YjsSession)
        self.session.turn_away(ErrorCode.STALE_INCARNATION, reason)

    def expelled(self, code: ErrorCode, reason: str) -> None:
        self.session.close(close_code(code), reason)


class YjsSession(StockSession):
    """A y-websocket client."""

    dialect: ClassVar[str] = "yjs"

    def __init__(self, core: Core, transport: Transport, identified: Identified | None) -> None:
        super().__init__(core, transport)
        if identified is not None:
            self.admitted(identified)
        self._seat: YjsSeat | None = None
        self._early: Early[bytes] = Early(self.limits, self.limits.early_frames)
        self._refusal: Timer | None = None

    def open(self, name: RoomName) -> None:
        """Join the document that the URL names."""
        self.spawn(self._open(name))

    def turn_away(self, code: ErrorCode, reason: str) -> None:
        """Say no: at once for people, then for programs."""
        self.outbox.write(frame(encode_permission_denied(reason)))
        end = partial(self.close, close_code(code), reason)
        self._refusal = self.core.clock.call_later(REFUSAL_PAUSE, end)

    def disconnected(self) -> None:
        if self._refusal is not None:
            self._refusal.cancel()
        super().disconnected()

    async def _open(self, name: RoomName) -> None:
        try:
            await join(self.core, self.caller, name, self._make_seat, self._entered)
        except Refused as refusal:
            self.core.metrics.refusals(refusal.code).inc()
            self.turn_away(refusal.code, refusal.reason)
        except Exception:
            logger.exception("%s: %s could not be opened", self.id, name)
            self.close(CloseCode.STOCK_TRY_LATER, "try again later")

    def _entered(self, seat: YjsSeat, _: Sequence[bytes]) -> None:
        self.sit_down(seat)
        if self.closed:
            return
        self._seat = seat
        if not seat.live.retired:  # else it is first seen whether the client's copy is of this life
            seat.write(encode_sync_step1(seat.live.state()))
        if states := seat.live.awareness.everyone():
            seat.write(encode_awareness(states))
        for data in self._early.release() or ():
            self.received(data)

    def _make_seat(self, part: LivePart, access: Access) -> YjsSeat:
        return YjsSeat(self, part, access)

    def take(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        if self._seat is None:
            if not self._early.keep(data, len(data), proven=self.identified is not None):
                self.close(CloseCode.STOCK_TRY_LATER, "too much before the document was open")
            return
        for message in decode(data):
            if self.closed:
                return
            self._take(self._seat, message)

    def _take(self, seat: YjsSeat, message: object) -> None:
        match message:
            case YUpdate(update):
                seat.submit(0, update)
            case SyncStep1(state):
                seat.ask(state)
            case SyncStep2(update):
                if seat.may_write:
                    seat.submit(0, update, complete=True)
            case _ if seat.outdated:
                pass
            case Awareness(payload):
                seat.live.awareness.hear(seat, payload)
            case QueryAwareness():
                seat.write(encode_awareness(seat.live.awareness.everyone() or b"\x00"))
            case PermissionDenied():
                pass  # only servers say so
            case _:
                raise Malformed("a message of y-websocket")
