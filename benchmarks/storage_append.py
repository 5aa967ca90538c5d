"""How many updates per second does a store make durable?

    python -m benchmarks.storage_append [--store sqlite|postgres] [--folder DIR] [--seconds 3]

Prints one JSON object. Updates are of 120 bytes with random keys of 16 bytes, and every answer
comes after a synced commit. ``sqlite`` is a folder in DIR: put that on the disk that is meant, as
a tmpfs syncs nothing. ``postgres`` is a server of Debian's with `fsync=on` that is started for it.
*Raw* is the same rows handed to the driver as fast as it takes them, into a table with the same two
indexes, without fences, offsets or tenants.
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
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
import uvloop
from benchmarks.measure import percentiles

from parvis.storage import Address, Batch, Entry, Status, Store
from parvis.storage.postgres import open_postgres
from parvis.storage.sqlite import open_sqlite
from tests.databases import Databases
from tests.services import start_postgres

TENANT = "bench"
TENANTS = 300
EACH = 3.0
"""Updates per second of each of those tenants."""

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


async def tenants_together(store: Store, seconds: float) -> dict[str, object]:
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
    name = f"{TENANTS} tenants, {EACH:g} updates/s each"
    return {"name": name, "rows": len(times), "call ms": percentiles(times)}


async def run(store: Store, seconds: float) -> list[dict[str, object]]:
    """Measure every shape of load in turn."""
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
    await add("1000 rows per call", lambda: batch.flush(1000))

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
    results.append(await tenants_together(store, seconds))
    return results


def raw_rows(count: int, start: int) -> list[tuple[int, int, bytes, str, float, bytes]]:
    """Return rows as they are in a log."""
    return [
        (1, start + number, entry.update, entry.sender, entry.time, entry.key)
        for number, entry in enumerate(entries(count))
    ]


async def raw_sqlite(folder: Path, seconds: float) -> dict[str, object]:
    """Insert with `executemany`, 1000 rows per commit."""
    with closing(sqlite3.connect(folder / "raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            'CREATE TABLE log (part, "offset", body, sender, time, key,'
            ' PRIMARY KEY (part, "offset")) WITHOUT ROWID'
        )
        connection.execute("CREATE UNIQUE INDEX log_key ON log (part, key)")
        end = 0

        async def flush() -> int:
            nonlocal end
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", raw_rows(1000, end))
            connection.execute("COMMIT")
            end += 1000
            return 1000

        return await measure("raw: executemany, 1000 rows per commit", seconds, flush)


async def raw_postgres(url: str, seconds: float) -> dict[str, object]:
    """Copy, 1000 rows per commit."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        'CREATE TABLE raw_log (part INT, "offset" INT, body BYTEA, sender TEXT, time FLOAT8,'
        ' key BYTEA, PRIMARY KEY (part, "offset"), UNIQUE (part, key))'
    )
    end = 0

    async def flush() -> int:
        nonlocal end
        await connection.copy_records_to_table(
            "raw_log",
            records=raw_rows(1000, end),
            columns=["part", "offset", "body", "sender", "time", "key"],
        )
        end += 1000
        return 1000

    result = await measure("raw: COPY, 1000 rows per commit", seconds, flush)
    await connection.execute("DROP TABLE raw_log")
    await connection.close()
    return result


async def run_sqlite(folder: Path, seconds: float) -> list[dict[str, object]]:
    """Measure the SQLite store, and SQLite."""
    async with opened(open_sqlite(folder)[0]) as store:
        results = await run(store, seconds)
    return [*results, await raw_sqlite(folder, seconds)]


async def run_postgres(node: str, owner: str, seconds: float) -> list[dict[str, object]]:
    """Measure the PostgreSQL store, and PostgreSQL."""
    async with opened(open_postgres(node)[0]) as store:
        results = await run(store, seconds)
    return [*results, await raw_postgres(owner, seconds)]


@asynccontextmanager
async def opened(store: Store) -> AsyncGenerator[Store]:
    """Close a store when the block ends."""
    try:
        yield store
    finally:
        await store.close()


def main() -> None:
    """Measure, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--folder", type=Path, help="default: a temporary folder")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--loop", choices=["uvloop", "asyncio"], default="uvloop")
    arguments = parser.parse_args()
    new_loop = uvloop.new_event_loop if arguments.loop == "uvloop" else asyncio.new_event_loop

    def measured(work: Coroutine[None, None, list[dict[str, object]]]) -> list[dict[str, object]]:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            return runner.run(work)

    if arguments.store == "postgres":
        with start_postgres() as server, Databases(server).fresh() as database:
            results = measured(run_postgres(database.node, database.owner, arguments.seconds))
    else:
        folder = Path(tempfile.mkdtemp(prefix="parvis-bench-", dir=arguments.folder))
        try:
            results = measured(run_sqlite(folder, arguments.seconds))
        finally:
            shutil.rmtree(folder)
    facts = {
        "benchmark": "storage_append",
        "store": arguments.store,
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
