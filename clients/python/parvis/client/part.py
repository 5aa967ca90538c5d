"""A part as an application holds it: what `DocumentPart` and `LogPart` have in common."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from parvis.protocol import ErrorCode
from parvis.protocol.messages import (
    AccessChanged,
    Ack,
    Answer,
    Awareness as AwarenessMessage,
    Changed,
    ClientMessage,
    Command,
    History,
    Join,
    Joined,
    Leave,
    Left,
    Refuse,
    Reset,
    Resync,
    ServerMessage,
    Signal,
    Signaled,
    Synced,
    Unsaved,
    Update,
    Value,
)

from .awareness import Awareness
from .backoff import Backoff
from .errors import ClientError, Closed, Disconnected, Refused
from .events import Event
from .ports import Clock, Random, Timer

FRAME_MARGIN = 128
"""Bytes of a frame beside its update, at most."""


class Host(Protocol):
    """The session, as its parts see it."""

    clock: Clock
    random: Random

    @property
    def frame_limit(self) -> int:
        """Bytes of the largest frame that the server takes; 0: unknown."""
        ...

    def send(self, message: ClientMessage) -> bool:
        """Put a message on its way; False while there is no connection."""
        ...

    def next_ref(self) -> int: ...

    async def ask(self, message: ClientMessage, ref: int) -> ServerMessage:
        """Send a request and return its answer; raise if it is refused or the connection ends."""
        ...

    def rejoin(self, part: "Part") -> None:
        """Send the part's join, if there is a connection."""
        ...

    def forget(self, part: "Part") -> None:
        """The part is over."""
        ...


class Part(ABC):
    """What both kinds of part have in common.

    Attributes:
        name: ``type/key`` or ``type/key:part``.
        channel: The server's number for the part; 0 while it is not joined.
        access: This client's capabilities here.
        schema: Version of the room type's schema, as the server said at the last join; 0: none.
        store_waits: The server's store does not answer; what is unsaved stays so for now.
        on_signal: Called with each signal from the room.
        on_access: Called with the new capabilities.
        on_store: Called with `store_waits` when it changes.
        on_joined: Called each time the part has been joined, also after a break.
        on_lost: Called when the connection is lost.
        on_end: Called once, with the reason, when the part is over: left, or refused for good.
    """

    def __init__(self, host: Host, name: str, client: int, schema: int) -> None:
        self.name = name
        self.channel = 0
        self.access: frozenset[str] = frozenset()
        self.schema = 0
        self.store_waits = False
        self.awareness = Awareness(client, host.clock)
        self.on_signal: Event[[Signaled]] = Event()
        self.on_access: Event[[frozenset[str]]] = Event()
        self.on_store: Event[[bool]] = Event()
        self.on_joined: Event[[]] = Event()
        self.on_lost: Event[[]] = Event()
        self.on_end: Event[[ClientError]] = Event()
        self.ended: ClientError | None = None
        self._host = host
        self._shown = schema
        self._backoff = Backoff(host.random)
        self._timer: Timer | None = None
        self._waiting_to_join: list[asyncio.Future[None]] = []

    @property
    def joined(self) -> bool:
        """Whether the part is open on the present connection."""
        return self.channel != 0

    async def wait_joined(self) -> None:
        """Return once the part is joined; raise why it never will be."""
        if self.ended is not None:
            raise self.ended
        if not self.joined:
            waiting = asyncio.get_running_loop().create_future()
            self._waiting_to_join.append(waiting)
            await waiting

    async def signal(self, name: str, body: Value = None) -> Value:
        """Send a signal to the room and return its answer.

        Raises:
            Refused: If the room turns it down.
            Disconnected: If the connection ends first; whether it was seen is then unknown.
        """
        ref = self._host.next_ref()
        answer = await self._ask(Signal(self.channel, ref, name, body), ref)
        return answer.body

    async def command(self, name: str, body: Value = None) -> Answer:
        """Have the room do something; the answer carries the offset of what it changed.

        Raises:
            Refused: If the room turns it down.
            Disconnected: If the connection ends first; whether it was done is then unknown.
        """
        ref = self._host.next_ref()
        return await self._ask(Command(self.channel, ref, name, body), ref)

    async def history(self, question: str, body: Value = None) -> Value:
        """Ask about the document's past, or go back to it; SPEC.md section 6.1.

        Raises:
            Refused: If this user may not, or there was no such moment.
            Disconnected: If the connection ends first.
        """
        ref = self._host.next_ref()
        return (await self._ask(History(self.channel, ref, question, body), ref)).body

    async def leave(self) -> None:
        """Leave the part. What is unsaved stays in the local copy only."""
        if self.joined:
            self._host.send(Leave(self.channel))
        self.end(Closed(1000, "left"))

    # For the session

    def join_message(self, ref: int) -> Join:
        return Join(ref, self.name, self._state(), self._incarnation(), self._shown)

    def opened(self, message: Joined) -> None:
        """The join was accepted."""
        self.channel = message.channel
        self.access = frozenset(message.access)
        self.schema = message.schema
        self.store_waits = False
        self._backoff.reset()
        self._take(message)
        if self.channel == 0:  # the copy broke and the part is being joined anew
            return
        self.awareness.open(self._send_awareness, message.awareness)
        for waiting in self._waiting_to_join:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting_to_join.clear()
        self.on_joined.emit()

    def join_refused(self, refusal: Refused) -> None:
        """The join was turned down: come back later, start over, or give up."""
        if refusal.code == ErrorCode.STALE_INCARNATION and self._incarnation():
            self._start_over(refusal.code, refusal.reason)
            self._host.rejoin(self)
        elif refusal.retryable:
            self._later(lambda: self._host.rejoin(self))
        else:
            self.end(refusal)

    def received(self, message: ServerMessage) -> None:
        """A message for this part's channel."""
        if isinstance(message, Changed):
            self._changed(message)
        elif isinstance(message, Ack):
            self._acked(message.ref, message.offset)
        elif isinstance(message, AwarenessMessage):
            self.awareness.receive(message.states)
        elif isinstance(message, Refuse):
            self._turned_down(message.ref, Refused(message.code, message.reason))
        elif isinstance(message, Resync):
            self._resync(message.state)
        elif isinstance(message, Synced):
            self._synced(message)
        elif isinstance(message, Signaled):
            self.on_signal.emit(message)
        elif isinstance(message, AccessChanged):
            self.access = frozenset(message.access)
            self.on_access.emit(self.access)
        elif isinstance(message, Unsaved):
            self.store_waits = message.waiting
            self.on_store.emit(message.waiting)
        elif isinstance(message, Reset):
            self.lost()
            self._start_over(message.code, message.reason)
            self._host.rejoin(self)
        elif isinstance(message, Left):
            self.lost()
            self.join_refused(Refused(message.code, message.reason))

    def lost(self) -> None:
        """The part is no longer joined."""
        was_joined = self.joined
        self.channel = 0
        self.store_waits = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.awareness.lost()
        self._lost()
        if was_joined:
            self.on_lost.emit()

    def end(self, reason: ClientError) -> None:
        """The part is over."""
        if self.ended is not None:
            return
        self.lost()
        self.ended = reason
        self._host.forget(self)
        for waiting in self._waiting_to_join:
            if not waiting.done():
                waiting.set_exception(reason)
        self._waiting_to_join.clear()
        self._end(reason)
        self.on_end.emit(reason)

    async def _ask(self, message: Signal | Command | History, ref: int) -> Answer:
        if self.ended is not None:
            raise self.ended
        if not self.joined:
            raise Disconnected(1006, f"{self.name} is not joined at the moment")
        answer = await self._host.ask(message, ref)
        assert isinstance(answer, Answer), answer
        return answer

    def _send_awareness(self, states: bytes) -> None:
        if self.joined:
            self._host.send(AwarenessMessage(self.channel, states))

    def _submit(self, update: bytes, key: bytes = b"") -> int | None:
        if not self.joined:
            return None
        ref = self._host.next_ref()
        limit = self._host.frame_limit
        if limit and len(update) + FRAME_MARGIN > limit:
            # Sent, it would end the session, again and again.
            refusal = Refused(ErrorCode.TOO_LARGE, f"the server takes frames of {limit} bytes")
            self._host.clock.call_later(0.0, lambda: self._turned_down(ref, refusal))
            return ref
        return ref if self._host.send(Update(self.channel, ref, update, key)) else None

    def _later(self, callback: Callable[[], None]) -> None:
        if self._timer is None:

            def fire() -> None:
                self._timer = None
                callback()

            self._timer = self._host.clock.call_later(self._backoff.next(), fire)

    @abstractmethod
    def _state(self) -> bytes: ...
    @abstractmethod
    def _incarnation(self) -> int: ...
    @abstractmethod
    def _take(self, message: Joined) -> None: ...
    @abstractmethod
    def _changed(self, message: Changed) -> None: ...
    @abstractmethod
    def _acked(self, ref: int, offset: int) -> None: ...
    @abstractmethod
    def _turned_down(self, ref: int, refusal: Refused) -> None: ...
    @abstractmethod
    def _synced(self, message: Synced) -> None: ...
    @abstractmethod
    def _resync(self, state: bytes) -> None: ...
    @abstractmethod
    def _start_over(self, code: int, reason: str) -> None: ...
    @abstractmethod
    def _lost(self) -> None: ...
    @abstractmethod
    def _end(self, reason: ClientError) -> None: ...
