"""A node of the simulation: the real core, one life after the other."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Final

from parvis.client import Disconnected
from parvis.plugins import Caller
from parvis.protocol import CloseCode
from parvis.server.core import Core
from parvis.server.dialects.hocuspocus import HocuspocusSession
from parvis.server.dialects.native import NativeSession
from parvis.server.dialects.yjs import YjsSession
from parvis.server.firewall.quarantine import Quarantine
from parvis.server.hosting.registry import Registry
from parvis.server.identity import Identified
from parvis.server.identity.proof import Proof
from parvis.server.limits import Limits
from parvis.server.metrics import Metrics
from parvis.server.rooms.joining import authorize_everybody_again
from parvis.server.session import DialectSession
from parvis.server.settings import RoomSettings, Settings
from tests.simulation.disk import Disk, View
from tests.simulation.ground import ROOM, TENANT, Ground
from tests.simulation.history import History
from tests.simulation.loop import Life
from tests.simulation.network import Connection, ServerTransport
from tests.simulation.ports import (
    HelperWeather,
    NoWatch,
    SeededRandom,
    VirtualClock,
    VirtualHelpers,
)

DRAIN: Final = 2.0
"""Seconds that sessions have to go when a node is stopped."""


@dataclass(slots=True)
class _Serving:
    """What one life of a node is made of."""

    life: Life
    core: Core
    sessions: dict[DialectSession, Connection] = field(
        default_factory=dict[DialectSession, Connection]
    )


class Node:
    """A node that can be started, stopped, killed and started again."""

    def __init__(
        self,
        name: str,
        seed: int,
        *,
        disk: Disk,
        roles: dict[str, str],
        limits: Limits,
        settings: RoomSettings,
        helpers: HelperWeather,
        history: History,
    ) -> None:
        self.name = name
        self.clock = VirtualClock()
        self._seed = seed
        self._disk = disk
        self._ground = Ground(roles, history)
        self._limits = limits
        self._settings = Settings(rooms={"ground": settings})
        self._weather = helpers
        self._history = history
        self._lives = 0
        self._serving: _Serving | None = None

    @property
    def up(self) -> bool:
        return self._serving is not None

    @property
    def core(self) -> Core:
        assert self._serving is not None
        return self._serving.core

    def start(self) -> None:
        self._lives += 1
        life = Life(f"{self.name}.{self._lives}")
        self._history.note(life.name, "starts")
        self._serving = _Serving(life, life.run(self._core, life))

    def _core(self, life: Life) -> Core:
        random = SeededRandom(self._seed, life.name)
        helpers = VirtualHelpers(Random(f"{self._seed}/{life.name}/helpers"), self._weather)
        store = View(self._disk, life)
        return Core(
            clock=self.clock,
            random=random,
            store=store,
            helpers=helpers,
            watch=NoWatch(),
            quarantine=Quarantine(store, helpers, self.clock),
            registry=Registry([self._ground], self._settings),
            metrics=Metrics(),
            limits=self._limits,
        )

    def kill(self) -> None:
        """End it as SIGKILL does; its sockets break."""
        serving, self._serving = self._serving, None
        if serving is not None:
            self._history.note(serving.life.name, "is killed")
            serving.life.kill()
            self._disk.died(serving.life)
            for connection in serving.sessions.values():
                connection.cut()

    async def stop(self) -> None:
        """End it as SIGTERM does: everybody is sent away, everything made durable."""
        serving, self._serving = self._serving, None
        if serving is not None:
            self._history.note(serving.life.name, "is stopped")
            await serving.life.spawn(self._stop(serving))
            serving.life.kill()

    async def _stop(self, serving: _Serving) -> None:
        for session in tuple(serving.sessions):
            session.drain(DRAIN / 2)
        await asyncio.sleep(DRAIN / 2)
        for session in tuple(serving.sessions):
            session.close(CloseCode.RESTART, "the node restarts")
        await asyncio.sleep(DRAIN / 2)
        for session in tuple(serving.sessions):
            session.transport.abort()
        while serving.sessions:  # noqa: ASYNC110  it is virtual time, and soon
            await asyncio.sleep(0.01)
        # A store that does not answer would keep it for ever; then its supervisor kills it.
        closing = asyncio.get_running_loop().create_task(serving.core.close())
        await asyncio.wait([closing], timeout=5 * DRAIN)

    def accept(self, connection: Connection, user: str) -> None:
        """Serve a connection that was opened to this node."""
        assert self._serving is not None
        self._serving.life.spawn(self._serve(self._serving, connection, user))

    async def _serve(self, serving: _Serving, connection: Connection, user: str) -> None:
        """Do what `parvis.server.sockets` does for a websocket."""
        session = self._session(serving.core, connection, user)
        serving.sessions[session] = connection
        self._history.note(serving.life.name, f"serves {connection.name}")
        try:
            while True:
                session.received(await connection.server.receive())
                if session.outbox.full:
                    await session.outbox.ready()
                if session.busy:
                    await session.rested()
        except Disconnected:
            pass
        finally:
            del serving.sessions[session]
            session.disconnected()

    def _session(self, core: Core, connection: Connection, user: str) -> DialectSession:
        transport = ServerTransport(connection)
        proof = Identified(
            Caller(TENANT, user, user.title(), member=True), None, Proof("access", user)
        )

        async def identify(ticket: str) -> Identified:
            return proof

        if connection.dialect == "native":
            return NativeSession(core, transport, identify)
        if connection.dialect == "hocuspocus":
            return HocuspocusSession(core, transport, identify)
        session = YjsSession(core, transport, proof)
        session.open(core.registry.parse(ROOM))
        return session

    async def reauthorize(self) -> None:
        """Say that rights have changed; returns when everybody has been judged anew."""
        if self._serving is not None:
            await self._serving.life.spawn(self._reauthorize(self._serving.core))

    async def _reauthorize(self, core: Core) -> None:
        core.rights_changed += 1
        if (room := core.directory.live(TENANT, ROOM)) is not None:
            await authorize_everybody_again(core, room)
