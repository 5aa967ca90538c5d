"""Time, chance and the connection, as the client sees them; the real ones stand at the end."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Protocol


class Timer(Protocol):
    """A call to come; `cancel` forgets it."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer: ...


class Random(Protocol):
    """Chance."""

    def below(self, bound: int) -> int:
        """Return a whole number from 0 to `bound` - 1."""
        ...

    def uniform(self, low: float, high: float) -> float: ...


class Socket(Protocol):
    """One open websocket that carries binary frames."""

    async def send(self, frame: bytes) -> None:
        """Send one frame; waits while the peer does not read.

        Raises:
            Disconnected: If the connection has ended.
        """
        ...

    async def receive(self) -> bytes:
        """Return the next frame.

        Raises:
            Disconnected: With the peer's close code, when the connection ends.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection, politely if it still stands; takes at most a few seconds."""
        ...


class Dial(Protocol):
    """Opens a websocket."""

    async def __call__(self, url: str, *, subprotocols: Sequence[str] = ()) -> Socket:
        """Return an open websocket.

        Raises:
            Disconnected: If the server cannot be reached or does not open one.
        """
        ...


class SystemClock:
    """The running event loop's time."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)


class SystemRandom:
    """Chance from the operating system."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def below(self, bound: int) -> int:
        return self._random.randrange(bound)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)
