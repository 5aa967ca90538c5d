"""Loads: what comes from a cut is the same data in another place, also after a kill."""

from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest

from parvis.storage.api import (
    Address,
    Job,
    Snapshot,
    SqlValue,
    Statement,
)
from parvis.storage.archive import Load, Mark, Row
from parvis.storage.conformance.base import ROOM, TENANT, home_of
from parvis.storage.conformance.belongings import (
    ALL_NOTES,
    ANN,
    PLUGINS,
)
from parvis.storage.conformance.places import (
    Place,
    PlacesSuite,
    all_sums,
    loading,
    move,
    opened,
    opened_archive,
    tenant_sums,
)
from parvis.storage.errors import (
    StatementRefused,
)
from parvis.storage.transfer import PrefixDiffers, fill, pages_of


class Killed(Exception):
    """The process ended here."""


class Counted:
    """A load that counts the rows it takes."""

    def __init__(self, inner: Load) -> None:
        self.inner = inner
        self.rows: list[int] = []

    @property
    def marks(self) -> Mapping[str, Mark]:
        return self.inner.marks

    async def add(self, table: str, rows: Sequence[Row], mark: Mark) -> None:
        self.rows.append(len(rows))
        await self.inner.add(table, rows, mark)

    async def restart(self) -> None:
        await self.inner.restart()

    async def finish(self) -> None:
        await self.inner.finish()


async def some(
    pages: Sequence[tuple[str, Sequence[Row]]], count: int
) -> AsyncGenerator[tuple[str, Sequence[Row]]]:
    """Yield so many pages, then die."""
    for page in pages[:count]:
        yield page
    raise Killed


class FillingSuite(PlacesSuite):
    """What every load leaves."""

    async def test_what_is_loaded_is_what_was_cut(self, source: Place, target: Place) -> None:
        moved = await move(source, target)
        assert set(moved) == {TENANT, "Globex", None}
        assert await all_sums(target) == moved == await all_sums(source)

    async def test_a_store_that_was_loaded_serves_as_before(
        self, source: Place, target: Place
    ) -> None:
        await move(source, target)
        address = Address(TENANT, ROOM)
        async with opened(source) as (before, _), opened(target) as (store, accounts):
            assert await store.room(TENANT, ROOM) == await before.room(TENANT, ROOM)
            assert await store.room(TENANT, "plain/gone") == await before.room(TENANT, "plain/gone")
            assert await store.read(address, after=0) == await before.read(address, after=0)
            assert await store.snapshot(address) == Snapshot(1, 2, b"state", b"index")
            assert await store.quarantined(TENANT) == await before.quarantined(TENANT)
            assert await store.cursor("index", address) == 1
            assert await store.query(TENANT, ALL_NOTES) == await before.query(TENANT, ALL_NOTES)
            assert await accounts.users() == [ANN]
            assert await accounts.secret("key", fresh=b"other") == b"secret"
            assert await accounts.revoked(now=0) == ["token"]
            assert await accounts.sign_in(b"digest", now=0) is not None
            home = await home_of(store)
            assert await home.log("d") == (4,)

    async def test_ids_of_jobs_go_on_after_the_highest(self, source: Place, target: Place) -> None:
        await move(source, target)
        async with opened(target) as (store, _):
            kept = await store.claim(TENANT, "mail", now=9e9, lease=1)
            new = await store.enqueue(TENANT, Job("mail", "new", b"", due=0))
            assert len(kept) == 2
            assert new > max(job.id for job in kept)

    # Going on after a kill

    async def test_an_attempt_that_ended_is_taken_up_where_it_was(
        self, source: Place, target: Place
    ) -> None:
        async with opened_archive(source) as read, opened_archive(target) as write:
            await write.begin("a test")
            async with read.cut(TENANT) as cut:
                pages = [page async for page in pages_of(cut)]
                async with write.load(TENANT, cut.layout, PLUGINS) as load:
                    with pytest.raises(Killed):
                        await fill(load, cut.layout, some(pages, len(pages) // 2))
            assert await write.loaded() == []
        async with opened_archive(source) as read, opened_archive(target) as write:
            await write.begin("a test")
            async with read.cut(TENANT) as cut:
                async with write.load(TENANT, cut.layout, PLUGINS) as load:
                    assert load.marks
                    counted = Counted(load)
                    moved = await fill(counted, cut.layout, pages_of(cut))
                    assert sum(counted.rows) == sum(
                        len(page[1]) for page in pages[len(pages) // 2 :]
                    )
                    await load.finish()
                assert await write.loaded() == [TENANT]
                await write.end()
        assert await tenant_sums(target) == moved == await tenant_sums(source)

    async def test_rows_that_changed_meanwhile_are_noticed_and_loaded_anew(
        self, source: Place, target: Place
    ) -> None:
        async with opened_archive(source) as read, opened_archive(target) as write:
            await write.begin("a test")
            async with read.cut(TENANT) as cut, write.load(TENANT, cut.layout, PLUGINS) as load:
                await fill(load, cut.layout, pages_of(cut))
            async with opened(source) as (store, _):
                await store.execute(TENANT, [Statement("UPDATE note SET title = 'new'")])
            async with read.cut(TENANT) as cut, write.load(TENANT, cut.layout, PLUGINS) as load:
                with pytest.raises(PrefixDiffers):
                    await fill(load, cut.layout, pages_of(cut))
                await load.restart()
                assert dict(load.marks) == {}
                moved = await fill(load, cut.layout, pages_of(cut))
                await load.finish()
            await write.end()
        assert await tenant_sums(target) == moved == await tenant_sums(source)

    async def test_a_mark_is_kept_with_its_rows_or_not_at_all(
        self, source: Place, target: Place
    ) -> None:
        async with loading(source, target) as (load, layout):
            (room,) = (table for table in layout.tables if table.name == "parvis_room")
            values: dict[str, SqlValue] = {"id": 1, "name": "p/a", "creator": "", "fence": 1}
            row: Row = tuple(
                values.get(column, None if column == "deleted" else 0.5) for column in room.columns
            )
            with pytest.raises(StatementRefused):
                await load.add("parvis_room", [row, row], Mark(2, b"two"))
            assert dict(load.marks) == {}
            await load.add("parvis_room", [row], Mark(1, b"one"))
            assert dict(load.marks) == {"parvis_room": Mark(1, b"one")}
