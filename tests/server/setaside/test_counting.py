"""The metric of what is in quarantine follows the store, and outlives its faults."""

import asyncio
from collections.abc import Sequence

from parvis.server.metrics import Metrics
from parvis.server.setaside.counting import EVERY, count_quarantined
from parvis.storage import StoreUnavailable
from parvis.storage.inspection import Aside
from parvis.storage.memory import MemoryStore
from parvis.storage.memory.inspection import MemoryInspection
from tests.clocks import SetClock
from tests.server.rooms.lab import counted
from tests.server.setaside.test_replay import aside


class Failing(MemoryInspection):
    """Looks at a store that sometimes does not answer."""

    away = False

    async def quarantined(self) -> Sequence[Aside]:
        if self.away:
            raise StoreUnavailable("gone")
        return await super().quarantined()


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_updates_in_quarantine_are_counted_over_all_tenants() -> None:
    store, metrics, clock = MemoryStore(), Metrics(), SetClock()
    inspection = Failing(store)
    await store.quarantine("acme", aside(b"one"))
    await store.quarantine("globex", aside(b"two"))
    counting = asyncio.get_running_loop().create_task(count_quarantined(inspection, metrics, clock))
    await turns()
    assert counted(metrics.quarantined) == 2
    inspection.away = True
    clock.pass_time(EVERY)
    await turns()
    assert counted(metrics.quarantined) == 2
    inspection.away = False
    await store.release("acme", aside(b"one"))
    clock.pass_time(EVERY)
    await turns()
    assert counted(metrics.quarantined) == 1
    counting.cancel()
