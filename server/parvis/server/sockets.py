"""Where websockets come in: the upgrade, the reading loop, and the end, for every dialect."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Final

from aiohttp import WSMsgType, web

from parvis.plugins import Refused
from parvis.protocol import CloseCode, ErrorCode, RoomName

from .api import Gate
from .core import Core
from .dialects.hocuspocus import HocuspocusSession
from .dialects.native import NativeSession
from .dialects.yjs import YjsSession
from .entrance import Entrance
from .health import Health
from .identity import Identified, Unauthenticated
from .session import DialectSession

logger = logging.getLogger(__name__)

NATIVE: Final = "parvis.v1"
CLOSE_WAIT: Final = 5.0
"""Seconds that a peer has to answer our close frame."""

BATCH: Final = 100
BATCH_PAUSE: Final = 0.5
"""A drain closes so many sockets, then rests for up to so many seconds."""

LOOK: Final = 0.05
"""Seconds between two looks at who is still here while draining."""


class SocketTransport:
    """A websocket of aiohttp; whole frames go straight to its transport."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport) -> None:
        self._socket = socket
        self._transport = transport
        self._closing: asyncio.Task[bool] | None = None

    def write(self, frame: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(frame)

    def guard(self, most: int) -> Entrance:
        """Read no more than so many bytes until the entrance is opened."""
        return Entrance(self._transport, most)

    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        if self._closing is None:
            closing = self._socket.close(code=code, message=reason.encode())
            self._closing = asyncio.get_running_loop().create_task(closing)

    def abort(self) -> None:
        self._transport.abort()

    async def closed(self) -> None:
        if self._closing is not None:
            await asyncio.wait([self._closing])


class Sockets:
    """The websocket endpoints of a node, and the sessions that are open on it."""

    def __init__(
        self, core: Core, gate: Gate, health: Health, *, most: int, most_per_address: int
    ) -> None:
        self.core = core
        self.gate = gate
        self.health = health
        self.sessions: set[DialectSession] = set()
        self._most = most
        self._most_per_address = most_per_address
        self._by_address: Counter[str] = Counter()
        gate.identity.subscribe(self._look_at_revocations)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/ws", self.native),
            web.get("/yjs/{name:.+}", self.yjs),
            web.get("/hocuspocus", self.hocuspocus),
            web.get("/hocuspocus/{ignored:.*}", self.hocuspocus),
        ]

    # One handler per dialect

    async def native(self, request: web.Request) -> web.StreamResponse:
        socket, transport = await self._upgrade(request, protocols=(NATIVE,))
        session = NativeSession(
            self.core, transport, lambda ticket: self.gate.native(request, ticket)
        )
        if socket.ws_protocol != NATIVE:
            session.close(CloseCode.UNSUPPORTED_VERSION, f"expected subprotocol {NATIVE}")
        return await self._serve(request, socket, session)

    async def yjs(self, request: web.Request) -> web.StreamResponse:
        identified: Identified | None = None
        refusal: Refused | None = None
        name: RoomName | None = None
        try:
            name = self.core.registry.parse(request.match_info["name"])
            identified = await self.gate.stock(request, request.query.get("token", ""))
        except Refused as problem:
            refusal = problem
        except Unauthenticated as problem:
            refusal = Refused(ErrorCode.UNAUTHENTICATED, str(problem))
        socket, transport = await self._upgrade(request)
        session = YjsSession(self.core, transport, identified)
        if name is not None and refusal is None:
            session.open(name)
        elif refusal is not None:
            # y-websocket never learns why an upgrade failed and would try again for ever just the
            # same; a message and a close code at least let the application stop it.
            session.turn_away(refusal.code, refusal.reason)
        return await self._serve(request, socket, session)

    async def hocuspocus(self, request: web.Request) -> web.StreamResponse:
        socket, transport = await self._upgrade(request)
        session = HocuspocusSession(
            self.core, transport, lambda token: self.gate.stock(request, token)
        )
        return await self._serve(request, socket, session)

    # What they share

    async def _upgrade(
        self, request: web.Request, protocols: tuple[str, ...] = ()
    ) -> tuple[web.WebSocketResponse, SocketTransport]:
        self._check_room_for(request)
        limits = self.core.limits
        socket = web.WebSocketResponse(
            timeout=CLOSE_WAIT,
            protocols=protocols,
            heartbeat=limits.heartbeat,
            max_msg_size=limits.frame,
            compress=False,  # costs memory per socket, and invites attacks on what it hides
            autoclose=True,
        )
        await socket.prepare(request)
        transport = request.transport
        if transport is None:
            raise web.HTTPBadRequest(text="the connection was lost")
        return socket, SocketTransport(socket, transport)

    def _check_room_for(self, request: web.Request) -> None:
        if self.health.draining:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "1"})
        address = self.gate.address(request)
        if len(self.sessions) >= self._most:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        if not _is_loopback(address) and self._by_address[address] >= self._most_per_address:
            raise web.HTTPTooManyRequests(headers={"Retry-After": "5"})

    async def _serve(
        self, request: web.Request, socket: web.WebSocketResponse, session: DialectSession
    ) -> web.StreamResponse:
        address = self.gate.address(request)
        transport = session.transport
        assert isinstance(transport, SocketTransport)
        if session.identified is None:
            session.on_admitted = transport.guard(self.core.limits.unproven).open
        self.sessions.add(session)
        self._by_address[address] += 1
        logger.info("%s: opened, %s", session.id, session.dialect)
        try:
            await self._read(socket, session)
        finally:
            # First what the bounds on connections rest on, whatever comes of the rest.
            self.sessions.discard(session)
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
            session.disconnected()
            logger.info("%s: closed, %s", session.id, socket.close_code)
        await transport.closed()
        return socket

    async def _read(self, socket: web.WebSocketResponse, session: DialectSession) -> None:
        outbox = session.outbox
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                session.received(message.data)
            elif message.type is WSMsgType.TEXT:
                session.received_text()
            if outbox.full:
                await outbox.ready()
            if session.busy:
                await session.rested()

    def _look_at_revocations(self) -> None:
        """Somebody was signed out: their sessions end too."""
        identity = self.gate.identity
        for session in tuple(self.sessions):
            if any(identity.is_void(identified.proof) for identified in session.shown):
                session.close(session.revoked, "you have been signed out")

    async def drain(self, deadline: float, hurry: asyncio.Event) -> None:
        """Send everybody away, with time to come back elsewhere; returns when they have gone.

        Native clients are told and go when they like; stock clients, which come back at once, are
        closed in batches. Who is still here after half the time is closed, after all of it cut off.

        Args:
            hurry: When it is set, nobody is waited for any more.
        """
        leaving = list(self.sessions)
        until = self.core.clock.monotonic() + deadline
        for at, session in enumerate(leaving):
            session.drain(deadline / 2)
            if at % BATCH == BATCH - 1:
                most = deadline / 2 * BATCH / len(leaving)
                await self._wait(min(most, BATCH_PAUSE * self.core.random.uniform(0.5, 1)), hurry)
        await self._gone(until - deadline / 2, hurry)
        for session in tuple(self.sessions):
            session.close(CloseCode.RESTART, "the node restarts")
        await self._gone(until, hurry)
        for session in tuple(self.sessions):
            session.transport.abort()

    async def _gone(self, until: float, hurry: asyncio.Event) -> None:
        while self.sessions and self.core.clock.monotonic() < until and not hurry.is_set():
            await self.core.clock.sleep(LOOK)

    async def _wait(self, seconds: float, hurry: asyncio.Event) -> None:
        until = self.core.clock.monotonic() + seconds
        while not hurry.is_set() and (left := until - self.core.clock.monotonic()) > 0:
            await self.core.clock.sleep(min(left, LOOK))


def _is_loopback(address: str) -> bool:
    return address in ("127.0.0.1", "::1", "")
