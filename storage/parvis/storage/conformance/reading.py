"""Reading: pages both ways, snapshots, and what was set aside."""

from collections.abc import Sequence

from parvis.storage.api import Address, LoggedUpdate, Quarantined, Snapshot, Store
from parvis.storage.conformance.base import ROOM, TENANT, StoreSuite, entry, home_of


def _offsets(rows: Sequence[LoggedUpdate]) -> list[int]:
    return [row.offset for row in rows]


class ReadingSuite(StoreSuite):
    """Part of `StoreConformance`."""

    async def test_pages_go_forward(self, store: Store) -> None:
        home = await home_of(store)
        await home.log(*"abcdefg")
        assert _offsets(await store.read(home.address, after=0, limit=3)) == [1, 2, 3]
        assert _offsets(await store.read(home.address, after=3, limit=3)) == [4, 5, 6]
        assert _offsets(await store.read(home.address, after=6, limit=3)) == [7]
        assert _offsets(await store.read(home.address, after=7, limit=3)) == []
        assert _offsets(await store.read(home.address, after=99)) == []

    async def test_pages_go_back(self, store: Store) -> None:
        home = await home_of(store)
        await home.log(*"abcdefg")
        assert _offsets(await store.read_back(home.address, limit=3)) == [7, 6, 5]
        assert _offsets(await store.read_back(home.address, before=5, limit=3)) == [4, 3, 2]
        assert _offsets(await store.read_back(home.address, before=2, limit=3)) == [1]
        assert _offsets(await store.read_back(home.address, before=1, limit=3)) == []
        assert _offsets(await store.read_back(home.address, before=99)) == [7, 6, 5, 4, 3, 2, 1]

    async def test_a_page_is_bounded_in_bytes_but_never_empty(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a" * 10, "b" * 10, "c" * 100, "d" * 10)
        assert _offsets(await store.read(home.address, after=0, max_bytes=20)) == [1, 2]
        assert _offsets(await store.read(home.address, after=0, max_bytes=19)) == [1]
        assert _offsets(await store.read(home.address, after=2, max_bytes=20)) == [3]
        assert _offsets(await store.read(home.address, after=2, max_bytes=0)) == [3]
        assert _offsets(await store.read_back(home.address, max_bytes=110)) == [4, 3]
        assert _offsets(await store.read_back(home.address, before=4, max_bytes=1)) == [3]

    async def test_a_log_that_is_not_there_reads_as_empty(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a")
        for address in (Address(TENANT, ROOM, "meta"), Address(TENANT, "plain/other")):
            assert not await store.read(address, after=0)
            assert not await store.read_back(address)
            assert await store.snapshot(address) is None

    async def test_a_snapshot_comes_back_whole(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        assert await store.snapshot(home.address) is None
        snapshot = Snapshot(1, 2, bytes(range(256)) * 4096, b"\x00index")
        assert await store.save_snapshot(home.address, home.fence, snapshot)
        assert await store.snapshot(home.address) == snapshot

    async def test_an_older_snapshot_never_replaces_a_newer_one(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b", "c")
        assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"at 2"))
        assert not await store.save_snapshot(home.address, home.fence, Snapshot(1, 1, b"at 1"))
        assert await store.snapshot(home.address) == Snapshot(1, 2, b"at 2")
        assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"again"))
        assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 3, b"at 3"))
        assert await store.snapshot(home.address) == Snapshot(1, 3, b"at 3")

    async def test_a_snapshot_of_another_life_is_not_kept(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a")
        for incarnation in (0, 2):
            other = Snapshot(incarnation, 1, b"other")
            assert not await store.save_snapshot(home.address, home.fence, other)
        assert await store.snapshot(home.address) is None

    async def test_a_snapshot_cannot_be_ahead_of_its_log(self, store: Store) -> None:
        home = await home_of(store)
        assert not await store.save_snapshot(home.address, home.fence, Snapshot(1, 1, b"state"))
        await home.log("a")
        assert not await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"state"))
        assert await store.snapshot(home.address) is None

    async def test_a_home_that_was_replaced_cannot_save_a_snapshot(self, store: Store) -> None:
        old = await home_of(store)
        await old.log("a")
        new = await home_of(store)
        assert not await store.save_snapshot(old.address, old.fence, Snapshot(1, 1, b"stale"))
        assert await store.snapshot(new.address) is None

    async def test_a_quarantined_row_is_emptied_and_its_update_kept(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "poison", "c")
        poison = Quarantined(ROOM, "", 2, b"poison", b"d" * 32, "u_eve", 5.5, "panic")
        await store.quarantine(TENANT, poison)
        await store.quarantine(TENANT, poison)
        assert await home.updates() == ["a", "", "c"]
        assert await store.quarantined(TENANT) == [poison]
        (info,) = await store.rooms(TENANT)
        assert info.size == 2

    async def test_a_row_of_another_content_is_left_alone(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "good")
        for offset in (0, 2, 3):
            poison = Quarantined(ROOM, "", offset, b"poison", b"d", "u_eve", 5.5, "panic")
            await store.quarantine(TENANT, poison)
        assert await home.updates() == ["a", "good"]
        assert len(await store.quarantined(TENANT)) == 3

    async def test_an_emptied_entry_is_still_known(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("poison")
        poison = Quarantined(ROOM, "", 1, b"poison", b"d", "u_eve", 5.5, "panic")
        await store.quarantine(TENANT, poison)
        assert (await home.try_append(entry("poison"))).offsets == (1,)

    async def test_quarantine_is_listed_by_room_and_time(self, store: Store) -> None:
        kept = [
            Quarantined(room, "p", 0, b"", bytes([number]), "u_eve", time, "why")
            for number, (room, time) in enumerate([("plain/b", 2), ("plain/a", 3), ("plain/a", 1)])
        ]
        for poison in kept:
            await store.quarantine(TENANT, poison)
        assert await store.quarantined(TENANT) == [kept[2], kept[0], kept[1]]
        assert await store.quarantined(TENANT, "plain/a") == [kept[2], kept[1]]
        assert not await store.quarantined("globex")
