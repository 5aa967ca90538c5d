"""The simulated loop: time jumps, the order comes from the seed, the dead do nothing."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any, TypeVar

import pytest

from tests.simulation.loop import Life, SimulatedLoop, Stuck

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], *, seed: int = 1, chaos: float = 1.0) -> tuple[T, float]:
    """Return what something came to, and how many virtual seconds it took."""
    loop = SimulatedLoop(Random(seed), chaos)
    try:
        return loop.run_until_complete(work), loop.now
    finally:
        loop.bury()
        loop.close()


async def order_of(count: int) -> list[int]:
    """Return in which order callbacks ran that were ready at the same moment."""
    order: list[int] = []
    loop = asyncio.get_running_loop()
    for number in range(count):
        loop.call_soon(order.append, number)
    await asyncio.sleep(1)
    return order


def test_a_day_passes_at_once() -> None:
    _, seconds = run(asyncio.sleep(86_400))
    assert seconds == pytest.approx(86_400)


def test_the_order_of_what_is_ready_comes_from_the_seed() -> None:
    first, again, other = (run(order_of(8), seed=seed)[0] for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert sorted(first) == list(range(8))


def test_without_chaos_the_oldest_comes_first() -> None:
    assert run(order_of(8), chaos=0.0)[0] == list(range(8))


def test_a_killed_life_does_nothing_more_not_even_tidy_up() -> None:
    done: list[str] = []

    async def work() -> None:
        try:
            asyncio.get_running_loop().call_later(5, done.append, "timer")
            done.append("began")
            await asyncio.sleep(3)
            done.append("went on")
        finally:
            done.append("tidied up")

    async def main() -> list[str]:
        life = Life("node")
        life.spawn(work())
        await asyncio.sleep(1)
        life.kill()
        await asyncio.sleep(10)
        return list(done)

    assert run(main())[0] == ["began"]


def test_tasks_that_a_life_starts_die_with_it() -> None:
    done: list[str] = []

    async def child() -> None:
        await asyncio.sleep(2)
        done.append("child")

    async def parent() -> None:
        await asyncio.get_running_loop().create_task(child())

    async def main() -> None:
        life = Life("node")
        life.spawn(parent())
        await asyncio.sleep(1)
        life.kill()
        await asyncio.sleep(10)

    run(main())
    assert done == []


def test_waiting_for_ever_is_noticed() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Stuck):
        run(main())


def test_there_are_no_threads() -> None:
    async def main() -> None:
        await asyncio.to_thread(print)

    with pytest.raises(RuntimeError, match="thread"):
        run(main())
