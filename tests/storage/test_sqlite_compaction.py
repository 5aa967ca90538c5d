"""What of a compaction shows only in the file: steps, packing, damage."""

import logging
import sqlite3
from pathlib import Path

import pytest

from parvis.storage import Address, Snapshot
from parvis.storage.conformance.base import ROOM, TENANT, home_of
from parvis.storage.sqlite import open_sqlite
from parvis.storage.sqlite.compaction import compact, sweep
from parvis.storage.sqlite.files import DataFolder, connect_writer
from parvis.storage.sqlite.rooms import PURGE_ROWS

STATE = b"a state that says the same again and again, " * 100


def tenant_file(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "tenants" / f"{TENANT}.db", isolation_level=None)


def count(folder: Path) -> int:
    connection = tenant_file(folder)
    try:
        return int(connection.execute("SELECT count(*) FROM parvis_log").fetchone()[0])
    finally:
        connection.close()


async def test_rows_are_removed_in_steps_and_a_kill_between_them_harms_nothing(
    tmp_path: Path,
) -> None:
    store, _ = open_sqlite(tmp_path)
    home = await home_of(store)
    await home.log(*(str(number) for number in range(1, 5001)))
    await store.close()
    database = connect_writer(DataFolder(tmp_path).tenant(TENANT), create=False)
    assert compact(database, home.address, home.fence, 4000, 0, b"all")
    assert sweep(database)
    database.close()
    assert count(tmp_path) == 5000 - PURGE_ROWS
    store, _ = open_sqlite(tmp_path)
    rows = await store.read(home.address, after=0, limit=2)
    assert [(row.offset, row.update) for row in rows] == [(4000, b"all"), (4001, b"4001")]
    assert count(tmp_path) == 1001
    info = await store.room(TENANT, ROOM)
    assert info is not None
    assert info.size == len("all") + 1000 * 4
    await store.close()


async def test_a_base_and_a_snapshot_are_packed(tmp_path: Path) -> None:
    store, _ = open_sqlite(tmp_path)
    home = await home_of(store)
    await home.log("a", "b")
    assert await store.compact(home.address, home.fence, through=2, base=STATE)
    assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, STATE))
    info = await store.room(TENANT, ROOM)
    assert info is not None
    assert info.size < len(STATE) / 10
    await store.close()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE parvis_snapshot SET state = substr(state, 1, length(state) - 1)",
        "UPDATE parvis_snapshot SET state = CAST(x'00' || state AS BLOB)",
        "UPDATE parvis_snapshot SET packing = 0",
        "UPDATE parvis_snapshot SET packing = 7",
        "UPDATE parvis_snapshot SET digest = x'00112233445566778899aabbccddeeff'",
    ],
)
async def test_a_damaged_snapshot_is_reported_and_not_used(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    store, _ = open_sqlite(tmp_path)
    home = await home_of(store)
    await home.log("a", "b")
    assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, STATE))
    await store.close()
    connection = tenant_file(tmp_path)
    connection.execute(damage)
    connection.close()
    store, _ = open_sqlite(tmp_path)
    with caplog.at_level(logging.ERROR):
        assert await store.snapshot(Address(TENANT, ROOM)) is None
    assert f"{ROOM}: snapshot at 2" in caplog.text
    home = await home_of(store)
    assert await home.updates() == ["a", "b"]
    assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 2, STATE))
    assert await store.snapshot(Address(TENANT, ROOM)) == Snapshot(1, 2, STATE)
    await store.close()


async def test_a_snapshot_of_an_older_version_is_still_good(tmp_path: Path) -> None:
    store, _ = open_sqlite(tmp_path)
    home = await home_of(store)
    await home.log("a")
    assert await store.save_snapshot(home.address, home.fence, Snapshot(1, 1, b"old"))
    await store.close()
    connection = tenant_file(tmp_path)
    connection.execute("UPDATE parvis_snapshot SET digest = x''")
    connection.close()
    store, _ = open_sqlite(tmp_path)
    assert await store.snapshot(Address(TENANT, ROOM)) == Snapshot(1, 1, b"old")
    await store.close()
