"""Blobs as files: the conformance suite, and what a crash or a full disk leaves behind."""

import resource
import stat
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from parvis.storage import Blobs, StorageError, StoreUnavailable
from parvis.storage.blob_folder import UNFINISHED, BlobFolder
from parvis.storage.conformance import DurableBlobsConformance, HoldingBlobsConformance
from parvis.storage.factory import open_blobs
from parvis.storage.memory import MemoryBlobs


class TestBlobFolder(DurableBlobsConformance, HoldingBlobsConformance):
    async def open(self, place: Path) -> Blobs:
        return open_blobs("sqlite:///somewhere", place)


async def test_a_blob_is_a_file_that_only_this_user_reads(tmp_path: Path) -> None:
    digest = await BlobFolder(tmp_path / "blobs").put("Acme", b"picture")
    file = tmp_path / "blobs" / "%41cme" / digest[:2] / digest
    assert file.read_bytes() == b"picture"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in file.parents[:3]} == {0o700}


async def test_a_disk_that_takes_no_more_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path / "blobs")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(StoreUnavailable, match="cannot be kept"):
            await blobs.put("acme", bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []
    assert await blobs.get("acme", await blobs.put("acme", bytes(5000))) == bytes(5000)


async def test_a_full_disk_in_the_middle_of_a_stream_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = BlobFolder(tmp_path / "blobs")

    async def pieces() -> AsyncGenerator[bytes]:
        for _ in range(5):
            yield bytes(100_000)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (250_000, hard))
    try:
        with pytest.raises(StoreUnavailable, match="cannot be kept"):
            await blobs.take("acme", pieces(), most=10**9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


async def test_a_reader_beside_the_owner_touches_nothing_unfinished(tmp_path: Path) -> None:
    await BlobFolder(tmp_path / "blobs").put("acme", b"whole")
    unfinished = tmp_path / "blobs" / "acme" / f"{UNFINISHED}1"
    unfinished.write_bytes(b"being written")
    async with BlobFolder(tmp_path / "blobs", alone=False).held() as held:
        assert [kept.size async for kept in held.kept("acme")] == [5]
    assert unfinished.read_bytes() == b"being written"
    # And what it held is gone, once it has let go.
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == ["acme"]


async def test_a_folder_that_cannot_be_written_is_said_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_text("no folder")
    with pytest.raises(StorageError, match="no file can be kept") as refused:
        await BlobFolder(tmp_path / "blobs").check()
    assert refused.value.hint


async def test_what_a_crash_left_unfinished_is_removed_at_the_next_start(tmp_path: Path) -> None:
    digest = await BlobFolder(tmp_path / "blobs").put("acme", b"whole")
    folder = tmp_path / "blobs" / "acme" / digest[:2]
    (folder / f"{UNFINISHED}1").write_bytes(b"half")
    assert await BlobFolder(tmp_path / "blobs").get("acme", digest) == b"whole"
    assert [path.name for path in folder.iterdir()] == [digest]


async def test_a_file_in_the_way_is_a_fault_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "acme").write_text("no folder")
    with pytest.raises(StoreUnavailable):
        await BlobFolder(tmp_path / "blobs").put("acme", b"x")


def test_a_store_in_memory_has_its_blobs_there_too(tmp_path: Path) -> None:
    assert isinstance(open_blobs("memory:", tmp_path), MemoryBlobs)
    assert list(tmp_path.iterdir()) == []
