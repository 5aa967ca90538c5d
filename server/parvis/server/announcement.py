"""Wakes everybody who waits for the next time something happens."""

import asyncio


class Announcement:
    """`wait` returns after the next `announce`; nobody misses one that comes while they wait."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None

    def announce(self) -> None:
        if self._waiter is not None:
            self._waiter.set_result(None)
            self._waiter = None

    async def wait(self) -> None:
        if self._waiter is None:
            self._waiter = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._waiter)
