"""Time and chance of one life, and helpers without processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import msgpack

from parvis.server.firewall.tasks import TASKS
from parvis.server.firewall.watch import Kind
from parvis.server.ports import HelperFailed, HelperMissing, Timer
from parvis.storage import Address

EPOCH: Final = 1_795_176_000.0
"""2026-11-20 at noon, UTC."""


class VirtualClock:
    """The loop's time. The wall clock can jump, the other one cannot."""

    def __init__(self) -> None:
        self.skew = 0.0

    def time(self) -> float:
        return EPOCH + self.skew + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, callback)

    def call_soon(self, callback: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(callback)


class SeededRandom:
    """Chance drawn from the seed, one stream for each name."""

    def __init__(self, seed: int, name: str) -> None:
        self.random = Random(f"{seed}/{name}")

    def bytes(self, count: int) -> bytes:
        return self.random.randbytes(count)

    def below(self, bound: int) -> int:
        return self.random.randrange(bound)

    def uniform(self, low: float, high: float) -> float:
        return self.random.uniform(low, high)


class NoWatch:
    """Nobody survives to read the note: in a simulation native code must not die."""

    def enter(
        self, kind: Kind, address: Address, updates: Sequence[tuple[bytes, str]] = ()
    ) -> None: ...

    def leave(self) -> None: ...


@dataclass(slots=True)
class HelperWeather:
    """How probably there is no helper, or one that takes seconds."""

    missing: float = 0.0
    late: float = 0.0


def _no_step(step: int) -> None:
    """Nobody asks how far a task had come: none dies half-way."""


class VirtualHelpers:
    """Implements `parvis.server.ports.Helpers`: the real tasks, in this process, with delays."""

    def __init__(self, random: Random, weather: HelperWeather) -> None:
        self._random = random
        self._weather = weather
        self._slots = asyncio.Semaphore(2)

    async def run(self, task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109  the port's word
        question: Any = msgpack.unpackb(msgpack.packb(list(args)), strict_map_key=False)
        async with self._slots:
            await asyncio.sleep(self._random.expovariate(1 / 0.01))
            weather, fate = self._weather, self._random.random()
            if fate < weather.missing:
                raise HelperMissing("no helper could be started")
            fate -= weather.missing
            if fate < weather.late:
                await asyncio.sleep(self._random.uniform(0.0, timeout / 4))
            try:
                answer = msgpack.packb(TASKS[task](_no_step, *question))
            except Exception as problem:
                raise HelperFailed(str(problem), kind=type(problem).__name__) from None
        return msgpack.unpackb(answer, strict_map_key=False)
