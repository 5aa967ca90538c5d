"""Someone who works in another room while a node is attacked, and must notice nothing."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from pycrdt import Doc, Map

from parvis.client import ClientError, connect
from parvis.client.stock import connect_hocuspocus, connect_y
from tests.faults import ways_in
from tests.faults.ways_in import Promptly
from tests.running import Server

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds after which an answer is missing; never waited for when all is well."""


def marks(doc: Doc[Any]) -> Map[Any]:
    found: Map[Any] = doc.get("marks", type=Map)
    return found


@asynccontextmanager
async def undisturbed(
    server: Server, *, room: str = "plain/bystander", ticket: str = ""
) -> AsyncGenerator[None]:
    """Work in a room before, during and after an attack.

    Afterwards the same process must serve, over the same connection, and save at once.
    """
    worker = server.worker_pid
    ends: list[ClientError] = []
    async with connect(ways_in.native(server), ticket) as session:
        session.on_disconnected(ends.append)
        part = await session.join(room)
        before = len(marks(part.doc))
        marks(part.doc)[f"mark-{before}"] = "before"
        await within(part.saved())
        yield
        assert ends == [], f"the bystander lost its connection: {ends}"
        marks(part.doc)[f"mark-{before + 1}"] = "after"
        await within(part.saved())
        assert len(marks(part.doc)) == before + 2
    assert server.worker_pid == worker, "the worker has died"


async def works(server: Server, room: str, *, holds: dict[str, Any] | None = None) -> None:
    """Assert that a room can be joined in each dialect, shows what it must, and takes edits."""
    holds = holds or {}
    async with connect(ways_in.native(server), random=Promptly(3)) as session:
        part = await within(session.join(room))
        shown = marks(part.doc).to_py() or {}
        assert holds.items() <= shown.items(), f"{room} shows {shown}"
        marks(part.doc)["works"] = "native"
        await within(part.saved())
    for stock in ("yjs", "hocuspocus"):
        dialling = (
            connect_y(ways_in.yjs(server), room)
            if stock == "yjs"
            else connect_hocuspocus(ways_in.hocuspocus(server), room)
        )
        async with await dialling as client:
            await within(client.synced())
            shown = marks(client.doc).to_py() or {}
            assert holds.items() <= shown.items(), f"{room} shows {shown} to {stock}"
            marks(client.doc)["works"] = type(client).__name__
            await within(client.saved())


async def within(waiting: Awaitable[T]) -> T:
    """What is awaited, which must come."""
    async with asyncio.timeout(PATIENCE):
        return await waiting
