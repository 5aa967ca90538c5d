"""A clock that stands still until a test moves it, and chance that repeats."""

import asyncio
import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(order=True)
class SetTimer:
    """A call to come in a `SetClock`."""

    due: float
    number: int
    callback: Callable[[], None] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class SetClock:
    """Time that passes only in `pass_time`. It starts on 2026-11-20 at noon, UTC."""

    def __init__(self, now: float = 1_795_176_000.0) -> None:
        self._start = now
        self._elapsed = 0.0
        self._timers: list[SetTimer] = []
        self._count = 0

    def time(self) -> float:
        return self._start + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:  # no time need pass: the others have their turn, as with any clock
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not woken.done():
                woken.set_result(None)

        timer = self.call_later(seconds, wake)
        try:
            await woken
        finally:
            timer.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> SetTimer:
        self._count += 1
        timer = SetTimer(self._elapsed + max(0.0, seconds), self._count, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)

    @property
    def waiting(self) -> int:
        """How many calls are to come."""
        return sum(not timer.cancelled for timer in self._timers)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, calling what falls due, in order."""
        end = self._elapsed + seconds
        while self._timers and self._timers[0].due <= end:
            timer = heapq.heappop(self._timers)
            self._elapsed = max(self._elapsed, timer.due)
            if not timer.cancelled:
                timer.callback()
        self._elapsed = end


class SeededRandom:
    """Chance that is the same in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)

    def below(self, bound: int) -> int:
        return self._random.randrange(bound)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)
