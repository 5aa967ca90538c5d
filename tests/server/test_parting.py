"""Refusals of bodies that are still coming: they are read by those who send first and read then."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.test_utils import TestServer

from parvis.server.api.faults import Fault, answer_faults
from parvis.server.api.parting import part

BODY = 8 * 1024 * 1024
HEAD = f"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY}\r\n\r\n".encode()

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def refuse(_: web.Request) -> web.Response:
    raise Fault(429, "rate_limited", "too much at once")


@asynccontextmanager
async def server_of(
    answer: Callable[[web.Request], Coroutine[None, None, web.StreamResponse]],
) -> AsyncGenerator[TestServer]:
    """Serve; what aiohttp does by itself for those who still send is switched off."""
    app = web.Application(middlewares=[answer_faults])
    app.router.add_put("/", answer)
    server = TestServer(app)
    await server.start_server(lingering_time=0)
    try:
        yield server
    finally:
        await server.close()


@asynccontextmanager
async def connection_to(server: TestServer) -> AsyncGenerator[Connection]:
    port = server.make_url("/").port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def test_who_sends_a_refused_body_to_its_end_reads_why() -> None:
    async with server_of(refuse) as server, connection_to(server) as (reader, writer):
        writer.write(HEAD)
        for _ in range(BODY // 65_536):
            writer.write(bytes(65_536))
            await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 429 ")
        assert b"rate_limited" in await reader.readuntil(b"}}")
        # And the connection is good for what comes next.
        writer.write(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 429 ")


async def test_a_refusal_does_not_wait_for_the_body() -> None:
    async with server_of(refuse) as server, connection_to(server) as (reader, writer):
        writer.write(HEAD)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 429 ")


async def test_who_sends_without_end_or_not_at_all_is_cut_off() -> None:
    bounds = {"much": (100_000, 600.0), "slow": (BODY, -10.0)}

    for most, patience in bounds.values():

        async def refuse_a_little(
            request: web.Request, most: int = most, patience: float = patience
        ) -> web.StreamResponse:
            answer = web.Response(status=429)
            await part(request, answer, most=most, patience=patience)
            return answer

        async with server_of(refuse_a_little) as server, connection_to(server) as (reader, writer):
            writer.write(HEAD + bytes(200_000))
            ended = b""
            try:
                ended = await reader.read()  # to the end: the server has closed
            except ConnectionResetError:
                continue
            assert ended.startswith(b"HTTP/1.1 429 ")
