"""Blobs: found by the hash of what they hold, whole or not at all, each tenant its own."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from parvis.storage.blobs import Blobs

PICTURE = bytes(range(256)) * 1000


def digest_of(content: bytes) -> str:
    """Return what a blob is kept under."""
    return hashlib.sha256(content).hexdigest()


class BlobsConformance:
    """What every adapter's blobs do. A test class overrides `open`."""

    async def open(self, place: Path) -> Blobs:
        """Open the blobs kept at a place; the same place gives the same blobs again."""
        raise NotImplementedError

    @pytest.fixture
    async def blobs(self, tmp_path: Path) -> AsyncGenerator[Blobs]:
        """No blobs yet."""
        yield await self.open(tmp_path)

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


class DurableBlobsConformance(BlobsConformance):
    """Blobs that are there again after a restart."""

    async def test_blobs_outlive_a_restart(self, tmp_path: Path) -> None:
        digest = await (await self.open(tmp_path)).put("acme", PICTURE)
        assert await (await self.open(tmp_path)).get("acme", digest) == PICTURE
