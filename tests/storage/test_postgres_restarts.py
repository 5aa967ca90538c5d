"""PostgreSQL crashes and comes back: what was acknowledged is there, and calls work again."""

import asyncio
import contextlib
import random

import pytest

from parvis.storage import (
    Address,
    Batch,
    LoggedUpdate,
    Migration,
    Statement,
    Status,
    Store,
    StoreUnavailable,
)
from parvis.storage.conformance.base import entry, home_of
from parvis.storage.postgres import open_postgres
from tests.databases import Database, Databases
from tests.services import PostgresFolder, postgres_folder
from tests.storage.writer_process import ROOMS, TENANT, nth

NOTES = [
    Migration(
        1,
        "notes",
        {
            "postgres": "CREATE TABLE note (key TEXT, tenant TEXT NOT NULL DEFAULT parvis_tenant(),"
            " PRIMARY KEY (tenant, key))"
        },
    )
]


class Server:
    """A cluster that a test crashes and starts again."""

    def __init__(self, cluster: PostgresFolder) -> None:
        self._cluster = cluster
        self._running = contextlib.ExitStack()
        self.up = asyncio.Event()

    def start(self) -> Databases:
        return Databases(self._running.enter_context(self._cluster.running()))

    async def crash_and_start(self) -> None:
        """Stop it at once, whatever is under way, and return when it has recovered."""
        self.up.clear()
        await asyncio.to_thread(self._running.close)
        await asyncio.to_thread(self._running.enter_context, self._cluster.running())
        self.up.set()

    def close(self) -> None:
        self._running.close()


class Writer:
    """Appends to one room until told to stop; sends the same again after a fault."""

    def __init__(self, store: Store, room: str, server: Server, seed: int) -> None:
        self.store = store
        self.room = room
        self.server = server
        self.acknowledged = 0
        self.failures = 0
        self._chance = random.Random(seed)

    async def write(self, enough: asyncio.Event, progress: asyncio.Semaphore) -> None:
        opened = await self.store.open_room(TENANT, self.room, creator="u_ann", now=1)
        while not enough.is_set():
            count = self._chance.randint(1, 20)
            entries = tuple(nth(self.room, self.acknowledged + 1 + n) for n in range(count))
            batch = Batch(self.room, "", opened.fence, self.acknowledged, entries)
            while True:
                (answer,) = await self.store.append(TENANT, [batch])
                if answer.status is Status.LOGGED:
                    break
                assert answer.status is Status.FAILED, answer
                self.failures += 1
                await self.server.up.wait()
            self.acknowledged += count
            assert answer.end == self.acknowledged
            progress.release()


async def crash_and_look(rounds: int, seed: int) -> None:
    """Crash the server again and again amid appends, and compare the logs with what was sent."""
    chance = random.Random(seed)
    with postgres_folder() as cluster:
        server = Server(cluster)
        try:
            database = await asyncio.to_thread(_first_start, server)
            store, _ = open_postgres(database.node, owner=database.owner)
            await store.migrate("notes", NOTES)
            server.up.set()
            writers = [Writer(store, room, server, seed + n) for n, room in enumerate(ROOMS)]
            enough, progress = asyncio.Event(), asyncio.Semaphore(0)
            tasks = [asyncio.create_task(each.write(enough, progress)) for each in writers]
            for _ in range(rounds):
                for _ in range(chance.randint(5, 60)):
                    await progress.acquire()
                await server.crash_and_start()
            enough.set()
            await asyncio.gather(*tasks)
            await _compare(store, writers)
            await store.close()
            assert any(writer.failures for writer in writers)
        finally:
            server.close()


def _first_start(server: Server) -> Database:
    # The database goes with its folder.
    return contextlib.ExitStack().enter_context(server.start().fresh())


async def _compare(store: Store, writers: list[Writer]) -> None:
    asked = Statement("SELECT key FROM note")
    noted = {str(row[0]) for row in await store.query(TENANT, asked)}
    for writer in writers:
        rows: list[LoggedUpdate] = []
        address = Address(TENANT, writer.room)
        while page := await store.read(address, after=len(rows)):
            rows += page
        assert len(rows) == writer.acknowledged
        for number, row in enumerate(rows, 1):
            sent = nth(writer.room, number)
            assert (row.offset, row.update, row.key) == (number, sent.update, sent.key)
        wanted = {f"{writer.room} {number}" for number in range(3, len(rows) + 1, 3)}
        assert {key for key in noted if key.startswith(f"{writer.room} ")} == wanted


async def test_nothing_acknowledged_is_lost_when_the_server_crashes() -> None:
    await crash_and_look(rounds=3, seed=1)


@pytest.mark.soak
async def test_nothing_acknowledged_is_lost_in_a_hundred_crashes() -> None:
    for seed in range(10):
        await crash_and_look(rounds=10, seed=seed)


async def test_calls_work_again_when_connections_were_cut(
    postgres_store: Store, database: Database
) -> None:
    homes = [await home_of(postgres_store, f"plain/{number}") for number in range(4)]
    for round in range(3):
        database.throw_out()
        # Whatever was cut is found out at the first call, or by it.
        for home in homes:
            while (await home.try_append(entry(f"update {round}"))).status is Status.FAILED:
                pass
    for home in homes:
        assert home.end == 3


async def test_a_server_that_is_away_fails_each_call_and_none_hangs(
    postgres_store: Store, database: Database
) -> None:
    home = await home_of(postgres_store)
    with database.away():
        for _ in range(3):
            assert (await home.try_append(nth("away", 1))).status is Status.FAILED
            with pytest.raises(StoreUnavailable) as told:
                await postgres_store.check()
            assert told.value.hint
    assert (await home.try_append(nth("away", 1))).offsets == (1,)
