"""The native dialect: many rooms and parts on one socket. SPEC.md sections 4 to 8."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakValueDictionary

from parvis.plugins import Access, Refused, Request
from parvis.protocol import (
    CloseCode,
    ErrorCode,
    Malformed,
    OutOfOrder,
    SessionState,
    after,
    decode,
    encode,
    messages as m,
)
from parvis.protocol.messages import ClientMessage, ServerMessage, Value

from ..core import Core
from ..history.asking import ask
from ..identity import Unauthenticated
from ..ports import Transport
from ..rooms.joining import authorize_again, join
from ..rooms.part import LivePart
from ..rooms.seat import Seat, Session, Submission
from ..session import DialectSession, Identify
from .early import Early
from .framing import frame

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

VERSION = 1
MAX_KEY = 64
SERVER = "parvis/0.1.0"


class NativeEncoder:
    """Frames for everybody in one part."""

    def __init__(self, channel: int) -> None:
        self.channel = channel

    def changed(self, update: bytes, offset: int = 0, sender: str = "", time: float = 0) -> bytes:
        return frame(encode(m.Changed(self.channel, update, offset, sender, time)))

    def awareness(self, states: bytes) -> bytes:
        return frame(encode(m.Awareness(self.channel, states)))

    def signaled(self, name: str, body: Value, sender: str) -> bytes:
        return frame(encode(m.Signaled(self.channel, name, body, sender)))


_encoders: WeakValueDictionary[int, NativeEncoder] = WeakValueDictionary()


class NativeSeat(Seat):
    """A native session in a part."""

    resettable = True

    def __init__(self, session: Session, part: LivePart, access: Access) -> None:
        super().__init__(session, part, access)
        self.channel = part.channel
        self.starts_over = False
        encoder = _encoders.get(self.channel)
        if encoder is None:
            encoder = _encoders[self.channel] = NativeEncoder(self.channel)
        self.encoder = encoder

    def _send(self, message: ServerMessage) -> None:
        self.session.outbox.write(frame(encode(message)))

    def acked(self, done: Sequence[Submission]) -> None:
        for submission in done:
            if submission.ref:
                self._send(m.Ack(self.channel, submission.ref, submission.offset))

    def refused(self, submission: Submission, code: ErrorCode, reason: str) -> None:
        self._send(m.Refuse(self.channel, submission.ref, code, reason))

    def resync(self, state: bytes) -> None:
        self._send(m.Resync(self.channel, state))

    def caught_up(self, updates: Sequence[bytes]) -> None:
        for update in updates:
            self._send(m.Changed(self.channel, update))

    def reset(self, code: ErrorCode, reason: str) -> None:
        self.starts_over = True
        self._send(m.Reset(self.channel, self.live.incarnation, code, reason))

    def expelled(self, code: ErrorCode, reason: str) -> None:
        self._send(m.Left(self.channel, code, reason))
        assert isinstance(self.session, NativeSession)
        self.session.forget(self)

    def unsaved(self, waiting: bool) -> None:
        self._send(m.Unsaved(self.channel, waiting))

    def access_changed(self) -> None:
        self._send(m.AccessChanged(self.channel, sorted(self.access.capabilities)))


class NativeSession(DialectSession):
    """A session of Parvis' own clients."""

    dialect: ClassVar[str] = "native"

    def __init__(self, core: Core, transport: Transport, identify: Identify) -> None:
        super().__init__(core, transport)
        self.state = SessionState.CONNECTED
        self._identify = identify
        self._channels: dict[int, NativeSeat] = {}
        self._joining: set[str] = set()
        self._early: Early[bytes] = Early(self.limits)
        self._syncs = 0
        self._answering = asyncio.Lock()
        self._handlers: Mapping[type, Callable[..., None]] = {
            m.Update: self._update,
            m.Awareness: self._awareness,
            m.Join: self._join,
            m.Leave: self._leave,
            m.Sync: self._sync,
            m.Signal: self._signal,
            m.Command: self._command,
            m.History: self._history,
            m.Refresh: self._refresh,
            m.Ping: self._ping,
            m.Hello: self._hello,
        }

    def send(self, message: ServerMessage) -> None:
        self.outbox.write(frame(encode(message)))

    def take(self, data: bytes) -> None:
        if self._unproven:
            self._keep(data)
            return
        message: ClientMessage = decode(data)
        try:
            self.state = after(self.state, message)
        except OutOfOrder as problem:
            self.close(CloseCode.MALFORMED, str(problem))
            return
        self._handlers[type(message)](message)

    @property
    def _crowded(self) -> bool:
        # Nothing more need be read before it is known who this is.
        return self._unproven or super()._crowded

    @property
    def _unproven(self) -> bool:
        return self.state is SessionState.OPEN and self.identified is None

    def _keep(self, data: bytes) -> None:
        """A client need not wait for the answer to its hello; until then nothing is looked at."""
        if not self._early.keep(data, len(data), proven=False):
            self.close(CloseCode.TRY_LATER, "too much before the welcome")

    def close(self, code: CloseCode, reason: str) -> None:
        if not self.closed:
            self.send(m.Error(int(code), reason))
            self.state = SessionState.CLOSED
        super().close(code, reason)

    def drain(self, within: float) -> None:
        self.send(m.Drain(within, "the node restarts"))

    # Identity

    def _hello(self, hello: m.Hello) -> None:
        if hello.version != VERSION:
            self.close(CloseCode.UNSUPPORTED_VERSION, f"this server speaks version {VERSION}")
        else:
            self.spawn(self._welcome(hello))

    async def _welcome(self, hello: m.Hello) -> None:
        try:
            identified = await self._identify(hello.ticket)
        except Unauthenticated as problem:
            self.close(CloseCode.UNAUTHENTICATED, str(problem))
            return
        except Refused as refusal:
            self.close(CloseCode.TRY_LATER, refusal.reason)
            return
        except Exception:
            logger.exception("%s: nobody could say who this is", self.id)
            self.close(CloseCode.TRY_LATER, "try again later")
            return
        if self.closed:
            return
        self.admitted(identified)
        caller, limits = identified.caller, self.limits
        self.send(
            m.Welcome(
                self.id,
                {"id": caller.user, "name": caller.name, "color": caller.color},
                self._seconds_left(),
                {"frame": limits.frame, "rooms": limits.rooms, "silence": limits.silence},
                SERVER,
            )
        )
        for data in self._early.release() or ():
            self.received(data)

    def tell(self, name: str, body: Value) -> None:
        if not self.closed:
            self.send(m.Signaled(0, name, body))

    def _seconds_left(self) -> float:
        assert self.identified is not None
        expires = self.identified.expires
        return 0.0 if expires is None else max(0.001, expires - self.core.clock.time())

    def _refresh(self, refresh: m.Refresh) -> None:
        self.spawn(self._refreshed(refresh))

    async def _refreshed(self, refresh: m.Refresh) -> None:
        try:
            identified = await self._identify(refresh.ticket)
        except Unauthenticated as problem:
            self.refuse(0, refresh.ref, ErrorCode.UNAUTHENTICATED, str(problem))
            return
        except Refused as refusal:
            self.refuse(0, refresh.ref, refusal.code, refusal.reason)
            return
        except Exception:
            logger.exception("%s: nobody could say who this is", self.id)
            self.refuse(0, refresh.ref, ErrorCode.TRY_AGAIN, "try again later")
            return
        if self.closed:
            return
        if not self.is_same_person(identified):
            self.refuse(0, refresh.ref, ErrorCode.UNAUTHENTICATED, "this is somebody else")
            return
        self.admitted(identified)
        self.send(m.Refreshed(refresh.ref, self._seconds_left()))
        for seat in list(self._channels.values()):
            try:
                await authorize_again(self.core, identified.caller, seat)
            except Refused as refusal:
                seat.live.room.dismiss(seat, refusal.code, refusal.reason)

    def refuse(self, channel: int, ref: int, code: ErrorCode, reason: str) -> None:
        self.core.metrics.refusals(code).inc()
        self.send(m.Refuse(channel, ref, code, reason))

    # Parts

    def _join(self, message: m.Join) -> None:
        for seat in tuple(self._channels.values()):
            if seat.starts_over and str(seat.live.address) == message.room:
                self.forget(seat)
                self.stand_up(seat)
        if len(self.seats) + len(self._joining) >= self.limits.rooms:
            reason = f"at most {self.limits.rooms} at once"
            self.refuse(0, message.ref, ErrorCode.TOO_MANY_ROOMS, reason)
        elif message.room in self._joining or any(
            str(seat.live.address) == message.room for seat in self._channels.values()
        ):
            self.refuse(0, message.ref, ErrorCode.ALREADY_JOINED, "you are in this part already")
        else:
            self._joining.add(message.room)
            self.spawn(self._joined(message))

    async def _joined(self, message: m.Join) -> None:
        try:
            name = self.core.registry.parse(message.room)
            await join(
                self.core,
                self.caller,
                name,
                lambda part, access: self._seat(part, access, message),
                lambda seat, updates: self._entered(seat, updates, message),
                schema=message.schema,
                state=message.state,
            )
        except Refused as refusal:
            self.refuse(0, message.ref, refusal.code, refusal.reason)
        except Malformed as problem:
            self.refuse(0, message.ref, ErrorCode.MALFORMED, str(problem))
        except Exception:
            logger.exception("%s: joining %s failed", self.id, message.room[:80])
            self.refuse(0, message.ref, ErrorCode.INTERNAL, "internal error")
        finally:
            self._joining.discard(message.room)

    def _entered(self, seat: NativeSeat, updates: Sequence[bytes], message: m.Join) -> None:
        self._channels[seat.channel] = seat
        part = seat.live
        self.send(
            m.Joined(
                message.ref,
                seat.channel,
                message.room,
                part.incarnation,
                part.durable,
                sorted(seat.access.capabilities),
                updates,
                part.state(),
                part.awareness.everyone(),
                part.room.kind.schema,
            )
        )
        self.sit_down(seat)

    def _seat(self, part: LivePart, access: Access, message: m.Join) -> NativeSeat:
        if message.incarnation not in (0, part.incarnation):
            reason = "the history of this part was rebuilt: join again from nothing"
            raise Refused(ErrorCode.STALE_INCARNATION, reason)
        return NativeSeat(self, part, access)

    def _at(self, channel: int, ref: int) -> NativeSeat | None:
        seat = self._channels.get(channel)
        if seat is None or seat.left:
            self.refuse(channel, ref, ErrorCode.NOT_JOINED, "you are not in this part")
            return None
        return seat

    def forget(self, seat: NativeSeat) -> None:
        """A seat was taken away."""
        self._channels.pop(seat.channel, None)
        self.seats.pop(seat, None)

    def _leave(self, message: m.Leave) -> None:
        if (seat := self._channels.pop(message.channel, None)) is not None:
            self.stand_up(seat)

    def _update(self, message: m.Update) -> None:
        if (seat := self._at(message.channel, message.ref)) is not None:
            update = Submission(seat, message.ref, message.update, key=message.key)
            if len(message.key) > MAX_KEY:
                reason = f"a key has at most {MAX_KEY} bytes"
                self.refuse(message.channel, message.ref, ErrorCode.MALFORMED, reason)
            else:
                seat.live.submit(update)

    def _sync(self, message: m.Sync) -> None:
        if (seat := self._at(message.channel, message.ref)) is None:
            return
        if self._syncs >= self.limits.rooms:
            reason = f"at most {self.limits.rooms} are answered at once"
            self.refuse(message.channel, message.ref, ErrorCode.TRY_AGAIN, reason)
            return
        self._syncs += 1
        self.spawn(self._synced(seat, message))

    async def _synced(self, seat: NativeSeat, message: m.Sync) -> None:
        try:
            # One in a turn of the loop, and none for a peer that does not read: a few kilobytes
            # of questions would otherwise stop everybody for half a minute.
            async with self._answering:
                await self.outbox.ready()
                if not seat.left:
                    updates = await seat.live.missing(message.state)
                    if not seat.left:
                        state = seat.live.state()
                        self.send(m.Synced(message.channel, message.ref, updates, state))
        except Malformed as problem:
            self.refuse(message.channel, message.ref, ErrorCode.MALFORMED, str(problem))
        finally:
            self._syncs -= 1

    def _awareness(self, message: m.Awareness) -> None:
        if (seat := self._at(message.channel, 0)) is not None:
            try:
                seat.live.awareness.hear(seat, message.states)
            except Malformed as problem:
                self.refuse(message.channel, 0, ErrorCode.MALFORMED, str(problem))

    # Signals and commands

    def _signal(self, message: m.Signal) -> None:
        if (seat := self._at(message.channel, message.ref)) is not None:
            self.spawn(self._answer(seat, message))

    def _command(self, message: m.Command) -> None:
        if (seat := self._at(message.channel, message.ref)) is not None:
            self.spawn(self._answer(seat, message))

    async def _answer(self, seat: NativeSeat, message: m.Signal | m.Command) -> None:
        room, request = seat.live.room, Request(message.name, message.body)
        room.holders += 1
        offset = 0
        try:
            if isinstance(message, m.Command):
                # In line with the peer's updates, some of which may be with a helper or a hook.
                for each in [s for s in self._channels.values() if s.live.room is room]:
                    await each.live.looked_through(each)
            beside = isinstance(message, m.Command) and message.name in room.kind.beside
            async with nullcontext() if beside else room.turn:
                if isinstance(message, m.Signal):
                    body = await room.kind.on_signal(room, seat, request)
                else:
                    answer = await room.kind.on_command(room, self.caller, request)
                    body, offset = answer.body, answer.offset
        except Refused as refusal:
            self.refuse(message.channel, message.ref, refusal.code, refusal.reason)
            return
        except Exception:
            logger.exception("%s: %s failed", room.id, message.name[:80])
            self.refuse(message.channel, message.ref, ErrorCode.INTERNAL, "internal error")
            return
        finally:
            room.holders -= 1
            self.core.directory.left(room)
        if message.ref and not seat.left:
            self.send(m.Answer(message.channel, message.ref, body, offset))

    def _history(self, message: m.History) -> None:
        if (seat := self._at(message.channel, message.ref)) is not None:
            self.spawn(self._past(seat, message))

    async def _past(self, seat: NativeSeat, message: m.History) -> None:
        name = self.core.registry.parse(str(seat.live.address))
        try:
            # What this peer has sent before belongs to the past that it asks about.
            await seat.live.looked_through(seat)
            answer = await ask(
                self.core, self.caller, name, message.question, message.body, seat.access
            )
        except Refused as refusal:
            self.refuse(message.channel, message.ref, refusal.code, refusal.reason)
        except Exception:
            logger.exception("%s: %s failed", name, message.question[:80])
            self.refuse(message.channel, message.ref, ErrorCode.INTERNAL, "internal error")
        else:
            if message.ref and not seat.left:
                self.send(m.Answer(message.channel, message.ref, answer.body, answer.offset))

    def _ping(self, message: m.Ping) -> None:
        self.send(m.Pong(message.ref))
