"""The SQLite archive passes the conformance suite, also from copies; and what only SQLite has."""

import asyncio
import os
import resource
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from parvis.storage import Accounts, Address, Migration, Statement, StorageError, Store
from parvis.storage.archive import Archive
from parvis.storage.conformance import ArchiveConformance
from parvis.storage.conformance.base import home_of
from parvis.storage.conformance.belongings import fill_store
from parvis.storage.conformance.places import Place, all_sums, move, opened, opened_archive
from parvis.storage.factory import open_archive, open_store
from parvis.storage.sqlite import SqliteArchive
from parvis.storage.sqlite.cut import COPIES
from parvis.storage.transfer import fill, pages_of, sums_of
from tests.checkout import CHECKOUT

SEARCH = (
    Migration(
        1,
        "search",
        {
            "sqlite": (
                "CREATE TABLE page (id INTEGER PRIMARY KEY, text TEXT NOT NULL,"
                " length INTEGER GENERATED ALWAYS AS (length(text)) STORED) STRICT;"
                "CREATE VIRTUAL TABLE page_search USING fts5 (title, body, prefix = '2 3');"
                "CREATE VIRTUAL TABLE page_index USING fts5 (text, content='page',"
                " content_rowid='id');"
                "CREATE VIEW page_view AS SELECT id FROM page;"
                "CREATE TABLE page_seen (id INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;"
                "INSERT INTO page_seen VALUES (0, 0);"
                "CREATE TRIGGER page_told AFTER INSERT ON page BEGIN"
                " UPDATE page_seen SET count = count + 1; END"
            )
        },
    ),
)


class TestSqliteArchive(ArchiveConformance):
    async def open(self, place: Path) -> tuple[Store, Accounts]:
        return open_store(f"sqlite:///{place}")

    async def open_archive(self, place: Path) -> Archive:
        return open_archive(f"sqlite:///{place}")


def folder(path: Path) -> Place:
    """Return the place of a store in a data folder."""
    return TestSqliteArchive().place(path)


async def searchable(place: Place) -> None:
    """Keep pages that can be searched."""
    async with opened(place) as (store, _):
        await store.migrate("search", SEARCH)
        await store.execute(
            "acme",
            [
                Statement("INSERT INTO page (id, text) VALUES (7, 'one red fox')"),
                Statement("INSERT INTO page_index (rowid, text) VALUES (7, 'one red fox')"),
                Statement("INSERT INTO page_search (rowid, title, body) VALUES (7, 'Été', 'fox')"),
            ],
        )


async def test_a_search_finds_the_same_after_a_move(tmp_path: Path) -> None:
    source, target = folder(tmp_path / "source"), folder(tmp_path / "target")
    await searchable(source)
    async with opened_archive(source) as read, opened_archive(target) as write:
        await write.begin("a test")
        async with read.cut("acme") as cut:
            tables = {table.name: table.columns for table in cut.layout.tables}
            assert {name for name in tables if name.startswith("page")} == {
                "page",
                "page_search",
                "page_seen",
            }
            assert tables["page"] == ("id", "text")
            assert tables["page_search"] == ("rowid", "title", "body")
            async with write.load("acme", cut.layout, {"search": SEARCH}) as load:
                assert await fill(load, cut.layout, pages_of(cut)) == await sums_of(cut)
                await load.finish()
        await write.end()
    async with opened(target) as (store, _):
        await store.migrate("search", SEARCH)
        found = "SELECT rowid FROM {} WHERE {} MATCH ?"
        for table, word in (("page_search", "ete"), ("page_index", "red")):
            assert await store.query("acme", Statement(found.format(table, table), (word,))) == [
                (7,)
            ]
        seen = Statement("SELECT count FROM page_seen")
        assert await store.query("acme", seen) == [(1,)]
        await store.execute("acme", [Statement("INSERT INTO page (text) VALUES ('two')")])
        assert await store.query("acme", seen) == [(2,)]
        assert await store.query("acme", Statement("SELECT id, length FROM page")) == [
            (7, 11),
            (8, 3),
        ]


def copies(place: Path) -> list[Path]:
    """Return the folders that hold a copy."""
    return list(place.glob(f"{COPIES}*"))


async def test_a_large_file_is_read_from_a_copy_that_is_gone_afterwards(tmp_path: Path) -> None:
    async with opened(folder(tmp_path)) as (store, _):
        await fill_store(store)
        archive = SqliteArchive(tmp_path, copy_from=1)
        async with archive.cut("acme") as cut:
            before = await sums_of(cut)
            assert len(copies(tmp_path)) == 1
            home = await home_of(store)
            await home.log("later")
            # The write-ahead log can be emptied while the cut is being read.
            with closing(sqlite3.connect(tmp_path / "tenants" / "acme.db")) as other:
                assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            assert await sums_of(cut) == before
        assert copies(tmp_path) == []
    async with SqliteArchive(tmp_path).cut("acme") as cut:
        assert await sums_of(cut) != before


async def test_copies_of_a_killed_process_are_removed_by_the_next_cut(tmp_path: Path) -> None:
    async with opened(folder(tmp_path)) as (store, _):
        await fill_store(store)
    (tmp_path / f"{COPIES}dead").mkdir()
    (tmp_path / f"{COPIES}dead" / "copy.db").write_bytes(b"secret")
    async with SqliteArchive(tmp_path, copy_from=1).cut("acme"):
        assert not (tmp_path / f"{COPIES}dead").exists()
        async with SqliteArchive(tmp_path, copy_from=1).cut("acme"):
            assert len(copies(tmp_path)) == 2


KILLED = """
import asyncio, os, signal, sys
from parvis.storage.conformance.belongings import PLUGINS
from parvis.storage.factory import open_archive
from parvis.storage.transfer import fill, pages_of

async def main(source, target, count):
    read, write = open_archive(source), open_archive(target)
    await write.begin(source)
    left = count
    for scope in (*await read.tenants(), None):
        async with read.cut(scope) as cut:
            if scope in await write.loaded():
                continue
            async with write.load(scope, cut.layout, PLUGINS) as load:
                async def pages():
                    nonlocal left
                    async for page in pages_of(cut):
                        if not left:
                            os.kill(os.getpid(), signal.SIGKILL)
                        left -= 1
                        yield page
                await fill(load, cut.layout, pages())
                await load.finish()
    await write.end()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def test_a_move_that_is_killed_again_and_again_ends_with_all_of_it(tmp_path: Path) -> None:
    source, target = folder(tmp_path / "source"), folder(tmp_path / "target")
    async with opened(source) as (store, _):
        await fill_store(store)
    ends: list[int] = []
    for pages in (0, 1, 3, 5, 8, 13, 1000):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            KILLED,
            f"sqlite:///{source.name}",
            f"sqlite:///{target.name}",
            str(pages),
            cwd=CHECKOUT,
        )
        ends.append(await process.wait())
        if not ends[-1]:
            break
    assert ends[-1] == 0
    assert ends[:-1].count(-signal.SIGKILL) == len(ends) - 1 >= 3
    assert await all_sums(target) == await all_sums(source)


async def test_a_damaged_file_cannot_be_cut(tmp_path: Path) -> None:
    async with opened(folder(tmp_path)) as (store, _):
        await fill_store(store)
    file = tmp_path / "tenants" / "acme.db"
    with file.open("r+b") as content:
        content.seek(0)
        content.write(os.urandom(4096))
    with pytest.raises(StorageError, match=r"acme\.db") as refused:
        async with SqliteArchive(tmp_path).cut("acme"):
            pass
    assert refused.value.hint


async def test_a_full_disk_fails_a_load_and_keeps_what_was_there(tmp_path: Path) -> None:
    source, target = folder(tmp_path / "source"), folder(tmp_path / "target")
    async with opened(source) as (store, _):
        home = await home_of(store)
        for at in range(20):
            await home.log(f"{at}" + "x" * 100_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(StorageError):
            await move(source, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)
    with pytest.raises(StorageError, match="filled"):
        async with opened(target):
            pass
    await move(source, target)
    async with opened(target) as (store, _):
        assert len(await store.read(Address("acme", "plain/board"), after=0)) == 20
