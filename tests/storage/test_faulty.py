"""The faulty store does what it is told, and is the inner store otherwise."""

import asyncio
from pathlib import Path

import pytest

from parvis.storage import Address, Status, Store, StoreUnavailable
from parvis.storage.conformance import StoreConformance
from parvis.storage.conformance.base import entry, home_of
from parvis.storage.faulty import FaultyStore
from parvis.storage.memory import MemoryStore


class TestFaultyStore(StoreConformance):
    async def open(self, place: Path) -> Store:
        return FaultyStore(MemoryStore())


async def test_a_stalled_call_goes_on_when_the_store_resumes() -> None:
    store = FaultyStore(MemoryStore())
    home = await home_of(store)
    store.stall()
    append = asyncio.create_task(home.log("a"))
    await store.reached()
    assert not append.done()
    assert store.calls == ["open_room", "append"]
    store.resume()
    assert await append == (1,)


async def test_a_failing_store_does_nothing_until_it_resumes() -> None:
    store = FaultyStore(MemoryStore())
    home = await home_of(store)
    store.fail()
    for _ in range(3):
        assert (await home.try_append(entry("a"))).status is Status.FAILED
        with pytest.raises(StoreUnavailable):
            await store.check()
    store.resume()
    assert await home.rows() == []


async def test_a_store_fails_as_often_as_it_was_told() -> None:
    store = FaultyStore(MemoryStore())
    home = await home_of(store)
    store.fail(2)
    answers = [await home.try_append(entry("a")) for _ in range(3)]
    assert [answer.status for answer in answers] == [Status.FAILED, Status.FAILED, Status.LOGGED]


async def test_an_answer_can_get_lost_though_the_work_was_done() -> None:
    store = FaultyStore(MemoryStore())
    home = await home_of(store)
    store.lose(1)
    assert (await home.try_append(entry("a"))).status is Status.FAILED
    assert [row.offset for row in await store.read(Address("acme", "plain/board"), after=0)] == [1]
    answer = await home.try_append(entry("a"))
    assert (answer.status, answer.offsets) == (Status.LOGGED, (1,))
