"""MemoryInspection: looks at a store in memory, in the process that holds it."""

from collections.abc import Mapping, Sequence

from parvis.storage.api import Address, LoggedUpdate, Migration, RoomInfo
from parvis.storage.inspection import Aside, Drift, Sizes, Soundness, StateSize, TableSize
from parvis.storage.memory.store import MemoryStore
from parvis.storage.memory.tenant import Part
from parvis.storage.packing import PackedSnapshot, packed_snapshot


class MemoryInspection:
    """Implements `parvis.storage.inspection.Inspection`; nothing here drifts or wears out."""

    kind = "memory"

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def close(self) -> None:
        """The store is its owner's to close."""

    async def check(self) -> None:
        await self._store.check()

    async def tenants(self) -> Sequence[str]:
        return await self._store.tenants()

    async def sizes(self, *, patience: float) -> Sizes:
        logs = [row for _, part in self._parts() for row in part.rows[part.first - 1 :]]
        snapshots = [part.snapshot for _, part in self._parts() if part.snapshot is not None]
        poison = [each for kept in self._store.kept.values() for each in kept.quarantine]
        tables = [
            TableSize("parvis_log", len(logs), sum(len(row.update) for row in logs)),
            TableSize("parvis_quarantine", len(poison), sum(len(each.update) for each in poison)),
            TableSize(
                "parvis_snapshot",
                len(snapshots),
                sum(len(each.state) + len(each.index) for each in snapshots),
            ),
        ]
        tables.sort(key=lambda each: (-each.size, each.table))
        return Sizes(sum(each.size for each in tables), tables)

    async def states(self, *, most: int) -> Sequence[StateSize]:
        found = [
            StateSize(address, part.snapshot.offset, len(packed_snapshot(part.snapshot).kept))
            for address, part in self._parts()
            if part.snapshot is not None
        ]
        return sorted(found, key=lambda state: -state.size)[:most]

    async def snapshot(self, address: Address) -> PackedSnapshot | None:
        found = await self._store.snapshot(address)
        return None if found is None else packed_snapshot(found)

    async def rooms(self, tenant: str, *, after: str = "", limit: int = 100) -> Sequence[RoomInfo]:
        return await self._store.rooms(tenant, after=after, limit=limit)

    async def read(
        self, address: Address, *, after: int, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        return await self._store.read(address, after=after, max_bytes=max_bytes)

    async def newest(self) -> float:
        return max((part.rows[-1].time for _, part in self._parts() if part.rows), default=0.0)

    async def quarantined(self) -> Sequence[Aside]:
        return [
            Aside(
                tenant,
                len(kept.quarantine),
                sum(len(each.update) for each in kept.quarantine),
                max(each.time for each in kept.quarantine),
            )
            for tenant, kept in sorted(self._store.kept.items())
            if kept.quarantine
        ]

    async def drift(self, plugins: Mapping[str, Sequence[Migration]]) -> Sequence[Drift]:
        return []

    async def sound(self, *, patience: float) -> Sequence[Soundness]:
        return []

    async def settings(self) -> Mapping[str, str]:
        return {}

    async def clock(self) -> float | None:
        return None

    def _parts(self) -> list[tuple[Address, Part]]:
        return [
            (Address(tenant, room.name, name), part)
            for tenant, kept in sorted(self._store.kept.items())
            for room in kept.rooms.values()
            for name, part in sorted(room.parts.items())
            if room.deleted is None
        ]
