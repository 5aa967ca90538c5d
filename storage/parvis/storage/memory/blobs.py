"""Blobs in memory, until the process ends."""

import hashlib

from parvis.storage.tenants import safe_name


class MemoryBlobs:
    """Implements `parvis.storage.Blobs`."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    async def put(self, tenant: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        self._kept[safe_name(tenant), digest] = bytes(content)
        return digest

    async def get(self, tenant: str, digest: str) -> bytes | None:
        return self._kept.get((safe_name(tenant), digest))

    async def delete(self, tenant: str, digest: str) -> None:
        self._kept.pop((safe_name(tenant), digest), None)
