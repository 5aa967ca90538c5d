"""Blobs in S3, or in what speaks like it: ``<prefix>/<tenant>/<sha256>``.

An object is there whole or not at all, so nothing has to be renamed. What arrives in pieces waits
in a file until its hash, and with it its name, is known.
"""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import IO

from parvis.storage.blobs import DIGEST, PIECE, Blobs, BlobTooLarge, Kept, Stream
from parvis.storage.s3 import Bucket
from parvis.storage.s3_place import S3Place
from parvis.storage.tenants import safe_name, tenant_of

SPOOL = 8 * 1024 * 1024
"""Bytes of an arriving blob that are kept in memory before a file is made."""

PROBE = ".parvis-check"
"""Name of the object that `BlobsS3.check` writes."""


class BlobsS3:
    """Implements `parvis.storage.Blobs` on a bucket."""

    def __init__(self, place: S3Place) -> None:
        """Begin, without a connection yet."""
        self._bucket = Bucket(place)

    async def check(self) -> None:
        await self._bucket.check(PROBE)

    async def close(self) -> None:
        await self._bucket.close()

    async def put(self, tenant: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        key = self._key(tenant, digest)
        if await self._bucket.size(key) is None:
            await self._bucket.put(key, content)
        return digest

    async def take(self, tenant: str, pieces: AsyncIterable[bytes], *, most: int) -> Kept:
        with tempfile.SpooledTemporaryFile(SPOOL) as spool:
            digest, size = hashlib.sha256(), 0
            async for piece in pieces:
                size += len(piece)
                if size > most:
                    raise BlobTooLarge(f"a blob of more than {most} bytes")
                digest.update(piece)
                await asyncio.to_thread(spool.write, piece)
            kept = Kept(digest.hexdigest(), size)
            key = self._key(tenant, kept.digest)
            if await self._bucket.size(key) is None:
                await asyncio.to_thread(spool.seek, 0)
                await self._bucket.upload(key, _reads(spool), size)
            return kept

    async def get(self, tenant: str, digest: str) -> bytes | None:
        stream = await self.stream(tenant, digest)
        return None if stream is None else b"".join([piece async for piece in stream.pieces])

    async def stream(
        self, tenant: str, digest: str, *, start: int = 0, end: int | None = None
    ) -> Stream | None:
        if not DIGEST.fullmatch(digest):
            return None
        key = self._key(tenant, digest)
        size = await self._bucket.size(key)
        if size is None:
            return None
        stop = size if end is None else min(end, size)
        if start >= stop:  # S3 knows no empty range
            return Stream(size, _nothing())
        pieces = await self._bucket.read(key, start, stop, PIECE)
        return None if pieces is None else Stream(size, pieces)

    async def delete(self, tenant: str, digest: str) -> None:
        if DIGEST.fullmatch(digest):
            await self._bucket.delete(self._key(tenant, digest))

    async def tenants(self) -> Sequence[str]:
        names = [name async for name in self._bucket.folders("")]
        return sorted(tenant for name in names if (tenant := tenant_of(name)) is not None)

    async def kept(self, tenant: str) -> AsyncIterator[Kept]:
        async for name, size in self._bucket.list(f"{safe_name(tenant)}/"):
            if DIGEST.fullmatch(name):
                yield Kept(name, size)

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[Blobs]:
        yield self

    def _key(self, tenant: str, digest: str) -> str:
        return f"{safe_name(tenant)}/{digest}"


async def _reads(file: IO[bytes]) -> AsyncGenerator[bytes]:
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece


async def _nothing() -> AsyncGenerator[bytes]:
    return
    yield b""
