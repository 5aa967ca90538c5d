"""Durable jobs: `RoomType.on_job` does each at least once, also after a crash."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from parvis.plugins import Node, overrides
from parvis.storage import Job, StorageError, Store

from ..announcement import Announcement
from ..ports import Clock, Random
from .registry import AnyType, Registry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

LEASE = 60.0
"""Seconds in which a claimed job must be done; then another may claim it."""

LOOK = 5.0
"""Seconds between two looks at a queue that nobody has put anything into."""

FIRST_RETRY = 1.0
LAST_RETRY = 3600.0


class Jobs:
    """Works through the queues of the room types that override `on_job`; a queue is named after
    its type."""

    def __init__(self, registry: Registry, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._kinds = {kind.name: kind for kind in registry if overrides(kind, "on_job")}
        self._enqueued = Announcement()
        self._count = 0
        self._resting: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, node: Callable[[AnyType], Node]) -> None:
        for kind in self._kinds.values():
            work = self._work(kind, node(kind))
            self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def enqueue(self, tenant: str, job: Job) -> None:
        await self._store.enqueue(tenant, job)
        self._count += 1
        self._resting.clear()
        self._enqueued.announce()

    async def _work(self, kind: AnyType, node: Node) -> None:
        while True:
            done, count = 0, self._count
            try:
                for tenant in await self._store.tenants():
                    now = self._clock.time()
                    for job in await self._store.claim(tenant, kind.name, now=now, lease=LEASE):
                        await self._do(kind, node, tenant, job)
                        done += 1
            except StorageError as problem:
                logger.warning("%s: jobs wait for the store: %s", kind.name, problem)
            if not done and count == self._count:
                self._resting.add(kind.name)
                await self._rest()
                self._resting.discard(kind.name)

    @property
    def working(self) -> bool:
        """Whether some job is being done, or may be due."""
        return len(self._resting) < len(self._tasks)

    async def _rest(self) -> None:
        sleep = asyncio.ensure_future(self._clock.sleep(LOOK))
        wake = asyncio.ensure_future(self._enqueued.wait())
        try:
            await asyncio.wait([sleep, wake], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            wake.cancel()

    async def _do(self, kind: AnyType, node: Node, tenant: str, job: Job) -> None:
        try:
            await self._within_lease(kind.on_job(node, tenant, job))
        except Exception as problem:
            wait = min(FIRST_RETRY * 2**job.attempts, LAST_RETRY) * self._random.uniform(0.5, 1)
            logger.warning("%s: job %d failed, next try in %.0f s", kind.name, job.id, wait)
            due = self._clock.time() + wait
            await self._store.retry(tenant, job.id, due=due, error=repr(problem)[:500])
        else:
            await self._store.finish(tenant, job.id)

    async def _within_lease(self, work: Awaitable[None]) -> None:
        """Wait for a job until its lease ends, on our clock. Raises `TimeoutError`."""
        async with asyncio.timeout(None) as limit:
            timer = self._clock.call_later(LEASE, lambda: limit.reschedule(float("-inf")))
            try:
                await work
            finally:
                timer.cancel()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
