"""An ack says: durable and integrated, never less."""

from parvis.protocol import messages as m
from tests.server.rooms.lab import Draft, counted, lab


async def test_an_ack_comes_only_after_the_append_has_returned() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        it.store.stall()
        ada.update(Draft(7).write("a"), ref=5)
        await it.store.reached()
        await it.turns()
        assert ada.heard == []
        it.store.resume()
        await it.turns()
        assert ada.heard == [m.Ack(ada.channel, 5, 1)]


async def test_a_failed_append_stays_at_the_head_and_is_tried_again_in_order() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        draft = Draft(7)
        first, second = draft.write("a"), draft.write("b")
        it.store.fail()
        ada.update(first, ref=1)
        await it.turns()
        ada.update(second, ref=2)
        await it.turns()
        assert ada.acked == []
        assert await it.log() == []
        assert counted(it.core.metrics.unlogged) == 2
        it.store.resume()
        await it.pass_time(2)
        assert counted(it.core.metrics.unlogged) == 0
        assert ada.acked == [(1, 1), (2, 2)]
        assert [row.update for row in await it.log()] == [first, second]


async def test_peers_are_told_when_the_store_does_not_answer_and_when_it_does_again() -> None:
    async with lab() as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        it.store.fail()
        ada.update(Draft(7).write("a"))
        await it.turns()
        assert ada.of(m.Unsaved) == [m.Unsaved(ada.channel, True)]
        assert bob.of(m.Unsaved) == [m.Unsaved(bob.channel, True)]
        it.store.resume()
        await it.pass_time(2)
        assert ada.of(m.Unsaved)[1:] == [m.Unsaved(ada.channel, False)]


async def test_who_joins_while_the_store_does_not_answer_is_told_so() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        await it.turns()
        it.store.fail()
        ada.update(Draft(7).write("a"))
        await it.turns()
        bob = await it.join("bob")
        assert bob.heard == [m.Unsaved(bob.channel, True)]
        it.store.resume()
        await it.pass_time(2)


async def test_an_answer_that_got_lost_does_not_log_twice() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        it.store.lose(1)
        ada.update(Draft(7).write("a"), ref=3)
        await it.turns()
        assert ada.acked == []
        await it.pass_time(2)
        assert ada.acked == [(3, 1)]
        assert len(await it.log()) == 1


async def test_an_update_that_adds_nothing_is_acked_at_the_watermark() -> None:
    async with lab() as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        update = Draft(7).write("a")
        it.store.stall()
        ada.update(update, ref=1)
        await it.store.reached()
        bob.update(update, ref=9)
        bob.update(b"\x00\x00", ref=10)
        await it.turns()
        assert bob.acked == []
        it.store.resume()
        await it.turns()
        assert bob.acked == [(9, 1), (10, 1)]
        assert len(await it.log()) == 1


async def test_an_empty_update_waits_for_what_is_still_in_the_window() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        it.store.stall()
        ada.update(Draft(7).write("a"), ref=1)
        ada.update(b"\x00\x00", ref=2)
        await it.turns()
        assert ada.acked == []
        it.store.resume()
        await it.turns()
        assert ada.acked == [(1, 1), (2, 1)]


async def test_an_update_without_a_ref_is_logged_and_not_acked() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"), ref=0)
        await it.turns()
        assert ada.heard == []
        assert await it.logged_text() == "a"


async def test_the_log_says_who_sent_what_and_when() -> None:
    async with lab() as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.update(Draft(7).write("a"))
        await it.turns()
        await it.pass_time(1)
        bob.update(Draft(8).write("b"))
        await it.turns()
        rows = await it.log()
        assert [(row.offset, row.sender) for row in rows] == [(1, "ada"), (2, "bob")]
        assert rows[1].time - rows[0].time == 1
        assert len({row.key for row in rows}) == 2
