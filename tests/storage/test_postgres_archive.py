"""The PostgreSQL archive passes the conformance suite; and a store moves to it and back."""

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from parvis.storage import Accounts, Address, StorageError, Store
from parvis.storage.archive import Archive
from parvis.storage.conformance import ArchiveConformance
from parvis.storage.conformance.base import ROOM, TENANT, home_of
from parvis.storage.conformance.belongings import ALL_NOTES, PLUGINS, fill_accounts, fill_store
from parvis.storage.conformance.places import Place, all_sums, move, opened, opened_archive
from parvis.storage.factory import open_archive, open_store
from parvis.storage.postgres import open_postgres
from parvis.storage.postgres.archive import PostgresArchive
from tests.databases import Database, Databases


class Cluster:
    """A database for each path that is named."""

    def __init__(self, databases: Databases, stack: ExitStack) -> None:
        self._databases = databases
        self._stack = stack
        self._named: dict[Path, Database] = {}

    def at(self, path: Path) -> Database:
        """Return the database of a path, empty at first."""
        if path not in self._named:
            self._named[path] = self._stack.enter_context(self._databases.fresh())
        return self._named[path]


@pytest.fixture
def cluster(databases: Databases) -> Iterator[Cluster]:
    """Databases of the test's own."""
    with ExitStack() as stack:
        yield Cluster(databases, stack)


class TestPostgresArchive(ArchiveConformance):
    @pytest.fixture(autouse=True)
    def places(self, cluster: Cluster) -> Generator[None]:
        self.cluster = cluster
        yield

    async def open(self, place: Path) -> tuple[Store, Accounts]:
        database = self.cluster.at(place)
        return open_postgres(database.node, owner=database.owner)

    async def open_archive(self, place: Path) -> Archive:
        database = self.cluster.at(place)
        return PostgresArchive(database.node, owner=database.owner)

    async def test_data_of_an_earlier_version_is_brought_up_to_date(
        self, source: Place, target: Place
    ) -> None:
        """Not here, where all tenants share their tables: it is refused, with what to do."""
        async with opened_archive(source) as read, read.cut(TENANT) as cut:
            layout = cut.layout
        older = type(layout)(layout.kind, layout.schema, {"notes": 1}, layout.tables)
        async with opened_archive(target) as write:
            await write.begin("a test")
            with pytest.raises(StorageError, match="number 1 of the tables of notes") as refused:
                async with write.load(TENANT, older, PLUGINS):
                    pass
        assert "Start this version" in refused.value.hint


def folder(path: Path) -> Place:
    """Return the place of a SQLite store."""

    async def store() -> tuple[Store, Accounts]:
        return open_store(f"sqlite:///{path}")

    async def archive() -> Archive:
        return open_archive(f"sqlite:///{path}")

    return Place(str(path), store, archive)


async def test_a_store_moves_to_postgresql_and_back_and_is_the_same(
    cluster: Cluster, tmp_path: Path
) -> None:
    suite = TestPostgresArchive()
    suite.cluster = cluster
    source, target = folder(tmp_path / "a"), suite.place(tmp_path / "b")
    back = folder(tmp_path / "c")
    async with opened(source) as (store, accounts):
        await fill_store(store)
        await fill_accounts(accounts)
    moved = await move(source, target)
    assert await all_sums(target) == moved == await all_sums(source)
    async with opened(target) as (store, accounts), opened(source) as (before, _):
        await store.migrate("notes", PLUGINS["notes"])
        address = Address(TENANT, ROOM)
        assert await store.read(address, after=0) == await before.read(address, after=0)
        assert await store.snapshot(address) == await before.snapshot(address)
        assert await store.query(TENANT, ALL_NOTES) == await before.query(TENANT, ALL_NOTES)
        assert len(await accounts.users()) == 1
        assert await (await home_of(store)).log("d") == (4,)
        new = await home_of(store, "plain/new")
        assert await new.log("n") == (1,)
    assert await move(target, back) == await all_sums(target) == await all_sums(back)
    async with opened(back) as (store, _):
        assert await (await home_of(store)).updates() == ["a", "b", "c", "d"]
