"""A store that stalls, fails or loses answers on command: a tool for tests of what stands on it.

Nothing here measures time; a test waits for what it wants to see::

    store = FaultyStore(MemoryStore())
    store.stall()
    ...                       # let the room append
    await store.reached()     # it has asked, and waits
    store.resume()
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from parvis.storage.api import (
    Address,
    Appended,
    Batch,
    Entry,
    Job,
    Lag,
    LoggedUpdate,
    Migration,
    Opened,
    Quarantined,
    RoomInfo,
    Snapshot,
    SqlValue,
    Statement,
    Status,
    Store,
)
from parvis.storage.errors import StoreUnavailable

T = TypeVar("T")


class FaultyStore:
    """Passes every call on to another store, unless told otherwise.

    Attributes:
        inner: The store that does the work.
        calls: Names of the methods called so far, in order, whatever became of them.
    """

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.kind = inner.kind
        self.calls: list[str] = []
        self._open = asyncio.Event()
        self._open.set()
        self._reached = asyncio.Event()
        self._failing = 0.0
        self._losing = 0.0

    def stall(self) -> None:
        """Make calls wait from now on."""
        self._open.clear()
        self._reached.clear()

    async def reached(self) -> None:
        """Return when a call waits in a stall."""
        await self._reached.wait()

    def fail(self, times: int | None = None) -> None:
        """Make the next calls fail without doing anything; None: until `resume`."""
        self._failing = float("inf") if times is None else times

    def lose(self, times: int | None = None) -> None:
        """Do the next calls, but answer as if they had failed: their answer got lost."""
        self._losing = float("inf") if times is None else times

    def resume(self) -> None:
        """Let waiting calls go on, and end all faults."""
        self._failing = self._losing = 0
        self._open.set()

    async def close(self) -> None:
        """Close the inner store, faults or not."""
        await self.inner.close()

    async def append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        try:
            return await self._call("append", lambda: self.inner.append(tenant, batches))
        except StoreUnavailable as error:
            return [Appended(Status.FAILED, detail=str(error)) for _ in batches]

    async def rebuild(
        self, address: Address, fence: int, *, expected: int, entry: Entry
    ) -> Appended:
        try:
            return await self._call(
                "rebuild",
                lambda: self.inner.rebuild(address, fence, expected=expected, entry=entry),
            )
        except StoreUnavailable as error:
            return Appended(Status.FAILED, detail=str(error))

    async def check(self) -> None:
        await self._call("check", self.inner.check)

    async def open_room(self, tenant: str, room: str, *, creator: str | None, now: float) -> Opened:
        return await self._call(
            "open_room", lambda: self.inner.open_room(tenant, room, creator=creator, now=now)
        )

    async def room(self, tenant: str, room: str) -> RoomInfo | None:
        return await self._call("room", lambda: self.inner.room(tenant, room))

    async def rooms(
        self, tenant: str, *, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[RoomInfo]:
        return await self._call(
            "rooms", lambda: self.inner.rooms(tenant, prefix=prefix, after=after, limit=limit)
        )

    async def delete_room(self, tenant: str, room: str, *, now: float) -> None:
        await self._call("delete_room", lambda: self.inner.delete_room(tenant, room, now=now))

    async def tenants(self) -> Sequence[str]:
        return await self._call("tenants", self.inner.tenants)

    async def snapshot(self, address: Address) -> Snapshot | None:
        return await self._call("snapshot", lambda: self.inner.snapshot(address))

    async def save_snapshot(self, address: Address, fence: int, snapshot: Snapshot) -> bool:
        return await self._call(
            "save_snapshot", lambda: self.inner.save_snapshot(address, fence, snapshot)
        )

    async def compact(self, address: Address, fence: int, *, through: int, base: bytes) -> bool:
        return await self._call(
            "compact", lambda: self.inner.compact(address, fence, through=through, base=base)
        )

    async def read(
        self, address: Address, *, after: int, limit: int = 1000, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        return await self._call(
            "read",
            lambda: self.inner.read(address, after=after, limit=limit, max_bytes=max_bytes),
        )

    async def read_back(
        self,
        address: Address,
        *,
        before: int | None = None,
        limit: int = 1000,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> Sequence[LoggedUpdate]:
        return await self._call(
            "read_back",
            lambda: self.inner.read_back(address, before=before, limit=limit, max_bytes=max_bytes),
        )

    async def quarantine(self, tenant: str, poison: Quarantined) -> None:
        await self._call("quarantine", lambda: self.inner.quarantine(tenant, poison))

    async def quarantined(self, tenant: str, room: str | None = None) -> Sequence[Quarantined]:
        return await self._call("quarantined", lambda: self.inner.quarantined(tenant, room))

    async def release(self, tenant: str, poison: Quarantined) -> bool:
        return await self._call("release", lambda: self.inner.release(tenant, poison))

    async def migrate(self, plugin: str, migrations: Sequence[Migration]) -> None:
        await self._call("migrate", lambda: self.inner.migrate(plugin, migrations))

    async def query(self, tenant: str, statement: Statement) -> Sequence[tuple[SqlValue, ...]]:
        return await self._call("query", lambda: self.inner.query(tenant, statement))

    async def execute(self, tenant: str, statements: Sequence[Statement]) -> None:
        await self._call("execute", lambda: self.inner.execute(tenant, statements))

    async def cursor(self, consumer: str, address: Address) -> int:
        return await self._call("cursor", lambda: self.inner.cursor(consumer, address))

    async def advance(self, consumer: str, address: Address, offset: int) -> None:
        await self._call("advance", lambda: self.inner.advance(consumer, address, offset))

    async def lagging(
        self,
        consumer: str,
        tenant: str,
        *,
        prefix: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
    ) -> Sequence[Lag]:
        return await self._call(
            "lagging",
            lambda: self.inner.lagging(consumer, tenant, prefix=prefix, after=after, limit=limit),
        )

    async def enqueue(self, tenant: str, job: Job) -> int:
        return await self._call("enqueue", lambda: self.inner.enqueue(tenant, job))

    async def claim(
        self, tenant: str, queue: str, *, now: float, lease: float, limit: int = 10
    ) -> Sequence[Job]:
        return await self._call(
            "claim", lambda: self.inner.claim(tenant, queue, now=now, lease=lease, limit=limit)
        )

    async def finish(self, tenant: str, job: int) -> None:
        await self._call("finish", lambda: self.inner.finish(tenant, job))

    async def retry(self, tenant: str, job: int, *, due: float, error: str) -> None:
        await self._call("retry", lambda: self.inner.retry(tenant, job, due=due, error=error))

    async def _call(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        self.calls.append(name)
        if not self._open.is_set():
            self._reached.set()
            await self._open.wait()
        if self._failing > 0:
            self._failing -= 1
            raise StoreUnavailable("told to fail")
        answer = await call()
        if self._losing > 0:
            self._losing -= 1
            raise StoreUnavailable("told to lose the answer")
        return answer
