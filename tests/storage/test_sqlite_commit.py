"""Group commit: what waits for a file is made durable together, and fails alone."""

import asyncio
from collections.abc import Generator
from pathlib import Path

import pytest

from parvis.storage import (
    Address,
    Batch,
    Entry,
    RoomNotFound,
    Statement,
    StatementRefused,
    Status,
    StoreUnavailable,
)
from parvis.storage.sqlite.commit import commit_together
from parvis.storage.sqlite.engine import Engine
from parvis.storage.sqlite.files import Database, DataFile, connect_writer
from parvis.storage.sqlite.statements import TransactionLost
from parvis.storage.sqlite.store import SqliteStore


@pytest.fixture
def database(tmp_path: Path) -> Generator[Database]:
    database = connect_writer(DataFile(tmp_path / "x.db", "tenant", "x"), create=True)
    database.execute("CREATE TABLE n (x INTEGER PRIMARY KEY) STRICT")
    yield database
    database.close()


def numbers(database: Database) -> list[int]:
    return [row[0] for row in database.execute("SELECT x FROM n ORDER BY x")]


class Insert:
    """Work that inserts numbers, and counts how often it ran."""

    def __init__(self, *values: int) -> None:
        self.values = values
        self.runs = 0

    def __call__(self, database: Database) -> int:
        self.runs += 1
        for value in self.values:
            database.execute("INSERT INTO n VALUES (?)", (value,))
        return len(self.values)


def test_works_are_answered_in_order(database: Database) -> None:
    assert commit_together(database, [Insert(1), Insert(2, 3), Insert()]) == [1, 2, 0]
    assert numbers(database) == [1, 2, 3]
    assert not database.connection.in_transaction


def test_a_work_that_fails_undoes_itself_only(database: Database) -> None:
    works = [Insert(1), Insert(2, 1), Insert(3)]
    one, two, three = commit_together(database, works)
    assert (one, three) == (1, 1)
    assert isinstance(two, Exception)
    assert numbers(database) == [1, 3]
    assert [work.runs for work in works] == [1, 1, 1]


def test_a_work_that_loses_the_transaction_costs_the_others_nothing(database: Database) -> None:
    class Reckless:
        doomed = False

        def __call__(self, database: Database) -> str:
            if self.doomed:
                return "refused"
            try:
                database.plugins.run(Statement("INSERT OR ROLLBACK INTO n VALUES (1)"))
            except TransactionLost:
                self.doomed = True
                raise
            return "done"

    assert commit_together(database, [Insert(1), Reckless(), Insert(2)]) == [1, "refused", 1]
    assert numbers(database) == [1, 2]


def test_a_group_that_does_not_fit_is_tried_one_by_one(database: Database) -> None:
    database.execute("CREATE TABLE blob (x BLOB)")
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages + 4}")

    def big(database: Database) -> None:
        database.execute("INSERT INTO blob VALUES (zeroblob(100000))")

    one, two, three = commit_together(database, [Insert(1), big, Insert(2)])
    assert (one, three) == (1, 1)
    assert isinstance(two, StoreUnavailable)
    assert numbers(database) == [1, 2]


async def test_calls_that_wait_for_a_file_share_a_commit(tmp_path: Path) -> None:
    engine = Engine(tmp_path, writers=1, readers=1, open_files=4)
    store = SqliteStore(engine)
    fences = [
        (await store.open_room("acme", f"r{n}", creator="u_ann", now=1)).fence for n in range(100)
    ]
    commits = 0

    def count(sql: str) -> None:
        nonlocal commits
        commits += sql == "COMMIT"

    file = engine.folder.tenant("acme")
    await engine.write(file, lambda database: database.connection.set_trace_callback(count))
    entry = Entry(b"x", "u_ann", 1, b"k")
    answers = await asyncio.gather(
        *(store.append("acme", [Batch(f"r{n}", "", fences[n], 0, (entry,))]) for n in range(100))
    )
    assert all(answer.status is Status.LOGGED for (answer,) in answers)
    assert 1 <= commits <= 20
    await store.close()


async def test_what_was_handed_in_before_closing_is_finished(tmp_path: Path) -> None:
    engine = Engine(tmp_path, writers=1, readers=1, open_files=4)
    store = SqliteStore(engine)
    fence = (await store.open_room("acme", "r", creator="u_ann", now=1)).fence
    entry = Entry(b"x", "u_ann", 1, b"k")
    append = asyncio.create_task(store.append("acme", [Batch("r", "", fence, 0, (entry,))]))
    await asyncio.sleep(0)
    await store.close()
    assert (await append)[0].status is Status.LOGGED


async def test_an_error_in_one_call_does_not_reach_another(tmp_path: Path) -> None:
    engine = Engine(tmp_path, writers=1, readers=1, open_files=4)
    store = SqliteStore(engine)
    fence = (await store.open_room("acme", "r", creator="u_ann", now=1)).fence
    good = Batch("r", "", fence, 0, (Entry(b"x", "u_ann", 1, b"k"),))
    execute = asyncio.create_task(store.execute("acme", [Statement("nonsense")]))
    append = asyncio.create_task(store.append("acme", [good]))
    opening = asyncio.create_task(store.open_room("acme", "other", creator=None, now=1))
    with pytest.raises(StatementRefused):
        await execute
    assert [answer.status for answer in await append] == [Status.LOGGED]
    with pytest.raises(RoomNotFound):
        await opening
    await store.close()


async def test_an_entry_that_cannot_be_written_down_refuses_only_itself(tmp_path: Path) -> None:
    engine = Engine(tmp_path, writers=1, readers=1, open_files=4)
    store = SqliteStore(engine)
    fence = (await store.open_room("acme", "r", creator="u_ann", now=1)).fence
    entries = (
        Entry(b"x", "half a character: \ud800", 1, b"1"),
        Entry(b"y", "u_ann", 1, b"2"),
        Entry(b"z", "\udfff", 1, b"3"),
    )
    (answer,) = await store.append("acme", [Batch("r", "", fence, 0, entries)])
    assert (answer.status, answer.offsets) == (Status.LOGGED, (0, 1, 0))
    assert set(answer.refusals) == {0, 2}
    rows = await store.read(Address("acme", "r"), after=0)
    assert [(row.offset, row.update) for row in rows] == [(1, b"y")]
    await store.close()
