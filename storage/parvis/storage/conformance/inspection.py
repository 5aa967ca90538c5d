"""Inspection: what a store says about itself, to whoever looks from beside."""

import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from parvis.storage.api import Address, Quarantined, Snapshot, Store
from parvis.storage.conformance.base import BOOKINGS, TENANT, StoreSuite, book, entry, home_of
from parvis.storage.inspection import Aside, Inspection, StateSize

PLUGINS = {"calendar": BOOKINGS}


def poison(room: str, update: bytes, time: float) -> Quarantined:
    """Return an update that is to be set aside."""
    digest = hashlib.sha256(update).digest()
    return Quarantined(room, "", 0, update, digest, "u_ann", time, "breaks")


def uneven(number: int) -> str:
    """Return twenty thousand letters that no database can make small."""
    pieces = (f"{number} {piece}".encode() for piece in range(160))
    return "".join(hashlib.sha512(piece).hexdigest() for piece in pieces)


class InspectionConformance(StoreSuite):
    """What every inspection does. Override `open` and `look`."""

    async def look(self, store: Store, place: Path) -> Inspection:
        """Open the inspection of a store that `open` has opened at a place."""
        raise NotImplementedError

    @pytest.fixture
    async def inspection(self, store: Store, tmp_path: Path) -> AsyncGenerator[Inspection]:
        """The inspection of a store with a plugin's tables, which two tenants have used."""
        await store.migrate("calendar", BOOKINGS)
        for tenant in (TENANT, "globex"):
            home = await home_of(store, tenant=tenant)
            await home.log("a", "b", "c")
            await store.execute(tenant, [book(1)])
        found = await self.look(store, tmp_path)
        yield found
        await found.close()

    async def test_a_store_can_be_looked_at_while_it_is_used(
        self, store: Store, inspection: Inspection
    ) -> None:
        await inspection.check()
        assert inspection.kind == store.kind
        assert sorted(await inspection.tenants()) == [TENANT, "globex"]

    async def test_a_table_grows_with_what_is_put_into_it(
        self, store: Store, inspection: Inspection
    ) -> None:
        before = {each.table: each for each in (await inspection.sizes(patience=60)).tables}
        home = await home_of(store)
        for number in range(40):
            await home.log(uneven(number))
        sizes = await inspection.sizes(patience=60)
        after = {each.table: each for each in sizes.tables}
        assert after["parvis_log"].size > before["parvis_log"].size + 40 * 10_000
        assert after["parvis_log"].rows >= before["parvis_log"].rows
        assert sizes.total >= after["parvis_log"].size
        assert sizes.unread == 0
        assert [each.size for each in sizes.tables] == sorted(
            (each.size for each in sizes.tables), reverse=True
        )

    async def test_the_largest_snapshots_come_first(
        self, store: Store, inspection: Inspection
    ) -> None:
        for tenant, state in ((TENANT, b"ab"), ("globex", bytes(range(256)))):
            home = await home_of(store, tenant=tenant)
            assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, state))
        large = StateSize(Address("globex", home.address.room), 2, 256)
        assert (await inspection.states(most=1)) == [large]
        assert [each.size for each in await inspection.states(most=9)] == [256, 2]
        kept = await inspection.snapshot(large.address)
        assert kept is not None and kept.opened().state == bytes(range(256))
        assert await inspection.snapshot(Address("globex", "plain/none")) is None

    async def test_logs_are_read_beside_their_home(
        self, store: Store, inspection: Inspection
    ) -> None:
        home = await home_of(store, "plain/other", tenant="globex")
        await home.log("x", "y")
        names = [room.room for room in await inspection.rooms("globex")]
        assert names == ["plain/board", "plain/other"]
        assert len(await inspection.rooms("globex", after="plain/board")) == 1
        rows = await inspection.read(home.address, after=1)
        assert rows == await store.read(home.address, after=1)
        assert [row.update for row in rows] == [b"y"]

    async def test_the_newest_row_of_all_tenants_is_dated(
        self, store: Store, inspection: Inspection
    ) -> None:
        assert await inspection.newest() == 1000.25
        home = await home_of(store, "plain/other", tenant="globex")
        later = entry("later")
        await home.try_append(type(later)(later.update, later.sender, 2000.5, later.key))
        assert await inspection.newest() == 2000.5

    async def test_what_is_in_quarantine_is_counted(
        self, store: Store, inspection: Inspection
    ) -> None:
        assert await inspection.quarantined() == []
        await store.quarantine("globex", poison("plain/board", b"bad", 5.0))
        await store.quarantine("globex", poison("plain/board", b"worse", 7.0))
        assert await inspection.quarantined() == [Aside("globex", 2, 8, 7.0)]
        assert await store.release("globex", poison("plain/board", b"bad", 5.0))
        assert not await store.release("globex", poison("plain/board", b"bad", 5.0))
        assert not await store.release(TENANT, poison("plain/board", b"worse", 7.0))
        assert await store.quarantined("globex") == [poison("plain/board", b"worse", 7.0)]
        assert await inspection.quarantined() == [Aside("globex", 1, 5, 7.0)]

    async def test_tables_as_the_migrations_make_them_have_not_drifted(
        self, inspection: Inspection
    ) -> None:
        assert await inspection.drift(PLUGINS) == []
