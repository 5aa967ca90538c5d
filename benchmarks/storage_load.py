"""The load of `storage_append`: entries as a node makes them, and homes that append them."""

import asyncio
import itertools
import os
import time
from collections.abc import Awaitable, Callable

from benchmarks.measure import Figures, percentiles

from parvis.storage import Batch, Entry, Status, Store

TENANT = "bench"
TENANTS = 300
EACH = 3.0
"""Updates per second of each of those tenants."""

Flush = Callable[[], Awaitable[int]]
"""Makes rows durable and returns how many."""


class Keys:
    """A home's idempotency keys, as it makes them itself: its own eight bytes, and a number.

    Args:
        random: All bytes are, as if each came from a client that draws lots.
    """

    def __init__(self, *, random: bool = False) -> None:
        self._random = random
        self._home = os.urandom(8)
        self._count = itertools.count()

    def next(self) -> bytes:
        """Return one that was not there before."""
        if self._random:
            return os.urandom(16)
        return self._home + next(self._count).to_bytes(8, "big")


def entries(count: int, keys: Keys) -> tuple[Entry, ...]:
    """Return entries of 120 bytes that nobody has seen before."""
    update = os.urandom(120)
    return tuple(Entry(update, "u_bench", 1.5, keys.next()) for _ in range(count))


class Rooms:
    """Homes of some rooms, which append to all of them in one call."""

    def __init__(self, store: Store, tenant: str = TENANT, *, random_keys: bool = False) -> None:
        self.store = store
        self.tenant = tenant
        self.fences: dict[str, int] = {}
        self.keys: dict[str, Keys] = {}
        self.random_keys = random_keys
        self.end = 0

    async def open(self, prefix: str, count: int) -> "Rooms":
        """Take the rooms over."""
        for number in range(count):
            room = f"{prefix}/{number}"
            opened = await self.store.open_room(self.tenant, room, creator="u", now=1)
            self.fences[room] = opened.fence
            self.keys[room] = Keys(random=self.random_keys)
        return self

    async def flush(self, each: int) -> int:
        """Append to every room and return the number of rows."""
        batches = [
            Batch(room, "", fence, self.end, entries(each, self.keys[room]))
            for room, fence in self.fences.items()
        ]
        answers = await self.store.append(self.tenant, batches)
        assert all(answer.status is Status.LOGGED for answer in answers)
        self.end += each
        return each * len(batches)


async def tenants_together(store: Store, seconds: float) -> Figures:
    """Have many tenants write at their own pace, each in one room."""
    rooms = [await Rooms(store, f"t{number}").open("room", 1) for number in range(TENANTS)]
    times: list[float] = []

    async def write(which: int) -> None:
        await asyncio.sleep(which / TENANTS / EACH)
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            await rooms[which].flush(1)
            times.append(time.perf_counter() - began)
            await asyncio.sleep(max(0.0, 1 / EACH - times[-1]))

    await asyncio.gather(*map(write, range(TENANTS)))
    return {"rows": len(times), **percentiles(times)}
