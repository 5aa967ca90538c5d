"""Edits that take half a character: everybody reads what Yjs shows, whenever they come.

The live peers of the lab are left out of it where they would have to read such edits themselves:
their documents are yrs', as is the server's.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest
from pycrdt import Text

from parvis.plugins import YDoc
from parvis.protocol import messages as m
from parvis.protocol.surrogates import mend
from parvis.protocol.update import STORED, scan
from parvis.protocol.yjs import decode_state_vector, encode_state_vector
from parvis.server.limits import Limits
from parvis.storage.factory import open_store
from tests.protocol.cuts import CUTS, FOX, HARMLESS, LOST, block, deletion, text
from tests.server.rooms.brittle import BREAKS, BrittleBoard
from tests.server.rooms.lab import EDITOR_CALLER, Lab, Person, lab, read

ALL = {**CUTS, **HARMLESS}

BY_CUTS_ONLY = {name: case for name, case in ALL.items() if "one by one" not in name}
"""Those that do not depend on the order in which texts came."""

LARGE = Limits(quick_update=8)
"""Under these, nearly every document is made anew in a helper."""


async def rest(it: Lab) -> None:
    """Wait until everything has been taken in."""
    await it.turns()
    await it.until(lambda: not it.room.working)
    await it.turns()


def seen(person: Person) -> str:
    """What a Yjs client in its place shows."""
    changed = [each.update for each in person.of(m.Changed)]
    return read(*mend([*person.joined.updates, *changed]))


def whole(it: Lab) -> bool:
    """Whether the document is encoded with the clocks that it holds."""
    doc = it.part.replica.doc
    return scan(doc.get_update(), STORED).is_whole(decode_state_vector(doc.get_state()))


@asynccontextmanager
async def written(updates: Sequence[bytes], limits: Limits | None = None) -> AsyncGenerator[Lab]:
    """A room in which one peer has written these, one after the other."""
    async with lab(limits=limits) as it:
        ada = await it.join("ada")
        for ref, update in enumerate(updates, 1):
            ada.update(update, ref=ref)
            await rest(it)
        assert [ref for ref, _ in ada.acked] == [*range(1, len(updates) + 1)]
        yield it


@pytest.mark.parametrize("limits", [None, LARGE], ids=["at once", "in a helper"])
@pytest.mark.parametrize(("updates", "shown"), ALL.values(), ids=ALL)
async def test_a_late_joiner_reads_it(
    updates: Sequence[bytes], shown: str, limits: Limits | None
) -> None:
    async with written(updates, limits) as it:
        assert read(*(await it.join("bob")).joined.updates) == shown
        assert read(it.part.replica.doc.get_update()) == shown
        assert whole(it)


@pytest.mark.parametrize("rows", [1, 1000], ids=["from snapshots", "from the log"])
@pytest.mark.parametrize(("updates", "shown"), ALL.values(), ids=ALL)
async def test_it_is_read_after_a_restart(updates: Sequence[bytes], shown: str, rows: int) -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, limits=Limits(snapshot_rows=rows)) as it:
        ada = await it.join("ada")
        for update in updates:
            ada.update(update)
            await rest(it)
        if rows == 1:
            await it.empty()
            assert await store.snapshot(it.address()) is not None
    async with lab(store=store, life=2) as it:
        assert read(*(await it.join("bob")).joined.updates) == shown
        assert whole(it)
    await store.close()


@pytest.mark.parametrize(("updates", "shown"), ALL.values(), ids=ALL)
async def test_updates_that_come_together_are_merged_without_harm(
    updates: Sequence[bytes], shown: str
) -> None:
    async with lab() as it:
        people = [await it.join(f"ada{number}") for number in range(len(updates))]
        watcher, guest = await it.join("eve"), await it.join("guest")
        for person, update in zip(people, updates, strict=True):
            person.update(update)
        await rest(it)
        assert seen(watcher) == seen(guest) == shown
        assert read(*(await it.join("bob")).joined.updates) == shown


@pytest.mark.parametrize("limits", [None, LARGE], ids=["at once", "in a helper"])
@pytest.mark.parametrize(("updates", "shown"), BY_CUTS_ONLY.values(), ids=BY_CUTS_ONLY)
async def test_what_cuts_may_come_before_the_text(
    updates: Sequence[bytes], shown: str, limits: Limits | None
) -> None:
    first, *others = updates
    async with lab(limits=limits) as it:
        ada = await it.join("ada")
        for ref, update in enumerate((*others, first), 1):
            ada.update(update, ref=ref)
            await rest(it)
        assert sorted(ref for ref, _ in ada.acked) == [*range(1, len(updates) + 1)]
        assert read(*(await it.join("bob")).joined.updates) == shown
        assert whole(it)


async def test_the_log_keeps_what_was_sent() -> None:
    updates = [text(FOX + "ab"), deletion((1, 2))]
    async with written(updates) as it:
        assert [row.update for row in await it.log()] == updates


async def test_what_comes_while_a_helper_makes_the_document_anew_waits_for_it() -> None:
    async with written([text(FOX + "ab")], LARGE) as it:
        ada, bob = it.people[0], await it.join("bob")
        ada.update(deletion((0, 1)), ref=2)
        bob.update(block(2, 0, "X", 3, None), ref=3)
        await it.turns(3)
        ada.update(block(3, 0, "Y", 3, None), ref=4)
        assert it.part.recovery.working
        late = await it.join("eve")
        await rest(it)
        assert sorted(seen(late)) == sorted(f"{LOST}abXY")
        assert [ref for ref, _ in (*ada.acked, *bob.acked)] == [1, 2, 4, 3]
        assert ada.of(m.Resync) == [], "nothing is missing to anybody"


async def test_it_needs_no_store() -> None:
    async with written([text(FOX + "ab")]) as it:
        ada = it.people[0]
        it.store.stall()
        ada.update(block(2, 0, "unlogged", 3, None), ref=2)
        await it.store.reached()
        ada.update(deletion((0, 1)), ref=3)
        await it.turns()
        assert read(*(await it.join("bob")).joined.updates) == f"{LOST}abunlogged"
        it.store.resume()
        await rest(it)
        assert [ref for ref, _ in ada.acked] == [1, 2, 3]


async def test_a_rebuilt_document_reads_the_same() -> None:
    async with lab(BrittleBoard()) as it:
        ada = await it.join("ada")
        ada.update(text(FOX + "ab"), ref=1)
        await rest(it)
        it.store.stall()
        ada.update(deletion((0, 1)), ref=2)
        await it.store.reached()
        BREAKS.append((b"boom",))
        ada.update(block(2, 0, "boom", 3, None), ref=3)
        await it.turns()
        it.store.resume()
        await it.until(lambda: not it.part.recovery.working)
        await rest(it)
        assert read(*(await it.join("bob")).joined.updates) == f"{LOST}abboom"
        assert [ref for ref, _ in ada.acked] == [1, 2, 3]


async def test_a_peer_whose_state_ends_inside_a_character_gets_all_of_it() -> None:
    async with written([text("x" + FOX + "ab")]) as it:
        ada = await it.join("ada", state=encode_state_vector({1: 2}))
        assert read(text("x" + LOST), *mend([text("x" + LOST), *ada.joined.updates])) == (
            f"x{LOST}{LOST}ab"
        )


async def test_an_edit_of_the_server_starts_from_what_peers_see() -> None:
    async with written([text(FOX + "ab"), deletion((1, 2))]) as it:
        async with it.room.edit(EDITOR_CALLER) as edit:
            copy: Text = edit.document(YDoc).doc.get("text", type=Text)
            assert str(copy) == f"{LOST}ab"
            copy += "!"
        await rest(it)
        assert read(*(await it.join("bob")).joined.updates) == f"{LOST}ab!"


async def test_a_document_that_nothing_cuts_stays_the_same_one() -> None:
    async with written([text(FOX + "ab")]) as it:
        replica = it.part.replica
        for number in range(5):
            it.people[0].update(block(2, 2 * number, FOX, 3, None))
            await rest(it)
        it.people[0].update(deletion((0, 2)))
        await rest(it)
        assert it.part.replica is replica


async def test_a_cut_that_waited_is_acknowledged_although_a_helper_came_in_between() -> None:
    async with written([text(FOX + "ab")], LARGE) as it:
        ada = it.people[0]
        ada.update(block(3, 0, "z", 0, 1)[:-1] + deletion((0, 1))[1:], ref=3)
        waiting = block(2, 1, "y", 0, 1)
        ada.update(waiting, ref=4)
        await rest(it)
        ada.update(block(2, 0, "x", 3, None), ref=5)
        await rest(it)
        assert sorted(ref for ref, _ in ada.acked) == [1, 3, 4, 5]
        assert sorted(read(*(await it.join("bob")).joined.updates)) == sorted(f"{LOST}abxyz")


async def test_a_waiting_cut_that_takes_a_helper_is_acknowledged() -> None:
    async with written([text(FOX + "ab")], LARGE) as it:
        ada = it.people[0]
        ada.update(block(2, 1, "y", 0, 1), ref=2)
        await rest(it)
        assert [ref for ref, _ in ada.acked] == [1]
        ada.update(block(2, 0, "x", 3, None), ref=3)
        await rest(it)
        assert sorted(ref for ref, _ in ada.acked) == [1, 2, 3]
        assert read(*(await it.join("bob")).joined.updates) == f"{LOST}y{LOST}abx"
