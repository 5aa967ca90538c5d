"""`connect`: the way in."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .errors import Closed
from .link import Link, Ticket
from .ports import Clock, Dial, Random, SystemClock, SystemRandom
from .session import Session
from .transport import dial_native


@asynccontextmanager
async def connect(
    url: str,
    ticket: Ticket = "",
    *,
    client: str = "parvis-python",
    clock: Clock | None = None,
    random: Random | None = None,
    dial: Dial = dial_native,
) -> AsyncGenerator[Session]:
    """Open a session that comes back by itself until the block ends.

    Args:
        url: Of the node's websocket, e.g. ``wss://parvis.example.org/ws``.
        ticket: An access or room token; or a function that is awaited for a one-time ticket or a
            token before each connection and before the one in use expires.
        client: Name and version of the software, for the server's operator.

    Raises:
        Disconnected: If the first connection cannot be opened.
    """
    session = Session(clock or SystemClock(), random or SystemRandom())
    connected = asyncio.Event()
    session.on_connected(lambda welcome: connected.set())
    link = Link(session, url, ticket, dial, client)
    serving = asyncio.create_task(link.run(await link.open()))
    try:
        await connected.wait()
        yield session
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        session.ended(Closed(1000, "closed by the application"))
