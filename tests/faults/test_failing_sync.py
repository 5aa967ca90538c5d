"""A disk that does not sync: no ack, and nothing acknowledged is lost when the power goes.

As on Linux, what a failed sync should have written is dropped and yet stays readable, and the next
sync succeeds without it. Whoever simply tries again acknowledges what no disk has.
"""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

from parvis.client import connect
from parvis.client.document_part import DocumentPart
from tests.faults import ways_in
from tests.faults.bystander import marks, within, works
from tests.faults.disk import FaultyDisk, faulty_disk
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server

ROOM = "plain/sync"


async def until(reached: Callable[[], bool]) -> None:
    """Return when something shows, which has no sign of its own."""

    async def look() -> None:
        while True:
            if reached():
                return
            await asyncio.sleep(0.01)

    await within(look())


async def refused_syncs(part: DocumentPart, disk: FaultyDisk) -> None:
    """Let all syncs fail, and return when writing has been tried a few times, in vain."""
    waits = asyncio.Event()
    part.on_store(lambda waiting: waits.set() if waiting else None)
    disk.fail()
    marks(part.doc)["unsaved"] = 1
    await within(waits.wait())
    tried = disk.failed
    await until(lambda: disk.failed >= tried + 4)
    assert part.unsaved, "acknowledged without a sync"


def lose_power(server: Server, disk: FaultyDisk, seed: int) -> None:
    server.kill()
    disk.lose_power(server.data, random.Random(seed))
    server.start()


async def test_what_is_acknowledged_after_failed_syncs_is_on_the_disk(tmp_path: Path) -> None:
    with (
        faulty_disk(tmp_path) as disk,
        start_server(tmp_path, settings=disk.environment) as server,
    ):
        async with connect(ways_in.native(server), random=Promptly(1)) as session:
            part = await session.join(ROOM)
            marks(part.doc)["before"] = 1
            await within(part.saved())
            await refused_syncs(part, disk)
            disk.mend()
            await within(part.saved())
            lose_power(server, disk, 0)
        await works(server, ROOM, holds={"before": 1.0, "unsaved": 1.0})


async def test_a_worker_that_follows_failed_syncs_trusts_nothing_it_finds(tmp_path: Path) -> None:
    with (
        faulty_disk(tmp_path) as disk,
        start_server(tmp_path, settings=disk.environment) as server,
    ):
        async with connect(ways_in.native(server), random=Promptly(1)) as session:
            part = await session.join(ROOM)
            marks(part.doc)["before"] = 1
            await within(part.saved())
            await refused_syncs(part, disk)
            server.kill_worker()
            disk.mend()
            await within(part.saved())
            lose_power(server, disk, 1)
        await works(server, ROOM, holds={"before": 1.0, "unsaved": 1.0})


async def test_a_file_whose_making_failed_is_made_anew(tmp_path: Path) -> None:
    with (
        faulty_disk(tmp_path) as disk,
        start_server(tmp_path, settings=disk.environment) as server,
    ):
        before = disk.failed
        disk.fail()
        async with connect(ways_in.native(server), random=Promptly(1)) as session:
            joining = asyncio.ensure_future(session.join(ROOM))
            await until(lambda: disk.failed >= before + 2)
            disk.mend()
            part = await within(joining)
            marks(part.doc)["first"] = 1
            await within(part.saved())
            lose_power(server, disk, 0)
        await works(server, ROOM, holds={"first": 1.0})
