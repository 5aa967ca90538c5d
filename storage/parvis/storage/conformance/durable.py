"""What a durable store promises besides: all of it is there again, and a fault passes."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from parvis.storage.api import Head, Job, Lag, Quarantined, RoomInfo, Snapshot, Status, Store
from parvis.storage.conformance.base import (
    BOOKED,
    BOOKINGS,
    ROOM,
    TENANT,
    StoreSuite,
    book,
    entry,
    home_of,
)
from parvis.storage.errors import RoomDeleted, StoreUnavailable


class DurableSuite(StoreSuite):
    """Part of `DurableStoreConformance`. An adapter's test class overrides `outage` as well."""

    def outage(self) -> AbstractAsyncContextManager[None]:
        """Return a context in which the store cannot make anything durable."""
        raise NotImplementedError

    @pytest.fixture
    async def reopened(self, tmp_path: Path) -> AsyncGenerator[Store]:
        """A store that was filled, closed, and opened again."""
        store = await self.open(tmp_path)
        await store.migrate("calendar", BOOKINGS)
        home = await home_of(store)
        await home.try_append(entry("a", statements=[book(1)]), entry("b"), entry("c"))
        await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, b"state", b"index"))
        await store.advance("search", home.address, 2)
        await store.quarantine(
            TENANT, Quarantined(ROOM, "", 3, b"c", b"digest", "u_eve", 5, "panic")
        )
        await store.enqueue(TENANT, Job("mail", "k", b"p", 0))
        await home_of(store, "plain/gone")
        await store.delete_room(TENANT, "plain/gone", now=7)
        await store.close()
        store = await self.open(tmp_path)
        yield store
        await store.close()

    async def test_logs_and_all_else_outlive_a_restart(self, reopened: Store) -> None:
        assert await reopened.tenants() == [TENANT]
        assert await reopened.room(TENANT, ROOM) == RoomInfo(
            ROOM, 1000, "u_ann", None, {"": Head(1, 3)}, 2 + 10
        )
        home = await home_of(reopened)
        assert home.fence == 2
        assert await home.updates() == ["a", "b", ""]
        assert await reopened.snapshot(home.address) == Snapshot(1, 2, b"state", b"index")
        assert await reopened.lagging("search", TENANT) == [Lag(ROOM, "", 2, 3)]
        assert [poison.update for poison in await reopened.quarantined(TENANT)] == [b"c"]
        (job,) = await reopened.claim(TENANT, "mail", now=1, lease=1)
        assert job.payload == b"p"
        await reopened.migrate("calendar", BOOKINGS)
        assert await reopened.query(TENANT, BOOKED) == [(1, "ann")]
        with pytest.raises(RoomDeleted):
            await reopened.open_room(TENANT, "plain/gone", creator="u_ann", now=8)

    async def test_keys_are_known_after_a_restart(self, reopened: Store) -> None:
        home = await home_of(reopened)
        answer = await home.try_append(entry("a"), entry("b"), expected=0)
        assert (answer.status, answer.offsets) == (Status.LOGGED, (1, 2))
        assert await home.log("d") == (4,)

    async def test_a_home_of_before_the_restart_is_fenced(self, reopened: Store) -> None:
        home = await home_of(reopened)
        home.fence -= 1
        assert (await home.try_append(entry("d"))).status is Status.FENCED

    async def test_a_closed_store_fails_and_does_not_hang(self, tmp_path: Path) -> None:
        store = await self.open(tmp_path)
        home = await home_of(store)
        await store.close()
        await store.close()
        assert (await home.try_append(entry("a"))).status is Status.FAILED
        with pytest.raises(StoreUnavailable):
            await store.check()
        with pytest.raises(StoreUnavailable):
            await store.read(home.address, after=0)

    async def test_a_fault_of_the_store_passes(self, store: Store) -> None:
        await store.migrate("calendar", BOOKINGS)
        home, other = await home_of(store), await home_of(store, "plain/other")
        await home.log("a")
        await store.check()
        async with self.outage():
            answers = await store.append(
                TENANT, [home.batch(entry("b", statements=[book(1)])), other.batch(entry("x"))]
            )
            assert [answer.status for answer in answers] == [Status.FAILED] * 2
            assert all(answer.detail for answer in answers)
            with pytest.raises(StoreUnavailable):
                await store.check()
            with pytest.raises(StoreUnavailable):
                await store.open_room(TENANT, "plain/new", creator="u_ann", now=1)
            with pytest.raises(StoreUnavailable):
                await store.execute(TENANT, [book(2)])
            with pytest.raises(StoreUnavailable):
                await store.save_snapshot(home.address, home.fence, Snapshot(1, 1, b"s"))
        await store.check()
        assert await store.room(TENANT, "plain/new") is None
        assert await store.query(TENANT, BOOKED) == []
        assert await home.log("b", "c") == (2, 3)
        assert await other.log("x") == (1,)
        assert await home.updates() == ["a", "b", "c"]

    async def test_a_new_tenant_in_an_outage_gets_its_room_later(self, store: Store) -> None:
        async with self.outage():
            with pytest.raises(StoreUnavailable):
                await home_of(store, tenant="globex")
        assert await (await home_of(store, tenant="globex")).log("a") == (1,)
