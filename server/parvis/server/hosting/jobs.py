"""Durable jobs: each is done at least once, also after a crash; `RoomType.on_job` does most."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from parvis.plugins import Node, overrides
from parvis.storage import Job, StorageError, Store

from ..announcement import Announcement
from ..ports import Clock, Random
from .registry import AnyType, Registry

logger = logging.getLogger(__name__)

LEASE: Final = 60.0
"""Seconds in which a claimed job must be done; then another may claim it."""

LOOK: Final = 5.0
"""Seconds between two looks at a queue that nobody has put anything into."""

FIRST_RETRY: Final = 1.0
LAST_RETRY: Final = 3600.0

Work = Callable[[str, Job], Awaitable[None]]
"""Does a job of a tenant; if it raises, it is called again, later and later."""


class Queues:
    """Works through queues of jobs, each by its own function."""

    def __init__(self, store: Store, clock: Clock, random: Random) -> None:
        self._store = store
        self._clock = clock
        self._random = random
        self._works: dict[str, Work] = {}
        self._enqueued = Announcement()
        self._count = 0
        self._resting: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, queue: str, work: Work) -> None:
        """Say what does a queue's jobs, before `begin`."""
        self._works[queue] = work

    def begin(self) -> None:
        """Start to work, with what was left from earlier."""
        for queue, work in self._works.items():
            self._tasks.append(asyncio.get_running_loop().create_task(self._work(queue, work)))

    async def enqueue(self, tenant: str, job: Job) -> None:
        await self._store.enqueue(tenant, job)
        self._count += 1
        self._resting.clear()
        self._enqueued.announce()

    async def _work(self, queue: str, work: Work) -> None:
        while True:
            done, count = 0, self._count
            try:
                for tenant in await self._store.tenants():
                    now = self._clock.time()
                    for job in await self._store.claim(tenant, queue, now=now, lease=LEASE):
                        await self._do(work, tenant, job)
                        done += 1
            except StorageError as problem:
                logger.warning("%s: jobs wait for the store: %s", queue, problem)
            if not done and count == self._count:
                self._resting.add(queue)
                await self._rest()
                self._resting.discard(queue)

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

    async def _do(self, work: Work, tenant: str, job: Job) -> None:
        try:
            await self._within_lease(work(tenant, job))
        except Exception as problem:
            wait = min(FIRST_RETRY * 2**job.attempts, LAST_RETRY) * self._random.uniform(0.5, 1)
            logger.warning("%s: job %d failed, next try in %.0f s", job.queue, job.id, wait)
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


class Jobs(Queues):
    """The queues of the room types that override `on_job`; each is named after its type."""

    def __init__(self, registry: Registry, store: Store, clock: Clock, random: Random) -> None:
        super().__init__(store, clock, random)
        self._kinds = [kind for kind in registry if overrides(kind, "on_job")]

    def start(self, node: Callable[[AnyType], Node]) -> None:
        for kind in self._kinds:
            self.add(kind.name, partial(kind.on_job, node(kind)))
        self.begin()
