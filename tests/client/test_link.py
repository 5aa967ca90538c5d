"""Connections: opened, lost, opened again, drained, refreshed, given up."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pycrdt import Map

from parvis.client import Closed, Disconnected, Session, connect
from parvis.protocol.messages import (
    Drain,
    Error,
    Hello,
    Join,
    Joined,
    Ping,
    Pong,
    Refresh,
    Refreshed,
    Update,
    Welcome,
)
from tests.client.stand_ins import Dice, Exchange, HandClock, PipeSocket


def welcome(expires: float = 0, **limits: float) -> Welcome:
    return Welcome("s1", {"id": "u1"}, expires, limits, "test")


async def settle() -> None:
    """Let everything run that can run."""
    for _ in range(20):
        await asyncio.sleep(0)


class Server:
    """The test as a server, with the session that it serves."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.exchange = Exchange()
        self.ends: list[Exception] = []

    @asynccontextmanager
    async def session(
        self, ticket: str | Callable[[], Awaitable[str]] = "t", first: Welcome | None = None
    ) -> AsyncGenerator[tuple[Session, PipeSocket]]:
        async def answer() -> PipeSocket:
            socket = await self.exchange.next()
            assert isinstance(await socket.hear(), Hello)
            socket.say(first or welcome())
            return socket

        answering = asyncio.create_task(answer())
        async with connect(
            "ws://test/ws",
            ticket,
            clock=self.clock,
            random=Dice(),
            dial=self.exchange.dial,
        ) as session:
            session.on_disconnected(self.ends.append)
            yield session, await answering

    async def welcome_back(self) -> PipeSocket:
        socket = await self.exchange.next()
        assert isinstance(await socket.hear(), Hello)
        socket.say(welcome())
        return socket


@pytest.fixture
def server() -> Server:
    return Server()


async def test_the_first_message_shows_the_ticket(server: Server) -> None:
    async def answer() -> PipeSocket:
        socket = await server.exchange.next()
        assert await socket.hear() == Hello(1, "one-time", "probe 1")
        socket.say(welcome())
        return socket

    answering = asyncio.create_task(answer())
    async with connect(
        "ws://test/ws", "one-time", client="probe 1", clock=server.clock, dial=server.exchange.dial
    ) as session:
        assert session.connected
        assert session.welcome == welcome()
    assert (await answering).closed_with == 1000


async def test_a_server_that_cannot_be_reached_at_first_is_an_error(server: Server) -> None:
    server.exchange.refuse.append(Disconnected(1006, "nobody there"))
    with pytest.raises(Disconnected, match="nobody there"):
        async with connect("ws://test/ws", clock=server.clock, dial=server.exchange.dial):
            pass


async def test_a_ticket_that_is_turned_down_is_an_error_that_says_why(server: Server) -> None:
    async def refuse() -> None:
        socket = await server.exchange.next()
        await socket.hear()
        socket.say(Error(200, "unknown ticket"))
        socket.end(3501, "unknown ticket")

    refusing = asyncio.create_task(refuse())
    with pytest.raises(Disconnected, match="3501 UNAUTHENTICATED: unknown ticket"):
        async with connect("ws://test/ws", clock=server.clock, dial=server.exchange.dial):
            pass
    await refusing


async def test_a_lost_connection_is_opened_again_and_parts_are_joined_again(
    server: Server,
) -> None:
    async with server.session() as (session, socket):
        joining = asyncio.create_task(session.join("plain/a"))
        join = await socket.hear()
        assert isinstance(join, Join)
        socket.say(Joined(join.ref, 3, "plain/a", 1, 0, ["edit"], [], b"\x00"))
        part = await joining
        socket.end(1006)
        await settle()
        assert not session.connected
        marks: Map[Any] = part.doc.get("marks", type=Map)
        marks["offline"] = 1
        server.clock.advance(0.25)
        again = await server.welcome_back()
        rejoin = await again.hear()
        assert isinstance(rejoin, Join)
        assert rejoin.incarnation == 1
        again.say(Joined(rejoin.ref, 3, "plain/a", 1, 0, ["edit"], [], b"\x00"))
        assert isinstance(await again.hear(), Update)


async def test_attempts_grow_rarer_while_nobody_answers(server: Server) -> None:
    async with server.session() as (_, socket):
        server.exchange.refuse += [Disconnected(1006)] * 3
        socket.end(1012, "restart")
        waits: list[float] = []
        for _ in range(4):
            await settle()
            (due,) = server.clock.due
            waits.append(due - server.clock.now)
            server.clock.advance(waits[-1])
        assert waits == [0.25, 0.5, 1.0, 2.0]
        await server.welcome_back()


async def test_a_final_close_code_ends_the_session(server: Server) -> None:
    async with server.session() as (session, socket):
        socket.end(3505, "signed out")
        await settle()
        assert server.exchange.attempts == 1
        with pytest.raises(Closed, match="3505 SIGNED_OUT"):
            await session.join("plain/a")


async def test_a_ticket_that_is_turned_down_later_ends_the_session(server: Server) -> None:
    async with server.session() as (session, socket):
        socket.end(1006)
        await settle()
        server.clock.advance(0.25)
        again = await server.exchange.next()
        await again.hear()
        again.end(3501, "used already")
        await settle()
        assert isinstance(session.closed, Closed)


async def test_a_drain_moves_the_session_at_a_moment_in_the_window(server: Server) -> None:
    async with server.session() as (session, socket):
        socket.say(Drain(8.0, "update"))
        await settle()
        server.clock.advance(7.9)
        await settle()
        assert session.connected
        server.clock.advance(0.1)
        await settle()
        assert socket.closed_with == 1000
        server.clock.advance(0.25)
        await server.welcome_back()


async def test_a_token_is_refreshed_before_it_expires(server: Server) -> None:
    tickets = iter(["first", "second", "third"])

    async def ticket() -> str:
        return next(tickets)

    async with server.session(ticket, welcome(expires=100)) as (_, socket):
        await settle()
        for moment, expected in ((75, "second"), (150, "third")):
            for step in range(moment - round(server.clock.now)):
                socket.say(Pong(step))
                await settle()
                server.clock.advance(1)
            refresh = await hear_past_pings(socket)
            assert refresh == Refresh(refresh.ref, expected)
            socket.say(Refreshed(refresh.ref, 100))
            await settle()


async def hear_past_pings(socket: PipeSocket) -> Refresh:
    while isinstance(message := await socket.hear(), Ping):
        pass
    assert isinstance(message, Refresh)
    return message


async def test_a_quiet_session_pings_often_enough_for_the_server(server: Server) -> None:
    async with server.session(first=welcome(silence=30)) as (_, socket):
        await settle()
        server.clock.advance(10)
        assert isinstance(await socket.hear(), Ping)


async def test_a_server_that_says_nothing_is_given_up(server: Server) -> None:
    async with server.session(first=welcome(silence=30)) as (session, socket):
        await settle()
        server.clock.advance(31)
        await settle()
        assert not session.connected
        assert [str(end) for end in server.ends] == [
            "disconnected with 1006: nothing came for 20 seconds"
        ]
        assert socket.closed_with == 1000


async def test_a_server_that_talks_nonsense_ends_the_session(server: Server) -> None:
    async with server.session() as (session, socket):
        socket.to_client.put_nowait(b"\xc1")
        await settle()
        assert isinstance(session.closed, Closed)
        assert session.closed.code == 1002
