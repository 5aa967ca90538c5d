"""The last line of defence, in a real node: what kills a worker in spite of everything.

The room's log is from before the firewall counted types, so it is nested 50,000 deep. Deleting one
of its outer maps overflows the stack of whoever applies it; six bytes, valid in every way.
"""

import asyncio
from pathlib import Path

import aiohttp

from parvis.protocol import CloseCode, yjs
from parvis.storage import Batch, Entry, Status
from parvis.storage.factory import open_store
from tests.faults.poison import nested_maps
from tests.running import Server, start_server

ROOM = "plain/deep"
PATIENCE = 20.0


REFUSED = {CloseCode.POISON, CloseCode.STOCK_POISON}
DROPPED = {1006}
"""What a client sees when the process at the other end is gone."""


def delete_of_map(clock: int) -> bytes:
    """The update that deletes the map at a clock, and all maps inside it."""
    return bytes([0, 1, 1, 1, clock, 1])


async def log_deep_maps(folder: Path) -> None:
    store, _ = open_store(f"sqlite:///{folder}")
    opened = await store.open_room("local", ROOM, creator="nobody", now=0.0)
    entries = tuple(
        Entry(nested_maps(200, start), "nobody", 0.0, start.to_bytes(4, "big") + b"-")
        for start in range(0, 50_000, 200)
    )
    (appended,) = await store.append("local", [Batch(ROOM, "", opened.fence, 0, entries)])
    assert appended.status is Status.LOGGED
    await store.close()


async def send(server: Server, update: bytes) -> int | None:
    """Send an update as a y-websocket client; return the code with which the node closes."""
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/yjs/{ROOM}") as socket,
    ):
        await socket.send_bytes(yjs.encode_update(update))
        async for _ in socket:
            pass
        return socket.close_code


async def join(server: Server) -> bytes:
    """Return the state that a y-websocket client gets; while no worker runs, it waits."""
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{server.url}/yjs/{ROOM}") as socket,
    ):
        await socket.send_bytes(yjs.encode_sync_step1(b"\x00"))
        while True:
            frame = await socket.receive_bytes()
            if frame.startswith(b"\x00\x01"):
                return frame


async def test_who_resends_a_deadly_update_for_ever_costs_one_worker(tmp_path: Path) -> None:
    await log_deep_maps(tmp_path / "data")
    with start_server(tmp_path) as server:
        whole = await join(server)
        assert await send(server, delete_of_map(0)) in DROPPED
        assert await join(server) == whole
        second = server.worker_pid
        for _ in range(5):
            assert await send(server, delete_of_map(0)) in REFUSED
            assert await join(server) == whole
        assert server.worker_pid == second
        # What is known is known to the next ones, too.
        server.kill_worker()
        assert await join(server) == whole
        third = server.worker_pid
        assert await send(server, delete_of_map(0)) in REFUSED
        server.restart()
        assert await send(server, delete_of_map(0)) in REFUSED
        assert await join(server) == whole
        assert third != second
        assert sum("died (SIGSEGV)" in line for line in server.log) == 1


async def test_who_varies_a_deadly_update_costs_two_workers(tmp_path: Path) -> None:
    await log_deep_maps(tmp_path / "data")
    with start_server(tmp_path) as server:
        whole = await join(server)
        for clock in range(2):
            assert await send(server, delete_of_map(clock)) in DROPPED
            assert await join(server) == whole
        third = server.worker_pid
        # From now on a shadow of the room takes each update first.
        for clock in range(2, 7):
            assert await send(server, delete_of_map(clock)) in REFUSED
            assert await join(server) == whole
        assert server.worker_pid == third
        assert sum("died (SIGSEGV)" in line for line in server.log) == 2
