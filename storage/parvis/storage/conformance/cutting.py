"""Cuts: one moment of a store, in bounded pages, in an order that all stores share."""

import pytest

from parvis.storage.api import (
    Snapshot,
    Statement,
)
from parvis.storage.archive import PAGE_BYTES, PAGE_ROWS, Table
from parvis.storage.conformance.base import ROOM, TENANT, entry, home_of
from parvis.storage.conformance.belongings import (
    AUTHORS,
)
from parvis.storage.conformance.places import (
    Place,
    PlacesSuite,
    all_sums,
    opened,
    opened_archive,
    tenant_sums,
)
from parvis.storage.errors import (
    StorageError,
)
from parvis.storage.transfer import sums_of


class CuttingSuite(PlacesSuite):
    """What every cut shows."""

    async def test_a_cut_names_every_row_once(self, source: Place) -> None:
        tables = (await tenant_sums(source)).tables
        rows = {name: count for name, (count, _) in tables.items() if count}
        assert rows == {
            "note": 8,
            "note_draft": 1,
            "parvis_cursor": 1,
            "parvis_job": 2,
            "parvis_log": 5,
            "parvis_part": 3,
            "parvis_quarantine": 1,
            "parvis_room": 3,
            "parvis_snapshot": 1,
        }
        accounts = (await all_sums(source))[None].tables
        assert {name: count for name, (count, _) in accounts.items()} == {
            "parvis_link": 1,
            "parvis_revoked": 1,
            "parvis_secret": 1,
            "parvis_sign_in": 1,
            "parvis_user": 1,
        }

    async def test_a_cut_does_not_see_what_is_written_after_it(self, source: Place) -> None:
        async with opened_archive(source) as archive, archive.cut(TENANT) as cut:
            before = await sums_of(cut)
            async with opened(source) as (store, _):
                home = await home_of(store)
                await home.log("later")
                await store.execute(TENANT, [Statement("DELETE FROM note_draft")])
            assert await sums_of(cut) == before
        assert await tenant_sums(source) != before

    async def test_rows_come_in_the_order_of_code_points(self, source: Place) -> None:
        async with opened_archive(source) as archive, archive.cut(TENANT) as cut:
            rows = [row async for page in cut.pages("note") for row in page]
            (note,) = (table for table in cut.layout.tables if table.name == "note")
        assert note == Table("note", ("author", "id", "body", "weight", "title"), ("author", "id"))
        assert [row[0] for row in rows] == list(AUTHORS)
        assert rows[0] == ("", 0, None, 0.5, "t")
        assert rows[2] == ("a", 2, b"\x00\xff", None, "t")

    async def test_pages_are_bounded(self, target: Place) -> None:
        async with opened(target) as (store, _):
            home = await home_of(store)
            for number in range(3):
                batch = [f"{number}-{at}" for at in range(PAGE_ROWS // 2)]
                await home.log(*batch)
            await home.try_append(*(entry(f"{at}" + "x" * PAGE_BYTES) for at in range(3)))
        async with opened_archive(target) as archive, archive.cut(TENANT) as cut:
            pages = [len(page) async for page in cut.pages("parvis_log")]
        assert sum(pages) == 3 * (PAGE_ROWS // 2) + 3
        assert max(pages) <= PAGE_ROWS
        assert pages[-2:] == [1, 1]

    async def test_tables_come_after_those_that_they_refer_to(self, source: Place) -> None:
        async with opened_archive(source) as archive, archive.cut(TENANT) as cut:
            names = [table.name for table in cut.layout.tables]
            assert cut.layout.plugins == {"notes": 2}
        assert names.index("note") < names.index("note_draft")
        assert names.index("parvis_room") < names.index("parvis_part")

    async def test_sums_of_rooms_forget_fences_and_snapshots_only(self, source: Place) -> None:
        before = (await tenant_sums(source)).rooms
        assert sorted(before) == [ROOM, "plain/gone", "plain/other"]
        async with opened(source) as (store, _):
            home = await home_of(store)
            newer = Snapshot(1, 3, b"newer")
            assert await store.save_snapshot(home.address, home.fence, newer)
        assert (await tenant_sums(source)).rooms == before
        async with opened(source) as (store, _):
            await (await home_of(store)).log("more")
        after = (await tenant_sums(source)).rooms
        assert {name for name in before if before[name] != after[name]} == {ROOM}

    async def test_a_tenant_that_is_not_there_cannot_be_cut(self, source: Place) -> None:
        async with opened_archive(source) as archive:
            assert list(await archive.tenants()) == ["Globex", TENANT]
            with pytest.raises(StorageError):
                async with archive.cut("nobody"):
                    pass
