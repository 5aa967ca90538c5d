"""A room under a test's control: time stands still, the store fails on command, nothing sleeps."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar, TypeVar

from prometheus_client import Counter, Gauge
from pycrdt import Doc, Text, TransactionEvent

from parvis.plugins import (
    EDITOR,
    VIEWER,
    Access,
    Caller,
    OpaqueLog,
    Part,
    Refused,
    RoomType,
    YDoc,
)
from parvis.protocol import ErrorCode, encode, messages as m
from parvis.protocol.messages import ClientMessage, ServerMessage
from parvis.server.core import Core
from parvis.server.limits import Limits
from parvis.server.rooms.fast import FastPart
from parvis.server.rooms.ordered import OrderedPart
from parvis.server.rooms.room import LiveRoom
from parvis.server.session import DialectSession
from parvis.server.testing import KeptTransport, Lobby, Visitor, live_room
from parvis.storage import Address, LoggedUpdate, Store
from parvis.storage.factory import open_store
from parvis.storage.faulty import FaultyStore
from tests.clocks import SeededRandom, SetClock

TURNS = 60
"""Turns of the loop in which everything that does not wait for a helper or a stall has happened."""

MessageT = TypeVar("MessageT")

EDITOR_CALLER = Caller("kit", "server", "Server", member=True)
"""Somebody in whose name the server edits."""


class Board(RoomType[YDoc]):
    """Guests may look, everybody else may write; strangers are turned away."""

    name = "board"
    replica = YDoc
    parts: ClassVar[Mapping[str, Part]] = {"notes": Part(YDoc), "chat": Part(OpaqueLog)}

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        if caller.user.startswith("stranger"):
            raise Refused(ErrorCode.PERMISSION_DENIED, "strangers stay outside")
        return VIEWER if caller.user.startswith("guest") else EDITOR


class Mail(RoomType[OpaqueLog]):
    """An ordered log that everybody but guests writes."""

    name = "mail"
    replica = OpaqueLog

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return VIEWER if caller.user.startswith("guest") else EDITOR


class Draft:
    """A document of somebody's own, which yields its updates one by one."""

    def __init__(self, client: int, *updates: bytes) -> None:
        self.doc: Doc[Any] = Doc(client_id=client)
        self.text = self.doc.get("text", type=Text)
        self._made: list[bytes] = []
        for update in updates:
            self.doc.apply_update(update)
        self._kept = self.doc.observe(self._observed)

    def _observed(self, event: TransactionEvent) -> None:
        self._made.append(event.update)

    def write(self, text: str) -> bytes:
        """Add text to the end; return the update."""
        self._made.clear()
        self.text += text
        return self._made[-1]

    def erase(self, start: int, end: int) -> bytes:
        """Take some text away; return the update."""
        self._made.clear()
        del self.text[start:end]
        return self._made[-1]

    def take(self, *updates: bytes) -> None:
        for update in updates:
            self.doc.apply_update(update)

    def __str__(self) -> str:
        return str(self.text)


def read(*updates: bytes) -> str:
    """Return the text that updates make."""
    return str(Draft(1, *updates))


def counted(counter: Counter | Gauge) -> float:
    """Return what a metric without labels shows."""
    return next(sample.value for metric in counter.collect() for sample in metric.samples)


class Person:
    """A native session, driven step by step: nothing here waits for the room to rest."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    @property
    def transport(self) -> KeptTransport:
        return self.visitor.transport

    @property
    def channel(self) -> int:
        return self.visitor.channel

    @property
    def joined(self) -> m.Joined:
        return self.visitor.joined

    def say(self, message: ClientMessage) -> None:
        self.visitor.session.received(encode(message))

    def update(self, update: bytes, ref: int = 1) -> None:
        self.say(m.Update(self.channel, ref, update))

    @property
    def heard(self) -> Sequence[ServerMessage]:
        """Everything since the join, or since `heard_all`."""
        return self.visitor.received

    def heard_all(self) -> list[ServerMessage]:
        """Return what was heard, and forget it."""
        heard = list(self.visitor.received)
        self.visitor.received.clear()
        return heard

    def of(self, kind: type[MessageT]) -> list[MessageT]:
        return [message for message in self.visitor.received if isinstance(message, kind)]

    @property
    def acked(self) -> list[tuple[int, int]]:
        """The (ref, offset) of each ack."""
        return [(ack.ref, ack.offset) for ack in self.of(m.Ack)]

    @property
    def text(self) -> str:
        """What the peer sees of others' work."""
        return read(*self.joined.updates, *[each.update for each in self.of(m.Changed)])

    def disconnect(self) -> None:
        self.visitor.session.disconnected()


class Lab:
    """A node with a room, a clock and a store that the test commands."""

    def __init__(self, lobby: Lobby, clock: SetClock, store: FaultyStore) -> None:
        self.lobby = lobby
        self.clock = clock
        self.store = store
        self.people: list[Person] = []
        self.sessions: list[DialectSession] = []

    @property
    def core(self) -> Core:
        return self.lobby.core

    @property
    def room(self) -> LiveRoom:
        return self.lobby.room

    @property
    def part(self) -> FastPart:
        part = self.room.parts[""]
        assert isinstance(part, FastPart)
        return part

    @property
    def ordered(self) -> OrderedPart:
        part = self.room.parts[""]
        assert isinstance(part, OrderedPart)
        return part

    @property
    def is_live(self) -> bool:
        return self.core.directory.live(self.lobby.tenant, self.lobby.name) is not None

    async def join(
        self, who: str | Caller, part: str = "", *, state: bytes = b"", schema: int | None = None
    ) -> Person:
        """Enter a part; returns as soon as the server has answered. Raises `Refused`."""
        tenant = self.lobby.tenant
        caller = Caller(tenant, who, who.title(), member=True) if isinstance(who, str) else who
        visitor = Visitor(self.lobby, caller)
        person = Person(visitor)
        self.people.append(person)
        name = f"{self.lobby.name}:{part}" if part else self.lobby.name
        await visitor.enter(name, state, 0, self.lobby.kind.schema if schema is None else schema)
        return person

    async def turns(self, count: int = TURNS) -> None:
        """Let everything happen that waits neither for time nor for a stalled store."""
        for _ in range(count):
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        self.clock.pass_time(seconds)
        await self.turns()

    async def until(self, reached: Callable[[], object]) -> None:
        """Wait for something that takes a helper process, which lives in real time."""
        async with asyncio.timeout(30):
            while not reached():  # noqa: ASYNC110  a process is at work
                await asyncio.sleep(0)

    def address(self, part: str = "") -> Address:
        return Address(self.lobby.tenant, self.lobby.name, part)

    async def log(self, part: str = "") -> Sequence[LoggedUpdate]:
        return await self.store.inner.read(self.address(part), after=0)

    async def logged_text(self) -> str:
        return read(*[row.update for row in await self.log() if row.update])

    async def empty(self) -> None:
        """Have everybody leave and the room be let go."""
        for person in self.people:
            person.disconnect()
        for session in self.sessions:
            session.disconnected()
        self.people.clear()
        self.sessions.clear()
        await self.lobby.forget()


@asynccontextmanager
async def lab(
    kind: RoomType[Any] | None = None,
    key: str = "r",
    *,
    store: Store | None = None,
    limits: Limits | None = None,
    settings: Mapping[str, object] | None = None,
    others: Sequence[RoomType[Any]] = (),
    life: int = 1,
    flush_pause: float = 0.0,
) -> AsyncGenerator[Lab]:
    """Run a node around one room.

    Args:
        store: Outlives the node, so that another one may go on with it; memory if None.
        life: Which node this is on the same store; each has its own chance.
        flush_pause: As for `live_room`.
    """
    inner = store or open_store("memory:")[0]
    faulty, clock = FaultyStore(inner), SetClock()
    before = asyncio.all_tasks()
    async with live_room(
        kind or Board(),
        key,
        store=faulty,
        clock=clock,
        random=SeededRandom(life),
        limits=limits,
        flush_pause=flush_pause,
        settings=settings,
        others=others,
    ) as lobby:
        it = Lab(lobby, clock, faulty)
        try:
            yield it
        finally:
            faulty.resume()
            await it.pass_time(60)  # whoever rests from a failed append tries again
            if store is None and it.is_live:  # a deleted room needs no snapshot: that is quicker
                await it.core.directory.delete(lobby.tenant, lobby.name)
            await it.empty()
    left = [task for task in asyncio.all_tasks() - before if not task.done()]
    assert not left, f"these outlived the node: {left}"
    if store is None:
        await inner.close()
