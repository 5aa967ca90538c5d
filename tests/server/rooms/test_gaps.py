"""Updates that wait for a predecessor: nothing of them is lost, nothing is claimed of them."""

from parvis.protocol import messages as m
from parvis.server.rooms.room import RoomState
from parvis.storage.factory import open_store
from tests.server.rooms.lab import Board, Draft, lab, read


async def test_an_update_without_its_predecessor_is_logged_raw_and_its_ack_waits() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        first, second = draft.write("a"), draft.write("b")
        ada.update(second, ref=2)
        await it.turns()
        assert [row.update for row in await it.log()] == [second]
        assert ada.acked == []
        assert ada.of(m.Resync) == [m.Resync(ada.channel, b"\x00")]
        ada.update(first, ref=1)
        await it.turns()
        assert sorted(ada.acked) == [(1, 2), (2, 1)]


async def test_a_gap_survives_a_snapshot_and_a_reload() -> None:
    store, _ = open_store("memory:")
    draft = Draft(7)
    a, b, c = draft.write("a"), draft.write("b"), draft.write("c")
    async with lab(store=store) as it:
        ada = await it.join("ada")
        ada.update(a)
        ada.update(c)
        await it.turns()
        await it.empty()
    async with lab(store=store, life=2) as it:
        ada = await it.join("ada")
        bob = await it.join("bob")
        assert read(*bob.joined.updates) == "a", "what waits is shown to nobody"
        ada.update(b, ref=3)
        await it.turns()
        assert ada.acked == [(3, 3)]
        assert bob.text == "abc"
        await it.empty()
    async with lab(store=store, life=3) as it:
        ada = await it.join("ada")
        assert read(*ada.joined.updates) == "abc"
    await store.close()


async def test_a_peer_that_lacks_the_predecessor_too_is_asked_once() -> None:
    async with lab() as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        draft = Draft(7)
        draft.write("a")
        second = draft.write("b")
        ada.update(second, ref=1)
        await it.turns()
        assert len(ada.of(m.Resync)) == 1
        # It answers with all it has, which waits inside of it as well.
        ada.update(second, ref=2)
        await it.turns()
        bob.update(Draft(8).write("x"), ref=3)
        await it.turns()
        assert len(ada.of(m.Resync)) == 1
        assert [row.sender for row in await it.log()] == ["ada", "bob"]
        assert ada.acked == []
        assert bob.acked == [(3, 2)]


async def test_a_repeated_update_is_acked_when_the_first_is_integrated() -> None:
    async with lab() as it:
        ada, bob, draft = await it.join("ada"), await it.join("bob"), Draft(7)
        first, second = draft.write("a"), draft.write("b")
        ada.update(second, ref=1)
        await it.turns()
        bob.update(second, ref=2)
        await it.turns()
        assert bob.acked == []
        ada.update(first, ref=3)
        await it.turns()
        assert [ref for ref, _ in bob.acked] == [2]
        assert sorted(ref for ref, _ in ada.acked) == [1, 3]
        assert len(await it.log()) == 2


async def test_a_freed_update_is_acked_and_shown_when_what_freed_it_is_durable() -> None:
    async with lab() as it:
        ada, guest, draft = await it.join("ada"), await it.join("guest"), Draft(7)
        first, second = draft.write("a"), draft.write("b")
        ada.update(second, ref=2)
        await it.turns()
        it.store.stall()
        ada.update(first, ref=1)
        await it.store.reached()
        await it.turns()
        # A crash now would leave the second alone, and nobody would see it.
        assert ada.acked == []
        assert guest.of(m.Changed) == []
        it.store.resume()
        await it.turns()
        assert sorted(ada.acked) == [(1, 2), (2, 1)]
        assert guest.text == "ab"


async def test_an_update_that_is_freed_on_its_way_to_the_log_waits_for_what_freed_it() -> None:
    async with lab() as it:
        ada, guest, draft = await it.join("ada"), await it.join("guest"), Draft(7)
        first, second = draft.write("a"), draft.write("b")
        it.store.stall()
        ada.update(second, ref=2)
        await it.store.reached()
        ada.update(first, ref=1)
        await it.turns()
        it.store.resume()
        it.store.stall()
        await it.store.reached()
        await it.turns()
        assert [row.update for row in await it.log()] == [second]
        assert ada.acked == []
        assert guest.of(m.Changed) == []
        it.store.resume()
        await it.turns()
        assert sorted(ada.acked) == [(1, 2), (2, 1)]
        assert guest.text == "ab"


async def test_a_viewer_sees_what_was_freed_before_what_builds_on_it() -> None:
    async with lab() as it:
        ada, guest, draft = await it.join("ada"), await it.join("guest"), Draft(7)
        first, second, third = draft.write("a"), draft.write("b"), draft.write("c")
        ada.update(second, ref=2)
        await it.turns()
        it.store.fail()
        ada.update(first, ref=1)
        await it.turns()
        ada.update(third, ref=3)
        await it.turns()
        it.store.resume()
        await it.pass_time(2)
        # In the order in which they came, none waits in the viewer's document.
        seen = [
            read(*[each.update for each in guest.of(m.Changed)][: count + 1])
            for count in range(len(guest.of(m.Changed)))
        ]
        assert "" not in seen
        assert seen[-1] == "abc"
        assert sorted(ref for ref, _ in ada.acked) == [1, 2, 3]


async def test_two_copies_of_a_waiting_update_in_one_window_both_wait() -> None:
    async with lab() as it:
        ada, bob, draft = await it.join("ada"), await it.join("bob"), Draft(7)
        first, second = draft.write("a"), draft.write("b")
        ada.update(second, ref=1)
        bob.update(second, ref=2)
        await it.turns()
        assert ada.acked == bob.acked == []
        ada.update(first, ref=3)
        await it.turns()
        assert [ref for ref, _ in bob.acked] == [2]


async def test_nobody_is_shown_what_waits_before_it_can_be_read() -> None:
    async with lab() as it:
        ada, bob, draft = await it.join("ada"), await it.join("bob"), Draft(7)
        first, second = draft.write("a"), draft.write("b")
        ada.update(second)
        await it.turns()
        assert bob.of(m.Changed) == []
        ada.update(first)
        await it.turns()
        assert read(bob.of(m.Changed)[0].update) == "a"
        assert bob.text == "ab"


async def test_yrs_is_never_given_what_must_wait_for_it_may_die_of_that() -> None:
    waits = bytes.fromhex("01010502000100")  # client 5, clock 2: garbage
    overlaps = bytes.fromhex("01020500000184050002323200")  # clock 0: garbage, then "22"
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(waits, ref=1)
        await it.turns()
        assert ada.acked == []
        ada.update(overlaps, ref=2)
        await it.turns()
        assert sorted(ref for ref, _ in ada.acked) == [1, 2]
        assert it.room.life is RoomState.LIVE


async def test_a_chain_of_waiting_updates_is_integrated_at_once() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        updates = [draft.write(letter) for letter in "abcde"]
        for ref in (4, 3, 2, 1):
            ada.update(updates[ref], ref=ref)
            await it.turns()
        assert ada.acked == []
        ada.update(updates[0], ref=9)
        await it.turns()
        assert sorted(ref for ref, _ in ada.acked) == [1, 2, 3, 4, 9]
        assert (await it.join("bob")).text == "abcde"


async def test_a_deletion_of_what_has_not_come_waits() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        written, erased = draft.write("abc"), draft.erase(0, 1)
        ada.update(erased, ref=1)
        await it.turns()
        assert ada.acked == []
        ada.update(written, ref=2)
        await it.turns()
        assert sorted(ref for ref, _ in ada.acked) == [1, 2]
        assert (await it.join("bob")).text == "bc"


async def test_no_snapshot_is_made_while_something_waits() -> None:
    async with lab(Board()) as it:
        ada, draft = await it.join("ada"), Draft(7)
        draft.write("a")
        ada.update(draft.write("b"))
        await it.turns()
        await it.empty()
        assert await it.store.inner.snapshot(it.address()) is None
