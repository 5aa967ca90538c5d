from typing import Any

import pytest
from pycrdt import Doc, Text

from parvis.server.clock import SystemClock
from parvis.server.firewall.helpers import HelperPool
from parvis.server.firewall.process import Confinement
from parvis.server.firewall.quarantine import Quarantine
from parvis.server.firewall.watch import Kind, Suspect, digest_of
from parvis.server.ports import HelperMissing
from parvis.storage import Address, Batch, Entry, Quarantined
from parvis.storage.faulty import FaultyStore
from parvis.storage.memory import MemoryStore
from tests.clocks import SetClock
from tests.faults.poison import DELETE_OF_ROOT, NESTED_ARRAYS, PANIC, nested_maps

ROOM = Address("acme", "plain/plan")
ELSEWHERE = Address("acme", "plain/other")


def death(*updates: bytes, kind: Kind = "apply", address: Address = ROOM) -> Suspect:
    return Suspect(
        kind=kind, address=address, updates=updates, digests=tuple(map(digest_of, updates))
    )


def typed(text: str) -> bytes:
    doc: Doc[Any] = Doc(client_id=9)
    content: Text = doc.get("text", type=Text)
    content += text
    return doc.get_update()


@pytest.fixture
async def store() -> FaultyStore:
    store = FaultyStore(MemoryStore())
    for address in (ROOM, ELSEWHERE):
        await store.open_room(address.tenant, address.room, creator="alice", now=0.0)
    return store


async def test_in_quiet_times_nothing_is_suspect(store: FaultyStore, helpers: HelperPool) -> None:
    quarantine = Quarantine(store, helpers, SetClock())
    assert not quarantine.is_suspect(NESTED_ARRAYS)
    assert not quarantine.is_poison(ROOM, NESTED_ARRAYS)
    assert quarantine.deaths(ROOM.tenant, ROOM.room) == 0


@pytest.mark.parametrize(
    ("base", "update", "reason"),
    [
        pytest.param([], NESTED_ARRAYS, "SIGSEGV", id="nested values"),
        pytest.param([nested_maps(50_000)], DELETE_OF_ROOT, "SIGSEGV", id="nested maps"),
        pytest.param([], PANIC, "PanicException", id="panic"),
    ],
)
async def test_what_ends_or_spoils_a_helper_is_set_aside(
    store: FaultyStore, helpers: HelperPool, base: list[bytes], update: bytes, reason: str
) -> None:
    clock, told = SetClock(), list[bytes]()
    quarantine = Quarantine(store, helpers, clock, [death(update)], on_poison=told.append)
    assert quarantine.is_suspect(update)
    assert not await quarantine.judge(ROOM, base, update, "mallory")
    assert quarantine.is_poison(ROOM, update)
    assert told == [digest_of(update)]
    (kept,) = await store.quarantined(ROOM.tenant, ROOM.room)
    assert reason in kept.reason
    assert kept == Quarantined(
        room=ROOM.room,
        part="",
        offset=0,
        update=update,
        digest=digest_of(update),
        sender="mallory",
        time=clock.time(),
        reason=kept.reason,
    )


async def test_known_poison_is_refused_without_a_second_trial(
    store: FaultyStore, helpers: HelperPool
) -> None:
    quarantine = Quarantine(store, helpers, SetClock())
    assert not await quarantine.judge(ROOM, [], NESTED_ARRAYS, "mallory")
    await helpers.close()
    for _ in range(3):
        assert quarantine.is_suspect(NESTED_ARRAYS)
        assert not await quarantine.judge(ROOM, [], NESTED_ARRAYS, "mallory")
    assert len(await store.quarantined(ROOM.tenant)) == 1


async def test_the_poison_of_one_room_may_be_honest_work_in_another(
    store: FaultyStore, helpers: HelperPool
) -> None:
    quarantine = Quarantine(store, helpers, SetClock())
    assert not await quarantine.judge(ROOM, [nested_maps(50_000)], DELETE_OF_ROOT, "mallory")
    assert not quarantine.is_poison(ELSEWHERE, DELETE_OF_ROOT)
    assert await quarantine.judge(ELSEWHERE, [nested_maps(3)], DELETE_OF_ROOT, "alice")
    assert not await quarantine.judge(ROOM, [nested_maps(50_000)], DELETE_OF_ROOT, "mallory")


async def test_an_innocent_suspect_is_cleared(store: FaultyStore, helpers: HelperPool) -> None:
    update, cleared = typed("innocent"), list[bytes]()
    quarantine = Quarantine(store, helpers, SetClock(), [death(update)], on_cleared=cleared.append)
    assert quarantine.is_suspect(update)
    assert await quarantine.judge(ROOM, [typed("before")], update, "alice")
    assert not quarantine.is_suspect(update)
    assert cleared == [digest_of(update)]
    assert await store.quarantined(ROOM.tenant) == []
    # It still counts: a second death would be no accident.
    assert quarantine.deaths(ROOM.tenant, ROOM.room) == 1


async def test_an_update_that_only_raises_is_no_poison(
    store: FaultyStore, helpers: HelperPool
) -> None:
    quarantine = Quarantine(store, helpers, SetClock(), [death(b"\xff")])
    assert await quarantine.judge(ROOM, [], b"\xff", "alice")


async def test_a_document_too_deep_to_be_read_is_not_blamed_on_the_next_writer(
    store: FaultyStore, helpers: HelperPool
) -> None:
    quarantine = Quarantine(store, helpers, SetClock(), [death(typed("hello"))])
    assert await quarantine.judge(ROOM, [nested_maps(50_000)], typed("hello"), "alice")


async def test_a_document_that_breaks_by_itself_is_not_blamed_on_the_next_writer(
    store: FaultyStore, helpers: HelperPool
) -> None:
    quarantine = Quarantine(store, helpers, SetClock(), [death(typed("hello"))])
    assert await quarantine.judge(ROOM, [NESTED_ARRAYS], typed("hello"), "alice")
    assert not await quarantine.judge(ROOM, [NESTED_ARRAYS], PANIC, "mallory")


async def test_without_helpers_there_is_no_verdict(store: FaultyStore) -> None:
    tiny = Confinement(address_space=4 * 1024 * 1024)
    helpers = HelperPool(1, SystemClock(), confinement=tiny)
    quarantine = Quarantine(store, helpers, SetClock(), [death(typed("hello"))])
    with pytest.raises(HelperMissing):
        await quarantine.judge(ROOM, [], typed("hello"), "alice")
    assert quarantine.is_suspect(typed("hello"))
    assert await store.quarantined(ROOM.tenant) == []


async def test_poison_found_in_a_log_leaves_an_empty_row_there(
    store: FaultyStore, helpers: HelperPool
) -> None:
    quarantine = Quarantine(store, helpers, SetClock())
    fence = (await store.open_room(ROOM.tenant, ROOM.room, creator=None, now=0.0)).fence
    entries = tuple(
        Entry(update, "alice", 0.0, bytes([number]))
        for number, update in enumerate([typed("good"), PANIC], 1)
    )
    await store.append(ROOM.tenant, [Batch(ROOM.room, "", fence, 0, entries)])
    await quarantine.condemn(ROOM, PANIC, "alice", "breaks the document on loading", 2)
    rows = await store.read(ROOM, after=0)
    assert [row.update for row in rows] == [typed("good"), b""]


async def test_poison_is_known_again_after_a_restart(
    store: FaultyStore, helpers: HelperPool
) -> None:
    await Quarantine(store, helpers, SetClock()).condemn(ROOM, PANIC, "mallory", "panicked")
    quarantine = Quarantine(store, helpers, SetClock())
    await quarantine.learn(ROOM.tenant, ROOM.room)
    assert quarantine.is_suspect(PANIC)
    assert quarantine.is_poison(ROOM, PANIC)
    assert not quarantine.is_poison(ELSEWHERE, PANIC)


async def test_poison_found_while_the_store_is_down_is_kept_as_soon_as_it_is_back(
    store: FaultyStore, helpers: HelperPool
) -> None:
    quarantine = Quarantine(store, helpers, SetClock())
    store.fail()
    await quarantine.condemn(ROOM, PANIC, "mallory", "panicked")
    assert quarantine.is_poison(ROOM, PANIC)
    store.resume()
    await quarantine.condemn(ROOM, NESTED_ARRAYS, "mallory", "died")
    kept = await store.quarantined(ROOM.tenant)
    assert {each.update for each in kept} == {PANIC, NESTED_ARRAYS}


@pytest.mark.parametrize(
    ("kinds", "vetting", "shadow", "barred"),
    [
        ([], False, False, False),
        (["apply"], False, False, False),
        (["load"], True, False, False),
        (["load", "apply"], False, True, False),
        (["apply", "load"], True, True, False),
        (["apply", "apply", "apply"], False, True, False),
        (["load", "load", "load"], True, True, True),
    ],
)
async def test_how_a_room_is_opened_depends_on_the_deaths_over_it(
    store: FaultyStore,
    helpers: HelperPool,
    kinds: list[Kind],
    vetting: bool,
    shadow: bool,
    barred: bool,
) -> None:
    deaths = [death(kind=kind) for kind in kinds]
    quarantine = Quarantine(store, helpers, SetClock(), deaths)
    assert quarantine.deaths(ROOM.tenant, ROOM.room) == len(kinds)
    assert quarantine.needs_vetting(ROOM.tenant, ROOM.room) is vetting
    assert quarantine.needs_shadow(ROOM.tenant, ROOM.room) is shadow
    assert quarantine.is_barred(ROOM.tenant, ROOM.room) is barred
    assert quarantine.deaths(ELSEWHERE.tenant, ELSEWHERE.room) == 0
    assert not quarantine.needs_shadow("another tenant", ROOM.room)
