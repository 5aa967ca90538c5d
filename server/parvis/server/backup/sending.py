"""Backups in S3, where a lock keeps them from whoever gets hold of the server."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

from parvis.storage.s3 import Bucket
from parvis.storage.s3_place import Lock, S3Place

from .errors import BackupError
from .progress import Progress

PIECE = 1024 * 1024


async def send(path: Path, place: S3Place, *, lock: Lock | None, progress: Progress) -> str:
    """Upload a backup, and return where it is then.

    Raises:
        StorageError: If it cannot be kept there, or not be locked.
        BackupError: If what is there in the end has another size.
    """
    bucket = Bucket(place)
    size = (await asyncio.to_thread(path.stat)).st_size

    async def pieces() -> AsyncGenerator[bytes]:
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                progress.bytes(len(piece))
                yield piece

    progress.phase(f"to {place}", size)
    try:
        await bucket.upload(path.name, pieces(), size, lock=lock)
        found = await bucket.size(path.name)
        if found != size:
            raise BackupError(f"{place}{path.name} has {found} bytes instead of {size}")
        if lock is not None and await bucket.lock_of(path.name) is None:
            raise BackupError(
                f"{place}{path.name} is there, but not locked",
                "A lock needs a bucket that was made with object lock.",
            )
    finally:
        progress.end()
        await bucket.close()
    return f"{place}{path.name}"


async def fetch(name: str, place: S3Place, target: Path, *, progress: Progress) -> None:
    """Download a backup into a new file. Raises `StorageError`, and `BackupError` if none is."""
    bucket = Bucket(place)
    try:
        size = await bucket.size(name)
        progress.phase(f"from {place}", size or 0)
        pieces = None if size is None else await bucket.read(name, 0, size, PIECE)
        if pieces is None:
            raise BackupError(f"there is no {place}{name}")
        with target.open("xb") as file:
            async for piece in pieces:
                await asyncio.to_thread(file.write, piece)
                progress.bytes(len(piece))
    finally:
        progress.end()
        await bucket.close()
