"""How many connections are taken, whatever they are for."""

import asyncio
import socket

from aiohttp import web

from parvis.server.doorway import accept


async def answer(_: web.BaseRequest) -> web.Response:
    return web.Response(text="here")


async def test_who_comes_when_all_places_are_taken_is_turned_away_until_somebody_goes() -> None:
    server = web.Server(answer)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()
        (door,) = await accept(server, [listening], most=2)
        idle = [await asyncio.open_connection(host, port) for _ in range(2)]
        async with asyncio.timeout(10):
            while len(server.connections) < 2:  # noqa: ASYNC110  the loop accepts them
                await asyncio.sleep(0)
            late, late_end = await asyncio.open_connection(host, port)
            assert await late.read() == b"", "closed without a word"
            late_end.close()
            idle[0][1].close()
            while len(server.connections) == 2:  # noqa: ASYNC110
                await asyncio.sleep(0)
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"here")
        writer.close()
        idle[1][1].close()
        door.close()
        await server.shutdown()
