"""How many updates per second does the SQLite store make durable?

    python benchmarks/storage_append.py [--folder DIR] [--seconds 3] [--loop uvloop|asyncio]

Prints one JSON object. Updates are of 120 bytes with random keys of 16 bytes, and every answer
comes after a synced commit. Put DIR on the disk that is meant; a tmpfs syncs nothing.
"""

import argparse
import asyncio
import json
import os
import platform
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from parvis.storage import Address, Batch, Entry, Status, Store
from parvis.storage.sqlite import open_sqlite

TENANT = "bench"
Flush = Callable[[], Awaitable[int]]


def entries(count: int) -> tuple[Entry, ...]:
    """Return entries that nobody has seen before."""
    update = os.urandom(120)
    return tuple(Entry(update, "u_bench", 1.5, os.urandom(16)) for _ in range(count))


class Rooms:
    """Homes of some rooms, which append to all of them in one call."""

    def __init__(self, store: Store, tenant: str = TENANT) -> None:
        self.store = store
        self.tenant = tenant
        self.fences: dict[str, int] = {}
        self.end = 0

    async def open(self, prefix: str, count: int) -> "Rooms":
        """Take the rooms over."""
        for number in range(count):
            room = f"{prefix}/{number}"
            opened = await self.store.open_room(self.tenant, room, creator="u", now=1)
            self.fences[room] = opened.fence
        return self

    async def flush(self, each: int) -> int:
        """Append to every room and return the number of rows."""
        batches = [
            Batch(room, "", fence, self.end, entries(each)) for room, fence in self.fences.items()
        ]
        answers = await self.store.append(self.tenant, batches)
        assert all(answer.status is Status.LOGGED for answer in answers)
        self.end += each
        return each * len(batches)


async def measure(name: str, seconds: float, flush: Flush) -> dict[str, object]:
    """Flush again and again, and return rates and percentiles."""
    rows = 0
    times: list[float] = []
    cpu, start = time.process_time(), time.perf_counter()
    while (now := time.perf_counter()) - start < seconds:
        rows += await flush()
        times.append(time.perf_counter() - now)
    took, burnt = time.perf_counter() - start, time.process_time() - cpu
    times.sort()
    return {
        "name": name,
        "rows_per_second": round(rows / took),
        "calls_per_second": round(len(times) / took),
        "p50_ms": round(1e3 * times[len(times) // 2], 3),
        "p99_ms": round(1e3 * times[int(len(times) * 0.99)], 3),
        "cpu_us_per_row": round(1e6 * burnt / rows, 2),
    }


async def run(folder: Path, seconds: float) -> list[dict[str, object]]:
    """Measure every shape of load in turn."""
    store, _ = open_sqlite(folder)
    results: list[dict[str, object]] = []

    async def add(name: str, flush: Flush) -> None:
        results.append(await measure(name, seconds, flush))

    single = await Rooms(store).open("single", 1)
    await add("1 row per call, one call after the other", lambda: single.flush(1))

    many = [await Rooms(store).open(f"many{number}", 1) for number in range(64)]

    async def together() -> int:
        return sum(await asyncio.gather(*(rooms.flush(1) for rooms in many)))

    await add("1 row per call, 64 calls at a time", together)

    tenants = [await Rooms(store, f"tenant{number}").open("room", 1) for number in range(64)]

    async def apart() -> int:
        return sum(await asyncio.gather(*(rooms.flush(1) for rooms in tenants)))

    await add("1 row per call, 64 tenants at a time", apart)

    batch = await Rooms(store).open("batch", 1)
    await add("200 rows per call", lambda: batch.flush(200))

    flush = await Rooms(store).open("flush", 500)
    await add("500 rooms x 2 rows per call", lambda: flush.flush(2))

    address = Address(TENANT, "batch/0")
    after = 0

    async def load() -> int:
        nonlocal after
        page = await store.read(address, after=after)
        after = page[-1].offset if len(page) == 1000 else 0
        return len(page)

    await add("read in pages of 1000 rows", load)
    await store.close()
    return results


def main() -> None:
    """Measure, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="default: a temporary folder")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="parvis-bench-", dir=arguments.folder))
    new_loop = uvloop.new_event_loop if arguments.loop == "uvloop" else asyncio.new_event_loop
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            results = runner.run(run(folder, arguments.seconds))
    finally:
        shutil.rmtree(folder)
    facts = {
        "benchmark": "storage_append",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "loop": arguments.loop,
        "results": results,
    }
    print(json.dumps(facts, indent=2))


if __name__ == "__main__":
    main()
