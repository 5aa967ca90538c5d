"""Tables are made and changed by their owner: once, resumably, and never half."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parvis.storage import Migration, SchemaTooNew, Statement, StatementRefused, StorageError
from parvis.storage.conformance.base import BOOKINGS
from parvis.storage.postgres import migrate_postgres, open_postgres
from parvis.storage.postgres.steps import Step, own_steps, steps_in
from tests.databases import Database, Databases
from tests.services import PgBouncer

NEWEST = own_steps()[-1].number
EXPAND = Step(NEWEST + 1, "expand", "ALTER TABLE parvis.parvis_pulse ADD COLUMN note TEXT")
FILL = Step(
    NEWEST + 2,
    "fill",
    "UPDATE parvis.parvis_pulse SET note = 'full' WHERE ctid IN"
    " (SELECT ctid FROM parvis.parvis_pulse WHERE note IS NULL LIMIT 10)",
    background=True,
)
CONTRACT = Step(
    NEWEST + 3,
    "contract",
    "ALTER TABLE parvis.parvis_pulse ALTER COLUMN note SET NOT NULL",
    compat=NEWEST + 1,
)


@pytest.fixture
def empty(databases: Databases) -> Iterator[Database]:
    with databases.empty() as database:
        yield database


@pytest.fixture
def spare(databases: Databases) -> Iterator[Database]:
    """A database with tables that a test may spoil."""
    with databases.empty() as database:
        asyncio.run(migrate_postgres(database.owner, {}))
        yield database


async def test_tables_are_made_once(empty: Database) -> None:
    said: list[str] = []
    made = await migrate_postgres(empty.owner, {"calendar": BOOKINGS}, report=said.append)
    assert (made.before, made.after) == (0, NEWEST)
    assert list(made.steps) == said
    assert said[0] == "make the roles and schemas"
    assert said[-1] == "calendar: 1 bookings"
    again = await migrate_postgres(empty.owner, {"calendar": BOOKINGS})
    assert (again.before, again.after, again.steps) == (NEWEST, NEWEST, ())
    store, _ = open_postgres(empty.node)
    await store.migrate("calendar", BOOKINGS)
    assert await store.query("acme", Statement("SELECT * FROM booking")) == []
    await store.close()


async def test_a_dry_run_says_all_and_changes_nothing(empty: Database) -> None:
    tried = await migrate_postgres(empty.owner, {"calendar": BOOKINGS}, dry_run=True)
    assert len(tried.steps) == 1 + len(own_steps()) + 1
    assert empty.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'parvis%'") == "0"
    with pytest.raises(StatementRefused, match="odd: migration 1"):
        await migrate_postgres(
            empty.owner, {"odd": [Migration(1, "odd", {"postgres": "DROP TABLE x"})]}, dry_run=True
        )


async def test_processes_that_migrate_at_once_take_turns(empty: Database) -> None:
    plugins = {"calendar": BOOKINGS}
    done = await asyncio.gather(*(migrate_postgres(empty.owner, plugins) for _ in range(3)))
    assert sorted(each.before for each in done) == [0, NEWEST, NEWEST]
    assert sum(len(each.steps) > 0 for each in done) == 1


async def test_a_step_that_fails_leaves_those_before_it(spare: Database) -> None:
    broken = Step(NEWEST + 2, "broken", "CREATE TABLE parvis.t (x INT); SELECT 1 / 0")
    with pytest.raises(StorageError, match="division by zero"):
        await migrate_postgres(spare.owner, {}, steps=[*own_steps(), EXPAND, broken])
    assert spare.execute("SELECT schema_version FROM parvis.parvis_schema") == str(NEWEST + 1)
    assert spare.execute("SELECT to_regclass('parvis.t') IS NULL") == "t"


async def test_a_background_step_runs_in_portions_and_before_what_needs_it(
    spare: Database,
) -> None:
    spare.execute("INSERT INTO parvis.parvis_pulse SELECT 1 FROM generate_series(1, 24)")
    said: list[str] = []
    steps = [*own_steps(), EXPAND, FILL]
    await migrate_postgres(spare.owner, {}, steps=steps, report=said.append)
    portions = [each for each in said if each.startswith(f"{FILL.number} fill: ")]
    assert [each.rpartition(": ")[2] for each in portions] == [
        "10 rows",
        "10 rows",
        "5 rows",
        "0 rows",
    ]
    assert spare.execute("SELECT step, rows, done FROM parvis.parvis_background") == (
        f"{FILL.number}|25|t"
    )
    await migrate_postgres(spare.owner, {}, steps=[*steps, CONTRACT])
    with pytest.raises(SchemaTooNew):
        open_postgres(spare.node)


async def test_a_background_step_that_was_killed_goes_on(spare: Database) -> None:
    spare.execute("INSERT INTO parvis.parvis_pulse SELECT 1 FROM generate_series(1, 29)")
    steps = [*own_steps(), EXPAND, FILL]

    class Killed(Exception):
        """Stands for a kill after the first portion."""

    def die(what: str) -> None:
        if what.endswith("10 rows"):
            raise Killed

    with pytest.raises(Killed):
        await migrate_postgres(spare.owner, {}, steps=steps, report=die)
    open_postgres(spare.node)  # nodes serve meanwhile
    assert spare.execute("SELECT rows, done FROM parvis.parvis_background") == "10|f"
    await migrate_postgres(spare.owner, {}, steps=[*steps, CONTRACT])
    assert spare.execute("SELECT rows, done FROM parvis.parvis_background") == "30|t"


MIGRATE = """
import asyncio, functools, sys
from parvis.storage.conformance.base import BOOKINGS
from parvis.storage.postgres import migrate_postgres
say = functools.partial(print, flush=True)
asyncio.run(migrate_postgres(sys.argv[1], {"calendar": BOOKINGS}, report=say))
"""


def migrate_and_kill(url: str, after: int) -> bool:
    """Kill a process that migrates after some steps began; False if it had ended before."""
    with subprocess.Popen(
        [sys.executable, "-c", MIGRATE, url], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(after)]
        os.kill(process.pid, signal.SIGKILL)
    return bool(said[-1])


async def test_a_migration_that_is_killed_is_finished_by_the_next(empty: Database) -> None:
    # Each goes on where the one before it was killed, so each has fewer steps to begin.
    kills = sum([await asyncio.to_thread(migrate_and_kill, empty.owner, 2) for _ in range(4)])
    assert kills > 1
    done = await migrate_postgres(empty.owner, {"calendar": BOOKINGS})
    assert done.after == NEWEST
    store, _ = open_postgres(empty.node)
    await store.migrate("calendar", BOOKINGS)
    await store.close()


async def test_a_pooler_cannot_be_migrated_through(
    database: Database, pgbouncer: PgBouncer
) -> None:
    with pytest.raises(StorageError, match="a pooler stands between"):
        await migrate_postgres(pgbouncer.url(database.name, "parvis_owner"), {})


async def test_whoever_does_not_own_the_database_is_told_who_may(
    empty: Database, database: Database
) -> None:
    for url in (empty.node, database.node):
        with pytest.raises(StorageError) as told:
            await migrate_postgres(url, {"calendar": BOOKINGS})
        assert "the role that owns the database" in told.value.hint


def test_a_steps_file_says_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "0002_fill_it.sql").write_text("-- background\nUPDATE t SET x = 1")
    (tmp_path / "0001_make_it.sql").write_text("-- Why.\n-- compat: 1\nCREATE TABLE t (x INT)")
    (tmp_path / "notes.txt").write_text("no step")
    first, second = steps_in(tmp_path)
    assert (first.number, first.title, first.compat, first.background) == (1, "make it", 1, False)
    assert (second.number, second.title, second.compat, second.background) == (
        2,
        "fill it",
        0,
        True,
    )
