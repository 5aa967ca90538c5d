"""How the tests reach a node, in each dialect."""

import asyncio
from typing import Protocol

from parvis.client import Disconnected, Wire, open_wire
from tests.running import Server


class Door(Protocol):
    """Where a node is reached: itself, or a proxy before it."""

    port: int


def url(server: Door, path: str) -> str:
    return f"ws://127.0.0.1:{server.port}{path}"


def native(server: Door) -> str:
    return url(server, "/ws")


def yjs(server: Door) -> str:
    return url(server, "/yjs")


def hocuspocus(server: Door) -> str:
    return url(server, "/hocuspocus")


async def wire(server: Server, ticket: str = "") -> Wire:
    """A native connection that was welcomed."""
    return await open_wire(native(server), ticket)


async def wire_when_up(server: Server, ticket: str = "") -> Wire:
    """The same, tried again until the node is there; it must not have ended for good."""
    while True:
        try:
            return await wire(server, ticket)
        except Disconnected as problem:
            if not problem.comes_back:
                raise
            assert server.supervisor_pid
            await asyncio.sleep(0.02)  # as often as a client in a great hurry would try


class Promptly:
    """Chance that makes clients come back at once, so that no test needs to wait."""

    def __init__(self, seed: int = 0) -> None:
        self._next = seed

    def below(self, bound: int) -> int:
        self._next += 1
        return self._next % bound

    def uniform(self, low: float, high: float) -> float:
        return low + min(high - low, 0.02)
