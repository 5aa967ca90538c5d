"""Blobs as files: ``DATA/blobs/<tenant>/ab/<sha256>``, readable by this user only.

A blob is written beside its place, made durable, and renamed; then the folder is made durable. So a
file under its own name is whole, whenever the machine stops.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

from parvis.storage.blobs import DIGEST
from parvis.storage.errors import StoreUnavailable
from parvis.storage.tenants import safe_name

UNFINISHED = ".writing-"
"""How the name of a file begins that is not a blob yet; a crash can leave one behind."""


class BlobFolder:
    """Implements `parvis.storage.Blobs`; the disk is touched in threads only."""

    def __init__(self, path: Path) -> None:
        """Begin in a folder whose parent exists. There must be no other on the same one."""
        self._path = path
        for unfinished in path.glob(f"*/*/{UNFINISHED}*"):
            unfinished.unlink(missing_ok=True)

    async def put(self, tenant: str, content: bytes) -> str:
        return await asyncio.to_thread(self._put, tenant, content)

    async def get(self, tenant: str, digest: str) -> bytes | None:
        if not DIGEST.fullmatch(digest):
            return None
        return await asyncio.to_thread(self._get, tenant, digest)

    async def delete(self, tenant: str, digest: str) -> None:
        if DIGEST.fullmatch(digest):
            await asyncio.to_thread(self._delete, tenant, digest)

    def _file(self, tenant: str, digest: str) -> Path:
        return self._path / safe_name(tenant) / digest[:2] / digest

    def _put(self, tenant: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        file = self._file(tenant, digest)
        try:
            folders = [self._path, file.parent.parent, file.parent]
            for folder in folders:
                folder.mkdir(mode=0o700, exist_ok=True)
            if not file.exists():
                _write(file, content)
            # Also for what is there: whoever made it may not have come to this yet.
            for folder in reversed(folders):
                _sync(folder)
        except OSError as error:
            raise StoreUnavailable(f"a blob cannot be kept: {error}") from error
        return digest

    def _get(self, tenant: str, digest: str) -> bytes | None:
        try:
            return self._file(tenant, digest).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"a blob cannot be read: {error}") from error

    def _delete(self, tenant: str, digest: str) -> None:
        try:
            self._file(tenant, digest).unlink(missing_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"a blob cannot be deleted: {error}") from error


def _write(file: Path, content: bytes) -> None:
    # mkstemp makes it for this user only.
    descriptor, unfinished = tempfile.mkstemp(prefix=UNFINISHED, dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        os.rename(unfinished, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
