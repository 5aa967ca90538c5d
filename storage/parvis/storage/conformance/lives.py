"""Lives of a part: its log is begun anew from a state, and goes on counting."""

from parvis.storage.api import Address, Head, Snapshot, Status, Store
from parvis.storage.conformance.base import (
    BOOKED,
    BOOKINGS,
    ROOM,
    TENANT,
    Home,
    StoreSuite,
    book,
    entry,
    home_of,
)


async def head_of(store: Store) -> Head:
    """Return where the room's main part stands."""
    info = await store.room(TENANT, ROOM)
    assert info is not None
    return info.parts[""]


class LivesSuite(StoreSuite):
    """Part of `StoreConformance`."""

    async def test_a_rebuilt_part_begins_a_new_life(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"old"))
        answer = await store.rebuild(home.address, home.fence, expected=2, entry=entry("whole"))
        assert (answer.status, answer.offsets, answer.end) == (Status.LOGGED, (3,), 3)
        assert await head_of(store) == Head(2, 3, since=2)
        assert await store.snapshot(home.address) is None
        home = await home_of(store)
        assert await home.log("c") == (4,)
        assert await head_of(store) == Head(2, 4, since=2)
        assert await home.updates() == ["a", "b", "whole", "c"]
        assert not await store.save_snapshot(home.address, home.fence, Snapshot(1, 4, b"old"))
        assert await store.save_snapshot(home.address, home.fence, Snapshot(2, 4, b"new"))
        assert await store.snapshot(home.address) == Snapshot(2, 4, b"new")

    async def test_a_repeated_rebuilding_begins_one_life(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        for _ in range(3):
            answer = await store.rebuild(home.address, home.fence, expected=2, entry=entry("all"))
            assert (answer.status, answer.offsets) == (Status.LOGGED, (3,))
        assert await head_of(store) == Head(2, 3, since=2)
        again = await store.rebuild(home.address, home.fence, expected=3, entry=entry("again"))
        assert again.offsets == (4,)
        assert await head_of(store) == Head(3, 4, since=3)
        late = await store.rebuild(home.address, home.fence, expected=2, entry=entry("all"))
        assert late.offsets == (3,)
        assert await head_of(store) == Head(3, 4, since=3)

    async def test_a_state_that_misses_updates_rebuilds_nothing(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        answer = await store.rebuild(home.address, home.fence, expected=1, entry=entry("whole"))
        assert (answer.status, answer.end) == (Status.CONFLICT, 2)
        assert await head_of(store) == Head(1, 2)

    async def test_only_the_home_can_rebuild(self, store: Store) -> None:
        old = await home_of(store)
        await old.log("a")
        await home_of(store)
        answer = await store.rebuild(old.address, old.fence, expected=1, entry=entry("whole"))
        assert answer.status is Status.FENCED
        nowhere = Home(store, Address("nobody", ROOM), 1, 0)
        answer = await store.rebuild(nowhere.address, 1, expected=0, entry=entry("whole"))
        assert answer.status is Status.GONE
        assert await head_of(store) == Head(1, 1)

    async def test_an_empty_part_is_in_its_first_life(self, store: Store) -> None:
        home = await home_of(store)
        answer = await store.rebuild(home.address, home.fence, expected=0, entry=entry("whole"))
        assert answer.offsets == (1,)
        assert await head_of(store) == Head(1, 1)

    async def test_a_life_begins_with_its_statements_or_not_at_all(self, store: Store) -> None:
        await store.migrate("calendar", BOOKINGS)
        home = await home_of(store)
        await home.log("a")
        wrong = entry("all", statements=[book(1), book(1, "bob")])
        answer = await store.rebuild(home.address, home.fence, expected=1, entry=wrong)
        assert (answer.status, answer.offsets, set(answer.refusals)) == (Status.LOGGED, (0,), {0})
        assert await head_of(store) == Head(1, 1)
        assert not await store.query(TENANT, BOOKED)
        good = entry("whole", statements=[book(1)])
        for _ in range(2):
            answer = await store.rebuild(home.address, home.fence, expected=1, entry=good)
            assert answer.offsets == (2,)
        assert await head_of(store) == Head(2, 2, since=1)
        assert await store.query(TENANT, BOOKED) == [(1, "ann")]
