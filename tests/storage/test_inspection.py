"""What stores say about themselves, and how they tell that somebody has been at their tables."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from parvis.storage import StorageError, Store
from parvis.storage.conformance import InspectionConformance
from parvis.storage.conformance.base import BOOKINGS, book, home_of
from parvis.storage.conformance.inspection import PLUGINS
from parvis.storage.factory import open_inspection
from parvis.storage.inspection import Drift, Inspection
from parvis.storage.memory import MemoryStore, open_memory
from parvis.storage.memory.inspection import MemoryInspection
from parvis.storage.postgres import open_postgres
from parvis.storage.postgres.drift import Shape
from parvis.storage.postgres.sql import split_script
from parvis.storage.postgres.steps import own_steps
from parvis.storage.sqlite import open_sqlite
from tests.databases import Database


class TestMemoryInspection(InspectionConformance):
    async def open(self, place: Path) -> Store:
        return open_memory()[0]

    async def look(self, store: Store, place: Path) -> Inspection:
        assert isinstance(store, MemoryStore)
        return MemoryInspection(store)


class TestSqliteInspection(InspectionConformance):
    async def open(self, place: Path) -> Store:
        return open_sqlite(place)[0]

    async def look(self, store: Store, place: Path) -> Inspection:
        return open_inspection(f"sqlite:///{place}")


class TestPostgresInspection(InspectionConformance):
    database: Database

    @pytest.fixture(autouse=True)
    def _a_database_of_its_own(self, database: Database) -> None:
        self.database = database

    async def open(self, place: Path) -> Store:
        return open_postgres(self.database.node, owner=self.database.owner)[0]

    async def look(self, store: Store, place: Path) -> Inspection:
        return open_inspection(self.database.node)


# SQLite


async def filled(place: Path) -> Path:
    """Make a store with a plugin's tables; returns the tenant's file."""
    store, _ = open_sqlite(place)
    await store.migrate("calendar", BOOKINGS)
    await home_of(store)
    await store.execute("acme", [book(1)])
    await store.close()
    return place / "tenants" / "acme.db"


def change(file: Path, sql: str) -> None:
    """Do to a file what no version of Parvis does."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(sql)


async def test_a_missing_index_is_named_with_what_brings_it_back(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    change(file, "DROP INDEX parvis_job_due; DROP TABLE guest")
    found = await open_inspection(f"sqlite:///{tmp_path}").drift(PLUGINS)
    assert [(each.place, each.what, each.name) for each in found] == [
        ("tenants/acme.db", "index", "parvis_job_due"),
        ("tenants/acme.db", "table", "guest"),
    ]
    assert found[0].repair == "CREATE INDEX parvis_job_due ON parvis_job (queue, due, id);"
    change(file, found[0].repair)
    assert len(await open_inspection(f"sqlite:///{tmp_path}").drift(PLUGINS)) == 1


async def test_a_table_that_was_changed_by_hand_is_named(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    change(file, "ALTER TABLE booking ADD COLUMN note TEXT")
    (found,) = await open_inspection(f"sqlite:///{tmp_path}").drift(PLUGINS)
    assert (found.what, found.name) == ("table", "booking")
    assert "note TEXT" in found.detail


async def test_tables_of_a_plugin_that_is_not_installed_are_named(tmp_path: Path) -> None:
    await filled(tmp_path)
    (found,) = await open_inspection(f"sqlite:///{tmp_path}").drift({})
    assert (found.what, found.name) == ("version", "calendar")


async def test_looking_makes_nothing(tmp_path: Path) -> None:
    inspection = open_inspection(f"sqlite:///{tmp_path / 'nowhere'}")
    with pytest.raises(StorageError, match=r"there is no control\.db"):
        await inspection.check()
    assert os.listdir(tmp_path) == []


async def test_files_that_there_was_no_time_for_are_measured_whole(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    sizes = await open_inspection(f"sqlite:///{tmp_path}").sizes(patience=-1)
    assert (list(sizes.tables), sizes.unread) == ([], sizes.total)
    assert sizes.total >= file.stat().st_size
    sound = await open_inspection(f"sqlite:///{tmp_path}").sound(patience=-1)
    assert {each.answer for each in sound} == {""}


async def test_a_damaged_file_is_not_sound(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    size = file.stat().st_size
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(b"\xff" * (size - 4096))
    sound = {
        each.name: each.answer
        for each in await open_inspection(f"sqlite:///{tmp_path}").sound(patience=60)
    }
    assert sound["control.db"] == "ok"
    assert sound["tenants/acme.db"] not in ("", "ok")


async def test_a_packed_row_that_is_damaged_is_named_by_each_store(
    tmp_path: Path, database: Database
) -> None:
    sqlite, _ = open_sqlite(tmp_path)
    postgres, _ = open_postgres(database.node, owner=database.owner)
    for store in (sqlite, postgres):
        home = await home_of(store)
        await home.log("a", "b")
        assert await store.compact(home.address, home.fence, through=2, base=b"even " * 1000)
        if store is sqlite:
            change(tmp_path / "tenants" / "acme.db", "UPDATE parvis_log SET body = x'00'")
        else:
            database.execute("UPDATE parvis.parvis_log SET body = '\\x00'")
        with pytest.raises(StorageError, match="plain/board: row 2 cannot be read: damaged"):
            await store.read(home.address, after=0)
        url = database.node if store is postgres else f"sqlite:///{tmp_path}"
        inspection = open_inspection(url)
        with pytest.raises(StorageError, match="row 2 cannot be read"):
            await inspection.read(home.address, after=0)
        await inspection.close()
        await store.close()


# PostgreSQL


@pytest.fixture
async def calendar_at(calendar: Store, database: Database) -> Database:
    """A database with a plugin's tables."""
    return database


async def drift_of(database: Database) -> list[tuple[str, str, str]]:
    """Return what has drifted: what, name and detail."""
    inspection = open_inspection(database.node)
    try:
        found = await inspection.drift(PLUGINS)
    finally:
        await inspection.close()
    return [(each.what, each.name, each.detail) for each in found]


async def test_the_migrations_are_read_to_their_last_index_and_key(database: Database) -> None:
    shape = Shape()
    for step in own_steps():
        for statement in split_script(step.sql):
            shape.take(statement)
    indexes = database.execute(
        "SELECT count(*) FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indrelid"
        " WHERE c.relnamespace = 'parvis'::regnamespace AND c.relname <> 'parvis_background'"
    )
    assert int(indexes) == len(shape.indexes) + len(shape.keys)
    columns = database.execute(
        "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'parvis'"
        " AND table_name NOT IN ('parvis_schema', 'parvis_background')"
    )
    assert int(columns) == sum(map(len, shape.tables.values()))


@pytest.mark.parametrize(
    ("sql", "back", "expected"),
    [
        (
            "DROP INDEX parvis.parvis_job_due",
            "CREATE INDEX parvis_job_due ON parvis.parvis_job (tenant, queue, due, id)",
            ("index", "parvis_job_due", "is missing"),
        ),
        (
            "ALTER TABLE parvis.parvis_log DROP CONSTRAINT parvis_log_tenant_part_key_key",
            "ALTER TABLE parvis.parvis_log ADD UNIQUE (tenant, part, key)",
            ("key", "parvis_log (tenant, part, key)", "is missing"),
        ),
        (
            "ALTER TABLE parvis.parvis_snapshot NO FORCE ROW LEVEL SECURITY",
            "ALTER TABLE parvis.parvis_snapshot FORCE ROW LEVEL SECURITY",
            (
                "protection",
                "parvis_snapshot",
                "tenants see each other's rows: it lacks FORCE ROW LEVEL SECURITY",
            ),
        ),
        (
            "CREATE POLICY all_of_it ON parvis.parvis_log USING (true)",
            "DROP POLICY all_of_it ON parvis.parvis_log",
            ("protection", "parvis_log", "has a policy that is not ours"),
        ),
        (
            "REVOKE UPDATE, DELETE ON parvis.parvis_job FROM parvis_app",
            "GRANT UPDATE, DELETE ON parvis.parvis_job TO parvis_app",
            ("right", "parvis_job", "parvis_app may not UPDATE, DELETE"),
        ),
        (
            "GRANT SELECT ON parvis.parvis_secret TO PUBLIC",
            "REVOKE SELECT ON parvis.parvis_secret FROM PUBLIC",
            ("right", "parvis_secret", "everybody may SELECT"),
        ),
        (
            "DROP TABLE parvis_plugins.guest",
            "",
            ("table", "guest", "is missing"),
        ),
        (
            "ALTER TABLE parvis_plugins.booking DROP COLUMN who",
            "",
            ("column", "booking.who", "is missing"),
        ),
    ],
)
async def test_what_was_changed_behind_our_back_is_named(
    calendar_at: Database, sql: str, back: str, expected: tuple[str, str, str]
) -> None:
    calendar_at.execute(sql)
    try:
        assert await drift_of(calendar_at) == [expected]
    finally:
        if back:
            calendar_at.execute(back)


async def test_the_repair_of_an_index_is_what_makes_it(calendar_at: Database) -> None:
    calendar_at.execute("DROP INDEX parvis.parvis_job_due")
    inspection = open_inspection(calendar_at.node)
    (found,) = await inspection.drift(PLUGINS)
    assert found == Drift(
        "parvis",
        "index",
        "parvis_job_due",
        "is missing",
        "CREATE INDEX CONCURRENTLY parvis_job_due ON parvis.parvis_job (tenant, queue, due, id);",
    )
    calendar_at.execute(found.repair)
    assert await inspection.drift(PLUGINS) == []
    await inspection.close()


async def test_postgresql_tells_its_settings_and_its_time(database: Database) -> None:
    inspection = open_inspection(database.node)
    settings = await inspection.settings()
    assert {"fsync", "full_page_writes", "synchronous_commit"} <= set(settings)
    clock = await inspection.clock()
    assert clock is not None and clock > 1_500_000_000
    await inspection.close()
