"""Feeds `RoomType.on_commit` from a durable cursor: at least once, in order, also after a crash."""

from __future__ import annotations

import asyncio
import logging

from parvis.plugins import Commit, overrides
from parvis.storage import Address, Lag, StorageError, Store

from ..ports import Clock
from .registry import AnyType, Registry

logger = logging.getLogger(__name__)

FIRST_RETRY = 0.5
LAST_RETRY = 60.0
LOGS = 100
ROWS = 500


class Consumers:
    """One reader per room type that overrides `on_commit`, and tenant."""

    def __init__(self, registry: Registry, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kinds = {kind.name: kind for kind in registry if overrides(kind, "on_commit")}
        self._readers: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._again: set[tuple[str, str]] = set()
        self._closed = False

    async def start(self) -> None:
        """Read what a crash left unread."""
        if self._kinds:
            for tenant in await self._store.tenants():
                for kind in self._kinds:
                    self.wake(kind, tenant)

    def wake(self, kind: str, tenant: str) -> None:
        """A log of this type has grown."""
        if kind not in self._kinds or self._closed:
            return
        key = (kind, tenant)
        if key in self._readers:
            self._again.add(key)
        else:
            task = asyncio.get_running_loop().create_task(self._read(key))
            self._readers[key] = task

    async def _read(self, key: tuple[str, str]) -> None:
        retry = FIRST_RETRY
        try:
            while True:
                self._again.discard(key)
                try:
                    more = await self._pass(*key)
                    retry = FIRST_RETRY
                except Exception as problem:
                    if not isinstance(problem, StorageError):
                        logger.exception("%s: on_commit failed, to be called again", key[0])
                    await self._clock.sleep(retry)
                    retry = min(retry * 2, LAST_RETRY)
                    continue
                if not more and key not in self._again:
                    return
        finally:
            del self._readers[key]

    async def _pass(self, name: str, tenant: str) -> bool:
        """Work through every log that has something new; True if there may be more.

        One room whose rows cannot be taken does not hold the others up: it comes last.
        """
        kind = self._kinds[name]
        lags = await self._store.lagging(name, tenant, prefix=f"{name}/", limit=LOGS)
        problem: Exception | None = None
        for lag in lags:
            try:
                await self._work_through(kind, tenant, lag)
            except Exception as failed:
                problem = failed
        if problem is not None:
            raise problem
        return len(lags) == LOGS

    async def _work_through(self, kind: AnyType, tenant: str, lag: Lag) -> None:
        address = Address(tenant, lag.room, lag.part)
        offset = lag.after
        while offset < lag.end:
            rows = await self._store.read(address, after=offset, limit=ROWS)
            if not rows:
                return
            await kind.on_commit(Commit(tenant, lag.room, lag.part, rows))
            offset = rows[-1].offset
            await self._store.advance(kind.name, address, offset)

    @property
    def working(self) -> bool:
        """Whether some rows are yet to be seen."""
        return bool(self._readers)

    async def close(self) -> None:
        self._closed = True
        readers = list(self._readers.values())
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
