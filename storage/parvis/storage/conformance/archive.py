"""Archives: a cut is one moment, and what is loaded from it is the same data in another place."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from parvis.storage.accounts import Accounts, Link, SignIn, User
from parvis.storage.api import (
    Address,
    Job,
    Migration,
    Quarantined,
    Snapshot,
    SqlValue,
    Statement,
    Store,
)
from parvis.storage.archive import PAGE_BYTES, PAGE_ROWS, Archive, Layout, Load, Mark, Row, Table
from parvis.storage.conformance.base import ROOM, TENANT, entry, home_of
from parvis.storage.errors import (
    PlaceTaken,
    SchemaTooNew,
    StatementRefused,
    StorageError,
    Unfinished,
)
from parvis.storage.transfer import PrefixDiffers, Sums, fill, pages_of, sums_of

NOTES = (
    Migration(
        1,
        "notes",
        {
            "sqlite": (
                "CREATE TABLE note (author TEXT NOT NULL, id INTEGER NOT NULL, body BLOB,"
                " weight REAL, title TEXT NOT NULL DEFAULT 'none', PRIMARY KEY (author, id)) STRICT"
            ),
            "postgres": (
                "CREATE TABLE note ("
                ' tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),'
                ' author TEXT COLLATE "C" NOT NULL, id BIGINT NOT NULL, body BYTEA,'
                " weight DOUBLE PRECISION, title TEXT NOT NULL DEFAULT 'none',"
                " PRIMARY KEY (tenant, author, id))"
            ),
        },
    ),
    Migration(
        2,
        "drafts",
        {
            "sqlite": (
                "CREATE TABLE note_draft (author TEXT NOT NULL, id INTEGER NOT NULL,"
                " text TEXT NOT NULL, PRIMARY KEY (author, id),"
                " FOREIGN KEY (author, id) REFERENCES note (author, id)) STRICT"
            ),
            "postgres": (
                "CREATE TABLE note_draft ("
                ' tenant TEXT COLLATE "C" NOT NULL DEFAULT parvis_tenant(),'
                ' author TEXT COLLATE "C" NOT NULL, id BIGINT NOT NULL, text TEXT NOT NULL,'
                " PRIMARY KEY (tenant, author, id),"
                " FOREIGN KEY (tenant, author, id) REFERENCES note (tenant, author, id))"
            ),
        },
    ),
)
"""A plugin's tables: notes of every type of value, in an order that collations get wrong."""

PLUGINS: Mapping[str, Sequence[Migration]] = {"notes": NOTES}

AUTHORS = ("", "B", "a", "z", "Ä", "ä", "\uffff", "\U0001f600")
"""In the order of their code points."""

ANN = User(
    id="u_ann",
    tenant=TENANT,
    email="Ann@example.org",
    name="Ann Ä",
    color="#123456",
    password="$argon2id$…",
    admin=True,
    created=1000.5,
    language="fr",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is, and how it is opened: for a node, and as an archive."""

    name: str
    store: Callable[[], Awaitable[tuple[Store, Accounts]]]
    archive: Callable[[], Awaitable[Archive]]


class ArchiveConformance:
    """What every archive does. A test class overrides `open` and `open_archive`."""

    async def open(self, place: Path) -> tuple[Store, Accounts]:
        """Open the store at a place, as a node does; at first it is empty."""
        raise NotImplementedError

    async def open_archive(self, place: Path) -> Archive:
        """Open the archive of the store at a place."""
        raise NotImplementedError

    def place(self, path: Path) -> Place:
        """Return the place of a store."""
        return Place(str(path), lambda: self.open(path), lambda: self.open_archive(path))

    @pytest.fixture
    async def source(self, tmp_path: Path) -> Place:
        """A store that holds something of everything."""
        place = self.place(tmp_path / "source")
        async with opened(place) as (store, accounts):
            await fill_store(store)
            await fill_accounts(accounts)
        return place

    @pytest.fixture
    def target(self, tmp_path: Path) -> Place:
        """An empty place."""
        return self.place(tmp_path / "target")

    async def test_what_is_loaded_is_what_was_cut(self, source: Place, target: Place) -> None:
        moved = await move(source, target)
        assert set(moved) == {TENANT, "Globex", None}
        assert await all_sums(target) == moved == await all_sums(source)

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

    # What is refused

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

    async def test_a_tenant_that_is_not_there_cannot_be_cut(self, source: Place) -> None:
        async with opened_archive(source) as archive:
            assert list(await archive.tenants()) == ["Globex", TENANT]
            with pytest.raises(StorageError):
                async with archive.cut("nobody"):
                    pass


ALL_NOTES = Statement("SELECT author, id, body, weight, title FROM note ORDER BY id")


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


@asynccontextmanager
async def opened(place: Place) -> AsyncGenerator[tuple[Store, Accounts]]:
    """Open a store as a node does, and close it."""
    store, accounts = await place.store()
    try:
        yield store, accounts
    finally:
        await store.close()


@asynccontextmanager
async def opened_archive(place: Place) -> AsyncGenerator[Archive]:
    """Open an archive and close it."""
    archive = await place.archive()
    try:
        yield archive
    finally:
        await archive.close()


@asynccontextmanager
async def loading(source: Place, target: Place) -> AsyncGenerator[tuple[Load, Layout]]:
    """Begin to load the tenant at an empty place."""
    async with opened_archive(source) as read, read.cut(TENANT) as cut:
        layout = cut.layout
    async with opened_archive(target) as write:
        await write.begin("a test")
        async with write.load(TENANT, layout, PLUGINS) as load:
            yield load, layout


async def some(
    pages: Sequence[tuple[str, Sequence[Row]]], count: int
) -> AsyncGenerator[tuple[str, Sequence[Row]]]:
    """Yield so many pages, then die."""
    for page in pages[:count]:
        yield page
    raise Killed


async def move(source: Place, target: Place) -> dict[str | None, Sums]:
    """Move everything; return the sums of what was loaded."""
    moved: dict[str | None, Sums] = {}
    async with opened_archive(source) as read, opened_archive(target) as write:
        await write.begin(source.name)
        for scope in (*await read.tenants(), None):
            async with read.cut(scope) as cut, write.load(scope, cut.layout, PLUGINS) as load:
                moved[scope] = await fill(load, cut.layout, pages_of(cut))
                await load.finish()
        await write.end()
    return moved


async def all_sums(place: Place) -> dict[str | None, Sums]:
    """Return the sums of everything in a store."""
    found: dict[str | None, Sums] = {}
    async with opened_archive(place) as archive:
        for scope in (*await archive.tenants(), None):
            async with archive.cut(scope) as cut:
                found[scope] = await sums_of(cut)
    return found


async def tenant_sums(place: Place) -> Sums:
    """Return the sums of the tenant."""
    async with opened_archive(place) as archive, archive.cut(TENANT) as cut:
        return await sums_of(cut)


async def fill_store(store: Store) -> None:
    """Keep something of everything for a tenant, and a little for another one."""
    await store.migrate("notes", NOTES)
    home = await home_of(store)
    await home.log("a", "b", "c")
    assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"state", b"index"))
    await (await home_of(store, part="meta")).log("m")
    await (await home_of(store, "plain/other")).log("o")
    await store.open_room(TENANT, "plain/gone", creator="u_bob", now=1000)
    await store.delete_room(TENANT, "plain/gone", now=2000.25)
    await store.quarantine(
        TENANT, Quarantined(ROOM, "", 0, b"poison", b"d" * 32, "u_eve", 1500.5, "it broke")
    )
    await store.advance("index", home.address, 1)
    await store.enqueue(TENANT, Job("mail", "one", b"\x00payload", due=5.5))
    await store.enqueue(TENANT, Job("mail", "two", b"", due=6))
    notes = [
        Statement(
            "INSERT INTO note (author, id, body, weight, title) VALUES (?, ?, ?, ?, 't')",
            (author, at, b"\x00\xff" if at else None, None if at else 0.5),
        )
        for at, author in enumerate(AUTHORS)
    ]
    draft = Statement("INSERT INTO note_draft (author, id, text) VALUES ('a', 2, 'Ω')")
    await store.execute(TENANT, [*notes[::-1], draft])
    await home_of(store, tenant="Globex")


async def fill_accounts(accounts: Accounts) -> None:
    """Keep something of everything about people."""
    await accounts.add_user(ANN)
    await accounts.secret("key", fresh=b"secret")
    await accounts.revoke("token", until=5000)
    await accounts.add_sign_in(SignIn(b"digest", ANN.id, 1000, 9e9))
    await accounts.add_link(
        Link(
            id="l_1",
            kind="invitation",
            tenant=TENANT,
            email="bob@example.org",
            digest=b"link",
            created=1000,
            expires=9e9,
        )
    )
