"""Documents on their way into rooms: screened, written once, merged if asked, read back."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text, merge_updates

from parvis.plugins import ErrorCode, Refused
from parvis.server.firewall.helpers import HelperPool
from parvis.server.hosting.workshop import CONFINED, Workshop
from parvis.server.lives.rebuilding import Rebuilding
from parvis.server.moving_in.sources import Row
from parvis.server.moving_in.taking import Intake, Mode, Taken
from parvis.server.moving_in.workbench import workbench
from parvis.server.settings import Settings
from parvis.server.settings.sections import ServerSettings
from parvis.storage import Address, Store
from parvis.storage.content import content
from tests.faults.poison import DELETE_OF_ROOT, PANIC, nested_maps
from tests.server.moving_in.sources import same, updates_of


@pytest.fixture
async def intake(data: Path) -> AsyncIterator[Intake]:
    async with workbench(Settings(ServerSettings(data=str(data)))) as intake:
        yield intake


def store_of(intake: Intake) -> Store:
    return intake.core.store


async def take(intake: Intake, rows: Sequence[Row], mode: Mode = Mode.REFUSE) -> Taken:
    return await intake.take("local", "plain", None, "room", rows, mode=mode)


def rows_of(updates: Sequence[bytes], time: float | None = 1_600_000_000.5) -> list[Row]:
    return [Row(update, time) for update in updates]


async def logged(intake: Intake) -> list[tuple[bytes, float]]:
    found = await store_of(intake).read(Address("local", "plain/room"), after=0)
    return [(row.update, row.time) for row in found]


async def test_rows_keep_their_times(intake: Intake) -> None:
    updates = updates_of("one ", "two ", "three")
    rows = [Row(update, 1_500_000_000.25 + number) for number, update in enumerate(updates)]
    taken = await take(intake, rows)
    assert (taken.status, taken.updates) == ("imported", 3)
    assert await logged(intake) == [(row.update, row.time) for row in rows]


async def test_what_a_rebuilt_room_said_before_is_not_merged_into_it_again(intake: Intake) -> None:
    updates = updates_of("one ", "two")
    await take(intake, rows_of(updates))
    core, address = intake.core, Address("local", "plain/room")
    workers = HelperPool(1, core.clock, confinement=CONFINED)
    try:
        await Rebuilding(core, Workshop(workers)).rebuild(core.registry.get("plain"), address)
    finally:
        await workers.close()
    before = await content(store_of(intake), address)
    with pytest.raises(Refused, match="before the document was rebuilt"):
        await take(intake, rows_of([merge_updates(*updates)]), Mode.MERGE)
    assert await content(store_of(intake), address) == before


async def test_what_is_imported_again_is_there_already_and_verified(intake: Intake) -> None:
    rows = rows_of(updates_of("one ", "two"))
    first = await take(intake, rows)
    assert (await take(intake, rows)).status == "there"
    assert (await take(intake, rows)).content == first.content
    assert len(await logged(intake)) == 2


async def test_a_room_that_people_have_written_in_since_still_holds_the_import(
    intake: Intake,
) -> None:
    one, two, three = updates_of("one ", "two ", "three")
    await take(intake, rows_of([one, two]))
    await take(intake, rows_of([one, two, three]), Mode.MERGE)
    assert (await take(intake, rows_of([one, two]))).status == "there"


async def test_an_import_that_broke_off_half_way_is_completed(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parvis.server.moving_in.writing.ROWS", 2)
    rows = rows_of(updates_of(*"abcdef"))
    store, batches = store_of(intake), 0
    append = store.append

    async def breaking(tenant: str, given: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise ConnectionError("the power went")
        return await append(tenant, given)

    monkeypatch.setattr(store, "append", breaking)
    with pytest.raises(ConnectionError):
        await take(intake, rows)
    assert len(await logged(intake)) == 2
    assert (await take(intake, rows)).status == "imported"
    assert [update for update, _ in await logged(intake)] == [row.update for row in rows]


async def test_a_room_that_holds_something_else_is_left_alone_unless_it_is_merged(
    intake: Intake,
) -> None:
    mine, theirs = rows_of(updates_of("mine", client=1)), rows_of(updates_of("theirs", client=2))
    await take(intake, mine)
    with pytest.raises(Refused, match="holds something else") as refused:
        await take(intake, theirs)
    assert refused.value.code is ErrorCode.CONFLICT
    assert (await take(intake, theirs, Mode.SKIP)).status == "skipped"
    assert len(await logged(intake)) == 1
    assert (await take(intake, theirs, Mode.MERGE)).status == "merged"
    held = [update for update, _ in await logged(intake)]
    assert same(held[0], mine[0].update) and same(held[1], theirs[0].update)


async def test_a_deleted_room_does_not_come_back(intake: Intake) -> None:
    rows = rows_of(updates_of("one"))
    await take(intake, rows)
    await store_of(intake).delete_room("local", "plain/room", now=0)
    with pytest.raises(Refused, match="its name is not given again"):
        await take(intake, rows, Mode.MERGE)


async def test_rows_out_of_order_are_put_in_order(intake: Intake) -> None:
    one, two, three = updates_of("one ", "two ", "three")
    await take(intake, rows_of([three, one, two]))
    assert [update for update, _ in await logged(intake)] == [one, two, three]


async def test_what_waits_for_a_missing_update_is_kept_behind_the_rest(intake: Intake) -> None:
    one, two, three = updates_of("one ", "two ", "three")
    taken = await take(intake, rows_of([three, one]))
    assert "1 of 2 updates build on others that the source does not have" in taken.notes[0]
    assert [update for update, _ in await logged(intake)] == [one, three]
    await take(intake, rows_of([two]), Mode.MERGE)
    state = [update for update, _ in await logged(intake)]
    whole: Doc[Any] = Doc()
    for update in (one, two, three):
        whole.apply_update(update)
    assert same(whole.get_update(), *state)


async def test_a_document_of_which_nothing_can_be_seen_is_refused(intake: Intake) -> None:
    with pytest.raises(Refused, match="builds on updates that the source does not have"):
        await take(intake, rows_of(updates_of("one ", "two ", "three")[2:]))
    assert await store_of(intake).room("local", "plain/room") is None


async def test_what_can_be_seen_of_an_update_with_a_hole_is_seen(intake: Intake) -> None:
    one, _, three = updates_of("one ", "two ", "three")
    other = updates_of("other", client=8)[0]
    taken = await take(intake, rows_of([merge_updates(one, three, other)]))
    assert taken.status == "imported" and taken.notes
    seen: Doc[Any] = Doc()
    seen.apply_update((await logged(intake))[0][0])
    assert str(seen.get("text", type=Text)) == "one other"


async def test_poison_ends_no_room_and_leaves_nothing_behind(intake: Intake) -> None:
    deep = [nested_maps(3000, start) for start in range(0, 51_000, 3000)]
    for rows in ([PANIC], deep, [*deep, DELETE_OF_ROOT]):
        with pytest.raises(Refused) as refused:
            await take(intake, rows_of(rows))
        assert refused.value.code in (ErrorCode.MALFORMED, ErrorCode.POISON)
    assert await store_of(intake).room("local", "plain/room") is None


async def test_a_room_in_which_people_are_takes_a_merge_at_once(intake: Intake) -> None:
    mine, theirs = updates_of("mine", client=1), updates_of("theirs", client=2)
    await take(intake, rows_of(mine))
    core = intake.core
    kind = core.registry.get("plain")
    async with core.directory.hold(kind, "local", "plain/room", None) as room:
        taken = await take(intake, rows_of(theirs), Mode.MERGE)
        assert "theirs" in str(room.replica.doc.get("text", type=Text))
    assert taken.status == "merged" and "somebody was in the room" in taken.notes[0]
