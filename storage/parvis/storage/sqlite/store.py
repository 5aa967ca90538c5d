"""SqliteStore: one file per tenant, durable at each answer."""

import asyncio
import resource
from collections.abc import Callable, Sequence
from pathlib import Path
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
)
from parvis.storage.errors import RoomNotFound, StorageError
from parvis.storage.packing import pack, packed_snapshot
from parvis.storage.sqlite import compaction, log, rooms, tables, work
from parvis.storage.sqlite.accounts import SqliteAccounts
from parvis.storage.sqlite.append import Append, Rebuild
from parvis.storage.sqlite.engine import Engine
from parvis.storage.sqlite.faults import DiskFull
from parvis.storage.sqlite.files import Database

T = TypeVar("T")

MOST_OPEN_FILES = 512
"""Opening one takes milliseconds: with 300 active tenants and 128 open files, an append took
half a second."""

MIGRATED_AT_ONCE = 32
"""Tenants whose files are opened and migrated at a time."""


class SqliteStore:
    """Keeps rooms in SQLite files; `parvis.storage.Store` says what each method promises."""

    kind = "sqlite"

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._file = engine.folder.tenant

    async def close(self) -> None:
        await self._engine.close()

    async def check(self) -> None:
        await self._engine.write(self._engine.folder.control, _beat)

    # Rooms

    async def open_room(self, tenant: str, room: str, *, creator: str | None, now: float) -> Opened:
        try:
            return await self._engine.write(
                self._file(tenant),
                lambda database: rooms.open_room(database, room, creator, now),
                create=creator is not None,
            )
        except FileNotFoundError:
            raise RoomNotFound(f"there is no room {room}") from None

    async def room(self, tenant: str, room: str) -> RoomInfo | None:
        return await self._read(tenant, lambda database: rooms.describe(database, room), None)

    async def rooms(
        self, tenant: str, *, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[RoomInfo]:
        return await self._read(
            tenant, lambda database: rooms.list_rooms(database, prefix, after, limit), []
        )

    async def delete_room(self, tenant: str, room: str, *, now: float) -> None:
        file = self._file(tenant)
        try:
            await self._engine.write(
                file, lambda database: rooms.delete_room(database, room, now), create=False
            )
        except FileNotFoundError:
            raise RoomNotFound(f"there is no room {room}") from None
        while await self._engine.write(file, rooms.purge):
            pass

    async def tenants(self) -> Sequence[str]:
        return await self._engine.tenants()

    # The log

    async def append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        try:
            return await self._append(tenant, batches)
        except DiskFull as full:
            if len(batches) == 1:
                return [Appended(Status.FAILED, detail=str(full))]
            # One big update must not keep the others from the little space that is left.
            return [(await self.append(tenant, [batch]))[0] for batch in batches]
        except StorageError as error:
            return [Appended(Status.FAILED, detail=str(error)) for _ in batches]

    async def rebuild(
        self, address: Address, fence: int, *, expected: int, entry: Entry
    ) -> Appended:
        batch = Batch(address.room, address.part, fence, expected, (entry,))
        gone = Appended(Status.GONE, detail="no such room")
        try:
            return await self._change(address.tenant, Rebuild(batch), gone)
        except StorageError as error:
            return Appended(Status.FAILED, detail=str(error))

    async def snapshot(self, address: Address) -> Snapshot | None:
        return await self._read(
            address.tenant, lambda database: log.snapshot(database, address), None
        )

    async def save_snapshot(self, address: Address, fence: int, snapshot: Snapshot) -> bool:
        packed = await asyncio.to_thread(packed_snapshot, snapshot)
        return await self._change(
            address.tenant,
            lambda database: log.save_snapshot(database, address, fence, packed),
            False,
        )

    async def compact(self, address: Address, fence: int, *, through: int, base: bytes) -> bool:
        packing, kept = await asyncio.to_thread(pack, base)
        done = await self._change(
            address.tenant,
            lambda database: compaction.compact(database, address, fence, through, packing, kept),
            False,
        )
        while await self._change(address.tenant, compaction.sweep, False):
            pass
        return done

    async def read(
        self, address: Address, *, after: int, limit: int = 1000, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        return await self._read(
            address.tenant,
            lambda database: log.read(database, address, after, limit, max_bytes),
            [],
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
            address.tenant,
            lambda database: log.read_back(database, address, before, limit, max_bytes),
            [],
        )

    # Quarantine

    async def quarantine(self, tenant: str, poison: Quarantined) -> None:
        await self._engine.write(
            self._file(tenant), lambda database: log.quarantine(database, poison)
        )

    async def quarantined(self, tenant: str, room: str | None = None) -> Sequence[Quarantined]:
        return await self._read(tenant, lambda database: log.quarantined(database, room), [])

    async def release(self, tenant: str, poison: Quarantined) -> bool:
        return await self._change(tenant, lambda database: log.release(database, poison), False)

    # Tables of plugins

    async def migrate(self, plugin: str, migrations: Sequence[Migration]) -> None:
        tables.checked(plugin, migrations, [self.kind])
        before = self._engine.plugins.get(plugin)
        # First for tenants that are opened from now on, so that none slips through.
        self._engine.plugins[plugin] = tuple(migrations)
        try:
            waiting = await self._engine.tenants()
            while waiting:
                some, waiting = waiting[:MIGRATED_AT_ONCE], waiting[MIGRATED_AT_ONCE:]
                answers = await asyncio.gather(
                    *(self._migrate(name, plugin, migrations) for name in some),
                    return_exceptions=True,
                )
                for answer in answers:
                    if answer is not None:
                        raise answer
        except BaseException:
            if before is None:
                del self._engine.plugins[plugin]
            else:
                self._engine.plugins[plugin] = before
            raise

    async def _migrate(self, tenant: str, plugin: str, migrations: Sequence[Migration]) -> None:
        migrate = tables.Migrate(plugin, migrations)
        await self._engine.write(self._file(tenant), migrate, create=False)

    async def query(self, tenant: str, statement: Statement) -> Sequence[tuple[SqlValue, ...]]:
        # The tables are there in every tenant, so a tenant that is asked for rows gets its file.
        return await self._engine.read(
            self._file(tenant),
            lambda database: database.plugins.query(statement),
            create=True,
        )

    async def execute(self, tenant: str, statements: Sequence[Statement]) -> None:
        await self._engine.write(self._file(tenant), tables.Execute(statements))

    # Durable consumers and jobs

    async def cursor(self, consumer: str, address: Address) -> int:
        return await self._read(
            address.tenant, lambda database: work.cursor(database, consumer, address), 0
        )

    async def advance(self, consumer: str, address: Address, offset: int) -> None:
        await self._change(
            address.tenant,
            lambda database: work.advance(database, consumer, address, offset),
            None,
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
            tenant, lambda database: work.lagging(database, consumer, prefix, after, limit), []
        )

    async def enqueue(self, tenant: str, job: Job) -> int:
        return await self._engine.write(
            self._file(tenant), lambda database: work.enqueue(database, job)
        )

    async def claim(
        self, tenant: str, queue: str, *, now: float, lease: float, limit: int = 10
    ) -> Sequence[Job]:
        return await self._change(
            tenant, lambda database: work.claim(database, queue, now, lease, limit), []
        )

    async def finish(self, tenant: str, job: int) -> None:
        await self._change(tenant, lambda database: work.finish(database, job), None)

    async def retry(self, tenant: str, job: int, *, due: float, error: str) -> None:
        await self._change(tenant, lambda database: work.retry(database, job, due, error), None)

    async def _append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        gone = [Appended(Status.GONE, detail="no such room") for _ in batches]
        return await self._change(tenant, Append(batches), gone)

    async def _read(self, tenant: str, read: Callable[[Database], T], missing: T) -> T:
        """Return what a read sees, or `missing` if the tenant has no file."""
        try:
            return await self._engine.read(self._file(tenant), read)
        except FileNotFoundError:
            return missing

    async def _change(self, tenant: str, change: Callable[[Database], T], missing: T) -> T:
        """Return a change's answer, or `missing` if the tenant has no file to change."""
        try:
            return await self._engine.write(self._file(tenant), change, create=False)
        except FileNotFoundError:
            return missing


def open_sqlite(
    path: Path, *, writers: int = 4, readers: int = 4, open_files: int | None = None
) -> tuple[SqliteStore, SqliteAccounts]:
    """Open the store and the accounts in a data folder, which is made if it is missing.

    Both share their threads and files; closing the store closes both. Exactly one process may
    have a folder open: see `parvis.storage.folder.hold_data_folder`.

    Args:
        writers: Threads that write, each for its share of the files.
        readers: Threads that read.
        open_files: Files kept open for writing, each worth three descriptors, and connections
            kept open for reading, each worth two. None: what takes half of the descriptors that
            the process may have, at most 512.

    Raises:
        SchemaTooNew: If a later version of Parvis has used the folder.
        StoreUnavailable: If it cannot be made or written.
    """
    if open_files is None:
        open_files = min(
            MOST_OPEN_FILES, max(1, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 10)
        )
    engine = Engine(path, writers=writers, readers=readers, open_files=open_files)
    return SqliteStore(engine), SqliteAccounts(engine)


def _beat(database: Database) -> None:
    database.execute("UPDATE parvis_pulse SET beats = beats + 1")
