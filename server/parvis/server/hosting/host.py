"""What a node offers to the background work of a room type."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

from parvis.plugins import Caller, Room
from parvis.storage import Job, SqlValue, Statement

from ..core import Core
from ..rooms.joining import authorize, creator
from .jobs import Jobs
from .registry import AnyType


class Host:
    """Implements `parvis.plugins.Node` for one room type."""

    def __init__(self, core: Core, jobs: Jobs, kind: AnyType) -> None:
        self._core = core
        self._jobs = jobs
        self._kind = kind

    def open(self, caller: Caller, key: str) -> AbstractAsyncContextManager[Room[Any]]:
        return self._open(caller, key)

    @asynccontextmanager
    async def _open(self, caller: Caller, key: str) -> AsyncGenerator[Room[Any]]:
        core, kind = self._core, self._kind
        name = core.registry.parse(f"{kind.name}/{key}")
        access = await authorize(core, caller, name)
        may_create = creator(core, name, caller, access)
        async with core.directory.hold(kind, caller.tenant, name.room, may_create) as room:
            yield room

    async def enqueue(self, tenant: str, key: str, payload: bytes, *, due: float = 0) -> None:
        await self._jobs.enqueue(tenant, Job(self._kind.name, key, payload, due))

    async def query(self, tenant: str, sql: str, *args: SqlValue) -> Sequence[tuple[SqlValue, ...]]:
        return await self._core.store.query(tenant, Statement(sql, args))

    async def execute(self, tenant: str, *statements: Statement) -> None:
        await self._core.store.execute(tenant, statements)

    def now(self) -> float:
        return self._core.clock.time()


async def host_room_types(core: Core, stack: AsyncExitStack) -> Jobs:
    """Start the room types' background work, jobs and consumers; the stack ends them."""
    jobs = Jobs(core.registry, core.store, core.clock, core.random)
    for kind in core.registry:
        await stack.enter_async_context(kind.lifespan(Host(core, jobs, kind)))
    jobs.start(lambda kind: Host(core, jobs, kind))
    stack.push_async_callback(jobs.close)
    await core.consumers.start()
    return jobs
