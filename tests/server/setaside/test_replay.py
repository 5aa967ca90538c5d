"""Updates in quarantine are looked at, put back into their rooms or dropped; none gets lost."""

import hashlib
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from parvis.plugins import Refused
from parvis.protocol import ErrorCode
from parvis.server.clock import SystemClock
from parvis.server.firewall.helpers import HelperPool
from parvis.server.setaside.desk import Desk, Replayed
from parvis.server.setaside.journal import NAME, Journal
from parvis.server.setaside.live import replay_live
from parvis.server.setaside.stored import replay_stored
from parvis.storage import Address, Batch, Entry, Quarantined, Status, Store
from parvis.storage.factory import open_store
from tests.faults.poison import PANIC
from tests.server.lives.pad import Pad, rebuild
from tests.server.rooms.lab import Draft, Lab, lab, read

TENANT, ROOM = "acme", "plain/plan"


def aside(update: bytes, room: str = ROOM, *, part: str = "", offset: int = 0) -> Quarantined:
    """Return an update as the store keeps it in quarantine."""
    digest = hashlib.sha256(update).digest()
    return Quarantined(room, part, offset, update, digest, "u_ada", 5.0, "broke a document")


async def condemned(it: Lab, update: bytes) -> Quarantined:
    """Have a live room's update set aside."""
    await it.core.quarantine.condemn(it.address(), update, "ada", "broke a document")
    (kept,) = await it.store.quarantined("kit")
    return kept


# In a room that is live


async def test_a_replayed_update_reaches_everybody_under_its_senders_name() -> None:
    async with lab() as it:
        bob = await it.join("bob")
        bob.update(Draft(8).write("good"), ref=1)
        await it.turns()
        poison = await condemned(it, Draft(7).write("lost"))
        assert await replay_live(it.core, "kit", poison) == Replayed(2, added=True)
        await it.turns()
        assert bob.text == "lost"
        assert sorted((await it.join("eve")).text) == sorted("goodlost")
        assert [row.sender for row in await it.log()] == ["bob", "ada"]
        assert not it.core.quarantine.is_poison(it.address(), poison.update)
        # Its sender may come back with it.
        ada = await it.join("ada")
        ada.update(poison.update, ref=3)
        await it.turns()
        assert ada.acked == [(3, 2)]


async def test_what_is_there_already_is_not_logged_again() -> None:
    async with lab() as it:
        bob = await it.join("bob")
        update = Draft(8).write("good")
        bob.update(update, ref=1)
        await it.turns()
        poison = await condemned(it, update)
        assert await replay_live(it.core, "kit", poison) == Replayed(1, added=False)
        assert len(await it.log()) == 1


async def test_what_waited_for_a_replayed_update_is_seen_with_it() -> None:
    async with lab() as it:
        bob, ada, draft = await it.join("bob"), await it.join("ada"), Draft(7)
        first, second = draft.write("one "), draft.write("two")
        poison = await condemned(it, first)
        ada.update(second, ref=1)
        await it.turns()
        assert (bob.text, ada.acked) == ("", [])
        await replay_live(it.core, "kit", poison)
        await it.turns()
        assert bob.text == "one two"
        assert ada.acked == [(1, 1)]


async def test_what_still_breaks_a_helper_stays_out() -> None:
    async with lab() as it:
        bob = await it.join("bob")
        poison = await condemned(it, PANIC)
        with pytest.raises(Refused) as refused:
            await replay_live(it.core, "kit", poison)
        assert refused.value.code in (ErrorCode.POISON, ErrorCode.INVALID_UPDATE)
        assert await it.log() == []
        assert it.core.quarantine.is_poison(it.address(), PANIC)
        bob.update(Draft(8).write("good"), ref=1)
        await it.turns()
        assert bob.acked == [(1, 1)]


async def test_what_was_written_before_a_rebuild_is_not_replayed_after_it() -> None:
    async with lab(Pad()) as it:
        bob, draft = await it.join("bob"), Draft(8)
        bob.update(draft.write("good"), ref=1)
        await it.turns()
        poison = await condemned(it, draft.write("lost"))
        await rebuild(it)
        with pytest.raises(Refused) as refused:
            await replay_live(it.core, "kit", poison)
        assert refused.value.code is ErrorCode.STALE_INCARNATION
        with pytest.raises(Refused) as refused:
            await replay_stored(it.store, it.core.helpers, it.core.clock, "kit", poison)
        assert refused.value.code is ErrorCode.STALE_INCARNATION
        assert (await it.join("eve")).text == "good"


async def test_a_part_without_a_document_takes_no_replay() -> None:
    async with lab() as it:
        await it.join("bob")
        with pytest.raises(Refused, match="holds no document"):
            await replay_live(it.core, "kit", aside(b"\x00\x00", it.address().room, part="chat"))


# While no node runs


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """A store with a room that holds a word."""
    store, _ = open_store("memory:")
    opened = await store.open_room(TENANT, ROOM, creator="u_ada", now=1.0)
    entry = Entry(Draft(8).write("good"), "u_bob", 1.0, b"1")
    (answer,) = await store.append(TENANT, [Batch(ROOM, "", opened.fence, 0, (entry,))])
    assert answer.status is Status.LOGGED
    yield store
    await store.close()


@pytest.fixture
async def helpers() -> AsyncIterator[HelperPool]:
    """A pool of one helper."""
    pool = HelperPool(1, SystemClock())
    yield pool
    await pool.close()


@pytest.fixture
def desk(store: Store, helpers: HelperPool, tmp_path: Path) -> Desk:
    """The desk of a store that nobody serves."""
    clock = SystemClock()
    replay = partial(replay_stored, store, helpers, clock)
    return Desk(store, helpers, clock, replay, Journal(tmp_path))


async def text(store: Store) -> str:
    """Return what the room's log holds."""
    return read(*[row.update for row in await store.read(Address(TENANT, ROOM), after=0)])


def journal(folder: Path) -> list[Any]:
    """Return the lines of the journal."""
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


async def test_an_update_is_replayed_into_the_log_and_leaves_the_quarantine(
    store: Store, desk: Desk, tmp_path: Path
) -> None:
    poison = aside(Draft(7).write("lost"))
    await store.quarantine(TENANT, poison)
    done = await desk.replay(tenant=TENANT, id=poison.digest.hex()[:8])
    assert (done["logged"], done["added"]) == (2, True)
    assert sorted(await text(store)) == sorted("goodlost")
    assert (await store.read(Address(TENANT, ROOM), after=1))[0].sender == "u_ada"
    assert await store.quarantined(TENANT) == []
    (line,) = journal(tmp_path)
    assert (line["what"], line["logged"], line["digest"]) == ("replayed", 2, poison.digest.hex())


async def test_a_replay_that_was_cut_short_is_done_once(store: Store, helpers: HelperPool) -> None:
    poison = aside(Draft(7).write("lost"))
    replay = partial(replay_stored, store, helpers, SystemClock(), TENANT, poison)
    assert await replay() == Replayed(2, added=True)
    assert await replay() == Replayed(2, added=False)
    assert len(await store.read(Address(TENANT, ROOM), after=0)) == 2


async def test_what_still_breaks_documents_stays_in_quarantine(
    store: Store, desk: Desk, tmp_path: Path
) -> None:
    poison = aside(PANIC)
    await store.quarantine(TENANT, poison)
    with pytest.raises(Refused):
        await desk.replay(tenant=TENANT, id=poison.digest.hex())
    assert await store.quarantined(TENANT) == [poison]
    assert await text(store) == "good"
    assert not (tmp_path / NAME).exists()


async def test_a_dropped_update_is_gone_and_accounted_for(
    store: Store, desk: Desk, tmp_path: Path
) -> None:
    poison = aside(PANIC)
    await store.quarantine(TENANT, poison)
    await desk.drop(tenant=TENANT, id=poison.digest.hex()[:8])
    assert await store.quarantined(TENANT) == []
    (line,) = journal(tmp_path)
    facts = (line["what"], line["room"], line["sender"], line["size"])
    assert facts == ("dropped", ROOM, "u_ada", len(PANIC))


async def test_nothing_is_dropped_that_cannot_be_accounted_for(
    store: Store, helpers: HelperPool, tmp_path: Path
) -> None:
    poison = aside(PANIC)
    await store.quarantine(TENANT, poison)
    clock = SystemClock()
    replay = partial(replay_stored, store, helpers, clock)
    desk = Desk(store, helpers, clock, replay, Journal(tmp_path / "nowhere"))
    with pytest.raises(Refused, match="journal"):
        await desk.drop(tenant=TENANT, id=poison.digest.hex())
    assert await store.quarantined(TENANT) == [poison]


async def test_an_update_is_shown_with_what_the_firewall_reads_in_it(
    store: Store, desk: Desk
) -> None:
    poison = aside(Draft(7).write("lost"), offset=4)
    await store.quarantine(TENANT, poison)
    shown = await desk.show(tenant=TENANT, id=poison.digest.hex()[:8])
    outline = shown["outline"]
    assert (outline["error"], outline["units"], outline["roots"]) == ("", 4, ["text"])
    assert outline["clients"] == {"7": [[0, 4]]}
    assert bytes.fromhex(shown["hex"]) == poison.update
    facts = (shown["room"], shown["offset"], shown["sender"], shown["reason"])
    assert facts == (ROOM, 4, "u_ada", "broke a document")


async def test_what_cannot_be_read_is_shown_too(store: Store, desk: Desk) -> None:
    await store.quarantine(TENANT, aside(b"\xff\xff no update"))
    (listed,) = await desk.listed(tenant=TENANT)
    shown = await desk.show(tenant=TENANT, id=listed["id"])
    assert shown["outline"]["error"]
    assert bytes.fromhex(shown["hex"]) == b"\xff\xff no update"


async def test_the_list_is_narrowed_by_room_type_and_key(store: Store, desk: Desk) -> None:
    for room in ("plain/plan", "plain/other", "docs/plan"):
        await store.quarantine(TENANT, aside(PANIC, room))
    await store.quarantine(TENANT, aside(PANIC, "docs/plan", part="comments"))
    await store.quarantine("globex", aside(PANIC, "plain/plan"))

    async def rooms(**asked: Any) -> list[str]:
        return sorted(
            f"{each['room']}:{each['part']}" for each in await desk.listed(tenant=TENANT, **asked)
        )

    assert len(await rooms()) == 4
    assert await rooms(type="docs") == ["docs/plan:", "docs/plan:comments"]
    assert await rooms(key="o") == ["plain/other:"]
    assert await rooms(room="docs/plan") == ["docs/plan:", "docs/plan:comments"]
    assert await rooms(room="docs/plan:comments") == ["docs/plan:comments"]
    with pytest.raises(Refused, match="4 updates have ids that begin"):
        await desk.drop(tenant=TENANT, id=aside(PANIC).digest.hex())
    await desk.drop(tenant=TENANT, id=aside(PANIC).digest.hex(), room="plain/other")
    assert len(await rooms()) == 3


async def test_an_id_that_nothing_has_is_refused(store: Store, desk: Desk) -> None:
    with pytest.raises(Refused, match="nothing in quarantine"):
        await desk.show(tenant=TENANT, id="01234567")
    with pytest.raises(Refused, match="at least 4 letters"):
        await desk.show(tenant=TENANT, id="0")
