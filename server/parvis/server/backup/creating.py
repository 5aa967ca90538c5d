"""Makes a backup of everything, while nodes serve it."""

import asyncio
import dataclasses
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from parvis.storage import Blobs, Kept
from parvis.storage.archive import Archive, Cut, Row
from parvis.storage.transfer import Summing, pages_of

from .errors import BackupError
from .keys import Key
from .layers import FORMAT, SEGMENT, Head, Manifest, Packer, scope_name
from .progress import Progress
from .sealing import sealed

Sign = Callable[[bytes], Awaitable[tuple[str, bytes]]]
"""Signs the SHA-256 of a manifest: the node's public key in hex, and the signature."""


@dataclass(frozen=True, slots=True)
class Created:
    """A backup that was made."""

    path: Path
    size: int
    manifest: Manifest


async def create(
    path: Path,
    key: Key,
    *,
    archive: Archive,
    blobs: Blobs,
    id: str,
    now: float,
    version: str,
    signer: str,
    sign: Sign,
    progress: Progress,
) -> Created:
    """Write everything to a new file.

    Each tenant is as it was at one moment, the accounts as they were after all tenants, so that
    nobody's room lacks its owner; blobs that were there at the beginning are in it, even if they
    are deleted meanwhile, where the place of the blobs can hold them.

    Args:
        path: Must not exist.
        id: Of this backup.
        now: Seconds since the epoch.
        version: Of Parvis.
        signer: What `sign` will answer as public key.

    Raises:
        BackupError: If it cannot be written; then there is no such file.
        StorageError: If something cannot be read; neither.
    """
    async with blobs.held() as held:
        try:
            with sealed(path, key) as out:
                packer = Packer(out)
                packer.head(Head(FORMAT, id, now, version))
                todo = (*await archive.tenants(), None)
                scopes: dict[str, dict[str, object]] = {}
                for number, tenant in enumerate(todo, 1):
                    name = scope_name(tenant)
                    async with archive.cut(tenant) as cut:
                        progress.phase(f"{name} ({number} of {len(todo)})", cut.size)
                        scopes[name] = await _scope(packer, tenant, cut, progress)
                count, vanished = await _blobs(packer, held, progress)
                manifest = Manifest(
                    format=FORMAT,
                    id=id,
                    created=now,
                    parvis=version,
                    kind=archive.kind,
                    scopes=scopes,
                    blobs=count,
                    vanished=vanished,
                    entries=packer.total.entries,
                    bytes=packer.total.bytes,
                    sha256=packer.total.hex(),
                    signer=signer,
                )
                content = json.dumps(dataclasses.asdict(manifest), indent=1).encode()
                _, signature = await sign(hashlib.sha256(content).digest())
                packer.end(content, signature)
        finally:
            progress.end()
    return Created(path, await asyncio.to_thread(_size, path), manifest)


def _size(path: Path) -> int:
    return path.stat().st_size


async def _scope(
    packer: Packer, tenant: str | None, cut: Cut, shown: Progress
) -> dict[str, object]:
    scope, summing = scope_name(tenant), Summing(cut.layout)
    packer.layout(scope, cut.layout)
    waiting: list[Row] = []
    size, current = 0, ""
    async for table, rows in pages_of(cut):
        if waiting and (table != current or size >= SEGMENT):
            packer.rows(scope, current, waiting)
            waiting, size = [], 0
        current = table
        summing.add(table, rows)
        shown.rows(rows)
        waiting += rows
        size += sum(len(value) for row in rows for value in row if isinstance(value, str | bytes))
        size += 16 * len(rows)
    if waiting:
        packer.rows(scope, current, waiting)
    sums = summing.sums()
    digest = packer.sums(scope, sums)
    total = sum(count for count, _ in sums.tables.values())
    return {"rooms": len(sums.rooms), "rows": total, "sums": digest.hex()}


async def _blobs(packer: Packer, blobs: Blobs, shown: Progress) -> tuple[int, int]:
    count = vanished = total = 0
    tenants = await blobs.tenants()
    for tenant in tenants:
        async for kept in blobs.kept(tenant):
            total += kept.size
    shown.phase("files", total)
    for tenant in tenants:
        async for kept in blobs.kept(tenant):
            if await _blob(packer, blobs, tenant, kept, shown):
                count += 1
            else:
                vanished += 1
    return count, vanished


async def _blob(packer: Packer, blobs: Blobs, tenant: str, kept: Kept, shown: Progress) -> bool:
    stream = await blobs.stream(tenant, kept.digest)
    if stream is None:
        return False
    packer.blob(tenant, kept.digest, stream.size)
    digest = hashlib.sha256()
    try:
        async for piece in stream.pieces:
            digest.update(piece)
            packer.piece(piece)
            shown.bytes(len(piece))
    finally:
        await stream.aclose()
    if digest.hexdigest() != kept.digest:
        raise BackupError(
            f"the file {kept.digest} of {tenant} is damaged where it is kept",
            "Restore it from an earlier backup, or delete what it belongs to.",
        )
    packer.end_blob(stream.size)
    return True
