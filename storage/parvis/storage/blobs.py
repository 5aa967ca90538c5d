"""The contract for files kept by the hash of what they hold: images and other attachments."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from parvis.storage.errors import StorageError

DIGEST: Final = re.compile("[0-9a-f]{64}")
"""A SHA-256 in hex; whatever else is asked for is not there."""

PIECE: Final = 256 * 1024
"""The most bytes that come at a time from a stream."""


class BlobTooLarge(StorageError):
    """A blob has more bytes than its taker allows; nothing of it was kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A blob in a listing: its SHA-256 in hex, and its bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A blob, or a part of one, on its way out.

    Attributes:
        size: Bytes of the whole blob.
        pieces: The bytes asked for, to be read once, in pieces of at most `PIECE` bytes. Whoever
            does not read to the end calls `aclose`.
    """

    size: int
    pieces: AsyncIterator[bytes]

    async def aclose(self) -> None:
        """Let go of the blob before its end."""
        close = getattr(self.pieces, "aclose", None)
        if close is not None:
            await close()


class Blobs(Protocol):
    """Keeps blobs durable, apart for each tenant. What is kept never changes.

    Raises `parvis.storage.StoreUnavailable` on a passing fault.
    """

    async def check(self) -> None:
        """Return if a blob could be kept now.

        Raises:
            StorageError: With what is wrong, and what to do about it.
        """
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...

    async def put(self, tenant: str, content: bytes) -> str:
        """Keep a blob; return its SHA-256 in hex. It is durable when this returns."""
        ...

    async def take(self, tenant: str, pieces: AsyncIterable[bytes], *, most: int) -> Kept:
        """Keep a blob that comes in pieces, of any size each; it is durable when this returns.

        If the pieces end with an exception, that is raised, and nothing is kept.

        Args:
            most: Bytes it may have.

        Raises:
            BlobTooLarge: If it has more.
        """
        ...

    async def get(self, tenant: str, digest: str) -> bytes | None:
        """Return a blob, or None if there is none of that digest."""
        ...

    async def stream(
        self, tenant: str, digest: str, *, start: int = 0, end: int | None = None
    ) -> Stream | None:
        """Return a blob's bytes from `start` up to and without `end`, or None if there is none.

        Args:
            end: None, or beyond the blob's: its end.
        """
        ...

    async def delete(self, tenant: str, digest: str) -> None:
        """Forget a blob, if it is there."""
        ...

    async def tenants(self) -> Sequence[str]:
        """Name the tenants that have blobs, in order."""
        ...

    def kept(self, tenant: str) -> AsyncIterator[Kept]:
        """Yield a tenant's blobs by digest; what comes or goes meanwhile may be seen or not."""
        ...

    def held(self) -> AbstractAsyncContextManager["Blobs"]:
        """Hold what is here: through the answer it stays to be read, even if deleted meanwhile.

        What comes later is there too. Best effort where the place of the blobs has no such thing:
        S3 holds nothing.
        """
        ...
