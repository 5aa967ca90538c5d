"""PostgreSQL crashes, stands still or is out of reach: people go on, and nothing acked is lost."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import pytest
from pycrdt import Map

from parvis.client import connect
from parvis.client.document_part import DocumentPart
from parvis.client.stock import StockClient, connect_y
from parvis.protocol import ErrorCode
from tests.faults import ways_in
from tests.faults.bystander import marks, within, works
from tests.faults.cluster import Cluster
from tests.faults.target import ParvisOnPostgres
from tests.faults.ways_in import Promptly
from tests.running import Server

PIECE: Final = 30 * 1024
PIECES: Final = 600
"""Together more than may wait for the store, which is 16 MiB for each part."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def pooled() -> Iterator[Cluster]:
    with Cluster(pooled=True) as cluster:
        yield cluster


@pytest.fixture
def server(cluster: Cluster, tmp_path: Path) -> Iterator[Server]:
    cluster.start()  # if a test before this one failed
    target = ParvisOnPostgres(tmp_path, cluster)
    with target.server as server:
        yield server


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    """Return when something shows that nobody tells us."""

    async def look() -> None:
        while True:
            if await reached():
                return
            await asyncio.sleep(0.02)

    await within(look())


async def asked(server: Server, path: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(server.url + path) as answer:
        return await answer.text()


async def metric(server: Server, line: str) -> float:
    found = [each for each in (await asked(server, "/metrics")).splitlines() if line in each]
    return float(found[0].rpartition(" ")[2]) if found else 0.0


def rows(cluster: Cluster, room: str) -> list[int]:
    """The offsets of a room's log, read behind the node's back."""
    listed = cluster.database.execute(
        'SELECT log."offset" FROM parvis.parvis_log AS log'
        " JOIN parvis.parvis_part AS part ON part.tenant = log.tenant AND part.id = log.part"
        " JOIN parvis.parvis_room AS room ON room.tenant = part.tenant AND room.id = part.room"
        f" WHERE room.name = '{room}' ORDER BY 1"
    )
    return [int(line) for line in listed.split()]


def told_to_wait(part: DocumentPart) -> asyncio.Event:
    """Set once the part's people see that the store does not answer."""
    waits = asyncio.Event()
    part.on_store(lambda waiting: waits.set() if waiting else None)
    return waits


async def work_without_the_store(
    cluster: Cluster, server: Server, room: str, *, seconds: float = 0.0
) -> None:
    worker = server.worker_pid
    async with (
        connect(ways_in.native(server), random=Promptly(1)) as session,
        connect(ways_in.native(server), random=Promptly(9_000)) as other,
    ):
        part, watched = await session.join(room), await other.join(room)
        marks(part.doc)["before"] = 1
        await within(part.saved())
        waits, seen = told_to_wait(part), told_to_wait(watched)

        await session.join(f"{room}/full")
        await asyncio.to_thread(cluster.stop_at_once)
        marks(part.doc)["unsaved"] = 1
        await within(waits.wait())
        await within(seen.wait())
        assert marks(watched.doc)["unsaved"] == 1, "people could not go on together"
        await until(partial(_degraded, server))
        async with await connect_y(ways_in.yjs(server), f"{room}/full") as flood:
            await flood_until_refused(server, flood)
            await asyncio.sleep(seconds)
            assert part.unsaved, "acknowledged without a store"
            assert flood.acked == 0, "acknowledged without a store"
            cluster.start()  # in this thread: its children end with the thread that started them
            await within(flood.saved())
            pieces = len(flood.doc.get("values", type=Map))
        await within(part.saved())
        marks(part.doc)["after"] = 1
        await within(part.saved())
        assert not part.store_waits
        assert server.worker_pid == worker
    offsets = rows(cluster, room)
    assert offsets == list(range(1, len(offsets) + 1))
    held = {"before": 1.0, "unsaved": 1.0, "after": 1.0}
    await works(server, room, holds=held)
    server.restart()
    await works(server, room, holds=held)
    async with await connect_y(ways_in.yjs(server), f"{room}/full") as reader:
        await within(reader.synced())
        assert len(reader.doc.get("values", type=Map)) == pieces == PIECES


async def flood_until_refused(server: Server, client: StockClient) -> None:
    """Write more than may wait for the store: it is refused, to be asked for later."""
    await within(client.synced())
    values: Map[str] = client.doc.get("values", type=Map)
    for at in range(PIECES):
        values[f"piece-{at}"] = "x" * PIECE
    refused = f'parvis_refusals_total{{code="{int(ErrorCode.TRY_AGAIN)}"}}'
    await until(lambda: _positive(metric(server, refused)))


async def _degraded(server: Server) -> bool:
    return "degraded" in await asked(server, "/readyz")


async def _positive(number: Awaitable[float]) -> bool:
    return await number > 0


async def test_people_go_on_without_postgresql_and_are_told(
    cluster: Cluster, server: Server
) -> None:
    await work_without_the_store(cluster, server, "plain/gone")


@pytest.mark.soak
async def test_people_go_on_without_postgresql_for_half_a_minute(
    cluster: Cluster, server: Server
) -> None:
    await work_without_the_store(cluster, server, "plain/long-gone", seconds=30)


async def test_a_commit_whose_answer_is_lost_is_logged_once(
    cluster: Cluster, server: Server
) -> None:
    room = "plain/mute"
    async with connect(ways_in.native(server), random=Promptly(1)) as session:
        part = await session.join(room)
        marks(part.doc)["mark-1"] = 1
        await within(part.saved())  # from now on, the connection has its statements prepared
        for number in range(2, 6):
            cluster.proxy.mute()
            marks(part.doc)[f"mark-{number}"] = number
            await until(partial(_logged, cluster, room, number))
            assert part.unsaved, "acknowledged before the store had answered"
            cluster.proxy.cut()
            await within(part.saved())
            assert rows(cluster, room) == list(range(1, number + 1))
    await works(server, room, holds={f"mark-{n}": float(n) for n in range(1, 6)})


async def _logged(cluster: Cluster, room: str, number: int) -> bool:
    return len(await asyncio.to_thread(rows, cluster, room)) >= number


async def test_a_postgresql_that_stands_still_delays_acks_and_loses_nothing(
    cluster: Cluster, server: Server
) -> None:
    room = "plain/still"
    async with connect(ways_in.native(server), random=Promptly(1)) as session:
        part = await session.join(room)
        marks(part.doc)["before"] = 1
        await within(part.saved())
        go_on = cluster.stand_still()
        try:
            marks(part.doc)["meanwhile"] = 1
            await asked(server, "/livez")  # the node answers
            assert part.unsaved
        finally:
            go_on()
        await within(part.saved())
    assert rows(cluster, room) == [1, 2]


async def test_another_pgbouncer_takes_over_and_nothing_is_lost(
    pooled: Cluster, tmp_path: Path
) -> None:
    room, cluster = "plain/pooler", pooled
    with ParvisOnPostgres(tmp_path, cluster).server as server:
        async with connect(ways_in.native(server), random=Promptly(1)) as session:
            part = await session.join(room)
            marks(part.doc)["before"] = 1
            await within(part.saved())
            waits = told_to_wait(part)
            await asyncio.to_thread(cluster.stop_pooler)
            marks(part.doc)["unsaved"] = 1
            await within(waits.wait())
            assert part.unsaved
            await asyncio.to_thread(cluster.start_pooler)
            await within(part.saved())
        assert rows(cluster, room) == [1, 2]
        await works(server, room, holds={"before": 1.0, "unsaved": 1.0})
