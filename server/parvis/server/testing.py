"""The kit for tests of room types: the real room, the real sessions, a store in memory.

    async with live_room(Whiteboard(), "b1") as lobby:
        ada, guest = await lobby.join("ada"), await lobby.join("guest")
        await ada.update(stroke(), ref=7)
        assert ada.received == [Ack(ada.channel, ref=7, offset=1)]
        assert guest.received == [Changed(guest.channel, stroke())]

Only the socket is missing: what a session writes is kept in `Visitor.received`, decoded. Every call
returns when the room has come to rest: nothing waits in it, everything it said is in `received`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

from parvis.plugins import Caller, HttpResponse, Node, Refused, RoomType
from parvis.protocol import ErrorCode, decode_from_server, encode, messages as m
from parvis.protocol.messages import ClientMessage, ServerMessage, Value
from parvis.storage import Store
from parvis.storage.factory import open_store
from parvis.storage.memory import MemoryAccounts, MemoryBlobs

from .clock import SystemClock, SystemRandom
from .core import Core
from .dialects.native import NativeSession
from .firewall.helpers import HelperPool
from .firewall.quarantine import Quarantine
from .firewall.watch import Watch, make_note
from .hosting.guests import Guests
from .hosting.host import Host, Offers, host_room_types
from .hosting.jobs import Jobs
from .hosting.registry import Registry
from .hosting.workshop import CONFINED, Workshop
from .identity import Identified
from .identity.proof import Proof
from .identity.tokens import open_tokens
from .limits import Limits
from .metrics import Metrics
from .ports import Clock, Random
from .rooms.room import LiveRoom
from .settings import RoomSettings, Settings
from .testing_people import KeptFolk
from .testing_routes import visit

MessageT = TypeVar("MessageT", bound=ServerMessage)

PATIENCE: Final = 120.0
"""Seconds after which what does not come is taken never to come: a guard, not a measure."""


class KeptTransport:
    """The socket's place: keeps what was written."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.stuck = 0
        """Bytes that the peer has not read, as `buffered` says; set it to play a slow peer."""

    def write(self, frame: bytes) -> None:
        self.frames.append(frame)

    def buffered(self) -> int:
        return self.stuck

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def abort(self) -> None:
        self.closed = self.closed or (1006, "")


class Visitor:
    """A native session in one part of the room, driven by a test.

    Attributes:
        received: What the server sent since the join, oldest first; clear it as you like.
        joined: How the server answered the join.
    """

    def __init__(self, lobby: Lobby, caller: Caller) -> None:
        self._lobby = lobby
        self._proof = Identified(caller, None, Proof("access", caller.user))
        self.caller = caller
        self.transport = KeptTransport()
        self.session = NativeSession(lobby.core, self.transport, self._identify)
        self.joined: m.Joined
        self._read = 0
        self._received: list[ServerMessage] = []

    async def _identify(self, ticket: str) -> Identified:
        return self._proof

    async def enter(self, room: str, state: bytes, incarnation: int, schema: int) -> None:
        """Say hello and join. Raises `Refused` with what the server answered."""
        self._say(m.Hello(1, "kit"))
        await self.expect(m.Welcome)
        self._say(m.Join(1, room, state, incarnation, schema))
        answer = await self.expect(m.Joined, m.Refuse)
        if isinstance(answer, m.Refuse):
            raise Refused(ErrorCode(answer.code), answer.reason)
        assert isinstance(answer, m.Joined)
        self.joined = answer

    @property
    def channel(self) -> int:
        return self.joined.channel

    @property
    def received(self) -> list[ServerMessage]:
        frames = self.transport.frames
        while self._read < len(frames):
            self._received.append(decode_from_server(_payload(frames[self._read])))
            self._read += 1
        return self._received

    def _say(self, message: ClientMessage) -> None:
        self.session.received(encode(message))

    async def say(self, message: ClientMessage) -> None:
        """Send any message."""
        self._say(message)
        await self._lobby.rest()

    async def update(self, update: bytes, ref: int = 1) -> None:
        """Change the part."""
        await self.say(m.Update(self.channel, ref, update))

    async def signal(self, name: str, body: Value = None, ref: int = 0) -> None:
        """Send an application message."""
        await self.say(m.Signal(self.channel, ref, name, body))

    async def command(self, name: str, body: Value = None, ref: int = 1) -> m.Answer:
        """Ask for something in the room's words. Raises `Refused`."""
        self._say(m.Command(self.channel, ref, name, body))
        answer = await self.expect(m.Answer, m.Refuse)
        if isinstance(answer, m.Refuse):
            raise Refused(ErrorCode(answer.code), answer.reason)
        assert isinstance(answer, m.Answer)
        return answer

    async def awareness(self, states: bytes) -> None:
        """Say where you are; the others hear of it within the pause."""
        await self.say(m.Awareness(self.channel, states))

    async def expect(self, *kinds: type[Any]) -> ServerMessage:
        """Wait for a message of one of these kinds, and take it out of `received`."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for index, message in enumerate(self.received):
                    if isinstance(message, kinds):
                        return self._received.pop(index)
                await asyncio.sleep(0)

    async def leave(self) -> None:
        """Close the socket."""
        self.session.disconnected()
        await self._lobby.rest()


class Lobby:
    """A room under test, and the door to it.

    Attributes:
        folk: Who has an account; what people were told.
        blobs: The files that the room type keeps.
        node: What the room type was given in its lifespan.
    """

    def __init__(
        self,
        core: Core,
        kind: RoomType[Any],
        key: str,
        tenant: str,
        jobs: Jobs,
        folk: KeptFolk,
        offers: Offers,
    ) -> None:
        self.core = core
        self.folk = folk
        self.blobs = offers.blobs
        self.node: Node = Host(core, jobs, kind, offers)
        self.kind = kind
        self.name = f"{kind.name}/{key}"
        self.tenant = tenant
        self._jobs = jobs
        self._visitors: list[Visitor] = []

    @property
    def room(self) -> LiveRoom:
        """The live room; there is one while somebody is in it."""
        room = self.core.directory.live(self.tenant, self.name)
        assert room is not None, f"{self.name} is not live"
        return room

    async def join(
        self,
        who: str | Caller,
        part: str = "",
        *,
        state: bytes = b"",
        incarnation: int = 0,
        schema: int | None = None,
    ) -> Visitor:
        """Enter a part as a member of the tenant, or as any caller. Raises `Refused`."""
        visitor = Visitor(self, self._caller(who))
        self._visitors.append(visitor)
        shown = self.kind.schema if schema is None else schema
        name = f"{self.name}:{part}" if part else self.name
        await visitor.enter(name, state, incarnation, shown)
        await self.rest()
        return visitor

    async def request(
        self,
        who: str | Caller,
        method: str,
        path: str,
        body: bytes | Mapping[str, object] = b"",
        *,
        content_type: str = "",
        address: str = "192.0.2.1",
        **query: str,
    ) -> HttpResponse:
        """Call a route of the room type, as a member of the tenant or as any caller.

        Args:
            who: An empty string is a stranger.
            path: Below the room type's own, percent-encoded where need be.
            body: Bytes as they are, or what is sent as JSON.

        Raises:
            LookupError: If there is no such route.
            Refused: As the handler or, for a stranger or a body that does not fit, the server.
        """
        return await visit(
            self.kind.routes, self._caller(who), method, path, body, content_type, address, query
        )

    def _caller(self, who: str | Caller) -> Caller:
        if isinstance(who, Caller):
            return who
        return (
            Caller(self.tenant, who, who.title(), member=True) if who else Caller(self.tenant, "")
        )

    async def rest(self) -> None:
        """Wait until nothing is under way in the room."""
        async with asyncio.timeout(PATIENCE):
            while self._busy():  # noqa: ASYNC110  many things to wait for, and it is soon
                await asyncio.sleep(0)

    def _busy(self) -> bool:
        core = self.core
        room = core.directory.live(self.tenant, self.name)
        return core.working or (room is not None and room.working)

    async def forget(self) -> None:
        """Have everybody leave and the room be let go, as after its idle time."""
        for visitor in self._visitors:
            visitor.session.disconnected()
        self._visitors.clear()
        await self.rest()
        await self.core.directory.close()

    async def consumed(self) -> None:
        """Wait until `on_commit` has seen everything."""
        async with asyncio.timeout(PATIENCE):
            while self.core.consumers.working:  # noqa: ASYNC110  it is soon
                await asyncio.sleep(0)

    async def jobs_done(self) -> None:
        """Wait until no job is due any more."""
        async with asyncio.timeout(PATIENCE):
            while self._jobs.working:  # noqa: ASYNC110  it is soon
                await asyncio.sleep(0)


@asynccontextmanager
async def live_room(
    kind: RoomType[Any],
    key: str,
    *,
    tenant: str = "kit",
    store: Store | None = None,
    clock: Clock | None = None,
    random: Random | None = None,
    limits: Limits | None = None,
    flush_pause: float = 0.0,
    settings: Mapping[str, object] | None = None,
    others: Iterable[RoomType[Any]] = (),
) -> AsyncGenerator[Lobby]:
    """Run a node around one room, as real as it gets without a network.

    Args:
        store: To look into, or to keep from one room to the next; memory if None.
        flush_pause: Takes the place of the one in `limits`. None by default: a clock that a test
            sets would stand still while an update waits for company.
        settings: The core's settings of the room type, e.g. ``{"idle": 0}``.
        others: Room types that are installed beside it.
    """
    async with AsyncExitStack() as stack:
        clock = clock or SystemClock()
        random = random or SystemRandom()
        if store is None:
            store, _ = open_store("memory:")
            stack.push_async_callback(store.close)
        room_settings = RoomSettings(**{"create": "anyone", **(settings or {})})  # type: ignore[arg-type]
        registry = Registry([kind, *others], Settings(rooms={kind.name: room_settings}))
        for each in registry:
            await store.migrate(each.name, each.migrations)
        helpers = HelperPool(1, clock)
        stack.push_async_callback(helpers.close)
        note = make_note()
        stack.callback(os.close, note)
        core = Core(
            clock=clock,
            random=random,
            store=store,
            helpers=helpers,
            watch=Watch(note),
            quarantine=Quarantine(store, helpers, clock),
            registry=registry,
            metrics=Metrics(),
            limits=replace(limits or Limits(), flush_pause=flush_pause),
        )
        stack.push_async_callback(core.close)
        workers = HelperPool(1, clock, confinement=CONFINED)
        stack.push_async_callback(workers.close)
        folk = KeptFolk(tenant)
        tokens = await open_tokens(MemoryAccounts(), clock, random)
        offers = Offers(folk, Guests(tokens, folk.account), MemoryBlobs(), Workshop(workers))
        jobs = await host_room_types(core, stack, offers)
        lobby = Lobby(core, kind, key, tenant, jobs, folk, offers)
        try:
            yield lobby
        finally:
            await lobby.forget()


def _payload(frame: bytes) -> bytes:
    """Cut the websocket header off (RFC 6455 section 5.2)."""
    size = frame[1]
    return frame[{126: 4, 127: 10}.get(size, 2) :]
