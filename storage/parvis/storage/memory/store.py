"""MemoryStore: dicts, for tests and throw-away nodes; nothing outlives the process."""

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

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
from parvis.storage.errors import RoomDeleted, RoomNotFound, StoreUnavailable
from parvis.storage.memory.append import append
from parvis.storage.memory.tenant import HeldJob, Part, Room, Tenant
from parvis.storage.sqlite.tables import checked
from parvis.storage.sqlite.work import check_payload


class MemoryStore:
    """Keeps rooms in memory; `parvis.storage.Store` says what each method promises."""

    kind = "memory"

    def __init__(self) -> None:
        self._tenants: dict[str, Tenant] = {}
        self._plugins: dict[str, list[tuple[Migration, str]]] = {}
        self._closed = False

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            for tenant in self._tenants.values():
                tenant.tables.close()

    async def check(self) -> None:
        self._look()

    @property
    def kept(self) -> Mapping[str, Tenant]:
        """What is kept for each tenant, for `MemoryInspection`."""
        return self._tenants

    # Rooms

    async def open_room(self, tenant: str, room: str, *, creator: str | None, now: float) -> Opened:
        found = self._look(tenant).rooms.get(room)
        if found is None:
            if creator is None:
                raise RoomNotFound(f"there is no room {room}")
            self._keep(tenant).rooms[room] = Room(room, creator, now)
            return Opened(fence=1, created=True, parts={})
        if found.deleted is not None:
            raise RoomDeleted(f"{room} was deleted")
        found.fence += 1
        return Opened(fence=found.fence, created=False, parts=found.heads)

    async def room(self, tenant: str, room: str) -> RoomInfo | None:
        found = self._look(tenant).rooms.get(room)
        return found.info if found else None

    async def rooms(
        self, tenant: str, *, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[RoomInfo]:
        found = self._look(tenant).rooms
        names = sorted(name for name in found if name.startswith(prefix) and name > after)
        living = [name for name in names if found[name].deleted is None]
        return [found[name].info for name in living[: max(0, limit)]]

    async def delete_room(self, tenant: str, room: str, *, now: float) -> None:
        kept = self._look(tenant)
        found = kept.rooms.get(room)
        if found is None:
            raise RoomNotFound(f"there is no room {room}")
        if found.deleted is None:
            found.deleted = now
            found.fence += 1
            found.parts.clear()
            kept.quarantine = [poison for poison in kept.quarantine if poison.room != room]

    async def tenants(self) -> Sequence[str]:
        self._look()
        return sorted(self._tenants)

    # The log

    async def append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        try:
            kept = self._look(tenant)
        except StoreUnavailable as error:
            return [Appended(Status.FAILED, detail=str(error)) for _ in batches]
        return [append(kept, batch) for batch in batches]

    async def rebuild(
        self, address: Address, fence: int, *, expected: int, entry: Entry
    ) -> Appended:
        batch = Batch(address.room, address.part, fence, expected, (entry,))
        (answer,) = await self.append(address.tenant, [batch])
        part = self._part(address) if answer.status is Status.LOGGED else None
        if part is not None and answer.offsets[0] and part.since < answer.offsets[0] - 1:
            part.since = answer.offsets[0] - 1
            part.incarnation += 1
            part.snapshot = None
        return answer

    async def snapshot(self, address: Address) -> Snapshot | None:
        part = self._part(address)
        return part.snapshot if part else None

    async def save_snapshot(self, address: Address, fence: int, snapshot: Snapshot) -> bool:
        part = self._part(address)
        if part is None or self._tenants[address.tenant].rooms[address.room].fence != fence:
            return False
        if snapshot.incarnation != part.incarnation or snapshot.offset > len(part.rows):
            return False
        if part.snapshot is not None and snapshot.offset < part.snapshot.offset:
            return False
        part.snapshot = snapshot
        return True

    async def compact(self, address: Address, fence: int, *, through: int, base: bytes) -> bool:
        part = self._part(address)
        if part is None or self._tenants[address.tenant].rooms[address.room].fence != fence:
            return False
        if not part.first <= through <= len(part.rows):
            return False
        part.rows[through - 1] = replace(part.rows[through - 1], update=base, sender="")
        part.rows[: through - 1] = [GONE] * (through - 1)
        part.first = through
        return True

    async def read(
        self, address: Address, *, after: int, limit: int = 1000, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        part = self._part(address)
        start = max(0, after, part.first - 1) if part else 0
        return _page(part.rows[start : start + max(1, limit)], max_bytes) if part else []

    async def read_back(
        self,
        address: Address,
        *,
        before: int | None = None,
        limit: int = 1000,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> Sequence[LoggedUpdate]:
        part = self._part(address)
        if part is None:
            return []
        end = len(part.rows) if before is None else max(0, min(before - 1, len(part.rows)))
        return _page(part.rows[max(part.first - 1, end - max(1, limit)) : end][::-1], max_bytes)

    # Quarantine

    async def quarantine(self, tenant: str, poison: Quarantined) -> None:
        kept = self._keep(tenant)
        place = (poison.room, poison.part, poison.offset, poison.digest)
        if all(place != (p.room, p.part, p.offset, p.digest) for p in kept.quarantine):
            bisect.insort(kept.quarantine, poison, key=lambda kept: kept.time)
        part = kept.part(poison.room, poison.part)
        if part is not None and 0 < poison.offset <= len(part.rows):
            row = part.rows[poison.offset - 1]
            if row.update == poison.update:
                part.rows[poison.offset - 1] = replace(row, update=b"")

    async def quarantined(self, tenant: str, room: str | None = None) -> Sequence[Quarantined]:
        kept = self._look(tenant).quarantine
        return [poison for poison in kept if room is None or poison.room == room]

    async def release(self, tenant: str, poison: Quarantined) -> bool:
        kept = self._look(tenant).quarantine
        place = (poison.room, poison.part, poison.offset, poison.digest)
        for at, each in enumerate(kept):
            if place == (each.room, each.part, each.offset, each.digest):
                del kept[at]
                return True
        return False

    # Tables of plugins

    async def migrate(self, plugin: str, migrations: Sequence[Migration]) -> None:
        self._look()
        scripts = checked(plugin, migrations, ["memory", "sqlite"])
        steps = list(zip(migrations, scripts, strict=True))
        for tenant in self._tenants.values():
            tenant.tables.migrate(plugin, steps)
        self._plugins[plugin] = steps

    async def query(self, tenant: str, statement: Statement) -> Sequence[tuple[SqlValue, ...]]:
        return self._keep(tenant).tables.sql.query(statement)

    async def execute(self, tenant: str, statements: Sequence[Statement]) -> None:
        self._keep(tenant).tables.run(statements)

    # Durable consumers and jobs

    async def cursor(self, consumer: str, address: Address) -> int:
        part = self._part(address)
        return part.cursors.get(consumer, 0) if part else 0

    async def advance(self, consumer: str, address: Address, offset: int) -> None:
        part = self._part(address)
        if part is not None:
            moved = max(part.cursors.get(consumer, 0), min(offset, len(part.rows)))
            part.cursors[consumer] = moved

    async def lagging(
        self,
        consumer: str,
        tenant: str,
        *,
        prefix: str = "",
        after: tuple[str, str] = ("", ""),
        limit: int = 100,
    ) -> Sequence[Lag]:
        behind: list[Lag] = []
        for name, room in sorted(self._look(tenant).rooms.items()):
            for part_name, part in sorted(room.parts.items()):
                done = part.cursors.get(consumer, 0)
                if name.startswith(prefix) and (name, part_name) > after and done < len(part.rows):
                    behind.append(Lag(name, part_name, done, len(part.rows)))
        return behind[: max(0, limit)]

    async def enqueue(self, tenant: str, job: Job) -> int:
        check_payload(job)
        kept = self._keep(tenant)
        for id, held in kept.jobs.items():
            if (held.job.queue, held.job.key) == (job.queue, job.key):
                return id
        kept.last_job += 1
        new = replace(job, id=kept.last_job, attempts=0, error="")
        kept.jobs[new.id] = HeldJob(new)
        return new.id

    async def claim(
        self, tenant: str, queue: str, *, now: float, lease: float, limit: int = 10
    ) -> Sequence[Job]:
        due = [
            held
            for held in self._look(tenant).jobs.values()
            if held.job.queue == queue and held.job.due <= now and held.held <= now
        ]
        due.sort(key=lambda held: (held.job.due, held.job.id))
        for held in due[: max(0, limit)]:
            held.held = now + lease
            held.job = replace(held.job, attempts=held.job.attempts + 1)
        return [held.job for held in due[: max(0, limit)]]

    async def finish(self, tenant: str, job: int) -> None:
        self._look(tenant).jobs.pop(job, None)

    async def retry(self, tenant: str, job: int, *, due: float, error: str) -> None:
        held = self._look(tenant).jobs.get(job)
        if held is not None:
            held.held = 0
            held.job = replace(held.job, due=due, error=error)

    def _look(self, tenant: str = "") -> Tenant:
        """Return what is kept for a tenant, without keeping anything for a new one."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        return self._tenants.get(tenant) or Tenant()

    def _keep(self, tenant: str) -> Tenant:
        """Return what is kept for a tenant, making room for a new one."""
        kept = self._look(tenant)
        if tenant not in self._tenants:
            for plugin, steps in self._plugins.items():
                kept.tables.migrate(plugin, steps)
            self._tenants[tenant] = kept
        return kept

    def _part(self, address: Address) -> Part | None:
        return self._look(address.tenant).part(address.room, address.part)


GONE: Final = LoggedUpdate(0, b"", "", 0, b"")
"""Stands where a compaction took a row away."""


def _page(rows: Sequence[LoggedUpdate], max_bytes: int) -> list[LoggedUpdate]:
    """Cut rows to a number of bytes, but not to none."""
    size = 0
    for count, row in enumerate(rows):
        size += len(row.update)
        if count and size > max_bytes:
            return list(rows[:count])
    return list(rows)
