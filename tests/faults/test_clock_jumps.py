"""A wall clock that jumps by days breaks no promise; nothing but expiry looks at it."""

from pathlib import Path
from typing import Final

from parvis.client import connect
from parvis.storage import Address, LoggedUpdate
from parvis.storage.factory import open_store
from tests.faults import ways_in
from tests.faults.bystander import marks, within, works
from tests.faults.ways_in import Promptly
from tests.running import start_server
from tests.services import program

DAY: Final = 86_400.0
JUMPS: Final = {"there": 0.0, "tomorrow": DAY, "yesterday": -DAY, "back": 0.0}
ROOM: Final = "plain/clock"


def jumping(offset: Path) -> dict[str, str]:
    """The environment in which a process's wall clock is off by what a file says.

    The monotonic clock, which an administrator cannot set, goes on as it does.
    """
    library = program("libfaketime.so.1", "libfaketime", *Path("/usr/lib").glob("*/faketime"))
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


async def rows_of(data: Path) -> list[LoggedUpdate]:
    store, _ = open_store(f"sqlite:///{data}")
    try:
        return list(await store.read(Address("local", ROOM), after=0))
    finally:
        await store.close()


async def test_a_clock_that_jumps_by_days_breaks_no_promise(tmp_path: Path) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0")
    with start_server(tmp_path, settings=jumping(offset)) as server:
        worker = server.worker_pid
        async with (
            connect(ways_in.native(server), random=Promptly(1)) as session,
            connect(ways_in.native(server), random=Promptly(9_000)) as other,
        ):
            ends: list[object] = []
            session.on_disconnected(ends.append)
            part, watched = await session.join(ROOM), await other.join(ROOM)
            for name, seconds in JUMPS.items():
                offset.write_text(f"{seconds:+.0f}")
                marks(part.doc)[name] = seconds
                await within(part.saved())
                marks(watched.doc)[f"{name}, to another"] = seconds
                await within(watched.saved())
            assert ends == []
        assert server.worker_pid == worker
        held = dict(JUMPS)
        await works(server, ROOM, holds=held)
        server.restart()
        await works(server, ROOM, holds=held)
        server.stop()
        rows = await rows_of(server.data)
    assert [row.offset for row in rows] == list(range(1, len(rows) + 1))
    there, tomorrow, yesterday = rows[0].time, rows[2].time, rows[4].time
    # The clock has really jumped.
    assert tomorrow - there > DAY / 2
    assert there - yesterday > DAY / 2
