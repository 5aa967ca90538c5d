"""Blobs: found by the hash of what they hold, whole or not at all, each tenant its own."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from parvis.storage.blobs import PIECE, Blobs, BlobTooLarge, Kept

PICTURE = bytes(range(256)) * 1000

LARGE = hashlib.sha256(b"seed").digest() * 1_100_000
"""35 MB: more than any adapter sends at once."""


def digest_of(content: bytes) -> str:
    """Return what a blob is kept under."""
    return hashlib.sha256(content).hexdigest()


async def pieces_of(content: bytes, size: int) -> AsyncGenerator[bytes]:
    """Yield content in pieces."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def read(blobs: Blobs, digest: str) -> bytes:
    """Read a blob to its end."""
    stream = await blobs.stream("acme", digest)
    assert stream is not None
    return b"".join([piece async for piece in stream.pieces])


async def listed(blobs: Blobs, tenant: str) -> list[Kept]:
    """Return a tenant's listing."""
    return [kept async for kept in blobs.kept(tenant)]


class BlobsConformance:
    """What every adapter's blobs do. A test class overrides `open`."""

    async def open(self, place: Path) -> Blobs:
        """Open the blobs kept at a place; the same place gives the same blobs again."""
        raise NotImplementedError

    @pytest.fixture
    async def blobs(self, tmp_path: Path) -> AsyncGenerator[Blobs]:
        """No blobs yet."""
        blobs = await self.open(tmp_path)
        yield blobs
        await blobs.close()

    @pytest.mark.parametrize("content", [b"", b"x", PICTURE])
    async def test_a_blob_comes_back_by_its_hash(self, blobs: Blobs, content: bytes) -> None:
        digest = await blobs.put("acme", content)
        assert digest == digest_of(content)
        assert await blobs.get("acme", digest) == content

    async def test_a_blob_that_is_there_may_be_put_again(self, blobs: Blobs) -> None:
        digests = await asyncio.gather(*(blobs.put("acme", PICTURE) for _ in range(5)))
        assert set(digests) == {digest_of(PICTURE)}
        assert await blobs.get("acme", digests[0]) == PICTURE

    async def test_a_tenant_sees_none_of_anothers(self, blobs: Blobs) -> None:
        digest = await blobs.put("acme", PICTURE)
        await blobs.put("Acme", b"other")
        assert await blobs.get("globex", digest) is None
        assert await blobs.get("Acme", digest) is None
        await blobs.delete("globex", digest)
        assert await blobs.get("acme", digest) == PICTURE

    async def test_a_deleted_blob_is_gone_and_may_come_back(self, blobs: Blobs) -> None:
        digest = await blobs.put("acme", PICTURE)
        await blobs.delete("acme", digest)
        assert await blobs.get("acme", digest) is None
        await blobs.delete("acme", digest)
        await blobs.put("acme", PICTURE)
        assert await blobs.get("acme", digest) == PICTURE

    @pytest.mark.parametrize(
        "digest",
        ["", "0" * 64, "A" * 64, "../" * 8, "/etc/passwd", "0" * 63, "0" * 65, "0" * 64 + "\n"],
    )
    async def test_what_is_no_digest_or_an_unknown_one_is_not_there(
        self, blobs: Blobs, digest: str
    ) -> None:
        await blobs.put("acme", PICTURE)
        assert await blobs.get("acme", digest) is None
        await blobs.delete("acme", digest)
        assert await blobs.get("acme", digest_of(PICTURE)) == PICTURE

    @pytest.mark.parametrize("tenant", ["../x", "..", "a/b", "Ünï", "%41", "a\x00b"])
    async def test_a_tenant_may_be_called_anything(self, blobs: Blobs, tenant: str) -> None:
        digest = await blobs.put(tenant, PICTURE)
        assert await blobs.get(tenant, digest) == PICTURE

    # Streams

    async def test_a_blob_comes_in_pieces_and_goes_out_in_pieces(self, blobs: Blobs) -> None:
        kept = await blobs.take("acme", pieces_of(LARGE, 100_000), most=len(LARGE))
        assert kept == Kept(digest_of(LARGE), len(LARGE))
        stream = await blobs.stream("acme", kept.digest)
        assert stream is not None and stream.size == len(LARGE)
        pieces = [piece async for piece in stream.pieces]
        assert b"".join(pieces) == LARGE
        assert max(map(len, pieces)) <= PIECE

    @pytest.mark.parametrize("content", [b"", b"x"])
    async def test_the_smallest_blobs_are_streamed_too(self, blobs: Blobs, content: bytes) -> None:
        kept = await blobs.take("acme", pieces_of(content, 1), most=1)
        assert await read(blobs, kept.digest) == content

    @pytest.mark.parametrize(
        ("start", "end"), [(0, 1), (1000, 300_000), (255_999, None), (256_000, None), (10, 10**9)]
    )
    async def test_a_range_of_a_blob_is_read(
        self, blobs: Blobs, start: int, end: int | None
    ) -> None:
        digest = await blobs.put("acme", PICTURE)
        stream = await blobs.stream("acme", digest, start=start, end=end)
        assert stream is not None and stream.size == len(PICTURE)
        assert b"".join([piece async for piece in stream.pieces]) == PICTURE[start:end]

    async def test_a_stream_may_be_left_early(self, blobs: Blobs) -> None:
        kept = await blobs.take("acme", pieces_of(LARGE, 100_000), most=len(LARGE))
        stream = await blobs.stream("acme", kept.digest)
        assert stream is not None
        first = await anext(stream.pieces)
        await stream.aclose()
        assert LARGE.startswith(first)
        assert await read(blobs, kept.digest) == LARGE

    async def test_a_stream_that_nobody_reads_is_let_go(self, blobs: Blobs) -> None:
        digest = await blobs.put("acme", PICTURE)
        for _ in range(30):
            stream = await blobs.stream("acme", digest)
            assert stream is not None
            await stream.aclose()
            assert [piece async for piece in stream.pieces] == []
        assert await read(blobs, digest) == PICTURE

    async def test_what_is_not_there_is_no_stream(self, blobs: Blobs) -> None:
        digest = await blobs.put("acme", PICTURE)
        assert await blobs.stream("globex", digest) is None
        assert await blobs.stream("acme", "0" * 64) is None
        assert await blobs.stream("acme", "../x") is None

    async def test_more_than_allowed_is_refused_and_not_kept(self, blobs: Blobs) -> None:
        with pytest.raises(BlobTooLarge):
            await blobs.take("acme", pieces_of(PICTURE, 100_000), most=len(PICTURE) - 1)
        assert await listed(blobs, "acme") == []
        await blobs.take("acme", pieces_of(PICTURE, 100_000), most=len(PICTURE))

    async def test_what_ends_early_is_not_kept(self, blobs: Blobs) -> None:
        async def broken() -> AsyncGenerator[bytes]:
            yield PICTURE
            raise ConnectionResetError("the uploader went away")

        with pytest.raises(ConnectionResetError):
            await blobs.take("acme", broken(), most=10**9)
        assert await listed(blobs, "acme") == []

    async def test_a_blob_put_and_streamed_is_one_blob(self, blobs: Blobs) -> None:
        digest = await blobs.put("acme", PICTURE)
        taken = await blobs.take("acme", pieces_of(PICTURE, 1000), most=10**9)
        assert taken.digest == digest
        assert await listed(blobs, "acme") == [Kept(digest, len(PICTURE))]

    # Listings, for backups and quotas

    async def test_blobs_are_listed_by_tenant_and_digest(self, blobs: Blobs) -> None:
        assert list(await blobs.tenants()) == []
        contents = [bytes([at]) * at for at in range(20)]
        for content in contents:
            await blobs.put("acme", content)
        await blobs.put("Ünï/x", b"other")
        assert list(await blobs.tenants()) == ["acme", "Ünï/x"]
        assert await listed(blobs, "acme") == sorted(
            (Kept(digest_of(content), len(content)) for content in contents),
            key=lambda kept: kept.digest,
        )
        assert await listed(blobs, "Ünï/x") == [Kept(digest_of(b"other"), 5)]
        assert await listed(blobs, "nobody") == []

    async def test_a_reader_that_holds_sees_what_is_there(self, blobs: Blobs) -> None:
        before = await blobs.put("acme", PICTURE)
        async with blobs.held() as held:
            later = await blobs.put("acme", b"later")
            assert await read(held, before) == PICTURE
            assert await held.get("acme", later) == b"later"
            assert list(await held.tenants()) == ["acme"]
            found = {kept.digest async for kept in held.kept("acme")}
            assert found == {before, later}

    async def test_a_check_finds_nothing_wrong(self, blobs: Blobs) -> None:
        await blobs.check()
        await blobs.check()
        assert list(await blobs.tenants()) == []


class HoldingBlobsConformance(BlobsConformance):
    """Blobs that can be held while they are deleted."""

    async def test_what_is_deleted_while_held_stays_for_the_reader(self, blobs: Blobs) -> None:
        digest = await blobs.put("acme", PICTURE)
        async with blobs.held() as held:
            await blobs.delete("acme", digest)
            assert await blobs.get("acme", digest) is None
            assert await held.get("acme", digest) == PICTURE
            assert await read(held, digest) == PICTURE
            assert [kept async for kept in held.kept("acme")] == [Kept(digest, len(PICTURE))]
        assert await blobs.get("acme", digest) is None
        assert await listed(blobs, "acme") == []


class DurableBlobsConformance(BlobsConformance):
    """Blobs that are there again after a restart."""

    async def test_blobs_outlive_a_restart(self, tmp_path: Path) -> None:
        before = await self.open(tmp_path)
        digest = await before.put("acme", PICTURE)
        await before.close()
        after = await self.open(tmp_path)
        assert await after.get("acme", digest) == PICTURE
        await after.close()
