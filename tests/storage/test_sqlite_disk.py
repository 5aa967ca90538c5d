"""Faults of the disk under the SQLite store: full, refusing writes, damaged; and bounded logs."""

import asyncio
import contextlib
import os
import resource
import subprocess
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest

from parvis.storage import (
    Address,
    Appended,
    Batch,
    Entry,
    Status,
    StorageError,
    Store,
    StoreUnavailable,
)
from parvis.storage.sqlite import open_sqlite, writers
from parvis.storage.sqlite.engine import Engine
from parvis.storage.sqlite.files import CHECKPOINT_PAGES, PAGE, Database
from parvis.storage.sqlite.store import SqliteStore

TENANT = "acme"
SMALL = 6 * 1024 * 1024


@dataclass
class Disk:
    """A disk with little room.

    Attributes:
        size: Bytes that fit, before it grows.
        mounted: Whether it is a file system of its own, or else a limit on the size of files.
    """

    path: Path
    size: int
    mounted: bool

    def grow(self) -> None:
        """Make room."""
        if self.mounted:
            remount = f"remount,size={8 * self.size}"
            subprocess.run(["mount", "-o", remount, str(self.path)], check=True)
        else:
            self.limit(8 * self.size)

    def fill(self) -> None:
        """Leave no room at all."""
        if self.mounted:
            with contextlib.suppress(OSError), (self.path / "ballast").open("wb", 0) as ballast:
                while True:
                    ballast.write(bytes(4096))
        else:
            self.limit(0)

    def limit(self, size: int) -> None:
        """Let no file grow beyond this size."""
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Disk]:
    """A file system of 6 MiB in memory; for users who cannot mount one, a limit on files' size."""
    path = tmp_path / "disk"
    path.mkdir()
    if os.geteuid() == 0:
        options = f"size={SMALL}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
        yield Disk(path, SMALL, mounted=True)
        subprocess.run(["umount", "--lazy", str(path)], check=True)
    else:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        disk = Disk(path, SMALL // 3, mounted=False)
        disk.limit(disk.size)
        yield disk
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def append(store: Store, room: str, fence: int, end: int, size: int) -> Appended:
    """Append one update, whose content and key are told by its offset."""
    entry = Entry(bytes([end % 256]) * size, "u_ann", 1, str(end + 1).encode())
    (answer,) = await store.append(TENANT, [Batch(room, "", fence, end, (entry,))])
    return answer


async def lengths(store: Store, room: str) -> list[int]:
    """Return the length of each update of a room, checking offsets and content."""
    found: list[int] = []
    while page := await store.read(Address(TENANT, room), after=len(found)):
        for row in page:
            assert row.offset == len(found) + 1
            assert row.update == bytes([len(found) % 256]) * len(row.update)
            found.append(len(row.update))
    return found


async def test_a_full_disk_fails_appends_until_there_is_room(disk: Disk) -> None:
    size = 100 * 1024
    store, _ = open_sqlite(disk.path)
    fence = (await store.open_room(TENANT, "plain/a", creator="u_ann", now=1)).fence
    assert await lengths(store, "plain/a") == []
    end = 0
    while (answer := await append(store, "plain/a", fence, end, size)).status is Status.LOGGED:
        end = answer.end
        assert end * size < 2 * disk.size
    assert answer.status is Status.FAILED
    disk.fill()
    for _ in range(5):
        answer = await append(store, "plain/a", fence, end, size)
        assert (answer.status, answer.offsets) == (Status.FAILED, ())
    assert await lengths(store, "plain/a") == [size] * end
    disk.grow()
    await store.check()
    for _ in range(10):
        answer = await append(store, "plain/a", fence, end, size)
        assert (answer.status, answer.offsets) == (Status.LOGGED, (end + 1,))
        end += 1
    await store.close()
    store, _ = open_sqlite(disk.path)
    assert await lengths(store, "plain/a") == [size] * end
    await store.close()


async def test_what_a_full_disk_holds_is_there_after_a_restart(disk: Disk) -> None:
    size = 300 * 1024
    store, _ = open_sqlite(disk.path)
    fence = (await store.open_room(TENANT, "plain/a", creator="u_ann", now=1)).fence
    end = 0
    while (answer := await append(store, "plain/a", fence, end, size)).status is Status.LOGGED:
        end = answer.end
    await store.close()
    disk.grow()
    store, _ = open_sqlite(disk.path)
    assert await lengths(store, "plain/a") == [size] * end
    await store.close()


def test_a_start_on_a_full_disk_says_what_is_wrong(disk: Disk) -> None:
    disk.fill()
    with pytest.raises(StoreUnavailable, match="data") as told:
        open_sqlite(disk.path / "data")
    assert "volume" in told.value.hint


async def test_a_big_update_that_does_not_fit_does_not_hold_back_small_ones(
    tmp_path: Path,
) -> None:
    engine = Engine(tmp_path, writers=1, readers=1, open_files=4)
    store = SqliteStore(engine)
    fences = [
        (await store.open_room(TENANT, f"plain/{n}", creator="u_ann", now=1)).fence
        for n in range(3)
    ]

    def fill(database: Database) -> None:
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages + 20}")

    await engine.write(engine.folder.tenant(TENANT), fill)
    updates = [b"small", bytes(1024 * 1024), b"small"]
    answers = await store.append(
        TENANT,
        [
            Batch(f"plain/{n}", "", fences[n], 0, (Entry(updates[n], "u_ann", 1, b"k"),))
            for n in range(3)
        ],
    )
    assert [answer.status for answer in answers] == [Status.LOGGED, Status.FAILED, Status.LOGGED]
    assert [await lengths_of(store, n) for n in range(3)] == [[5], [], [5]]
    await store.close()


async def lengths_of(store: Store, number: int) -> list[int]:
    rows = await store.read(Address(TENANT, f"plain/{number}"), after=0)
    return [len(row.update) for row in rows]


async def test_the_write_ahead_log_stays_bounded(tmp_path: Path) -> None:
    store, _ = open_sqlite(tmp_path)
    fence = (await store.open_room(TENANT, "plain/a", creator="u_ann", now=1)).fence
    wal = tmp_path / "tenants" / "acme.db-wal"
    largest = 0
    for end in range(60):
        answer = await append(store, "plain/a", fence, end, 1024 * 1024)
        assert answer.status is Status.LOGGED
        largest = max(largest, wal.stat().st_size)
    assert CHECKPOINT_PAGES * PAGE <= largest < 1.25 * CHECKPOINT_PAGES * PAGE
    await store.close()
    assert not wal.exists()


async def test_a_write_ahead_log_that_a_reader_held_up_shrinks_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = 2 * CHECKPOINT_PAGES * PAGE
    monkeypatch.setattr(writers, "WAL_LIMIT", limit)
    engine = Engine(tmp_path, writers=1, readers=2, open_files=4)
    store = SqliteStore(engine)
    fence = (await store.open_room(TENANT, "plain/a", creator="u_ann", now=1)).fence
    wal = tmp_path / "tenants" / "acme.db-wal"
    reading, done = threading.Event(), threading.Event()

    def long_read(database: Database) -> int:
        count = int(database.execute("SELECT count(*) FROM parvis_log").fetchone()[0])
        reading.set()
        done.wait()
        return count

    reader = asyncio.create_task(engine.read(engine.folder.tenant(TENANT), long_read))
    await asyncio.to_thread(reading.wait)
    end = 0
    while not wal.exists() or wal.stat().st_size <= limit + 4 * 1024 * 1024:
        end = (await append(store, "plain/a", fence, end, 1024 * 1024)).end
    done.set()
    assert await reader == 0
    while wal.stat().st_size > limit:
        end = (await append(store, "plain/a", fence, end, 1024 * 1024)).end
        assert end < 150
    assert await lengths(store, "plain/a") == [1024 * 1024] * end
    await store.close()


SLOW = (
    "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 30000)"
    " SELECT count(*) FROM n, (SELECT count(*) FROM parvis_log)"
)


async def test_reads_that_always_overlap_do_not_let_the_write_ahead_log_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = CHECKPOINT_PAGES * PAGE
    monkeypatch.setattr(writers, "WAL_LIMIT", limit)
    engine = Engine(tmp_path, writers=1, readers=3, open_files=4)
    store = SqliteStore(engine)
    fence = (await store.open_room(TENANT, "plain/a", creator="u_ann", now=1)).fence
    writing = True

    async def read() -> None:
        while writing:
            await engine.read(
                engine.folder.tenant(TENANT), lambda database: database.execute(SLOW).fetchone()
            )

    largest = 0
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(read())
        for end in range(120):
            answer = await append(store, "plain/a", fence, end, 1024 * 1024)
            assert answer.status is Status.LOGGED
            wal = tmp_path / "tenants" / "acme.db-wal"
            largest = max(largest, wal.stat().st_size)
        writing = False
    # Each attempt that readers spoil lets it grow by the limit once more.
    assert largest < 4 * limit + 8 * 1024 * 1024
    await store.close()


async def test_a_damaged_file_costs_its_tenant_only(tmp_path: Path) -> None:
    store, _ = open_sqlite(tmp_path)
    for tenant in ("acme", "globex"):
        await store.open_room(tenant, "plain/a", creator="u_ann", now=1)
    await store.close()
    (tmp_path / "tenants" / "globex.db").write_bytes(b"not a database" * 1000)
    store, _ = open_sqlite(tmp_path)
    with pytest.raises(StorageError, match=r"globex\.db is damaged"):
        await store.open_room("globex", "plain/a", creator="u_ann", now=1)
    entry = Entry(b"x", "u_ann", 1, b"k")
    (answer,) = await store.append("globex", [Batch("plain/a", "", 1, 0, (entry,))])
    assert answer.status is Status.FAILED
    assert "damaged" in answer.detail
    assert (await store.open_room("acme", "plain/a", creator=None, now=1)).fence == 2
    await store.close()


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailable, match="data"):
        open_sqlite(tmp_path / "data")
