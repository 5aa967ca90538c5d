"""The files of the SQLite store: names, schema versions, how many are open, what is left over."""

import contextlib
import os
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from parvis.storage import Batch, Entry, SchemaTooNew, Status, StorageError, User
from parvis.storage.sqlite import open_sqlite
from parvis.storage.sqlite.engine import Engine
from parvis.storage.sqlite.files import DataFile, DataFolder, connect_writer
from parvis.storage.sqlite.migrations import Step, bring_up, steps
from parvis.storage.sqlite.store import SqliteStore
from parvis.storage.tenants import safe_name, tenant_of


def test_a_file_name_spells_out_what_file_systems_confuse() -> None:
    assert safe_name("acme-2_b") == "acme-2_b"
    assert safe_name("Acme") == "%41cme"
    assert safe_name("../x.db") == "%2E%2E%2Fx%2Edb"
    assert safe_name("é") == "%C3%A9"


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_two_tenants_never_share_a_file(one: str, other: str) -> None:
    assert tenant_of(safe_name(one)) == one
    assert (safe_name(one).casefold() == safe_name(other).casefold()) == (one == other)
    assert set(safe_name(one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_%ABCDEF")


def test_a_tenants_name_has_bounds() -> None:
    for name in ("", "é" * 41, "x" * 241):
        with pytest.raises(StorageError, match="tenant's name"):
            safe_name(name)


async def test_a_file_that_somebody_laid_beside_is_nobodys(tmp_path: Path) -> None:
    store, _ = open_sqlite(tmp_path)
    await store.open_room("Acme", "plain/a", creator="u_ann", now=1)
    for name in ("acme (1).db", "Acme.db", "a%4.db", "%ff.db", "%FF.db", ".db", "notes.txt"):
        (tmp_path / "tenants" / name).touch()
    assert await store.tenants() == ["Acme"]
    await store.close()


def test_commits_are_synced(tmp_path: Path) -> None:
    database = connect_writer(DataFile(tmp_path / "x.db", "tenant", "x"), create=True)
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "page_size": 4096}
    assert {name: database.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted
    database.close()


@pytest.mark.parametrize("kind", ["tenant", "control"])
def test_every_table_is_strict_and_migrations_are_numbered_from_one(
    tmp_path: Path, kind: str
) -> None:
    assert [step.number for step in steps(kind)] == list(range(1, len(steps(kind)) + 1))
    database = connect_writer(DataFile(tmp_path / "x.db", kind), create=True)
    tables = database.execute(
        "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name LIKE 'parvis%'"
    ).fetchall()
    assert len(tables) > 4
    assert all(strict for _, strict in tables)
    database.close()


def _steps(*compats: int) -> tuple[Step, ...]:
    return tuple(
        Step(number, "test", (f"CREATE TABLE t{number} (x INTEGER)",), compat)
        for number, compat in enumerate(compats, 1)
    )


def test_a_schema_is_brought_up_step_by_step() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    bring_up(connection, _steps(0), "x.db")
    bring_up(connection, _steps(0, 0, 0), "x.db")
    bring_up(connection, _steps(0, 0, 0), "x.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()


def test_a_step_that_fails_leaves_the_schema_as_it_was() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    bring_up(connection, _steps(0), "x.db")
    broken = Step(3, "broken", ("CREATE TABLE t9 (x)", "nonsense"), 0)
    with pytest.raises(sqlite3.OperationalError):
        bring_up(connection, (*_steps(0, 0), broken), "x.db")
    tables = connection.execute("SELECT name FROM sqlite_schema WHERE name LIKE 't%'").fetchall()
    assert tables == [("t1",)]
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_an_older_program_uses_a_newer_file_only_if_the_file_allows() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    bring_up(connection, _steps(0, 0), "x.db")
    bring_up(connection, _steps(0), "x.db")
    bring_up(connection, _steps(0, 0, 3), "x.db")
    bring_up(connection, _steps(0, 0, 3, 0), "x.db")
    bring_up(connection, _steps(0, 0, 3), "x.db")
    with pytest.raises(SchemaTooNew, match=r"x\.db has schema 4.*knows 2"):
        bring_up(connection, _steps(0, 0), "x.db")
    connection.close()


async def test_accounts_of_the_first_version_are_there_after_an_update(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "control.db", isolation_level=None)) as old:
        bring_up(old, steps("control")[:1], "control.db")
        old.execute(
            "INSERT INTO parvis_user VALUES"
            " ('u_1', 'local', 'A@x.org', 'a@x.org', 'A', '#111111', '', 1, 5, 0, 3)"
        )
    store, accounts = open_sqlite(tmp_path)
    kept = User("u_1", "local", "A@x.org", "A", "#111111", "", True, 5, False, 3, language="")
    assert await accounts.users() == [kept]
    assert await accounts.links("invitation", "local", now=1) == []
    await store.close()


async def test_a_folder_of_a_later_version_is_refused_at_the_start(tmp_path: Path) -> None:
    store, _ = open_sqlite(tmp_path)
    await store.open_room("acme", "plain/a", creator="u_ann", now=1)
    await store.close()
    files = [tmp_path / "tenants" / "acme.db", tmp_path / "control.db"]
    for file in files:
        connection = sqlite3.connect(file)
        connection.execute("UPDATE parvis_compat SET number = 999")
        connection.execute("PRAGMA user_version = 999")
        connection.commit()
        connection.close()
    before = [file.read_bytes() for file in files]
    with pytest.raises(SchemaTooNew, match="control"):
        open_sqlite(tmp_path)
    (tmp_path / "control.db").unlink()
    store, _ = open_sqlite(tmp_path)
    with pytest.raises(SchemaTooNew, match="acme"):
        await store.open_room("acme", "plain/a", creator="u_ann", now=1)
    with pytest.raises(SchemaTooNew, match="acme"):
        await store.rooms("acme")
    await store.close()
    assert files[0].read_bytes() == before[0]


def _open_files(folder: Path) -> list[str]:
    found: list[str] = []
    for entry in os.scandir("/proc/self/fd"):
        try:
            target = os.readlink(entry.path)
        except FileNotFoundError:
            continue
        if target.startswith(str(folder)) and target.endswith(".db"):
            found.append(target)
    return found


async def test_files_beyond_the_bound_are_closed_and_opened_again(tmp_path: Path) -> None:
    store, _ = open_sqlite(tmp_path, writers=2, readers=2, open_files=6)
    fences: dict[str, int] = {}
    for number in range(40):
        tenant = f"tenant-{number}"
        fences[tenant] = (await store.open_room(tenant, "r", creator="u_ann", now=1)).fence
        assert await store.room(tenant, "r") is not None
    # At most twice 6 for two writers, and 6 connections of readers.
    assert len(_open_files(tmp_path)) <= 18
    for end in range(2):
        for tenant, fence in fences.items():
            entry = Entry(b"x", "u_ann", 1, str(end).encode())
            (answer,) = await store.append(tenant, [Batch("r", "", fence, end, (entry,))])
            assert (answer.status, answer.end) == (Status.LOGGED, end + 1)
    assert len(_open_files(tmp_path)) <= 18
    await store.close()
    assert not _open_files(tmp_path)
    assert sorted(file.suffix for file in (tmp_path / "tenants").iterdir()) == [".db"] * 40


async def test_a_deletion_that_was_interrupted_is_finished_at_the_next_opening(
    tmp_path: Path,
) -> None:
    from parvis.storage.sqlite import rooms

    engine = Engine(tmp_path, writers=1, readers=1, open_files=4)
    store = SqliteStore(engine)
    file = DataFolder(tmp_path).tenant("acme")
    opened = await store.open_room("acme", "r", creator="u_ann", now=1)
    entries = tuple(Entry(b"x", "u_ann", 1, str(n).encode()) for n in range(5000))
    await store.append("acme", [Batch("r", "", opened.fence, 0, entries)])
    await engine.write(file, lambda database: rooms.delete_room(database, "r", 5))
    await engine.write(file, rooms.purge)
    await store.close()

    def left(path: Path) -> list[int]:
        connection = sqlite3.connect(path)
        try:
            return [
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                for table in ("parvis_log", "parvis_part", "parvis_room")
            ]
        finally:
            connection.close()

    assert left(file.path) == [3000, 1, 1]
    store, _ = open_sqlite(tmp_path)
    assert not await store.rooms("acme")
    await store.close()
    assert left(file.path) == [0, 0, 1]
