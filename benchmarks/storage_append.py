"""How many updates per second does a store make durable?

    python -m benchmarks.storage_append [--store sqlite|postgres] [--folder DIR]

Updates are of 120 bytes, and every answer comes after a synced commit. ``sqlite`` is a folder in
DIR: put that on the disk that is meant, as a tmpfs syncs nothing. ``postgres`` is a server of
Debian's with `fsync=on` that is started for it. *Raw* is the same rows handed to the driver as fast
as it takes them. Every shape of load is measured in turn, again and again, and the median counts;
CPU is that of this process and, with it, of the database server.
"""

import argparse
import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from benchmarks.measure import RESULTS, Figures, keep, percentiles, show
from benchmarks.storage_load import (
    EACH,
    TENANT,
    TENANTS,
    Flush,
    Rooms,
    tenants_together,
)
from benchmarks.storage_raw import ROWS, raw_postgres, raw_sqlite
from benchmarks.target import Target

from parvis.storage import Address, Store
from parvis.storage.postgres import open_postgres
from parvis.storage.sqlite import open_sqlite
from tests.databases import Databases
from tests.services import start_postgres

AT_ONCE = 64
"""Calls under way at a time, where there are many."""

PAGE = 1000

Shapes = Mapping[str, Flush]


async def shapes_of(store: Store) -> dict[str, Flush]:
    """Return what is measured of a store: each call makes, or reads, so many rows."""
    single = await Rooms(store).open("single", 1)
    many = [await Rooms(store).open(f"many{number}", 1) for number in range(AT_ONCE)]
    tenants = [await Rooms(store, f"tenant{number}").open("room", 1) for number in range(AT_ONCE)]
    some = await Rooms(store).open("some", 1)
    batch = await Rooms(store).open("batch", 1)
    drawn = await Rooms(store, random_keys=True).open("drawn", 1)
    flush = await Rooms(store).open("flush", 500)
    after = 0

    async def together() -> int:
        return sum(await asyncio.gather(*(rooms.flush(1) for rooms in many)))

    async def apart() -> int:
        return sum(await asyncio.gather(*(rooms.flush(1) for rooms in tenants)))

    async def load() -> int:
        nonlocal after
        page = await store.read(Address(TENANT, "batch/0"), after=after, limit=PAGE)
        after = page[-1].offset if len(page) == PAGE else 0
        return len(page)

    return {
        "1 row per call, one call after the other": lambda: single.flush(1),
        f"1 row per call, {AT_ONCE} calls at a time": together,
        f"1 row per call, {AT_ONCE} tenants at a time": apart,
        "200 rows per call": lambda: some.flush(200),
        "1000 rows per call": lambda: batch.flush(1000),
        "500 rooms x 2 rows per call": lambda: flush.flush(2),
        "1000 rows per call, keys drawn by lot": lambda: drawn.flush(1000),
        f"read in pages of {PAGE} rows": load,
    }


class Measured:
    """What came of one shape of load, over all its turns."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.costs: list[float] = []
        self.times: list[float] = []

    async def turn(self, flush: Flush, seconds: float, cpu: Callable[[], float]) -> None:
        """Flush again and again for a while."""
        rows = 0
        spent, start = cpu(), time.perf_counter()
        while (now := time.perf_counter()) - start < seconds:
            rows += await flush()
            self.times.append(time.perf_counter() - now)
        self.rates.append(rows / (time.perf_counter() - start))
        self.costs.append((cpu() - spent) / rows)

    def figures(self) -> Figures:
        return {
            "rows/s": round(statistics.median(self.rates)),
            "from": round(min(self.rates)),
            "to": round(max(self.rates)),
            "CPU us/row": round(1e6 * statistics.median(self.costs), 2),
            **{f"call {name} ms": each for name, each in percentiles(self.times).items()},
        }


async def run(
    store: Store, raw: Shapes, cpu: Callable[[], float], arguments: argparse.Namespace
) -> Figures:
    """Measure every shape in turn, so that all of them see the machine in the same moods."""
    shapes = {**await shapes_of(store), **raw}
    measured = {name: Measured() for name in shapes}
    for _ in range(arguments.turns):
        for name, flush in shapes.items():
            await measured[name].turn(flush, arguments.seconds, cpu)
    figures: Figures = {name: each.figures() for name, each in measured.items()}
    name = f"{TENANTS} tenants, {EACH:g} updates/s each, call ms"
    figures[name] = await tenants_together(store, arguments.tenants_seconds)
    return figures


async def run_sqlite(folder: Path, arguments: argparse.Namespace) -> Figures:
    """Measure the SQLite store, and SQLite."""
    name = f"raw: executemany, {ROWS} rows per commit"
    async with opened(open_sqlite(folder)[0]) as store, raw_sqlite(folder) as flush:
        return await run(store, {name: flush}, time.process_time, arguments)


async def run_postgres(node: str, owner: str, pid: int, arguments: argparse.Namespace) -> Figures:
    """Measure the PostgreSQL store, and PostgreSQL."""
    server = Target(node, pid, "postgres")
    name = f"raw: COPY, {ROWS} rows per commit"
    async with opened(open_postgres(node)[0]) as store, raw_postgres(owner) as flush:
        return await run(
            store, {name: flush}, lambda: time.process_time() + server.cpu(), arguments
        )


@asynccontextmanager
async def opened(store: Store) -> AsyncGenerator[Store]:
    """Close a store when the block ends."""
    try:
        yield store
    finally:
        await store.close()


def main() -> None:
    """Measure, print and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--folder", type=Path, help="default: a temporary folder")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each turn")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--tenants-seconds", type=float, default=5.0)
    parser.add_argument("--short", action="store_true", help="a quick run, for CI: proves nothing")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON files")
    arguments = parser.parse_args()
    if arguments.short:
        arguments.seconds, arguments.turns, arguments.tenants_seconds = 0.02, 1, 0.5
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if arguments.store == "postgres":
            with start_postgres() as server, Databases(server).fresh() as database:
                work = run_postgres(database.node, database.owner, server.pid, arguments)
                figures = runner.run(work)
        else:
            folder = Path(tempfile.mkdtemp(prefix="parvis-bench-", dir=arguments.folder))
            try:
                figures = runner.run(run_sqlite(folder, arguments))
            finally:
                shutil.rmtree(folder)
    title = f"storage-append-{arguments.store}"
    show(title, figures)
    if not arguments.short:
        keep(title, figures, arguments)


if __name__ == "__main__":
    main()
