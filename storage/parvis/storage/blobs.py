"""The contract for files kept by the hash of what they hold: images and other attachments."""

import re
from typing import Final, Protocol

DIGEST: Final = re.compile("[0-9a-f]{64}")
"""A SHA-256 in hex; whatever else is asked for is not there."""


class Blobs(Protocol):
    """Keeps blobs durable, apart for each tenant. What is kept never changes.

    Raises `parvis.storage.StoreUnavailable` on a passing fault.
    """

    async def put(self, tenant: str, content: bytes) -> str:
        """Keep a blob; return its SHA-256 in hex. It is durable when this returns."""
        ...

    async def get(self, tenant: str, digest: str) -> bytes | None:
        """Return a blob, or None if there is none of that digest."""
        ...

    async def delete(self, tenant: str, digest: str) -> None:
        """Forget a blob, if it is there."""
        ...
