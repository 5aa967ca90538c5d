"""Ordered parts: commit first, then everybody gets each update, once, with its offset."""

from typing import Any, cast

import msgpack

from parvis.protocol import ErrorCode, messages as m
from parvis.server.limits import Limits
from parvis.storage.factory import open_store
from tests.server.rooms.lab import Mail, Person, counted, lab


def letters(person: Person) -> list[tuple[int, str, bytes]]:
    return [(each.offset, each.sender, each.update) for each in person.of(m.Changed)]


def unpacked(row: bytes) -> list[Any]:
    return cast("list[Any]", msgpack.unpackb(row))


async def test_nobody_gets_a_letter_before_it_is_durable_and_then_everybody_does() -> None:
    async with lab(Mail()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        it.store.stall()
        ada.update(b"sealed", ref=5)
        await it.store.reached()
        await it.turns()
        assert ada.heard == bob.heard == []
        it.store.resume()
        await it.turns()
        change = m.Changed(ada.channel, b"sealed", 1, "ada", it.clock.time())
        assert ada.heard == [change, m.Ack(ada.channel, 5, 1)]
        assert bob.heard == [change]


async def test_everybody_gets_letters_in_the_order_of_the_log() -> None:
    async with lab(Mail()) as it:
        ada, bob, guest = await it.join("ada"), await it.join("bob"), await it.join("guest")
        for number in range(20):
            (ada if number % 2 else bob).update(b"%d" % number, ref=number + 1)
        await it.turns()
        assert letters(ada) == letters(bob) == letters(guest)
        assert [offset for offset, _, _ in letters(ada)] == list(range(1, 21))


async def test_a_failing_store_keeps_the_order() -> None:
    async with lab(Mail()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        it.store.fail()
        ada.update(b"one", ref=1)
        await it.turns()
        bob.update(b"two", ref=2)
        await it.turns()
        assert letters(bob) == []
        it.store.resume()
        await it.pass_time(2)
        assert letters(bob) == [(1, "ada", b"one"), (2, "bob", b"two")]


async def test_a_lost_answer_brings_nobody_a_letter_twice() -> None:
    async with lab(Mail()) as it:
        ada = await it.join("ada")
        it.store.lose(1)
        ada.update(b"one", ref=1)
        await it.turns()
        assert ada.heard == [m.Unsaved(ada.channel, True)]
        await it.pass_time(2)
        assert letters(ada) == [(1, "ada", b"one")]
        assert ada.acked == [(1, 1)]
        assert len(await it.log()) == 1


async def test_a_viewer_cannot_write() -> None:
    async with lab(Mail()) as it:
        await it.join("ada")
        guest = await it.join("guest")
        guest.update(b"x", ref=1)
        assert [each.code for each in guest.of(m.Refuse)] == [ErrorCode.PERMISSION_DENIED]
        assert counted(it.core.metrics.refusals(ErrorCode.PERMISSION_DENIED)) == 1
        assert counted(it.core.metrics.logged) == 0


async def test_who_comes_back_gets_what_came_meanwhile_from_memory_or_the_log() -> None:
    async with lab(Mail()) as it:
        ada = await it.join("ada")
        for number in range(1, 301):
            ada.update(b"%d" % number, ref=number)
        await it.turns(200)
        for seen in (299, 100, 300):
            bob = await it.join("bob", state=seen.to_bytes(8, "big"))
            offsets = [row[0] for row in map(unpacked, bob.joined.updates)]
            assert offsets == list(range(seen + 1, 301))


async def test_letters_of_an_earlier_life_are_there() -> None:
    store, _ = open_store("memory:")
    async with lab(Mail(), store=store) as it:
        (await it.join("ada")).update(b"one")
        await it.turns()
        await it.empty()
    async with lab(Mail(), store=store, life=2) as it:
        bob = await it.join("bob")
        assert [row[3] for row in map(unpacked, bob.joined.updates)] == [b"one"]
        assert it.ordered.replica.tail == [b"one"]
        bob.update(b"two", ref=9)
        await it.turns()
        assert bob.acked == [(9, 2)]
    await store.close()


async def test_letters_to_a_slow_reader_are_not_dropped() -> None:
    async with lab(Mail(), limits=Limits(outbox=1000)) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        bob.transport.stuck = 2000
        for number in range(5):
            ada.update(b"%d" % number)
            await it.turns()
        assert [update for _, _, update in letters(bob)] == [b"0", b"1", b"2", b"3", b"4"]
        assert bob.visitor.session.outbox.full, "nothing more is read from it"


async def test_letters_over_the_bound_are_refused_for_now() -> None:
    async with lab(Mail(), limits=Limits(unlogged=100)) as it:
        ada = await it.join("ada")
        it.store.fail()
        ada.update(b"x" * 200, ref=1)
        await it.turns()
        ada.update(b"y", ref=2)
        assert [(each.ref, each.code) for each in ada.of(m.Refuse)] == [(2, ErrorCode.TRY_AGAIN)]


async def test_a_letter_may_be_as_large_as_the_setting_says() -> None:
    async with lab(Mail(), settings={"max_update": 1024}) as it:
        ada = await it.join("ada")
        ada.update(bytes(1024), ref=1)
        ada.update(bytes(1025), ref=2)
        await it.turns()
        assert [(each.ref, each.code) for each in ada.of(m.Refuse)] == [(2, ErrorCode.TOO_LARGE)]
        assert ada.of(m.Reset) == []
        assert ada.acked == [(1, 1)]
