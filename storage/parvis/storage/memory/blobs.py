"""Blobs in memory, until the process ends."""

import hashlib
from collections import ChainMap
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    MutableMapping,
    Sequence,
)
from contextlib import asynccontextmanager

from parvis.storage.blobs import PIECE, Blobs, BlobTooLarge, Kept, Stream
from parvis.storage.tenants import safe_name, tenant_of


class MemoryBlobs:
    """Implements `parvis.storage.Blobs`."""

    def __init__(self) -> None:
        self._kept: MutableMapping[tuple[str, str], bytes] = {}

    async def check(self) -> None:
        """There is nothing that could be wrong."""

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def put(self, tenant: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self._kept[safe_name(tenant), digest] = bytes(content)
        return digest

    async def take(self, tenant: str, pieces: AsyncIterable[bytes], *, most: int) -> Kept:
        content = bytearray()
        async for piece in pieces:
            content += piece
            if len(content) > most:
                raise BlobTooLarge(f"a blob of more than {most} bytes")
        return Kept(await self.put(tenant, bytes(content)), len(content))

    async def get(self, tenant: str, digest: str) -> bytes | None:
        return self._kept.get((safe_name(tenant), digest))

    async def stream(
        self, tenant: str, digest: str, *, start: int = 0, end: int | None = None
    ) -> Stream | None:
        content = await self.get(tenant, digest)
        if content is None:
            return None
        return Stream(len(content), _pieces(content[start:end]))

    async def delete(self, tenant: str, digest: str) -> None:
        self._kept.pop((safe_name(tenant), digest), None)

    async def tenants(self) -> Sequence[str]:
        found = {tenant_of(name) for name, _ in self._kept}
        return sorted(name for name in found if name is not None)

    async def kept(self, tenant: str) -> AsyncIterator[Kept]:
        for name, digest in sorted(self._kept):
            if name == safe_name(tenant):
                yield Kept(digest, len(self._kept[name, digest]))

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[Blobs]:
        held = MemoryBlobs()
        held._kept = ChainMap(self._kept, dict(self._kept))
        yield held


async def _pieces(content: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(content), PIECE):
        yield content[start : start + PIECE]
