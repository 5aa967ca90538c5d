"""A TCP proxy on the loopback that behaves like a bad network, on command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

CHUNK: Final = 16 * 1024

SLOW: Final = 64 * 1024
"""Bytes a second of a slow connection."""


class Leg:
    """One connection through the proxy, both ways.

    Attributes:
        swallowed: Nothing gets through any more.
        mute: What the server says does not get through; what it is told does.
        slow: It takes `SLOW`.
    """

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._ends = (near, far)
        self.swallowed = False
        self.mute = False
        self.slow = False

    def cut(self) -> None:
        """Reset both ends."""
        for end in self._ends:
            end.transport.abort()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if self.slow:
                    await asyncio.sleep(len(chunk) / SLOW)
                if not (self.swallowed or (self.mute and writer is self._ends[0])):
                    writer.write(chunk)
                    await writer.drain()
        self.cut()


class FaultProxy:
    """Stands before a server; `async with` opens and closes it.

    Args:
        target: Port of the server, asked for each connection.

    Attributes:
        port: Where it listens.
        shut: Nobody is let in.
    """

    def __init__(self, target: Callable[[], int]) -> None:
        self.port = 0
        self.shut = False
        self._target = target
        self._legs: dict[Leg, None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        self.cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def legs(self) -> list[Leg]:
        """The open connections, oldest first."""
        return list(self._legs)

    def cut(self) -> None:
        """Break all connections."""
        for leg in self.legs:
            leg.cut()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # the proxy is being closed
        finally:
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.shut:
            writer.transport.abort()
            return
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target())
        except OSError:
            writer.transport.abort()
            return
        if self.shut:  # meanwhile
            far.transport.abort()
            writer.transport.abort()
            return
        leg = Leg(writer, far)
        self._legs[leg] = None
        try:
            await asyncio.gather(leg.pump(reader, far), leg.pump(far_reader, writer))
        finally:
            leg.cut()
            del self._legs[leg]
