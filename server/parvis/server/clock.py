"""The real clock and real chance."""

import asyncio
import random
import secrets
import time
from collections.abc import Callable

from .ports import Timer


class SystemClock:
    """Time of this machine, in the running event loop."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)


class SystemRandom:
    """Chance that nobody can foresee."""

    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def below(self, bound: int) -> int:
        return secrets.randbelow(bound)

    def uniform(self, low: float, high: float) -> float:
        return random.uniform(low, high)
