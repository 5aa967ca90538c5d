"""The Hocuspocus dialect: many documents on one socket, providers v2 to v4. SPEC.md section 12."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import ClassVar
from weakref import WeakValueDictionary

from parvis.plugins import Access, Refused, Request
from parvis.protocol import CloseCode, ErrorCode, Malformed, hocuspocus as h
from parvis.protocol.messages import Value
from parvis.protocol.update import scan
from parvis.protocol.yjs import encode_awareness, encode_sync_step1

from ..core import Core
from ..firewall.scanning import scan_in_helper
from ..identity import Unauthenticated
from ..identity.proof import Identified
from ..ports import HelperStopped, Timer, Transport
from ..rooms.joining import authorize_again, join
from ..rooms.part import LivePart
from ..rooms.seat import Session, Submission
from ..session import Identify
from .early import Early
from .framing import frame
from .stock import StockSeat, StockSession, close_code

logger = logging.getLogger(__name__)

DENIED = "permission-denied"
"""What providers show when the server gives no better reason."""


class HocuspocusEncoder:
    """Frames for all clients that know a document by the same address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def changed(self, update: bytes, offset: int = 0, sender: str = "", time: float = 0) -> bytes:
        return frame(h.encode_update(self.address, update))

    def awareness(self, states: bytes) -> bytes:
        return frame(h.encode_awareness(self.address, states))

    def signaled(self, name: str, body: Value, sender: str) -> bytes | None:
        if name == "stateless" and isinstance(body, str):
            return frame(h.encode_stateless(self.address, body))
        return None


_encoders: WeakValueDictionary[str, HocuspocusEncoder] = WeakValueDictionary()


class HocuspocusSeat(StockSeat):
    """A provider in its document.

    Attributes:
        owed: How many answers to SyncStep1 the client still expects a `SyncStatus` for.
        debts: How many updates were put off: their statuses come with the answer that brings them.
        said_to_write: Whether the provider was last told that it may write; None: nothing yet.
    """

    def __init__(self, session: Session, part: LivePart, access: Access, address: str) -> None:
        super().__init__(session, part, access)
        self.address = address
        encoder = _encoders.get(address)
        if encoder is None:
            encoder = _encoders[address] = HocuspocusEncoder(address)
        self.encoder = encoder
        self.owed = 0
        self.debts = 0
        self.said_to_write: bool | None = None

    def write(self, message: bytes) -> None:
        self.session.outbox.write(frame(h.with_address(self.address, message)))

    def answer(self, state: bytes) -> None:
        """Answer SyncStep1, after asking the same: providers wait in this order."""
        updates = self.live.diff(state)
        self.owed += 1
        self.write(encode_sync_step1(self.live.state()))
        self.bring_up(updates)

    def say_status(self, applied: bool, times: int) -> None:
        status = frame(h.encode_sync_status(self.address, applied=applied))
        for _ in range(times):
            self.session.outbox.write(status)

    def acked(self, done: Sequence[Submission]) -> None:
        """Say so as often as the provider counts: the ref is how many statuses are owed."""
        for submission in done:
            self.say_status(True, submission.ref)

    def refused(self, submission: Submission, code: ErrorCode, reason: str) -> None:
        if code.retryable:
            self.debts += submission.ref
        else:
            self.say_status(False, submission.ref)

    def reload(self, reason: str) -> None:
        self.expelled(ErrorCode.STALE_INCARNATION, reason)

    def expelled(self, code: ErrorCode, reason: str) -> None:
        assert isinstance(self.session, HocuspocusSession)
        self.session.end_document(self, code, reason)

    def access_changed(self) -> None:
        if self.said_to_write is not None and self.said_to_write is not self.may_write:
            self.say_scope()

    def say_scope(self) -> None:
        """Tell the provider whether it may write."""
        self.said_to_write = self.may_write
        self.session.outbox.write(
            frame(h.encode_authenticated(self.address, readonly=not self.may_write))
        )


class HocuspocusSession(StockSession):
    """A websocket of `@hocuspocus/provider`."""

    dialect: ClassVar[str] = "hocuspocus"

    def __init__(self, core: Core, transport: Transport, identify: Identify) -> None:
        super().__init__(core, transport)
        self._identify = identify
        self._documents: dict[str, HocuspocusSeat] = {}
        self._early: Early[h.ClientMessage] = Early(self.limits, self.limits.early_frames)
        self._opening: set[str] = set()
        self._shows_tokens = False
        self._expiries: dict[str, Timer] = {}
        self._shown: dict[str, Identified] = {}

    def take(self, data: bytes) -> None:
        decoded = h.decode_from_client(data)
        if not isinstance(decoded, h.ClientFrame):
            if isinstance(decoded, h.Ping):
                self.outbox.write(frame(h.encode_pong()))
            return
        address, message = decoded.address, decoded.message
        seat = self._documents.get(address)
        if isinstance(message, h.Token):
            self._shows_tokens = True
            self._take_token(address, message.token, seat)
        elif seat is not None:
            self._take(seat, message)
        else:
            self._keep(address, message, len(data))

    def _keep(self, address: str, message: h.ClientMessage, size: int) -> None:
        """Providers do not wait for an answer to their token."""
        if isinstance(message, h.Close):
            self._forget_early(address)
            return
        if address not in self._early and self._full:
            return
        proven = self.identified is not None
        if not self._early.keep(message, size, proven=proven, address=address):
            self.close(CloseCode.STOCK_TRY_LATER, "too much before the document was open")
        elif isinstance(message, h.SyncStep1) and not self._shows_tokens:
            # Every provider shows its token before it asks; version 2 sends none if it has none.
            self._take_token(address, "", None)

    @property
    def _full(self) -> bool:
        return len(self._early) + len(self._documents) >= self.limits.rooms

    def _forget_early(self, address: str) -> Sequence[h.ClientMessage] | None:
        self._opening.discard(address)
        return self._early.release(address)

    # Opening

    def _take_token(self, address: str, token: str, seat: HocuspocusSeat | None) -> None:
        if seat is not None:
            self.spawn(self._show_again(seat, token))
            return
        if address not in self._early and self._full:
            self._deny(address, f"at most {self.limits.rooms} documents on one socket")
            return
        self._early.expect(address)
        if address not in self._opening:
            self._opening.add(address)
            self.spawn(self._open(address, token))

    async def _open(self, address: str, token: str) -> None:
        try:
            identified = await self._identify(token)
            if self.identified is not None and not self.is_same_person(identified):
                raise Refused(ErrorCode.PERMISSION_DENIED, "this socket speaks for somebody else")
            if self.identified is None or not identified.caller.anyone:
                self.admitted(identified)
            name = self.core.registry.parse(h.split_address(address)[0])
            await join(
                self.core,
                identified.caller,
                name,
                lambda part, access: HocuspocusSeat(self, part, access, address),
                lambda seat, _: self._opened(address, seat, identified),
            )
        except Unauthenticated as problem:
            self._deny(address, str(problem) or DENIED)
        except Refused as refusal:
            self.core.metrics.refusals(refusal.code).inc()
            if refusal.code.retryable:
                self.close(CloseCode.STOCK_TRY_LATER, refusal.reason)
            else:
                self._deny(address, refusal.reason)
        except Exception:
            logger.exception("%s: a document could not be opened", self.id)
            self.close(CloseCode.STOCK_TRY_LATER, "try again later")

    def _deny(self, address: str, reason: str) -> None:
        """Refuse one document; the socket stays for the others and for another try."""
        self._forget_early(address)
        self.outbox.write(frame(h.encode_permission_denied(address, reason)))

    def _opened(self, address: str, seat: HocuspocusSeat, identified: Identified) -> None:
        early = self._forget_early(address)
        self.sit_down(seat)
        if self.closed:
            return
        if early is None:  # the client has closed the document meanwhile
            self.stand_up(seat)
            return
        self._documents[address] = seat
        self._rests_on(address, identified)
        seat.say_scope()
        if states := seat.live.awareness.everyone():
            seat.write(encode_awareness(states))
        for message in early:
            if address in self._documents and not self.closed:
                self._take_checked(seat, message)

    async def _show_again(self, seat: HocuspocusSeat, token: str) -> None:
        """A token for a document that is open: the old one is about to expire."""
        said = seat.said_to_write
        try:
            identified = await self._identify(token)
            if not self.is_same_person(identified):
                raise Refused(ErrorCode.PERMISSION_DENIED, "this is somebody else")
            await authorize_again(self.core, identified.caller, seat)
        except Unauthenticated as problem:
            self.end_document(seat, ErrorCode.UNAUTHENTICATED, str(problem))
        except Refused as refusal:
            self.end_document(seat, refusal.code, refusal.reason)
        except Exception:
            logger.exception("%s: a token could not be looked at", self.id)
            self.close(CloseCode.STOCK_TRY_LATER, "try again later")
        else:
            if seat.left or self.closed:
                return
            if not identified.caller.anyone:
                self.admitted(identified)
            self._rests_on(seat.address, identified)
            if seat.said_to_write is said:  # a change has been said already
                seat.say_scope()

    # Expiry: each document is open for as long as its own token says.

    def _expire_at(self, expires: float | None) -> None:
        pass

    @property
    def shown(self) -> Sequence[Identified]:
        return [*super().shown, *self._shown.values()]

    def _rests_on(self, address: str, identified: Identified | None) -> None:
        """A document is open for as long as this holds; None: it is open no longer."""
        if (timer := self._expiries.pop(address, None)) is not None:
            timer.cancel()
        self._shown.pop(address, None)
        if identified is not None:
            self._shown[address] = identified
        if identified is not None and identified.expires is not None:
            left = max(identified.expires - self.core.clock.time(), 0.0)
            end = partial(self._document_expired, address)
            self._expiries[address] = self.core.clock.call_later(left, end)

    def _document_expired(self, address: str) -> None:
        del self._expiries[address]
        reason = "the token has expired"
        if len(self._documents) > 1:
            self.end_document(self._documents[address], ErrorCode.UNAUTHENTICATED, reason)
        else:
            self.close(self.expired, reason)

    def disconnected(self) -> None:
        for timer in self._expiries.values():
            timer.cancel()
        self._expiries.clear()
        super().disconnected()

    def _detach(self, seat: HocuspocusSeat) -> None:
        self._documents.pop(seat.address, None)
        self._rests_on(seat.address, None)
        self.stand_up(seat)

    def end_document(self, seat: HocuspocusSeat, code: ErrorCode, reason: str) -> None:
        """Take one document off the socket.

        Providers v2 throw at a server's Close, so a socket with one document is closed as a whole.
        """
        if self._documents.get(seat.address) is not seat:
            return
        self._detach(seat)
        if code is ErrorCode.UNAUTHENTICATED:
            self._deny(seat.address, reason)
        elif not self._documents:
            self.close(close_code(code), reason)
        else:
            self.outbox.write(frame(h.encode_close(seat.address, reason)))

    # An open document

    def _take_checked(self, seat: HocuspocusSeat, message: h.ClientMessage) -> None:
        try:
            self._take(seat, message)
        except Malformed as problem:
            self.close(self.malformed, str(problem))

    def _take(self, seat: HocuspocusSeat, message: h.ClientMessage) -> None:
        match message:
            case h.YUpdate(update):
                seat.submit(1, update)
            case h.SyncStep1(state):
                seat.ask(state)
            case h.SyncStep2(update):
                self._take_step2(seat, update)
            case h.Close():
                self._detach(seat)
            case _ if seat.outdated:
                pass
            case h.Awareness(payload):
                seat.live.awareness.hear(seat, payload)
            case h.QueryAwareness():
                seat.write(encode_awareness(seat.live.awareness.everyone() or b"\x00"))
            case h.Stateless(payload):
                self.spawn(self._signal(seat, payload))
            case h.SyncReply() | h.BroadcastStateless():
                self.close(CloseCode.STOCK_FORBIDDEN, "only servers send this")
            case _:
                logger.debug("%s: passed over %r", self.id, message)

    def _take_step2(self, seat: HocuspocusSeat, update: bytes) -> None:
        statuses = seat.debts
        seat.debts = 0
        if seat.owed:
            seat.owed -= 1
            statuses += 1
        if seat.may_write:
            seat.submit(statuses, update, complete=True)
        elif not statuses:
            pass
        elif len(update) <= self.limits.quick_update:
            seat.say_status(seat.live.holds(scan(update)), statuses)
        else:
            self.spawn(self._compare(seat, update, statuses))

    async def _compare(self, seat: HocuspocusSeat, update: bytes, statuses: int) -> None:
        """See whether a large answer of somebody who may not write holds anything new."""
        try:
            scanned = await scan_in_helper(self.core.helpers, update)
        except Malformed as problem:
            self.close(self.malformed, str(problem))
        except HelperStopped:
            seat.say_status(False, statuses)
        else:
            seat.say_status(seat.live.holds(scanned), statuses)

    async def _signal(self, seat: HocuspocusSeat, payload: str) -> None:
        room = seat.live.room
        try:
            async with room.turn:
                body = await room.kind.on_signal(room, seat, Request("stateless", payload))
        except Refused as refusal:
            logger.debug("%s: a signal was refused: %s", room.id, refusal)
        except Exception:
            logger.exception("%s: on_signal failed", room.id)
        else:
            if isinstance(body, str) and not seat.left:
                self.outbox.write(frame(h.encode_stateless(seat.address, body)))
