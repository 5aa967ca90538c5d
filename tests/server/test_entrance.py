"""What is read from a stranger, over real connections of the loop that the node runs on."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import cast

from parvis.server.entrance import Entrance

MOST = 1000
MUCH = 2_000_000


class Sink(asyncio.Protocol):
    """Counts what it gets, and tells how the connection does."""

    def __init__(self) -> None:
        self.received = 0
        self.first = asyncio.Event()
        self.ended = asyncio.Event()
        self.lost = asyncio.Event()
        self.goal: tuple[int, asyncio.Event] = (0, asyncio.Event())
        self.writing = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports only look like this.
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self.first.set()
        goal, reached = self.goal
        if self.received >= goal:
            reached.set()

    def eof_received(self) -> bool:
        self.ended.set()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()

    def pause_writing(self) -> None:
        self.writing = False

    def resume_writing(self) -> None:
        self.writing = True


@asynccontextmanager
async def connected(
    sink: Sink | None = None,
) -> AsyncGenerator[tuple[Sink, asyncio.Transport, socket.socket]]:
    """Yield a protocol, its transport, and the other end."""
    sink = sink or Sink()
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        transport, _ = await loop.create_connection(lambda: sink, host, port)
        theirs, _ = server.accept()
    theirs.setblocking(False)
    with theirs:
        yield sink, transport, theirs
        transport.abort()
        await sink.lost.wait()


async def fill(end: socket.socket, much: int = MUCH) -> None:
    await asyncio.get_running_loop().sock_sendall(end, bytes(much))


async def test_a_stranger_is_read_no_more_after_a_little() -> None:
    async with connected() as (sink, transport, end):
        Entrance(transport, MOST)
        filling = asyncio.create_task(fill(end))
        await sink.first.wait()
        assert not transport.is_reading()
        assert MOST <= sink.received < MUCH
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)


async def test_nothing_is_lost_to_whom_the_entrance_is_opened() -> None:
    async with connected() as (sink, transport, end):
        entrance = Entrance(transport, MOST)
        filling = asyncio.create_task(fill(end))
        await sink.first.wait()
        sink.goal = (MUCH, asyncio.Event())
        entrance.open()
        assert transport.get_protocol() is sink
        await filling
        await sink.goal[1].wait()
        assert sink.received == MUCH
        entrance.open()


async def test_who_stopped_reading_for_reasons_of_its_own_is_not_made_to_go_on() -> None:
    class Full(Sink):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.transport.pause_reading()

    async with connected(Full()) as (sink, transport, end):
        entrance = Entrance(transport, MOST)
        await fill(end, MOST)
        await sink.first.wait()
        entrance.open()
        assert not transport.is_reading()


async def test_the_end_of_a_stranger_is_passed_on() -> None:
    async with connected() as (sink, transport, end):
        entrance = Entrance(transport, MOST)
        end.shutdown(socket.SHUT_WR)
        await sink.ended.wait()
        await sink.lost.wait()
        entrance.open()


async def test_a_protocol_that_writes_to_a_stranger_learns_when_to_pause() -> None:
    loop = asyncio.get_running_loop()
    async with connected() as (sink, transport, end):
        Entrance(transport, MOST)
        while sink.writing:
            transport.write(bytes(MUCH))
            await asyncio.sleep(0)
        while not sink.writing:
            await loop.sock_recv(end, MUCH)
