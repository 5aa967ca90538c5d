"""Compaction: a log that begins with one row which is worth all that stood before it."""

from parvis.storage.api import Head, LoggedUpdate, Quarantined, Snapshot, Store
from parvis.storage.conformance.base import ROOM, TENANT, StoreSuite, entry, home_of

LARGE = b"large and even " * 1000


class CompactionSuite(StoreSuite):
    """Part of `StoreConformance`."""

    async def test_a_compacted_log_begins_with_what_its_older_rows_are_worth(
        self, store: Store
    ) -> None:
        home = await home_of(store)
        await home.log("a", "b", "c", "d")
        assert await store.compact(home.address, home.fence, through=3, base=LARGE)
        base = LoggedUpdate(3, LARGE, "", 1000.25, b"c")
        last = LoggedUpdate(4, b"d", "u_ann", 1000.25, b"d")
        assert await store.read(home.address, after=0) == [base, last]
        assert await store.read(home.address, after=2) == [base, last]
        assert await store.read(home.address, after=3) == [last]
        assert await store.read_back(home.address) == [last, base]
        assert await store.read_back(home.address, before=3) == []
        info = await store.room(TENANT, ROOM)
        assert info is not None
        assert dict(info.parts) == {"": Head(1, 4, first=3)}
        assert (await home_of(store)).end == 4

    async def test_a_compacted_log_goes_on_where_it_ended(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        assert await store.compact(home.address, home.fence, through=2, base=b"ab")
        assert await home.log("c") == (3,)
        assert (await home.try_append(entry("b"), expected=3)).offsets == (2,)
        assert [row.update for row in await store.read(home.address, after=0)] == [b"ab", b"c"]

    async def test_a_log_is_compacted_further_and_never_back(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b", "c")
        assert await store.compact(home.address, home.fence, through=2, base=b"ab")
        assert not await store.compact(home.address, home.fence, through=1, base=b"a")
        assert await store.compact(home.address, home.fence, through=2, base=b"AB")
        assert not await store.compact(home.address, home.fence, through=4, base=b"abcd")
        assert [row.update for row in await store.read(home.address, after=0)] == [b"AB", b"c"]
        assert await store.compact(home.address, home.fence, through=3, base=b"abc")
        assert [row.update for row in await store.read(home.address, after=0)] == [b"abc"]

    async def test_only_the_home_can_compact(self, store: Store) -> None:
        old = await home_of(store)
        await old.log("a", "b")
        home = await home_of(store)
        assert not await store.compact(old.address, old.fence, through=2, base=b"ab")
        assert await home.updates() == ["a", "b"]
        await store.delete_room(TENANT, ROOM, now=2000)
        assert not await store.compact(home.address, home.fence, through=2, base=b"ab")
        nowhere = await home_of(store, "plain/other")
        assert not await store.compact(nowhere.address, nowhere.fence, through=1, base=b"x")

    async def test_a_compaction_leaves_snapshots_cursors_and_other_parts(
        self, store: Store
    ) -> None:
        home, notes = await home_of(store), await home_of(store, part="notes")
        notes.fence = home.fence = notes.fence
        await home.log("a", "b", "c")
        await notes.log("x", "y")
        snapshot = Snapshot(1, 1, LARGE, b"side")
        assert await store.save_snapshot(home.address, home.fence, snapshot)
        await store.advance("search", home.address, 2)
        assert await store.compact(home.address, home.fence, through=2, base=b"ab")
        assert await store.snapshot(home.address) == snapshot
        assert await store.cursor("search", home.address) == 2
        assert await notes.updates() == ["x", "y"]

    async def test_the_size_of_a_room_follows_its_compaction(self, store: Store) -> None:
        home = await home_of(store)
        await home.log(*(f"update number {number}" for number in range(100)))
        before = await store.room(TENANT, ROOM)
        assert await store.compact(home.address, home.fence, through=100, base=b"all")
        after = await store.room(TENANT, ROOM)
        assert before is not None and after is not None
        assert (before.size, after.size) == (100 * 16 - 10, 3)

    async def test_earlier_lives_can_be_compacted_away(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        await store.rebuild(home.address, home.fence, expected=2, entry=entry("whole"))
        assert await store.compact(home.address, home.fence, through=2, base=b"")
        info = await store.room(TENANT, ROOM)
        assert info is not None
        assert info.parts[""] == Head(2, 3, since=2, first=2)
        assert [row.update for row in await store.read(home.address, after=2)] == [b"whole"]

    async def test_a_base_that_breaks_documents_is_set_aside_as_any_row(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        assert await store.compact(home.address, home.fence, through=2, base=LARGE)
        poison = Quarantined(ROOM, "", 2, LARGE, b"digest", "", 5.0, "breaks")
        await store.quarantine(TENANT, poison)
        assert [row.update for row in await store.read(home.address, after=0)] == [b""]
        assert await store.quarantined(TENANT) == [poison]
