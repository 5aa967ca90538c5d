"""A peer that does not read costs bounded memory, holds nobody up, and misses nothing."""

from parvis.protocol import CloseCode, messages as m
from parvis.server.limits import Limits
from tests.server.rooms.lab import Draft, counted, lab, read

SMALL = Limits(outbox=1000, outbox_hard=5000, slow=60)


async def test_broadcasts_to_a_slow_peer_are_dropped_and_it_gets_one_update_when_it_has_read() -> (
    None
):
    async with lab(limits=SMALL) as it:
        ada, bob, eve = await it.join("ada"), await it.join("bob"), await it.join("eve")
        draft = Draft(7)
        ada.update(draft.write("first "))
        await it.turns()
        bob.transport.stuck = 1001
        for _ in range(20):
            ada.update(draft.write("x"))
            await it.turns()
        assert len(bob.of(m.Changed)) == 1
        assert len(eve.of(m.Changed)) == 21
        assert counted(it.core.metrics.outbox_drops) == 1
        bob.transport.stuck = 400
        await it.pass_time(0.1)
        assert len(bob.of(m.Changed)) == 2
        assert bob.text == str(draft)
        ada.update(draft.write("!"))
        await it.turns()
        assert bob.text == str(draft)


async def test_what_a_slow_peer_is_given_later_is_only_what_it_missed() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        draft = Draft(7)
        ada.update(draft.write("old " * 1000))
        await it.turns()
        bob.transport.stuck = 1001
        ada.update(draft.write("new"))
        await it.turns()
        bob.transport.stuck = 0
        await it.pass_time(0.1)
        assert len(bob.of(m.Changed)[-1].update) < 100
        assert bob.text == str(draft)


async def test_a_slow_viewer_misses_nothing_of_what_was_applied_and_not_yet_durable() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob, guest = await it.join("ada"), await it.join("bob"), await it.join("guest")
        mine, theirs = Draft(7), Draft(8)
        it.store.stall()
        ada.update(mine.write("one "))
        await it.store.reached()
        bob.update(theirs.write("two "))
        await it.turns()
        guest.transport.stuck = 1001
        it.store.resume()
        await it.turns()
        assert guest.of(m.Changed) == []
        guest.transport.stuck = 0
        await it.pass_time(0.1)
        assert sorted(guest.text) == sorted("one two ")


async def test_a_slow_viewer_misses_nothing_of_a_commit_larger_than_a_merge() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob, guest = await it.join("ada"), await it.join("bob"), await it.join("guest")
        mine, theirs = Draft(7), Draft(8)
        it.store.stall()
        ada.update(mine.write("a"))
        await it.store.reached()
        for _ in range(50):
            ada.update(mine.write("a"))
        for _ in range(50):
            bob.update(theirs.write("b"))
        await it.turns()
        guest.transport.stuck = 1001
        it.store.resume()
        await it.turns()
        guest.transport.stuck = 0
        await it.pass_time(0.1)
        assert sorted(guest.text) == ["a"] * 51 + ["b"] * 50


async def test_deletions_that_a_slow_peer_missed_are_made_up_for() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        draft = Draft(7)
        ada.update(draft.write("abc"))
        await it.turns()
        bob.transport.stuck = 1001
        ada.update(draft.erase(0, 2))
        await it.turns()
        assert bob.text == "abc"
        bob.transport.stuck = 0
        await it.pass_time(0.1)
        assert bob.text == "c"


async def test_acks_are_not_dropped_for_a_slow_peer() -> None:
    async with lab(limits=SMALL) as it:
        ada = await it.join("ada")
        ada.transport.stuck = 1001
        ada.update(Draft(7).write("a"), ref=5)
        await it.turns()
        assert ada.acked == [(5, 1)]
        assert ada.visitor.session.outbox.full


async def test_who_does_not_read_for_too_long_is_closed_and_may_come_back() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        bob.transport.stuck = 1001
        ada.update(Draft(7).write("a"))
        await it.turns()
        await it.pass_time(59)
        assert bob.transport.closed is None
        await it.pass_time(2)
        assert bob.transport.closed is not None
        assert bob.transport.closed[0] == CloseCode.SLOW
        assert CloseCode.SLOW.comes_back
        assert len(it.core.slow) == 0


async def test_who_reads_slowly_but_reads_is_not_closed() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        bob.transport.stuck = 4000
        ada.update(Draft(7).write("a"))
        await it.turns()
        for _ in range(5):
            await it.pass_time(50)
            bob.transport.stuck -= 500
        assert bob.transport.closed is None


async def test_what_cannot_be_dropped_closes_the_session_over_the_hard_bound() -> None:
    async with lab(limits=SMALL) as it:
        ada = await it.join("ada")
        ada.transport.stuck = 6000
        ada.update(Draft(7).write("a"))
        await it.turns()
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.SLOW
        assert await it.logged_text() == "a", "its update is safe all the same"


async def test_a_slow_peer_that_drains_gets_everyones_awareness_anew() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        bob.transport.stuck = 1001
        ada.say(m.Awareness(ada.channel, bytes.fromhex("010701") + b"\x02{}"))
        await it.pass_time(0.01)
        assert bob.of(m.Awareness) == []
        bob.transport.stuck = 0
        await it.pass_time(0.1)
        assert len(bob.of(m.Awareness)) == 1


async def test_a_session_in_many_parts_is_not_given_everything_it_missed_at_once() -> None:
    async with lab(limits=SMALL) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        notes = await it.join("eve", "notes")
        bob.say(m.Join(2, f"{it.lobby.name}:notes"))
        await it.turns()
        channel = bob.of(m.Joined)[-1].channel
        bob.transport.stuck = 1001
        ada.update(Draft(7).write("board"))
        notes.update(Draft(8).write("notes"))
        await it.turns()
        missed = {bob.channel, channel}
        bob.transport.stuck = 500

        def buffered() -> int:
            return 500 if len(bob.of(m.Changed)) == 0 else 1001

        bob.transport.buffered = buffered  # type: ignore[method-assign]  # grows as it is written to
        await it.pass_time(0.1)
        assert len({change.channel for change in bob.of(m.Changed)}) == 1
        bob.transport.buffered = lambda: 0  # type: ignore[method-assign]  # it has read all of it
        await it.pass_time(0.1)
        assert {change.channel for change in bob.of(m.Changed)} == missed


async def test_a_peer_that_joins_slowly_gets_its_state_whatever_its_size() -> None:
    async with lab(limits=SMALL) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("long " * 2000))
        await it.turns()
        bob = await it.join("bob")
        assert len(read(*bob.joined.updates)) == 10_000
