"""Loads that are refused: places that are taken or half full, data of other versions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from parvis.storage.api import (
    Migration,
    Statement,
)
from parvis.storage.archive import Layout, Mark, Table
from parvis.storage.conformance.base import TENANT
from parvis.storage.conformance.belongings import (
    ALL_NOTES,
    ANN,
    NOTES,
    PLUGINS,
)
from parvis.storage.conformance.places import (
    Place,
    PlacesSuite,
    loading,
    opened,
    opened_archive,
)
from parvis.storage.errors import (
    PlaceTaken,
    SchemaTooNew,
    StatementRefused,
    Unfinished,
)


class TurningAwaySuite(PlacesSuite):
    """What no archive takes in."""

    async def test_a_place_that_is_not_empty_is_refused(
        self, source: Place, tmp_path: Path
    ) -> None:
        people = self.place(tmp_path / "people")
        async with opened(people) as (_, accounts):
            await accounts.add_user(ANN)
        for place in (source, people):
            async with opened_archive(place) as archive:
                with pytest.raises(PlaceTaken):
                    await archive.begin("a test")

    async def test_a_place_is_filled_from_one_origin(self, target: Place) -> None:
        async with opened_archive(target) as archive:
            await archive.begin("monday's backup")
            await archive.begin("monday's backup")
            with pytest.raises(PlaceTaken, match="monday's backup"):
                await archive.begin("tuesday's backup")

    async def test_no_node_opens_a_place_before_all_is_there(
        self, source: Place, target: Place
    ) -> None:
        async with opened_archive(target) as write:
            await write.begin("a test")
            with pytest.raises(Unfinished, match="a test"):
                async with opened(target) as (store, _):
                    await store.check()
            await write.end()
        async with opened(target) as (store, _):
            assert await store.tenants() == []

    async def test_a_scope_is_loaded_once(self, source: Place, target: Place) -> None:
        async with loading(source, target) as (load, layout):
            await load.finish()
            async with opened_archive(target) as write:
                with pytest.raises(PlaceTaken):
                    async with write.load(TENANT, layout, PLUGINS):
                        pass

    async def test_a_reference_to_nothing_is_found_at_the_end(
        self, source: Place, target: Place
    ) -> None:
        async with loading(source, target) as (load, layout):
            (draft,) = (table for table in layout.tables if table.name == "note_draft")
            assert draft.columns == ("author", "id", "text")
            with pytest.raises(StatementRefused, match="note"):
                await load.add("note_draft", [("nobody", 1, "text")], Mark(1, b""))
                await load.finish()

    async def test_data_of_a_later_version_is_refused(self, source: Place, target: Place) -> None:
        async with opened_archive(source) as read, read.cut(TENANT) as cut:
            layout = cut.layout
        unknown = Table("parvis_future", ("id",), ("id",))
        wider = tuple(
            replace(table, columns=(*table.columns, "future")) if table.name == "note" else table
            for table in layout.tables
        )
        later: list[tuple[Layout, Mapping[str, Sequence[Migration]]]] = [
            (replace(layout, schema=layout.schema + 1000), PLUGINS),
            (replace(layout, plugins={"notes": 3}), PLUGINS),
            (replace(layout, tables=(*layout.tables, unknown)), PLUGINS),
            (replace(layout, tables=wider), PLUGINS),
            (layout, {}),
        ]
        async with opened_archive(target) as write:
            await write.begin("a test")
            for about, plugins in later:
                with pytest.raises(SchemaTooNew) as refused:
                    async with write.load(TENANT, about, plugins):
                        pass
                assert refused.value.hint
            async with write.load(TENANT, layout, PLUGINS) as load:
                assert dict(load.marks) == {}

    async def test_data_of_an_earlier_version_is_brought_up_to_date(
        self, source: Place, target: Place
    ) -> None:
        """A plugin's tables are as they were, then migrated; a column that is new is filled."""
        async with opened_archive(source) as read, read.cut(TENANT) as cut:
            tables = tuple(
                Table("note", ("author", "id"), ("author", "id"))
                for table in cut.layout.tables
                if table.name == "note"
            )
            older = replace(cut.layout, plugins={"notes": 1}, tables=tables)
        async with opened_archive(target) as write:
            await write.begin("a test")
            async with write.load(TENANT, older, PLUGINS) as load:
                await load.add("note", [("ann", 1)], Mark(1, b""))
                await load.finish()
            await write.end()
        async with opened(target) as (store, _):
            await store.migrate("notes", NOTES)
            assert await store.query(TENANT, ALL_NOTES) == [("ann", 1, None, None, "none")]
            assert await store.query(TENANT, Statement("SELECT * FROM note_draft")) == []
