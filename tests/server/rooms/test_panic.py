"""A document that panicked is rebuilt, and nobody but the guilty one notices more than a pause."""

from collections.abc import Iterator

import pytest

from parvis.protocol import CloseCode, messages as m
from tests.server.rooms.brittle import BREAKS, BrittleBoard, BrittleDoc
from tests.server.rooms.lab import EDITOR_CALLER, Draft, Lab, counted, lab, read


@pytest.fixture(autouse=True)
def _look_at_broken_documents() -> Iterator[None]:
    BREAKS.clear()
    BrittleDoc.touched_when_broken.clear()
    yield
    assert BrittleDoc.touched_when_broken == [], "a broken document was touched again"


async def whole(it: Lab) -> None:
    await it.until(lambda: not it.part.recovery.working)
    await it.turns()


async def test_an_update_that_a_helper_finds_harmless_survives_a_panic() -> None:
    async with lab(BrittleBoard()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        draft = Draft(7)
        ada.update(draft.write("before "), ref=1)
        await it.turns()
        BREAKS.append((b"boom",))
        ada.update(draft.write("boom"), ref=2)
        await it.turns(2)
        assert it.part.recovery.working
        await whole(it)
        assert ada.acked == [(1, 1), (2, 2)]
        assert bob.text == "before boom"
        assert await it.logged_text() == "before boom"
        assert counted(it.core.metrics.rebuilds) == 1


async def test_what_is_not_logged_yet_survives_a_panic() -> None:
    async with lab(BrittleBoard()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        it.store.stall()
        ada.update(Draft(7).write("unlogged "), ref=1)
        await it.store.reached()
        BREAKS.append((b"boom",))
        bob.update(Draft(8).write("boom"), ref=2)
        await it.turns()
        it.store.resume()
        await whole(it)
        assert ada.acked == [(1, 1)]
        assert bob.acked == [(2, 2)]
        eve = await it.join("eve")
        assert sorted(eve.text) == sorted("unlogged boom")


async def test_updates_that_come_during_the_rebuild_wait_and_are_taken() -> None:
    async with lab(BrittleBoard()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        BREAKS.append((b"boom",))
        ada.update(Draft(7).write("boom"), ref=1)
        await it.turns(2)
        bob.update(Draft(8).write("meanwhile"), ref=2)
        bob.update(b"\x00\x00", ref=3)
        await it.turns(2)
        assert it.part.recovery.working
        assert bob.acked == []
        await whole(it)
        assert sorted((await it.join("eve")).text) == sorted("boommeanwhile")
        assert [ref for ref, _ in ada.acked] == [1]
        assert [ref for ref, _ in bob.acked] == [2, 3]


async def test_a_join_during_the_rebuild_waits_for_its_end() -> None:
    async with lab(BrittleBoard()) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("old "))
        await it.turns()
        BREAKS.append((b"boom",))
        ada.update(Draft(8).write("boom"))
        await it.turns(2)
        joining = it.core.spawn(it.join("bob"))
        await it.turns(5)
        assert it.part.recovery.working
        assert not joining.done()
        bob = await joining
        await it.turns()
        assert sorted(bob.text) == sorted("old boom")


async def test_known_poison_ends_its_sender_and_the_others_are_asked_for_the_rest() -> None:
    async with lab(BrittleBoard()) as it:
        ada, bob, guest = await it.join("ada"), await it.join("bob"), await it.join("guest")
        bob.update(Draft(8).write("good"), ref=1)
        await it.turns()
        poison = Draft(7).write("boom")
        await it.core.quarantine.condemn(it.address(), poison, "ada", "broke a document before")
        ada.update(poison, ref=2)
        await it.until(lambda: ada.transport.closed is not None)
        await it.turns()
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.POISON
        assert ada.acked == []
        assert bob.transport.closed is None
        assert guest.text == "good"
        assert await it.logged_text() == "good"


async def test_one_that_breaks_the_document_again_and_alone_is_set_aside() -> None:
    async with lab(BrittleBoard()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        bob.update(Draft(8).write("good"), ref=1)
        await it.turns()
        BREAKS.extend([(b"boom",), (b"boom",)])
        ada.update(Draft(7).write("boom"), ref=2)
        await it.until(lambda: ada.transport.closed is not None)
        await whole(it)
        assert ada.transport.closed is not None
        assert ada.transport.closed[0] == CloseCode.POISON
        assert bob.of(m.Resync) != []
        assert bob.transport.closed is None
        assert await it.logged_text() == "good"
        aside = await it.store.inner.quarantined(it.lobby.tenant, it.lobby.name)
        assert [(each.sender, b"boom" in each.update) for each in aside] == [("ada", True)]


async def test_all_that_was_merged_with_a_breaking_update_is_taken() -> None:
    async with lab(BrittleBoard()) as it:
        people = [await it.join(name) for name in ("ada", "bob", "eve")]
        BREAKS.append((b"boom",))
        for person, client, text in zip(people, (7, 8, 9), ("x", "boom", "y"), strict=True):
            person.update(Draft(client).write(text), ref=client)
        await it.turns(2)
        await whole(it)
        assert [[ref for ref, _ in person.acked] for person in people] == [[7], [8], [9]]
        assert sorted(await it.logged_text()) == sorted("xboomy")


async def test_a_merge_that_breaks_documents_is_not_tried_again() -> None:
    async with lab(BrittleBoard()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        BREAKS.extend([(b"one", b"two")] * 5)
        ada.update(Draft(7).write("one"), ref=1)
        bob.update(Draft(8).write("two"), ref=2)
        await it.turns(2)
        await whole(it)
        assert counted(it.core.metrics.rebuilds) == 1
        assert ada.acked == [(1, 1)]
        assert bob.acked == [(2, 2)]


async def test_an_edit_that_becomes_durable_during_the_rebuild_is_there_afterwards() -> None:
    async with lab(BrittleBoard()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        it.store.stall()

        async def edit() -> None:
            async with it.room.edit(EDITOR_CALLER) as change:
                change.append(Draft(9).write("edit "))

        editing = it.core.spawn(edit())
        await it.store.reached()
        BREAKS.append((b"boom",))
        ada.update(Draft(7).write("boom"), ref=1)
        await it.turns(2)
        assert it.part.recovery.working
        it.store.resume()
        await editing
        await whole(it)
        assert sorted((await it.join("eve")).text) == sorted("edit boom")
        assert sorted(bob.text) == sorted("edit boom")


async def test_an_edit_over_which_the_document_breaks_still_reaches_everybody() -> None:
    async with lab(BrittleBoard()) as it:
        ada = await it.join("ada")
        BREAKS.append((b"boom",))
        async with it.room.edit(EDITOR_CALLER) as change:
            change.append(Draft(9).write("boom"))
        await whole(it)
        assert ada.text == "boom"
        assert len(await it.log()) == 1
        assert read(*(await it.join("eve")).joined.updates) == "boom"


async def test_a_room_that_cannot_be_rebuilt_is_loaded_anew_by_the_next() -> None:
    async with lab(BrittleBoard()) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("kept"), ref=1)
        await it.turns()
        BREAKS.append((b"boom",))
        it.store.fail()
        ada.update(Draft(8).write("boom"), ref=2)
        await it.until(lambda: not it.is_live)
        it.store.resume()
        await it.turns()
        assert [left.code for left in ada.of(m.Left)] == [500]
        bob = await it.join("bob")
        assert bob.text == "kept"
        assert ada.acked == [(1, 1)]
