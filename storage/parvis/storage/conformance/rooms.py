"""Rooms: taken over with a new fence, listed, deleted for good."""

import pytest

from parvis.storage.api import Address, Head, Lag, Quarantined, RoomInfo, Snapshot, Status, Store
from parvis.storage.conformance.base import ROOM, TENANT, StoreSuite, entry, home_of
from parvis.storage.errors import RoomDeleted, RoomNotFound

ODD_NAMES = [
    "plain/it's",
    'plain/"quoted"',
    "plain/50%",
    "plain/a_b",
    "plain/a/b//c",
    "plain/back\\slash",
    "plain/; DROP TABLE parvis_room --",
    "plain/été",
    "plain/\N{PILE OF POO}",
    "plain/e\N{COMBINING ACUTE ACCENT}",
    "plain/\N{LATIN SMALL LETTER E WITH ACUTE}",
    "plain/\u202e\ufeff\t\n",
    "plain/CASE",
    "plain/case",
    "plain/" + "ü" * 256,
    "plain/" + "k" * 512,
]


class RoomsSuite(StoreSuite):
    """Part of `StoreConformance`."""

    async def test_a_room_is_created_only_in_somebodys_name(self, store: Store) -> None:
        with pytest.raises(RoomNotFound):
            await store.open_room(TENANT, ROOM, creator=None, now=1)
        assert await store.room(TENANT, ROOM) is None
        opened = await store.open_room(TENANT, ROOM, creator="u_ann", now=2)
        assert (opened.created, dict(opened.parts)) == (True, {})
        assert await store.room(TENANT, ROOM) == RoomInfo(ROOM, 2, "u_ann", None, {}, 0)

    async def test_a_room_that_exists_keeps_its_creator(self, store: Store) -> None:
        await store.open_room(TENANT, ROOM, creator="u_ann", now=1)
        assert not (await store.open_room(TENANT, ROOM, creator="u_bob", now=2)).created
        assert not (await store.open_room(TENANT, ROOM, creator=None, now=3)).created
        info = await store.room(TENANT, ROOM)
        assert info is not None
        assert (info.creator, info.created) == ("u_ann", 1)

    async def test_every_opening_gets_a_newer_fence(self, store: Store) -> None:
        fences = [
            (await store.open_room(TENANT, ROOM, creator="u_ann", now=1)).fence for _ in range(5)
        ]
        assert fences == sorted(set(fences))
        assert fences[0] > 0

    async def test_an_opening_says_where_each_part_ends(self, store: Store) -> None:
        await (await home_of(store)).log("a", "b")
        home = await home_of(store, part="comments")
        await home.log("c")
        opened = await store.open_room(TENANT, ROOM, creator=None, now=1)
        assert dict(opened.parts) == {"": Head(1, 2), "comments": Head(1, 1)}

    async def test_rooms_are_listed_by_name_in_pages(self, store: Store) -> None:
        names = ["plain/b", "plain/a", "docs/z", "plain/c", "sheets/a"]
        for name in names:
            await store.open_room(TENANT, name, creator="u_ann", now=1)
        assert [info.room for info in await store.rooms(TENANT)] == sorted(names)
        first = await store.rooms(TENANT, prefix="plain/", limit=2)
        assert [info.room for info in first] == ["plain/a", "plain/b"]
        second = await store.rooms(TENANT, prefix="plain/", after="plain/b", limit=2)
        assert [info.room for info in second] == ["plain/c"]
        assert not await store.rooms(TENANT, prefix="plain/", after="plain/c")
        assert not await store.rooms(TENANT, prefix="calendar/")

    async def test_a_prefix_means_its_very_letters(self, store: Store) -> None:
        for name in ("p/a%b", "p/a_b", "p/axb", "p/A_b", "p/a", "p/a\U0010ffff", "p/b"):
            await store.open_room(TENANT, name, creator="u_ann", now=1)

        async def found(prefix: str) -> list[str]:
            return [info.room for info in await store.rooms(TENANT, prefix=prefix)]

        assert await found("p/a%") == ["p/a%b"]
        assert await found("p/a_") == ["p/a_b"]
        assert await found("p/A") == ["p/A_b"]
        assert await found("p/a") == ["p/a", "p/a%b", "p/a_b", "p/axb", "p/a\U0010ffff"]
        assert await found("p/a\U0010ffff") == ["p/a\U0010ffff"]

    async def test_odd_names_are_kept_apart_and_returned_as_they_came(self, store: Store) -> None:
        for name in ODD_NAMES:
            home = await home_of(store, name, part="pärt")
            await home.log(f"in {name}"[:40])
        for name in ODD_NAMES:
            home = await home_of(store, name, part="pärt")
            assert await home.updates() == [f"in {name}"[:40]]
        assert [info.room for info in await store.rooms(TENANT)] == sorted(ODD_NAMES)

    async def test_a_listing_counts_the_bytes_of_logs_and_snapshots(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("12345", "678")
        await (await home_of(store, part="comments")).log("90")
        home = await home_of(store)
        await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"state", b"index"))
        (info,) = await store.rooms(TENANT)
        assert info.size == 5 + 3 + 2 + 5 + 5
        assert dict(info.parts) == {"": Head(1, 2), "comments": Head(1, 1)}

    async def test_a_deleted_room_cannot_come_back(self, store: Store) -> None:
        await (await home_of(store)).log("a")
        await store.delete_room(TENANT, ROOM, now=5)
        for creator in (None, "u_ann"):
            with pytest.raises(RoomDeleted):
                await store.open_room(TENANT, ROOM, creator=creator, now=6)
        assert await store.room(TENANT, ROOM) == RoomInfo(ROOM, 1000, "u_ann", 5, {}, 0)
        assert not await store.rooms(TENANT)

    async def test_a_deleted_room_leaves_nothing_behind(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"state"))
        await store.advance("search", home.address, 2)
        await store.quarantine(
            TENANT, Quarantined(ROOM, "", 0, b"poison", b"digest", "u_eve", 1, "panic")
        )
        await store.delete_room(TENANT, ROOM, now=5)
        assert not await store.read(home.address, after=0)
        assert not await store.read_back(home.address)
        assert await store.snapshot(home.address) is None
        assert await store.cursor("search", home.address) == 0
        assert not await store.lagging("search", TENANT)
        assert not await store.quarantined(TENANT)

    async def test_a_home_learns_that_its_room_is_gone(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a")
        await store.delete_room(TENANT, ROOM, now=5)
        assert (await home.try_append(entry("b"))).status is Status.GONE
        assert (await home.try_append(entry("a"), expected=0)).status is Status.GONE
        assert not await store.save_snapshot(home.address, home.fence, Snapshot(1, 1, b"state"))
        assert not await home.rows()

    async def test_deleting_again_changes_nothing(self, store: Store) -> None:
        await home_of(store)
        await store.delete_room(TENANT, ROOM, now=5)
        await store.delete_room(TENANT, ROOM, now=6)
        info = await store.room(TENANT, ROOM)
        assert info is not None
        assert info.deleted == 5

    async def test_what_never_existed_cannot_be_deleted(self, store: Store) -> None:
        with pytest.raises(RoomNotFound):
            await store.delete_room(TENANT, ROOM, now=5)
        await home_of(store, "plain/other")
        with pytest.raises(RoomNotFound):
            await store.delete_room(TENANT, ROOM, now=5)

    async def test_a_long_log_is_deleted_whole_and_alone(self, store: Store) -> None:
        home, other = await home_of(store), await home_of(store, "plain/other")
        for start in range(0, 5000, 1000):
            await home.log(*(str(number) for number in range(start, start + 1000)))
        await other.log("a")
        await store.delete_room(TENANT, ROOM, now=5)
        assert not await home.rows()
        assert await other.updates() == ["a"]
        assert await other.log("b") == (2,)

    async def test_tenants_do_not_see_each_other(self, store: Store) -> None:
        ours = await home_of(store)
        theirs = await home_of(store, tenant="globex")
        await ours.log("ours")
        assert await theirs.log("theirs") == (1,)
        await store.delete_room(TENANT, ROOM, now=5)
        assert await theirs.updates() == ["theirs"]
        assert [info.room for info in await store.rooms("globex")] == [ROOM]
        assert await store.lagging("search", "globex") == [Lag(ROOM, "", 0, 1)]
        assert not await store.lagging("search", TENANT)
        assert await store.tenants() == [TENANT, "globex"]

    async def test_tenants_of_similar_names_are_different_tenants(self, store: Store) -> None:
        names = ["acme", "Acme", "ACME", "ac.me", "../acme", "acme%2E", "café", "cafe\u0301", "con"]
        for name in names:
            await (await home_of(store, tenant=name)).log(f"of {name}")
        for name in names:
            assert await (await home_of(store, tenant=name)).updates() == [f"of {name}"]
        assert await store.tenants() == sorted(names)

    async def test_asking_about_a_tenant_that_has_nothing_makes_nothing(self, store: Store) -> None:
        address = Address("nobody", ROOM)
        with pytest.raises(RoomNotFound):
            await store.open_room("nobody", ROOM, creator=None, now=1)
        assert await store.room("nobody", ROOM) is None
        assert not await store.rooms("nobody")
        assert not await store.read(address, after=0)
        assert not await store.quarantined("nobody")
        assert not await store.claim("nobody", "mail", now=1, lease=1)
        assert not await store.lagging("search", "nobody")
        assert await store.cursor("search", address) == 0
        await store.advance("search", address, 3)
        assert not await store.tenants()
