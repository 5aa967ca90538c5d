"""What a node offers to a room type outside of any one room."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from parvis.plugins import (
    Blobs,
    Caller,
    ErrorCode,
    Guest,
    History,
    Invited,
    Notice,
    Person,
    Refused,
    Room,
    overrides,
)
from parvis.storage import Address, Job, LoggedUpdate, RoomNotFound, SqlValue, Statement

from ..core import Core
from ..history.of_type import HistoryOfType
from ..history.past import Past
from ..lives.rebuilding import Rebuilding
from ..rooms.joining import authorize, authorize_everybody_again, creator
from .deletions import QUEUE as DELETED
from .guests import Guests
from .jobs import Jobs
from .people import Folk
from .registry import AnyType
from .workshop import Workshop

SERVER: Final = "server"
"""Id of the author of edits that nobody asked for; no account and no guest has it."""


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is for room types beside rooms and rows."""

    folk: Folk
    guests: Guests
    blobs: Blobs
    workshop: Workshop


class Host:
    """Implements `parvis.plugins.Node` for one room type."""

    def __init__(self, core: Core, jobs: Jobs, kind: AnyType, offers: Offers) -> None:
        self._core = core
        self._jobs = jobs
        self._kind = kind
        self._offers = offers

    def _room(self, key: str) -> str:
        """Return a room's name. Raises `Refused` if that is no key of one."""
        name = self._core.registry.parse(f"{self._kind.name}/{key}")
        if name.part:
            raise Refused(ErrorCode.INVALID_NAME, "expected a room, got a part of one")
        return name.room

    # Rooms

    def open(
        self, caller: Caller, key: str, *, vouched: bool = False
    ) -> AbstractAsyncContextManager[Room[Any]]:
        return self._open(caller, key, vouched)

    @asynccontextmanager
    async def _open(self, caller: Caller, key: str, vouched: bool) -> AsyncGenerator[Room[Any]]:
        core, kind = self._core, self._kind
        name = core.registry.parse(self._room(key))
        may_create: str | None = caller.user
        if not vouched:
            access = await authorize(core, caller, name)
            may_create = creator(core, name, caller, access)
        async with core.directory.hold(kind, caller.tenant, name.room, may_create) as room:
            yield room

    async def delete(self, tenant: str, key: str) -> None:
        with suppress(RoomNotFound):
            await self._core.directory.delete(tenant, self._room(key))

    async def reauthorize(self, tenant: str, key: str) -> None:
        core = self._core
        core.rights_changed += 1
        if (room := core.directory.live(tenant, self._room(key))) is not None:
            await authorize_everybody_again(core, room)

    async def log(
        self, tenant: str, key: str, part: str = "", *, after: int = 0, limit: int = 1000
    ) -> Sequence[LoggedUpdate]:
        address = Address(tenant, self._room(key), part)
        return await self._core.store.read(address, after=after, limit=limit)

    def caller(self, tenant: str) -> Caller:
        return Caller(tenant, SERVER, "Parvis")

    # Work

    async def enqueue(self, tenant: str, key: str, payload: bytes, *, due: float = 0) -> None:
        await self._jobs.enqueue(tenant, Job(self._kind.name, key, payload, due))

    async def compute(
        self,
        task: str,
        *args: Any,
        timeout: float = 30.0,  # noqa: ASYNC109  by a Clock
        upkeep: bool = False,
    ) -> Any:
        workshop = self._offers.workshop
        return await workshop.compute(self._kind, task, args, timeout, upkeep=upkeep)

    # What is kept beside rooms

    @property
    def history(self) -> History:
        assert self._core.history is not None  # since before the room types were started
        return HistoryOfType(self._core.history, self._kind, self._room)

    @property
    def blobs(self) -> Blobs:
        return self._offers.blobs

    async def query(self, tenant: str, sql: str, *args: SqlValue) -> Sequence[tuple[SqlValue, ...]]:
        return await self._core.store.query(tenant, Statement(sql, args))

    async def execute(self, tenant: str, *statements: Statement) -> None:
        await self._core.store.execute(tenant, statements)

    # People

    async def people(self, tenant: str) -> Sequence[Person]:
        return await self._offers.folk.people(tenant)

    async def person(self, tenant: str, id: str) -> Person | None:
        return await self._offers.folk.person(tenant, id)

    async def notify(self, tenant: str, notice: Notice) -> None:
        await self._offers.folk.notify(tenant, notice)

    async def recall(self, tenant: str, path: str) -> None:
        await self._offers.folk.recall(tenant, self._kind.name, path)

    async def invite(self, caller: Caller, email: str, *, path: str = "/") -> Invited:
        return await self._offers.folk.invite(caller, email, path=path)

    async def guest(
        self,
        host: str,
        tenant: str,
        name: str,
        rooms: Sequence[str],
        capabilities: Sequence[str],
        *,
        seconds: float,
    ) -> Guest:
        if foreign := [room for room in rooms if not room.startswith(f"{self._kind.name}/")]:
            raise ValueError(f"{self._kind.name} cannot let anybody into {foreign}")
        return await self._offers.guests.let_in(
            host, tenant, name, rooms, capabilities, seconds=seconds
        )

    @property
    def store(self) -> str:
        return self._core.store.kind

    # Time and chance

    def now(self) -> float:
        return self._core.clock.time()

    def chance(self, count: int) -> bytes:
        return self._core.random.bytes(count)


async def host_room_types(core: Core, stack: AsyncExitStack, offers: Offers) -> Jobs:
    """Start the room types' background work, jobs and consumers; the stack ends them."""
    core.history = Past(core, offers.workshop)
    await core.history.prepare()
    core.rebuilding = Rebuilding(core, offers.workshop)
    await core.lives.rows.prepare()
    jobs = Jobs(core.registry, core.store, core.clock, core.random)
    hosts = {kind.name: Host(core, jobs, kind, offers) for kind in core.registry}
    for kind in core.registry:
        await stack.enter_async_context(kind.lifespan(hosts[kind.name]))
    core.deletions.start(lambda kind: hosts[kind.name])
    if any(overrides(kind, "on_delete") for kind in core.registry):
        jobs.add(DELETED, core.deletions.do)
    jobs.start(lambda kind: hosts[kind.name])
    stack.push_async_callback(jobs.close)
    await core.consumers.start()
    return jobs
