"""What pycrdt-store kept, written by pycrdt-store itself: its SQLite store and its files."""

import asyncio
import bz2
import gzip
import lzma
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text
from pycrdt.store import FileYStore, SQLiteYStore

from tests.server.moving_in.sources import (
    Parvis,
    exported,
    kept,
    lines,
    rows_of,
    same,
    standing,
    statuses,
    updates_of,
)

Pack = Callable[[bytes], bytes]


async def write(
    path: Path,
    name: str,
    updates: Sequence[bytes],
    *,
    packing: tuple[Pack, Pack] | None = None,
    metadata: bytes = b"",
    **settings: Any,
) -> None:
    """Have pycrdt-store keep a document's updates in a database."""
    kind = type("Store", (SQLiteYStore,), {"db_path": str(path), **settings})
    store: SQLiteYStore = kind(name, metadata_callback=lambda: metadata)
    if packing is not None:
        store.register_compression_callbacks(*packing)
    async with store:
        for update in updates:
            await store.write(update)


def database(tmp_path: Path, *documents: tuple[str, Sequence[bytes]], **more: Any) -> Path:
    path = tmp_path / "ystore.db"

    async def fill() -> None:
        for name, updates in documents:
            await write(path, name, updates, **more)

    asyncio.run(fill())
    return path


def test_every_path_becomes_a_room_with_its_history(parvis: Parvis, tmp_path: Path) -> None:
    updates = updates_of("one ", "two ", "three")
    source = database(tmp_path, ("json:notebook:1", updates), ("other/a.txt", updates_of("x")))
    before = standing(source)
    code, report = parvis("room", "import", str(source), "--from", "pycrdt-store")
    assert (code, statuses(report)) == (
        0,
        {"json:notebook:1": "imported", "other/a.txt": "imported"},
    )
    assert standing(source) == before
    with closing(sqlite3.connect(source)) as connection:
        sql = "SELECT yupdate, timestamp FROM yupdates WHERE path = 'json:notebook:1'"
        there = list(connection.execute(sql))
    rows = asyncio.run(rows_of(f"sqlite:///{tmp_path}/data", "plain/json:notebook:1"))
    assert [(row.update, row.time) for row in rows] == there
    assert [row.update for row in rows] == updates


def test_metadata_is_left_out_and_said_to_be(parvis: Parvis, tmp_path: Path) -> None:
    source = database(tmp_path, ("a", updates_of("one", "two")), metadata=b"who")
    _, report = parvis("room", "import", str(source))
    assert report["notes"] == ["2 updates carry metadata, for which rooms have no place"]


@pytest.mark.parametrize(
    "packing",
    [
        (zlib.compress, zlib.decompress),
        (gzip.compress, gzip.decompress),
        (bz2.compress, bz2.decompress),
        (lzma.compress, lzma.decompress),
    ],
    ids=["zlib", "gzip", "bz2", "xz"],
)
def test_compressed_updates_are_unpacked(
    parvis: Parvis, tmp_path: Path, packing: tuple[Pack, Pack]
) -> None:
    updates = updates_of("one " * 100, "two ")
    source = database(tmp_path, ("a", updates), packing=packing)
    assert parvis("room", "import", str(source))[0] == 0
    rows = asyncio.run(rows_of(f"sqlite:///{tmp_path}/data", "plain/a"))
    assert [row.update for row in rows] == updates


def test_small_updates_that_unpack_to_too_much_together_are_refused(
    parvis: Parvis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parvis.server.moving_in.databases.LARGEST", 10_000)
    updates = updates_of(*["x" * 2_000] * 6)
    source = database(
        tmp_path, ("a", updates), ("b", updates[:4]), packing=(zlib.compress, zlib.decompress)
    )
    _, report = parvis("room", "import", str(source))
    assert statuses(report) == {"a": "failed", "b": "imported"}
    assert lines(report)["a"]["reason"].startswith("update 5 makes it larger")


def test_what_is_compressed_in_another_way_is_refused_by_name(
    parvis: Parvis, tmp_path: Path
) -> None:
    def reverse(data: bytes) -> bytes:
        return data[::-1]

    def cut(data: bytes) -> bytes:
        return zlib.compress(data)[:-6]

    async def fill() -> None:
        await write(tmp_path / "db", "odd", updates_of("one"), packing=(reverse, reverse))
        await write(tmp_path / "db", "cut", updates_of("one"), packing=(cut, cut))
        await write(tmp_path / "db", "good", updates_of("two"))

    asyncio.run(fill())
    code, report = parvis("room", "import", str(tmp_path / "db"))
    assert code == 1
    assert statuses(report) == {"cut": "failed", "good": "imported", "odd": "failed"}
    assert "nor one packed by gzip, bz2, xz, zlib" in lines(report)["odd"]["reason"]
    assert "update 1 is packed by zlib" in lines(report)["cut"]["reason"]


def test_a_checkpoint_that_says_no_more_adds_nothing(parvis: Parvis, tmp_path: Path) -> None:
    updates = updates_of(*"abcdef")
    source = database(tmp_path, ("a", updates), checkpoint_interval=3)
    _, report = parvis("room", "import", str(source))
    (line,) = report["documents"]
    assert (line["updates"], line["notes"]) == (6, [])


def test_what_only_the_checkpoint_still_holds_is_saved(parvis: Parvis, tmp_path: Path) -> None:
    # pycrdt-store 0.1.5 squashes what is not compressed into nothing; it loses these documents.
    updates = updates_of(*"abcdef")
    source = database(tmp_path, ("a", updates), checkpoint_interval=4)
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("UPDATE yupdates SET timestamp = timestamp - 1000")
        connection.commit()
    asyncio.run(write(source, "a", updates_of(*"abcdefg")[6:], squash_after_inactivity_of=10))
    _, report = parvis("room", "import", str(source))
    (line,) = report["documents"]
    assert "its checkpoint holds what its updates do not" in line["notes"][0]
    doc: Doc[Any] = Doc()
    doc.apply_update(exported(parvis, "plain/a", tmp_path))
    assert str(doc.get("text", type=Text)).startswith("abc")


def files(tmp_path: Path, name: str, updates: Sequence[bytes]) -> Path:
    """Have pycrdt-store keep a document in a file."""
    path = tmp_path / "files" / name

    async def fill() -> None:
        async with FileYStore(str(path), metadata_callback=lambda: b"meta") as store:
            for update in updates:
                await store.write(update)

    asyncio.run(fill())
    return path


def test_files_of_updates_become_rooms_with_their_history(parvis: Parvis, tmp_path: Path) -> None:
    updates = updates_of("one ", "two ", "three")
    path = files(tmp_path, "notes.y", updates)
    files(tmp_path, "deep/other", updates_of("x"))
    before = standing(path.parent)
    code, report = parvis("room", "import", str(path.parent))
    assert (code, report["kind"]) == (0, "pycrdt-store")
    assert statuses(report) == {"deep/other": "imported", "notes": "imported"}
    assert lines(report)["notes"]["updates"] == 3
    rows = asyncio.run(rows_of(f"sqlite:///{tmp_path}/data", "plain/notes"))
    assert [row.update for row in rows] == updates
    assert all(row.time < 4e9 for row in rows) and rows[0].time <= rows[2].time
    assert standing(path.parent) == before


def test_a_file_that_breaks_off_is_refused_wherever_it_does(parvis: Parvis, tmp_path: Path) -> None:
    whole = files(tmp_path, "whole", updates_of("one", "two")).read_bytes()
    # Where the first update and what belongs to it end, the file is one of a single update.
    ends = {10, len(files(tmp_path, "one", updates_of("one")).read_bytes())}
    shutil.rmtree(tmp_path / "files")
    for end in range(9, len(whole)):
        if end not in ends:
            kept(tmp_path / "files", f"cut-{end:03d}", whole[:end])
    _, report = parvis("room", "import", str(tmp_path / "files"))
    assert set(statuses(report).values()) == {"failed"}
    assert "ends or breaks off within update 2" in report["documents"][-1]["reason"]


def test_a_file_of_another_version_is_refused(parvis: Parvis, tmp_path: Path) -> None:
    source = kept(tmp_path, "old", b"VERSION:1\n" + b"\x00" * 10)
    _, report = parvis("room", "import", str(source))
    assert "a FileYStore of version '1'; expected 2" in report["documents"][0]["reason"]


def test_the_same_document_from_either_store_is_the_same(parvis: Parvis, tmp_path: Path) -> None:
    updates = updates_of("one ", "two")
    assert parvis("room", "import", str(database(tmp_path, ("a", updates))))[0] == 0
    source = files(tmp_path, "a", updates)
    assert statuses(parvis("room", "import", str(source))[1]) == {"a": "there"}
    assert same(exported(parvis, "plain/a", tmp_path), *updates)
