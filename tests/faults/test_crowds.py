"""Many at once, and clients that never read."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any, Final

import pytest
from pycrdt import Doc, Map, TransactionEvent

from parvis.client import connect
from parvis.client.stock import connect_hocuspocus, connect_y
from parvis.protocol import encode, hocuspocus, yjs
from parvis.protocol.messages import Hello, Join
from tests.faults import raw, ways_in
from tests.faults.bystander import marks, undisturbed, within, works
from tests.faults.processes import resident
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server

KiB: Final = 1024
MiB: Final = 1024 * KiB


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("crowds")) as server:
        yield server


async def shows(doc: Doc[Any], count: int) -> None:
    """Return once a document shows so many marks."""
    reached = asyncio.Event()
    found: Map[Any] = marks(doc)

    def look() -> None:
        if len(found) >= count:
            reached.set()

    def changed(event: TransactionEvent) -> None:
        # Inside an observer a document cannot be read.
        asyncio.get_running_loop().call_soon(look)

    subscription = doc.observe(changed)
    look()
    await within(reached.wait())
    doc.unobserve(subscription)


async def enter(server: Server, stack: AsyncExitStack, at: int, room: str) -> Doc[Any]:
    """Come in by one of the dialects, leave a mark and have it saved."""
    if at % 3 == 0:
        way = connect(ways_in.native(server), random=Promptly(at * 1_000))
        session = await stack.enter_async_context(way)
        part = await within(session.join(room))
        marks(part.doc)[f"mark-{at}"] = at
        await within(part.saved())
        return part.doc
    dialling = (
        connect_y(ways_in.yjs(server), room)
        if at % 3 == 1
        else connect_hocuspocus(ways_in.hocuspocus(server), room)
    )
    client = await stack.enter_async_context(await dialling)
    await within(client.synced())
    marks(client.doc)[f"mark-{at}"] = at
    await within(client.saved())
    return client.doc


async def test_twenty_clients_that_join_a_new_room_at_once_all_get_in(server: Server) -> None:
    async with undisturbed(server), AsyncExitStack() as stack:
        entering = [enter(server, stack, at, "plain/new") for at in range(20)]
        for doc in await asyncio.gather(*entering):
            await shows(doc, 20)


async def test_twenty_clients_that_join_twenty_new_rooms_at_once_all_get_in(
    server: Server,
) -> None:
    async with undisturbed(server), AsyncExitStack() as stack:
        entering = [enter(server, stack, at, f"plain/new-{at}") for at in range(20)]
        for doc in await asyncio.gather(*entering):
            await shows(doc, 1)


async def never_read(server: Server, stack: AsyncExitStack, room: str) -> None:
    """Four clients that come in by every dialect and then do not read."""
    for path, subprotocol, frames in (
        ("/ws", "parvis.v1", [encode(Hello(1, "")), encode(Join(1, room))]),
        ("/ws", "parvis.v1", [encode(Hello(1, "")), encode(Join(1, room))]),
        (f"/yjs/{room}", "", [yjs.encode_sync_step1(b"\x00")]),
        (
            "/hocuspocus",
            "",
            [
                hocuspocus.encode_token(room, ""),
                hocuspocus.encode_sync_step1(room, b"\x00"),
            ],
        ),
    ):
        way = raw.open_raw(server, path, subprotocol=subprotocol, receive_buffer=4 * KiB)
        socket = await stack.enter_async_context(way)
        for frame in frames:
            await socket.send(raw.frame(frame))


async def test_clients_that_never_read_cost_little_and_hold_nobody_up(server: Server) -> None:
    room = "plain/deaf"
    async with undisturbed(server), AsyncExitStack() as stack:
        reader = await stack.enter_async_context(connect(ways_in.native(server)))
        read = await reader.join(room)
        writer = await stack.enter_async_context(connect(ways_in.native(server)))
        part = await writer.join(room)
        await type_megabytes(part.doc, part.saved, 4)  # what a busy room needs anyway
        await never_read(server, stack, room)
        before = resident(server.worker_pid)
        await type_megabytes(part.doc, part.saved, 60)
        grown = resident(server.worker_pid) - before
        marks(part.doc)["last"] = 1
        await within(part.saved())
        await shows(read.doc, 1)
        print(f"the worker grew by {grown / MiB:.1f} MiB")
        assert grown < 16 * MiB, f"the worker grew by {grown / MiB:.1f} MiB"
    await works(server, room, holds={"last": 1})


async def type_megabytes(doc: Doc[Any], saved: Any, megabytes: int) -> None:
    """Overwrite one value again and again: much on the wire, little in the document."""
    values: Map[Any] = doc.get("values", type=Map)
    for at in range(megabytes * 16):
        values["page"] = f"{at:08}" * (64 * KiB // 8)
        if at % 8 == 7:
            await within(saved())


STRANGERS: Final = 20


@pytest.mark.parametrize("path", ["/ws", "/hocuspocus"])
async def test_strangers_cannot_make_the_node_hold_their_unfinished_frames(
    server: Server, path: str
) -> None:
    head = raw.frame(b"", length=8 * MiB - 1)
    async with undisturbed(server), AsyncExitStack() as stack:
        sockets = [
            await stack.enter_async_context(raw.open_raw(server, path)) for _ in range(STRANGERS)
        ]
        before = resident(server.worker_pid)
        sending = [asyncio.create_task(socket.send(head + bytes(7 * MiB))) for socket in sockets]
        for _ in range(3):
            await works(server, "plain/calm")  # whoever is known is served meanwhile
        grown = resident(server.worker_pid) - before
        print(f"the worker grew by {grown / MiB:.1f} MiB")
        assert grown < STRANGERS * MiB, f"{STRANGERS} strangers took {grown / MiB:.1f} MiB"
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
