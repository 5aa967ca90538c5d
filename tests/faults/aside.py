"""The fault proxy on a thread and loop of its own, for what must not wait for the test's loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.faults.proxy import FaultProxy


class ProxyAside:
    """Stands before a port of the loopback while in its `with` block."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._proxy: FaultProxy
        self._loop: asyncio.AbstractEventLoop
        self._end: asyncio.Event
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    @property
    def port(self) -> int:
        return self._proxy.port

    def cut(self) -> None:
        """Break all connections."""
        self._do(self._proxy.cut)

    def mute(self) -> None:
        """Let nothing back on the connections there are; what is asked still arrives."""

        def mute() -> None:
            for leg in self._proxy.legs:
                leg.mute = True

        self._do(mute)

    def swallow(self) -> None:
        """Let nothing through on the connections there are, in either direction."""

        def swallow() -> None:
            for leg in self._proxy.legs:
                leg.swallowed = True

        self._do(swallow)

    def _do(self, what: Callable[[], None]) -> None:
        done = threading.Event()

        def do() -> None:
            what()
            done.set()

        self._loop.call_soon_threadsafe(do)
        done.wait()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with FaultProxy(lambda: self._target) as self._proxy:
            self._ready.set()
            await self._end.wait()
