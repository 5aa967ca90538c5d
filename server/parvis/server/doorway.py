"""Accepts connections for the web server, up to a bound."""

import asyncio
import socket
from collections.abc import Sequence

from aiohttp import web


class _TurnedAway(asyncio.Protocol):
    """Ends a connection at once: whoever cannot be served need not wait for it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def accept(
    server: web.Server, sockets: Sequence[socket.socket], *, most: int
) -> list[asyncio.Server]:
    """Have a web server serve what comes in on listening sockets.

    Args:
        most: Connections at a time, whatever they are for and whether or not they have said
            anything; those beyond are closed.
    """
    loop = asyncio.get_running_loop()

    def protocol() -> asyncio.Protocol:
        return _TurnedAway() if len(server.connections) >= most else server()

    return [await loop.create_server(protocol, sock=each, backlog=1024) for each in sockets]
