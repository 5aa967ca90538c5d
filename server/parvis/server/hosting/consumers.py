"""Feeds `RoomType.on_commit` from a durable cursor: at least once, in order, also after a crash."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from parvis.plugins import Commit, overrides
from parvis.storage import Address, Lag, StorageError, Store

from ..ports import Clock, Timer
from .registry import AnyType, Registry

logger = logging.getLogger(__name__)

FIRST_RETRY = 0.5
LAST_RETRY = 60.0
LOGS = 100
ROWS = 500


Key = tuple[str, str]
"""Name of the room type, tenant."""


@dataclass(slots=True)
class _Rest:
    """How long a log that could not be worked through is left alone."""

    seconds: float
    until: float


class Consumers:
    """One reader per room type that overrides `on_commit`, and tenant.

    A log whose rows cannot be taken rests for longer and longer; the others go on meanwhile.
    """

    def __init__(self, registry: Registry, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._kinds = {kind.name: kind for kind in registry if overrides(kind, "on_commit")}
        self._readers: dict[Key, asyncio.Task[None]] = {}
        self._again: set[Key] = set()
        self._resting: dict[tuple[str, Address], _Rest] = {}
        self._timers: dict[Key, Timer] = {}
        self._store_rest = FIRST_RETRY
        self._closed = False

    def reads(self, kind: str) -> bool:
        """Whether rooms of this type have a cursor of that name."""
        return kind in self._kinds

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

    async def _read(self, key: Key) -> None:
        try:
            while True:
                self._again.discard(key)
                try:
                    await self._pass(*key)
                    self._store_rest = FIRST_RETRY
                except StorageError as problem:
                    logger.warning("%s: commits wait for the store: %s", key[0], problem)
                    self._look_again(key, self._store_rest)
                    self._store_rest = min(self._store_rest * 2, LAST_RETRY)
                    return
                if key not in self._again:
                    return
        finally:
            del self._readers[key]

    async def _pass(self, name: str, tenant: str) -> None:
        """Work once through every log that has something new and does not rest."""
        after = ("", "")
        seen: set[tuple[str, Address]] = set()
        while lags := await self._store.lagging(
            name, tenant, prefix=f"{name}/", after=after, limit=LOGS
        ):
            for lag in lags:
                log = (name, Address(tenant, lag.room, lag.part))
                seen.add(log)
                rest = self._resting.get(log)
                if rest is None or rest.until <= self._clock.monotonic():
                    await self._try(log, lag)
            after = (lags[-1].room, lags[-1].part)
        for log in [each for each in self._resting if each not in seen]:
            if log[0] == name and log[1].tenant == tenant:
                del self._resting[log]
        self._look_when_rested(name, tenant)

    async def _try(self, log: tuple[str, Address], lag: Lag) -> None:
        try:
            await self._work_through(self._kinds[log[0]], log[1], lag)
        except StorageError:
            raise
        except Exception:
            rest = self._resting.setdefault(log, _Rest(FIRST_RETRY / 2, 0.0))
            rest.seconds = min(rest.seconds * 2, LAST_RETRY)
            rest.until = self._clock.monotonic() + rest.seconds
            logger.exception("%s: on_commit failed, again in %.0f s", log[1], rest.seconds)
        else:
            self._resting.pop(log, None)

    async def _work_through(self, kind: AnyType, address: Address, lag: Lag) -> None:
        offset = lag.after
        while offset < lag.end:
            rows = await self._store.read(address, after=offset, limit=ROWS)
            if not rows:
                return
            await kind.on_commit(Commit(address.tenant, lag.room, lag.part, rows))
            offset = rows[-1].offset
            await self._store.advance(kind.name, address, offset)

    def _look_when_rested(self, name: str, tenant: str) -> None:
        ends = [
            rest.until
            for (kind, address), rest in self._resting.items()
            if kind == name and address.tenant == tenant
        ]
        if ends:
            self._look_again((name, tenant), max(0.0, min(ends) - self._clock.monotonic()))

    def _look_again(self, key: Key, seconds: float) -> None:
        if (timer := self._timers.pop(key, None)) is not None:
            timer.cancel()
        if not self._closed:
            self._timers[key] = self._clock.call_later(seconds, lambda: self.wake(*key))

    @property
    def working(self) -> bool:
        """Whether some rows are being looked at now."""
        return bool(self._readers)

    async def close(self) -> None:
        self._closed = True
        for timer in self._timers.values():
            timer.cancel()
        readers = list(self._readers.values())
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
