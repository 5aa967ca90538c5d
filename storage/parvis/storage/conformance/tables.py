"""Plugins' tables: numbered migrations, run once in every tenant."""

from dataclasses import replace

import pytest

from parvis.storage.api import Migration, Statement, Store
from parvis.storage.conformance.base import (
    BOOKED,
    BOOKINGS,
    TENANT,
    StoreSuite,
    book,
    entry,
    home_of,
)
from parvis.storage.errors import SchemaTooNew, StatementRefused, StorageError


def step(number: int, sql: str, postgres: str = "") -> Migration:
    """Return a migration whose script is the same for every store, or another for PostgreSQL."""
    return Migration(number, f"step {number}", {"sqlite": sql, "postgres": postgres or sql})


ROOMY = step(2, "ALTER TABLE booking ADD COLUMN place TEXT NOT NULL DEFAULT 'here'")
PLACES = Statement("SELECT slot, place FROM booking ORDER BY slot")


class TablesSuite(StoreSuite):
    """Part of `StoreConformance`."""

    async def test_tables_are_there_in_every_tenant(self, store: Store) -> None:
        await home_of(store)
        await store.migrate("calendar", BOOKINGS)
        assert not await store.query(TENANT, BOOKED)
        later = await home_of(store, tenant="globex")
        assert (await later.try_append(entry("a", statements=[book(1)]))).offsets == (1,)
        assert await store.query("globex", BOOKED) == [(1, "ann")]

    async def test_a_migration_runs_once(self, store: Store) -> None:
        await store.migrate("calendar", BOOKINGS)
        await store.execute(TENANT, [book(1)])
        await store.migrate("calendar", BOOKINGS)
        await store.migrate("calendar", [*BOOKINGS, ROOMY])
        await store.migrate("calendar", [*BOOKINGS, ROOMY])
        assert await store.query(TENANT, PLACES) == [(1, "here")]
        await store.execute("globex", [book(2)])
        assert await store.query("globex", PLACES) == [(2, "here")]

    async def test_a_failing_script_leaves_the_old_version(self, store: Store) -> None:
        await store.migrate("calendar", BOOKINGS)
        await store.execute(TENANT, [book(1), book(2)])
        broken = step(
            3,
            "UPDATE booking SET who = 'x'; CREATE UNIQUE INDEX u ON booking (who)",
            "UPDATE booking SET who = 'x'; CREATE UNIQUE INDEX u ON booking (tenant, who)",
        )
        with pytest.raises(StatementRefused, match="calendar: migration 3"):
            await store.migrate("calendar", [*BOOKINGS, ROOMY, broken])
        assert await store.query(TENANT, BOOKED) == [(1, "ann"), (2, "ann")]
        with pytest.raises(StatementRefused):
            await store.query(TENANT, PLACES)
        await store.execute("globex", [book(1)])
        await store.migrate(
            "calendar",
            [
                *BOOKINGS,
                ROOMY,
                replace(
                    ROOMY,
                    number=3,
                    scripts={
                        "sqlite": "",
                        "postgres": "",
                    },
                ),
            ],
        )
        assert await store.query(TENANT, PLACES) == [(1, "here"), (2, "here")]

    async def test_a_script_that_cannot_work_fails_before_any_tenant_exists(
        self, store: Store
    ) -> None:
        with pytest.raises(StatementRefused, match="calendar: migration 1"):
            await store.migrate("calendar", [step(1, "CREATE TABLE oops (")])
        with pytest.raises(StatementRefused, match="calendar: migration 2"):
            await store.migrate("calendar", [*BOOKINGS, step(2, "DROP TABLE nowhere")])
        await store.migrate("calendar", BOOKINGS)
        assert not await store.query(TENANT, BOOKED)

    async def test_plugins_number_their_migrations_by_themselves(self, store: Store) -> None:
        await store.migrate("calendar", BOOKINGS)
        word = step(
            1,
            "CREATE TABLE word (text TEXT PRIMARY KEY)",
            "CREATE TABLE word (text TEXT, tenant TEXT NOT NULL DEFAULT parvis_tenant(),"
            " PRIMARY KEY (tenant, text))",
        )
        await store.migrate("search", [word])
        assert not await store.query(TENANT, Statement("SELECT text FROM word"))
        assert not await store.query(TENANT, BOOKED)

    async def test_numbers_must_ascend(self, store: Store) -> None:
        for numbers in ((2, 1), (1, 1), (0,), (-1,)):
            with pytest.raises(StorageError):
                await store.migrate("calendar", [step(number, "SELECT 1") for number in numbers])

    async def test_a_script_for_this_store_must_be_there(self, store: Store) -> None:
        with pytest.raises(StorageError, match="no script"):
            await store.migrate("calendar", [Migration(1, "bookings", {"oracle": "SELECT 1"})])

    async def test_tables_of_a_later_version_are_not_touched(self, store: Store) -> None:
        await store.migrate("calendar", [*BOOKINGS, ROOMY])
        await store.execute(TENANT, [book(1)])
        with pytest.raises(SchemaTooNew):
            await store.migrate("calendar", BOOKINGS)
        assert await store.query(TENANT, PLACES) == [(1, "here")]

    async def test_a_script_may_hold_semicolons_anywhere(self, store: Store) -> None:
        await home_of(store)
        script = """
            -- A comment; with a semicolon.
            CREATE TABLE phrase (text TEXT NOT NULL DEFAULT 'a;b');
            /* Another; one. */ INSERT INTO phrase (text) VALUES ('it''s; fine');
            INSERT INTO phrase DEFAULT VALUES
            -- The end; really.
        """
        led = script.replace("'a;b'", "'a;b', tenant TEXT NOT NULL DEFAULT parvis_tenant()")
        await store.migrate("phrases", [step(1, script, led)])
        rows = await store.query(TENANT, Statement("SELECT text FROM phrase ORDER BY text"))
        assert rows == [("a;b",), ("it's; fine",)]
