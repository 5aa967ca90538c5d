"""Snapshots are a cache: equal to the log, or not there."""

from parvis.server.limits import Limits
from parvis.storage import Entry, Snapshot, Status
from parvis.storage.api import Batch
from parvis.storage.factory import open_store
from tests.server.rooms.lab import Draft, lab, read


async def test_a_part_is_snapshotted_after_so_many_rows_and_the_snapshot_is_worth_the_log() -> None:
    async with lab(limits=Limits(snapshot_rows=10)) as it:
        ada, draft = await it.join("ada"), Draft(7)
        for number in range(25):
            ada.update(draft.write(str(number)))
            ada.update(draft.erase(0, 1))
            await it.turns(5)
        await it.turns()
        kept: list[Snapshot] = []

        async def look() -> None:
            snapshot = await it.store.inner.snapshot(it.address())
            if snapshot is not None:
                kept.append(snapshot)

        while not kept:
            await it.turns(1)
            await look()
        rows = (await it.log())[: kept[0].offset]
        assert read(kept[0].state) == read(*[row.update for row in rows])


async def test_a_part_is_snapshotted_after_so_many_bytes() -> None:
    async with lab(limits=Limits(snapshot_bytes=1000)) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("x" * 2000))
        await it.until(lambda: "save_snapshot" in it.store.calls)


async def test_a_snapshot_that_cannot_be_saved_harms_nobody() -> None:
    async with lab(limits=Limits(snapshot_rows=1)) as it:
        ada, draft = await it.join("ada"), Draft(7)
        it.store.stall()
        ada.update(draft.write("a"), ref=1)
        await it.store.reached()
        it.store.fail()
        it.store.resume()
        it.store.fail(1)
        await it.turns()
        await it.pass_time(2)
        ada.update(draft.write("b"), ref=2)
        await it.turns()
        await it.pass_time(2)
        assert [ref for ref, _ in ada.acked] == [1, 2]


async def test_loading_takes_the_snapshot_and_the_rows_after_it() -> None:
    store, _ = open_store("memory:")
    draft = Draft(7)
    async with lab(store=store) as it:
        (await it.join("ada")).update(draft.write("snapshot "))
        await it.turns()
        await it.empty()
        assert await store.snapshot(it.address()) is not None
        opened = await store.open_room("kit", "board/r", creator=None, now=1.0)
        entry = Entry(draft.write("tail"), "ada", 1.0, b"key")
        batch = Batch("board/r", "", opened.fence, 1, (entry,))
        assert (await store.append("kit", [batch]))[0].status is Status.LOGGED
    async with lab(store=store, life=2) as it:
        ada = await it.join("ada")
        assert ada.text == "snapshot tail"
        assert it.store.calls.count("snapshot") == 1
    await store.close()


async def test_a_bad_snapshot_only_means_to_start_from_the_first_row() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store) as it:
        (await it.join("ada")).update(Draft(7).write("kept"))
        await it.turns()
        await it.empty()
        opened = await store.open_room("kit", "board/r", creator=None, now=1.0)
        bad = Snapshot(1, 1, b"\x01\xff\xff\xff")
        assert await store.save_snapshot(it.address(), opened.fence, bad)
    async with lab(store=store, life=2) as it:
        assert (await it.join("ada")).text == "kept"
    await store.close()


async def test_a_fenced_home_saves_no_snapshot() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store, settings={"idle": 0.0}) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"))
        await it.turns()
        await store.open_room("kit", "board/r", creator=None, now=1.0)
        ada.disconnect()
        await it.pass_time(1)
        await it.until(lambda: not it.is_live)
        assert await store.snapshot(it.address()) is None
    await store.close()
