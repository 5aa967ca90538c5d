"""A log keeps the rows of so many days; what is older gives way to one row that is worth it all."""

from typing import ClassVar

import pytest

from parvis.plugins import Commit
from parvis.server.limits import Limits
from parvis.storage import Entry, Head, Snapshot, Status, Store
from parvis.storage.factory import open_store
from tests.server.rooms.lab import Board, Draft, Lab, lab, read

DAY = 86_400
MONTH = {"history_days": 30.0}
FEW = Limits(compact_rows=3)


async def write(it: Lab, draft: Draft, *texts: str) -> None:
    """Have Ada write, and leave."""
    ada = await it.join("ada")
    for text in texts:
        ada.update(draft.write(text))
        await it.turns(5)
    await it.empty()


async def head(store: Store) -> Head:
    info = await store.room("kit", "board/r")
    assert info is not None
    return info.parts[""]


async def visit(it: Lab, text: str) -> None:
    """Come and go, so that the room is loaded and let go once more."""
    assert (await it.join("bob")).text == text
    await it.empty()


async def test_rows_older_than_the_history_become_one_that_is_worth_them_all() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, settings=MONTH, limits=FEW) as it:
        draft = Draft(7)
        await write(it, draft, "a", "b", "c", "d")
        await it.pass_time(20 * DAY)
        await write(it, draft, "e")
        assert await head(store) == Head(1, 5)
        await it.pass_time(11 * DAY)
        await visit(it, "abcde")
        assert await head(store) == Head(1, 5, first=4)
        rows = await it.log()
        assert [row.offset for row in rows] == [4, 5]
        assert read(rows[0].update) == "abcd"
        await it.pass_time(20 * DAY)
        await visit(it, "abcde")
        assert await head(store) == Head(1, 5, first=4), "two rows are not worth it"
    await store.close()


async def test_a_compacted_log_needs_no_snapshot() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, settings=MONTH, limits=FEW) as it:
        await write(it, Draft(7), *"abcdef")
        await it.pass_time(31 * DAY)
        await visit(it, "abcdef")
        opened = await store.open_room("kit", "board/r", creator=None, now=1.0)
        broken = Snapshot(1, 6, b"\x01\xff\xff\xff")
        assert await store.save_snapshot(it.address(), opened.fence, broken)
    async with lab(store=store, settings=MONTH, limits=FEW, life=2) as it:
        await visit(it, "abcdef")
    await store.close()


async def test_without_a_limit_every_change_stays() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, limits=FEW) as it:
        await write(it, Draft(7), *"abcdef")
        await it.pass_time(10_000 * DAY)
        await visit(it, "abcdef")
        assert await head(store) == Head(1, 6)
    await store.close()


async def test_compaction_ends_before_a_row_that_waits_for_its_predecessor() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, settings=MONTH, limits=FEW) as it:
        ada, bob, draft, other = await it.join("ada"), await it.join("bob"), Draft(7), Draft(8)
        for letter in "abcd":
            ada.update(draft.write(letter))
            await it.turns(5)
        late, early = other.write("x"), other.write("y")
        bob.update(early)
        await it.turns(5)
        for letter in "efgh":
            ada.update(draft.write(letter))
            await it.turns(5)
        await it.empty()
        await it.pass_time(31 * DAY)
        await visit(it, "abcdefgh")
        assert await head(store) == Head(1, 9, first=4)
        bob = await it.join("bob")
        bob.update(late)
        await it.turns()
        assert sorted(await it.logged_text()) == sorted("abcdefghxy")
        await it.empty()
    await store.close()


async def test_a_life_before_a_rebuild_is_forgotten_when_all_of_it_is_old() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, settings=MONTH, limits=FEW) as it:
        await write(it, Draft(7), *"abcd")
        await it.pass_time(20 * DAY)
        opened = await store.open_room("kit", "board/r", creator=None, now=1.0)
        entry = Entry(Draft(9).write("anew"), "ada", it.clock.time(), b"anew")
        answer = await store.rebuild(it.address(), opened.fence, expected=4, entry=entry)
        assert answer.status is Status.LOGGED
        await visit(it, "anew")
        assert await head(store) == Head(2, 5, since=4)
        await it.pass_time(11 * DAY)
        await visit(it, "anew")
        assert await head(store) == Head(2, 5, since=4, first=4)
    await store.close()


class Indexed(Board):
    """Reads its log, but not while it is told to wait."""

    name = "board"
    works: ClassVar[bool] = True

    async def on_commit(self, commit: Commit) -> None:
        if not self.works:
            raise RuntimeError("told to fail")


async def test_what_the_room_type_has_not_read_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = open_store("memory:")
    async with lab(Indexed(), store=store, settings=MONTH, limits=FEW) as it:
        draft = Draft(7)
        await write(it, draft, *"abcd")
        await it.lobby.consumed()
        monkeypatch.setattr(Indexed, "works", False)
        await write(it, draft, *"efgh")
        await it.pass_time(31 * DAY)
        await visit(it, "abcdefgh")
        assert await head(store) == Head(1, 8, first=4)
    await store.close()


async def test_a_log_that_another_home_took_over_is_left_alone() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, settings={**MONTH, "idle": 0.0}, limits=FEW) as it:
        await write(it, Draft(7), *"abcd")
        await it.pass_time(31 * DAY)
        ada = await it.join("ada")
        await store.open_room("kit", "board/r", creator=None, now=1.0)
        ada.disconnect()
        await it.pass_time(1)
        await it.until(lambda: not it.is_live)
        assert await head(store) == Head(1, 4)
    await store.close()


async def test_a_store_that_fails_over_a_compaction_harms_nobody() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, settings=MONTH, limits=FEW) as it:
        await write(it, Draft(7), *"abcd")
        await it.pass_time(31 * DAY)
        ada = await it.join("ada")
        it.store.fail()
        ada.disconnect()
        await it.pass_time(40)
        it.store.resume()
        await visit(it, "abcd")
        assert await head(store) == Head(1, 4, first=4)
    await store.close()
