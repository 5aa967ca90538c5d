"""A document begins a new life: nobody loses what they wrote, and nobody sees it twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from parvis.plugins import Refused
from parvis.protocol import CloseCode, ErrorCode, hocuspocus as h, messages as m, yjs as y
from parvis.server.limits import Limits
from parvis.server.rooms.compaction import compact
from parvis.server.testing import Visitor
from parvis.storage import Appended, Batch, Head, Status
from parvis.storage.factory import open_store
from tests.server.dialects.stock_people import HocuspocusPerson, YPerson
from tests.server.lives.pad import Pad, away, bloated, head, rebuild, said_no
from tests.server.rooms.lab import Draft, Lab, lab, read


async def test_a_rebuilt_document_says_the_same_without_its_tombstones() -> None:
    async with bloated() as (it, _):
        done = await rebuild(it)
        assert (done.figures.clocks, done.figures.deleted) == (84, 80)
        assert done.offset == 42
        assert await head(it) == Head(2, 42, since=41)
        ada = await it.join("ada")
        assert ada.text == "kept"
        assert ada.joined.incarnation == 2
        draft = Draft(8, *ada.joined.updates)
        ada.update(draft.write(" on"), ref=3)
        await it.turns()
        assert ada.acked == [(3, 43)]


async def test_a_look_says_what_would_be_and_changes_nothing() -> None:
    async with bloated() as (it, _):
        await it.join("bob")
        YPerson(it, "cy")
        await it.turns()
        assert it.core.rebuilding is not None
        seen = await it.core.rebuilding.look(it.lobby.kind, it.address())
        assert (seen.incarnation, seen.offset) == (1, 0)
        assert seen.sessions == {"native": 1, "yjs": 1}
        assert seen.figures.after < seen.figures.before
        assert await head(it) == Head(1, 41)


async def test_a_room_type_that_does_not_say_so_is_not_rebuilt() -> None:
    async with bloated() as (it, _):
        notes = await it.join("ada", "notes")
        notes.update(Draft(9).write("a"))
        await it.turns()
        with pytest.raises(Refused, match="does not let this be rebuilt"):
            await rebuild(it, "notes")
        with pytest.raises(Refused, match="cannot read this"):
            await rebuild(it, "chat")


async def test_a_document_in_which_nobody_wrote_is_left_as_it_is() -> None:
    async with lab(Pad()) as it:
        await it.join("ada")
        with pytest.raises(Refused, match="nothing was ever written"):
            await rebuild(it)


async def test_native_clients_who_are_there_are_told_to_start_over() -> None:
    async with bloated() as (it, _):
        bob = await it.join("bob")
        await rebuild(it)
        (reset,) = bob.of(m.Reset)
        assert (reset.incarnation, reset.code) == (2, ErrorCode.STALE_INCARNATION)
        assert not bob.of(m.Left)
        bob.say(m.Join(5, it.lobby.name))
        await it.until(lambda: bob.of(m.Joined))
        (joined,) = bob.of(m.Joined)
        assert read(*joined.updates) == "kept"


async def test_a_native_client_that_was_away_is_refused_with_its_old_incarnation() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        visitor = Visitor(it.lobby, (await it.join("bob")).visitor.caller)
        with pytest.raises(Refused) as refused:
            await visitor.enter(it.lobby.name, draft.doc.get_state(), 1, 0)
        assert refused.value.code is ErrorCode.STALE_INCARNATION


async def test_a_native_client_cannot_bring_an_earlier_life_back() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        bob = await it.join("bob")
        bob.update(draft.doc.get_update(), ref=4)
        await it.turns()
        assert [each.code for each in bob.of(m.Refuse)] == [ErrorCode.STALE_INCARNATION]
        assert bob.of(m.Reset)
        assert (await it.join("cy")).text == "kept"


async def test_what_a_native_client_brings_from_an_earlier_life_is_put_aside() -> None:
    """As from an application that keeps documents itself, and cannot tell what is unsaved."""
    async with bloated() as (it, draft):
        await rebuild(it)
        bob = await it.join("bob")
        bob.update(draft.doc.get_update(), ref=4)
        mine = Draft(99, draft.doc.get_update())
        mine.write(" offline")
        bob.update(mine.doc.get_update(), ref=5)
        await it.turns()
        await it.until(lambda: not it.core.working)
        (rescue,) = await it.core.lives.rows.rescues(it.address())
        assert (rescue.sender, rescue.incarnation) == ("bob", 1)
        found = await it.core.lives.rows.rescued(it.address(), rescue.id)
        assert found is not None
        assert read(found[1]) == "kept offline"


async def test_a_stock_client_that_was_away_is_given_nothing_and_its_work_is_put_aside() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        mine = Draft(99, draft.doc.get_update())
        mine.write(" offline")
        cy = away(it, mine)
        await it.turns()
        (asked,) = [each for each in cy.heard if isinstance(each, y.SyncStep1)]
        assert y.decode_state_vector(asked.state_vector) == {7: 84}
        cy.say(y.encode_sync_step2(mine.doc.get_update(asked.state_vector)))
        await it.until(lambda: any(isinstance(each, y.PermissionDenied) for each in cy.heard))
        assert not cy.updates
        assert not any(isinstance(each, y.SyncStep2) for each in cy.heard)
        await it.pass_time(3)
        assert cy.transport.closed is not None
        assert cy.transport.closed[0] == CloseCode.STOCK_RELOAD
        rows = it.core.lives.rows
        (rescue,) = await rows.rescues(it.address())
        assert (rescue.origin, rescue.sender, rescue.incarnation) == ("offline", "cy", 1)
        found = await rows.rescued(it.address(), rescue.id)
        assert found is not None
        assert read(await rows.state(it.address(), 1), found[1]) == "kept offline"
        assert (await it.join("bob")).text == "kept"


async def test_a_stock_client_that_wrote_nothing_meanwhile_leaves_no_rescue() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        cy = away(it, draft)
        await it.turns()
        cy.say(y.encode_sync_step2(draft.doc.get_update(draft.doc.get_state())))
        await it.until(lambda: any(isinstance(each, y.PermissionDenied) for each in cy.heard))
        assert not await it.core.lives.rows.rescues(it.address())


async def test_a_client_that_comes_back_again_and_again_leaves_one_rescue() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        mine = Draft(99, draft.doc.get_update())
        for _ in range(3):
            mine.write("!")
            cy = away(it, mine)
            await it.turns()
            cy.say(y.encode_sync_step2(mine.doc.get_update(y.encode_state_vector({7: 84}))))
            await it.until(said_no(cy))
        (rescue,) = await it.core.lives.rows.rescues(it.address())
        found = await it.core.lives.rows.rescued(it.address(), rescue.id)
        assert found is not None
        assert read(draft.doc.get_update(), found[1]) == "kept!!!"


async def test_work_that_only_erases_is_put_aside_too() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        draft.erase(0, 2)
        cy = away(it, draft)
        await it.turns()
        cy.say(y.encode_sync_step2(draft.doc.get_update(y.encode_state_vector({7: 84}))))
        await it.until(said_no(cy))
        (rescue,) = await it.core.lives.rows.rescues(it.address())
        found = await it.core.lives.rows.rescued(it.address(), rescue.id)
        assert found is not None
        assert read(await it.core.lives.rows.state(it.address(), 1), found[1]) == "pt"


async def test_a_stock_client_with_an_empty_copy_is_served_as_ever() -> None:
    async with bloated() as (it, _):
        await rebuild(it)
        cy = YPerson(it, "cy")
        cy.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        assert cy.text == "kept"
        steps = [each for each in cy.heard if isinstance(each, y.SyncStep1)]
        assert len(steps) == 1
        mine = Draft(55, *[e.update for e in cy.heard if isinstance(e, y.SyncStep2)])
        cy.say(y.encode_update(mine.write("!")))
        await it.turns()
        assert (await it.join("bob")).text == "kept!"


async def test_a_copy_on_the_device_that_is_read_too_late_is_not_merged() -> None:
    """As with y-indexeddb, which fills the document when the provider has synced already."""
    async with bloated() as (it, draft):
        await rebuild(it)
        cy = YPerson(it, "cy")
        cy.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        mixed = Draft(99, *[e.update for e in cy.heard if isinstance(e, y.SyncStep2)])
        mixed.take(draft.doc.get_update())
        cy.say(y.encode_update(draft.doc.get_update()))
        await it.turns()
        asked = [each for each in cy.heard if isinstance(each, y.SyncStep1)][-1]
        assert asked.state_vector == b"\x00"
        cy.say(y.encode_sync_step2(mixed.doc.get_update()))
        await it.until(said_no(cy))
        assert not await it.core.lives.rows.rescues(it.address())
        mixed.write("more")
        again = away(it, mixed)
        await it.turns()
        again.say(y.encode_sync_step2(mixed.doc.get_update()))
        await it.until(said_no(again))
        (rescue,) = await it.core.lives.rows.rescues(it.address())
        assert rescue.incarnation == 0
        assert (await it.join("bob")).text == "kept"


async def test_a_provider_that_was_away_is_closed_with_reload_and_its_work_is_put_aside() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        mine = Draft(99, draft.doc.get_update())
        mine.write(" offline")
        cy, address = HocuspocusPerson(it), it.lobby.name
        cy.say(h.encode_token(address, "cy"))
        cy.say(h.encode_sync_step1(address, mine.doc.get_state()))
        await it.turns()
        (asked,) = [each for each in cy.heard(address) if isinstance(each, y.SyncStep1)]
        cy.say(h.encode_sync_step2(address, mine.doc.get_update(asked.state_vector)))
        await it.until(lambda: cy.transport.closed)
        assert cy.transport.closed is not None
        assert cy.transport.closed[0] == CloseCode.STOCK_RELOAD
        (rescue,) = await it.core.lives.rows.rescues(it.address())
        assert rescue.sender == "cy"


async def test_a_viewer_with_an_old_copy_is_sent_away_and_asked_for_nothing() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        guest = YPerson(it, "guest")
        guest.say(y.encode_sync_step1(draft.doc.get_state()))
        await it.turns()
        assert said_no(guest)()
        assert not [each for each in guest.heard if isinstance(each, y.SyncStep1)]


async def test_a_stock_client_that_hands_nothing_over_is_sent_away_all_the_same() -> None:
    async with bloated() as (it, draft):
        await rebuild(it)
        cy = away(it, draft)
        await it.turns()
        await it.pass_time(11)
        assert said_no(cy)()


async def test_stock_clients_who_are_there_hand_over_what_they_have_not_sent() -> None:
    async with bloated() as (it, _):
        cy = YPerson(it, "cy")
        cy.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        mine = Draft(99, *[e.update for e in cy.heard if isinstance(e, y.SyncStep2)])
        await rebuild(it)
        mine.write(" late")
        asked = [each for each in cy.heard if isinstance(each, y.SyncStep1)][-1]
        cy.say(y.encode_sync_step2(mine.doc.get_update(asked.state_vector)))
        await it.until(said_no(cy))
        (rescue,) = await it.core.lives.rows.rescues(it.address())
        assert rescue.sender == "cy"


async def test_what_comes_while_a_copy_is_made_is_in_the_next_copy() -> None:
    async with bloated() as (it, _):
        bob = await it.join("bob")
        draft = Draft(9, *bob.joined.updates)
        task = it.core.spawn(rebuild(it))
        await it.turns(3)
        bob.update(draft.write(" and this"), ref=8)
        await it.until(task.done)
        assert bob.acked == [(8, 42)]
        assert (await it.join("cy")).text == "kept and this"


async def test_what_comes_during_a_rebuild_at_once_is_put_aside_for_stock_clients() -> None:
    async with bloated() as (it, _):
        cy = YPerson(it, "cy")
        cy.say(y.encode_sync_step1(b"\x00"))
        await it.turns()
        mine = Draft(99, *[e.update for e in cy.heard if isinstance(e, y.SyncStep2)])
        task = it.core.spawn(rebuild(it, at_once=True))
        await it.turns(3)
        cy.say(y.encode_update(mine.write(" too late")))
        await it.until(task.done)
        (rescue,) = await it.core.lives.rows.rescues(it.address())
        assert (rescue.origin, rescue.sender) == ("unsaved", "cy")
        assert not cy.updates
        assert (await it.join("bob")).text == "kept"


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_rebuild_waits_a_minute_for_the_store_and_no_longer(
    at_once: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        return [Appended(Status.FAILED, detail="told to fail")] * len(batches)

    async with bloated() as (it, _):
        bob = await it.join("bob")
        draft = Draft(9, *bob.joined.updates)
        with monkeypatch.context() as patched:
            patched.setattr(it.store, "append", fails)
            bob.update(draft.write("!"), ref=8)
            await it.turns()
            task = it.core.spawn(refusal_of(it, at_once=at_once))
            await it.turns()
            bob.update(draft.write("?"), ref=9)
            for _ in range(32):
                await it.pass_time(2)
            assert task.result() is ErrorCode.TRY_AGAIN
        await it.pass_time(4)
        assert bob.acked == [(8, 42), (9, 43)]
        assert await head(it) == Head(1, 43)


@pytest.mark.parametrize(("fault", "life"), [("fail", 1), ("lose", 2)])
async def test_a_store_that_does_not_answer_leaves_the_one_life_or_the_other(
    fault: str, life: int
) -> None:
    async with bloated() as (it, _):
        bob = await it.join("bob")
        calls = len(it.store.calls)
        task = it.core.spawn(refusal_of(it))
        await it.until(lambda: "query" in it.store.calls[calls:])
        (it.store.fail if fault == "fail" else it.store.lose)()
        await it.until(lambda: "rebuild" in it.store.calls)
        for _ in range(10):
            await it.pass_time(2)
        assert task.result() is ErrorCode.STORE_UNAVAILABLE
        assert it.store.calls.count("rebuild") == 6
        assert bob.of(m.Left)
        it.store.resume()
        assert (await it.join("cy")).text == "kept"
        assert (await head(it)).incarnation == life


async def test_an_answer_that_got_lost_begins_one_life() -> None:
    async with bloated() as (it, _):
        calls = len(it.store.calls)
        task = it.core.spawn(rebuild(it))
        await it.until(lambda: "query" in it.store.calls[calls:])
        it.store.lose(1)
        await it.until(lambda: "rebuild" in it.store.calls)
        await it.pass_time(1)
        assert task.result().offset == 42
        assert await head(it) == Head(2, 42, since=41)


async def refusal_of(it: Lab, *, at_once: bool = False) -> ErrorCode | None:
    try:
        await rebuild(it, at_once=at_once)
    except Refused as refused:
        return refused.code
    return None


async def test_a_document_can_be_rebuilt_again_and_each_life_is_remembered() -> None:
    store, _ = open_store("memory:")
    async with bloated(store) as (it, draft):
        first = draft.doc.get_state()
        await rebuild(it)
        ada = await it.join("ada")
        second = Draft(8, *ada.joined.updates)
        ada.update(second.write("!"))
        await it.turns()
        await rebuild(it)
        await it.empty()
        for state in (first, second.doc.get_state()):
            cy = YPerson(it, "cy")
            cy.say(y.encode_sync_step1(state))
            await it.turns()
            assert not any(isinstance(each, y.SyncStep2) for each in cy.heard)
    async with lab(Pad(), store=store, life=2) as it:
        assert (await it.join("bob")).text == "kept!"
        assert len(it.part.retired) == 3
    await store.close()


async def test_a_deleted_room_forgets_its_lives() -> None:
    store, _ = open_store("memory:")
    async with bloated(store) as (it, draft):
        await rebuild(it)
        mine = Draft(99, draft.doc.get_update())
        mine.write("x")
        cy = away(it, mine)
        await it.turns()
        cy.say(y.encode_sync_step2(mine.doc.get_update(y.encode_state_vector({7: 84}))))
        await it.until(said_no(cy))
        await it.core.directory.delete(it.lobby.tenant, it.lobby.name)
        await it.turns()
        rows = it.core.lives.rows
        await it.until(lambda: not it.core.working)
        assert not await rows.rescues(it.address())
        assert not await rows.retired(it.address())
    await store.close()


async def test_an_earlier_life_is_forgotten_with_its_history_but_for_its_client_ids() -> None:
    store, _ = open_store("memory:")
    async with bloated(store) as (it, draft):
        await rebuild(it)
        await it.empty()
    few = Limits(compact_rows=3)
    month = {"history_days": 30.0}
    async with lab(Pad(), store=store, life=2, limits=few, settings=month) as it:
        it.clock.pass_time(40 * 86_400)
        await it.join("ada")
        await compact(it.part)
        assert it.part.first == 41
        rows, address = it.core.lives.rows, it.address()
        assert await rows.state(address, 1) == b"\x00\x00"
        mine = Draft(99, draft.doc.get_update())
        for work, rescued in (("", 0), ("!", 1)):
            if work:
                mine.write(work)
            cy = away(it, mine)
            await it.turns()
            (asked,) = [each for each in cy.heard if isinstance(each, y.SyncStep1)]
            assert asked.state_vector == b"\x00"
            cy.say(y.encode_sync_step2(mine.doc.get_update()))
            await it.until(said_no(cy))
            assert len(await rows.rescues(address)) == rescued
        (rescue,) = await rows.rescues(address)
        found = await rows.rescued(address, rescue.id)
        assert found is not None
        assert (rescue.incarnation, read(found[1])) == (0, "kept!")
        assert (await it.join("bob")).text == "kept"
    await store.close()
