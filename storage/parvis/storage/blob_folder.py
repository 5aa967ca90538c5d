"""Blobs as files: ``DATA/blobs/<tenant>/ab/<sha256>``, readable by this user only.

A blob is written beside its place, made durable, and renamed; then the folder is made durable. So a
file under its own name is whole, whenever the machine stops.
"""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from parvis.storage.blobs import DIGEST, PIECE, Blobs, BlobTooLarge, Kept, Stream
from parvis.storage.errors import StorageError, StoreUnavailable
from parvis.storage.scratch import Scratch, remove_abandoned
from parvis.storage.tenants import safe_name, tenant_of

T = TypeVar("T")

UNFINISHED = ".writing-"
"""How the name of a file begins that is not a blob yet; a crash can leave one behind."""

HELD = ".held-"
"""How the name of a folder begins that holds blobs for a reader; a kill can leave one behind."""


class BlobFolder:
    """Implements `parvis.storage.Blobs`; the disk is touched in threads only."""

    def __init__(self, path: Path, *, alone: bool = True) -> None:
        """Begin in a folder whose parent exists.

        Args:
            alone: This is the process that keeps blobs here, the only one: what others left
                unfinished is removed. Else it is one that reads beside it.
        """
        self._path = path
        if alone:
            for place in (f"*/{UNFINISHED}*", f"*/*/{UNFINISHED}*"):
                for unfinished in path.glob(place):
                    unfinished.unlink(missing_ok=True)
            remove_abandoned(path, HELD)

    async def check(self) -> None:
        def write() -> None:
            self._path.mkdir(mode=0o700, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._path) as probe:
                probe.write(b"x")
                probe.flush()

        try:
            await asyncio.to_thread(write)
        except OSError as error:
            raise StorageError(
                f"no file can be kept in {self._path}: {error.strerror}",
                hint="Make the folder writable for this user, on a volume that is not full.",
            ) from error

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def put(self, tenant: str, content: bytes) -> str:
        return await self._run("kept", self._put, tenant, content)

    async def take(self, tenant: str, pieces: AsyncIterable[bytes], *, most: int) -> Kept:
        written = await self._run("kept", self._begin, tenant)
        try:
            async for piece in pieces:
                if written.size + len(piece) > most:
                    raise BlobTooLarge(f"a blob of more than {most} bytes")
                await self._run("kept", written.add, piece)
            return await self._run("kept", self._keep, tenant, written)
        finally:
            await asyncio.to_thread(written.drop)

    async def get(self, tenant: str, digest: str) -> bytes | None:
        if not DIGEST.fullmatch(digest):
            return None
        return await self._run("read", _read, self._file(tenant, digest))

    async def stream(
        self, tenant: str, digest: str, *, start: int = 0, end: int | None = None
    ) -> Stream | None:
        if not DIGEST.fullmatch(digest):
            return None
        file = await self._run("read", _open, self._file(tenant, digest))
        if file is None:
            return None
        size = os.fstat(file.fileno()).st_size
        pieces = self._pieces(file, start, size if end is None else min(end, size))
        await anext(pieces)
        return Stream(size, pieces)

    async def delete(self, tenant: str, digest: str) -> None:
        if DIGEST.fullmatch(digest):
            file = self._file(tenant, digest)
            await self._run("deleted", lambda: file.unlink(missing_ok=True))

    async def tenants(self) -> Sequence[str]:
        def names() -> list[str]:
            try:
                found = [tenant_of(entry.name) for entry in os.scandir(self._path)]
            except FileNotFoundError:
                return []
            return sorted(name for name in found if name is not None)

        return await self._run("listed", names)

    async def kept(self, tenant: str) -> AsyncIterator[Kept]:
        folder = self._path / safe_name(tenant)
        for shelf in await self._run("listed", _names, folder):
            for one in await self._run("listed", _shelf, folder / shelf):
                yield one

    @asynccontextmanager
    async def held(self) -> AsyncGenerator[Blobs]:
        scratch = await self._run("held", self._hold)
        if scratch is None:  # a file system without links: what is deleted meanwhile is gone
            yield self
            return
        try:
            yield _Held(self, BlobFolder(scratch.path, alone=False))
        finally:
            await asyncio.to_thread(scratch.remove)

    def _file(self, tenant: str, digest: str) -> Path:
        return self._path / safe_name(tenant) / digest[:2] / digest

    def _put(self, tenant: str, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        if self._file(tenant, digest).exists():
            self._sync(tenant, digest)
            return digest
        written = self._begin(tenant)
        try:
            written.add(content)
            return self._keep(tenant, written).digest
        finally:
            written.drop()

    def _begin(self, tenant: str) -> "_Written":
        folder = self._path / safe_name(tenant)
        for each in (self._path, folder):
            each.mkdir(mode=0o700, exist_ok=True)
        return _Written(folder)

    def _keep(self, tenant: str, written: "_Written") -> Kept:
        kept = written.finish()
        file = self._file(tenant, kept.digest)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if not file.exists():
            os.rename(written.path, file)
        self._sync(tenant, kept.digest)
        return kept

    def _sync(self, tenant: str, digest: str) -> None:
        # Also for what is there: whoever made it may not have come to this yet.
        shelf = self._file(tenant, digest).parent
        for folder in (shelf, shelf.parent, self._path):
            _sync(folder)

    async def _pieces(self, file: BinaryIO, start: int, end: int) -> AsyncGenerator[bytes]:
        try:
            yield b""  # a generator that has begun is ended by `aclose`, and the file closed
            while start < end:
                piece = await self._run("read", os.pread, file.fileno(), PIECE, start)
                piece = piece[: end - start]
                if not piece:
                    raise StoreUnavailable("a blob cannot be read: it is shorter than it was")
                start += len(piece)
                yield piece
        finally:
            file.close()

    def _hold(self) -> Scratch | None:
        if not self._path.exists():
            return None
        scratch = Scratch(self._path, HELD)
        try:
            for file in self._path.glob("*/*/*"):
                if DIGEST.fullmatch(file.name):
                    target = scratch.path / file.relative_to(self._path)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with contextlib.suppress(FileNotFoundError):
                        os.link(file, target)
        except OSError:
            scratch.remove()
            return None
        return scratch

    async def _run(self, done: str, call: Callable[..., T], *arguments: object) -> T:
        try:
            return await asyncio.to_thread(call, *arguments)
        except OSError as error:
            raise StoreUnavailable(
                f"a blob cannot be {done}: {error}",
                hint="Look at the data folder's volume: is it full, read-only or faulty?",
            ) from error


class _Held(BlobFolder):
    """What was there when it was held, and what is there now."""

    def __init__(self, behind: BlobFolder, held: BlobFolder) -> None:
        super().__init__(behind._path, alone=False)
        self._held = held

    async def get(self, tenant: str, digest: str) -> bytes | None:
        found = await self._held.get(tenant, digest)
        return await super().get(tenant, digest) if found is None else found

    async def stream(
        self, tenant: str, digest: str, *, start: int = 0, end: int | None = None
    ) -> Stream | None:
        found = await self._held.stream(tenant, digest, start=start, end=end)
        if found is not None:
            return found
        return await super().stream(tenant, digest, start=start, end=end)

    async def tenants(self) -> Sequence[str]:
        return sorted({*await self._held.tenants(), *await super().tenants()})

    async def kept(self, tenant: str) -> AsyncIterator[Kept]:
        found = {one.digest: one async for one in self._held.kept(tenant)}
        async for one in super().kept(tenant):
            found[one.digest] = one
        for digest in sorted(found):
            yield found[digest]


class _Written:
    """A file that is becoming a blob."""

    def __init__(self, folder: Path) -> None:
        # mkstemp makes it for this user only.
        descriptor, self.path = tempfile.mkstemp(prefix=UNFINISHED, dir=folder)
        self._file = os.fdopen(descriptor, "wb")
        self._hash = hashlib.sha256()
        self.size = 0

    def add(self, piece: bytes) -> None:
        """Append bytes."""
        self._file.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def finish(self) -> Kept:
        """Make it durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return Kept(self._hash.hexdigest(), self.size)

    def drop(self) -> None:
        """Remove it, if it did not become a blob."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            os.unlink(self.path)


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _names(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except FileNotFoundError:
        return []


def _shelf(folder: Path) -> list[Kept]:
    found: list[Kept] = []
    for entry in os.scandir(folder):
        if DIGEST.fullmatch(entry.name):
            with contextlib.suppress(FileNotFoundError):
                found.append(Kept(entry.name, entry.stat().st_size))
    return sorted(found, key=lambda one: one.digest)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
