"""PostgresStore: one database for all tenants, durable at each answer."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from asyncpg import Connection

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
)
from parvis.storage.errors import StorageError
from parvis.storage.packing import pack, packed_snapshot
from parvis.storage.postgres import append, compaction, log, rooms, tables, work
from parvis.storage.postgres.accounts import PostgresAccounts
from parvis.storage.postgres.engine import Engine
from parvis.storage.postgres.opening import Opening, look
from parvis.storage.postgres.queue import Queue
from parvis.storage.postgres.statements import AS_PLUGIN, query

T = TypeVar("T")

_BEAT = "UPDATE parvis.parvis_pulse SET beats = beats + 1"


class PostgresStore:
    """Keeps rooms in PostgreSQL; `parvis.storage.Store` says what each method promises."""

    kind = "postgres"

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner
        self._known: set[str] = set()
        self._queue = Queue(lambda tenant, batches: append.append(engine, tenant, batches))

    async def close(self) -> None:
        await self._queue.close()
        await self._engine.close()

    async def check(self) -> None:
        await self._engine.run("", lambda connection: connection.execute(_BEAT))

    # Rooms

    async def open_room(self, tenant: str, room: str, *, creator: str | None, now: float) -> Opened:
        async def take(connection: Connection) -> Opened:
            return await rooms.open_room(connection, tenant, room, creator, now)

        if creator is None:
            return await self._engine.run(tenant, take)
        return await self._create(tenant, take)

    async def room(self, tenant: str, room: str) -> RoomInfo | None:
        return await self._read(tenant, lambda to: rooms.describe(to, tenant, room))

    async def rooms(
        self, tenant: str, *, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[RoomInfo]:
        return await self._read(
            tenant, lambda to: rooms.list_rooms(to, tenant, prefix, after, limit)
        )

    async def delete_room(self, tenant: str, room: str, *, now: float) -> None:
        run = self._engine.run
        await run(tenant, lambda to: rooms.delete_room(to, tenant, room, now))
        while await run(tenant, lambda to: rooms.purge(to, tenant, room)):
            pass

    async def tenants(self) -> Sequence[str]:
        rows = await self._read("", lambda to: to.fetch(rooms.TENANTS))
        return [row[0] for row in rows]

    # The log

    async def append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        return await self._queue.append(tenant, batches)

    async def rebuild(
        self, address: Address, fence: int, *, expected: int, entry: Entry
    ) -> Appended:
        batch = Batch(address.room, address.part, fence, expected, (entry,))
        return await append.rebuild(self._engine, address, batch)

    async def snapshot(self, address: Address) -> Snapshot | None:
        return await self._read(address.tenant, lambda to: log.snapshot(to, address))

    async def save_snapshot(self, address: Address, fence: int, snapshot: Snapshot) -> bool:
        packed = await asyncio.to_thread(packed_snapshot, snapshot)
        return await self._engine.run(
            address.tenant, lambda to: log.save_snapshot(to, address, fence, packed)
        )

    async def compact(self, address: Address, fence: int, *, through: int, base: bytes) -> bool:
        packing, kept = await asyncio.to_thread(pack, base)
        run, tenant = self._engine.run, address.tenant
        done = await run(
            tenant, lambda to: compaction.compact(to, address, fence, through, packing, kept)
        )
        while await run(tenant, lambda to: compaction.sweep(to, address)):
            pass
        return done

    async def read(
        self, address: Address, *, after: int, limit: int = 1000, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        return await self._read(
            address.tenant, lambda to: log.read(to, address, after, limit, max_bytes)
        )

    async def read_back(
        self,
        address: Address,
        *,
        before: int | None = None,
        limit: int = 1000,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> Sequence[LoggedUpdate]:
        return await self._read(
            address.tenant, lambda to: log.read_back(to, address, before, limit, max_bytes)
        )

    # Quarantine

    async def quarantine(self, tenant: str, poison: Quarantined) -> None:
        await self._create(tenant, lambda to: log.quarantine(to, tenant, poison))

    async def quarantined(self, tenant: str, room: str | None = None) -> Sequence[Quarantined]:
        return await self._read(tenant, lambda to: log.quarantined(to, tenant, room))

    async def release(self, tenant: str, poison: Quarantined) -> bool:
        return await self._engine.run(tenant, lambda to: log.release(to, tenant, poison))

    # Tables of plugins

    async def migrate(self, plugin: str, migrations: Sequence[Migration]) -> None:
        """Bring the tables up to date, if this store was opened with the owner's URL, too.

        Otherwise it only looks whether they are: a node's own role may not change tables.
        """
        scripts = tables.scripts_of(plugin, migrations)
        if self._owner:
            await tables.migrate(self._owner, plugin, scripts)
        else:
            await self._read("", lambda to: tables.require(to, plugin, scripts))

    async def query(self, tenant: str, statement: Statement) -> Sequence[tuple[SqlValue, ...]]:
        async with self._engine.transaction(tenant, reads=True, setup=AS_PLUGIN) as connection:
            return await query(connection, statement)

    async def execute(self, tenant: str, statements: Sequence[Statement]) -> None:
        await self._create(tenant, lambda to: tables.execute(to, statements))

    # Durable consumers and jobs

    async def cursor(self, consumer: str, address: Address) -> int:
        return await self._read(address.tenant, lambda to: work.cursor(to, consumer, address))

    async def advance(self, consumer: str, address: Address, offset: int) -> None:
        await self._engine.run(
            address.tenant, lambda to: work.advance(to, consumer, address, offset)
        )

    async def lagging(
        self,
        consumer: str,
        tenant: str,
        *,
        prefix: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
    ) -> Sequence[Lag]:
        return await self._read(
            tenant, lambda to: work.lagging(to, consumer, tenant, prefix, after, limit)
        )

    async def enqueue(self, tenant: str, job: Job) -> int:
        return await self._create(tenant, lambda to: work.enqueue(to, tenant, job))

    async def claim(
        self, tenant: str, queue: str, *, now: float, lease: float, limit: int = 10
    ) -> Sequence[Job]:
        return await self._engine.run(
            tenant, lambda to: work.claim(to, tenant, queue, now, lease, limit)
        )

    async def finish(self, tenant: str, job: int) -> None:
        await self._engine.run(tenant, lambda to: work.finish(to, tenant, job))

    async def retry(self, tenant: str, job: int, *, due: float, error: str) -> None:
        await self._engine.run(tenant, lambda to: work.retry(to, tenant, job, due, error))

    async def _read(self, tenant: str, read: Callable[[Connection], Awaitable[T]]) -> T:
        return await self._engine.run(tenant, read, reads=True)

    async def _create(self, tenant: str, change: Callable[[Connection], Awaitable[T]]) -> T:
        """Make a change with which a tenant may begin to have data here."""
        if tenant in self._known:
            return await self._engine.run(tenant, change)

        async def register(connection: Connection) -> T:
            await connection.execute(rooms.REGISTER, tenant)
            return await change(connection)

        answer = await self._engine.run(tenant, register)
        self._known.add(tenant)
        return answer


def open_postgres(
    url: str, *, owner: str = "", connections: int = 10
) -> tuple[PostgresStore, PostgresAccounts]:
    """Open the store and the accounts in a database; closing the store closes both.

    Looks at the database first, which keeps the caller waiting for some round trips.

    Args:
        url: With the role of the node, which owns nothing; directly or through PgBouncer.
        owner: URL with the role that owns the tables, directly: then `Store.migrate` changes
            plugins' tables. Without it they must have been changed by ``parvis store migrate``.
        connections: Most of them at a time.

    Raises:
        SchemaTooNew: If a later version of Parvis has changed the tables.
        StoreUnavailable: If the server does not answer, or takes no writes.
        StorageError: If the role may do too much or too little, the tables are of an earlier
            version or not there, or the database is somebody else's.
    """
    found = _in_a_thread(look(url))
    engine = Engine(url, pooled=found.pooled, connections=connections)
    return PostgresStore(engine, owner), PostgresAccounts(engine)


def _in_a_thread(looking: Awaitable[Opening]) -> Opening:
    """Wait for an answer, whether or not an event loop runs here."""
    answer: Opening | None = None
    fault: Exception | None = None

    async def wait() -> Opening:
        return await looking

    def run() -> None:
        nonlocal answer, fault
        try:
            answer = asyncio.run(wait())
        except Exception as error:
            fault = error

    thread = threading.Thread(target=run, name="parvis-open-postgres")
    thread.start()
    thread.join()
    if fault is not None:
        raise fault
    if answer is None:
        raise StorageError("PostgreSQL was not looked at")
    return answer
