"""Is there a place to write: the data folder's rights, what kind of disk, how much room is left?"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from ..commands.output import size
from ..commands.serving import nearest, why_not_writable
from .examination import Examination
from .finding import Finding, fail, judged, ok, warn

ENOUGH: Final = 256 * 1024 * 1024
"""Bytes of free space below which a busy node soon stops."""

FEW: Final = 0.05
"""Share of free inodes below which somebody should look."""

SOON: Final = 14.0
"""Days until a disk is full, below which somebody should look."""

TOO_SOON: Final = 2.0

REMOTE: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "vboxsf"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "davfs", "fuse.davfs2"}
)
"""File systems whose locks and syncs are not those that SQLite needs."""

FLEETING: Final = frozenset({"tmpfs", "ramfs"})
"""File systems that a restart of the machine empties."""


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Look at the data folder and the disk below it."""
    data = case.settings.data
    problem = why_not_writable(data)
    state = "writable" if data.is_dir() else "does not exist yet; a start makes it"
    yield judged(
        not problem,
        "data folder",
        problem or f"{data.resolve()}, {state}",
        "Give this user the right to write there.",
    )
    if problem:
        return
    disk = os.statvfs(nearest(data))
    free = disk.f_bavail * disk.f_frsize
    yield space(free, case.daily)
    if disk.f_files:  # some file systems have as many as there is room for
        share = disk.f_favail / disk.f_files
        detail = f"{disk.f_favail} of {disk.f_files} are free"
        hint = "Delete small files; blobs and backups are one file each."
        if share >= FEW:
            yield ok("inodes", detail)
        else:
            yield (fail if share < FEW / 5 else warn)("inodes", detail, hint)
    yield suitable(file_system(nearest(data)), sqlite=case.settings.store_url.startswith("sqlite:"))


def space(free: int, daily: float | None) -> Finding:
    """Judge how much room is left.

    Args:
        daily: Bytes that are needed each day; None: not known yet.
    """
    hint = "Make room before the disk is full."
    left = free / daily if daily and daily > 0 else None
    detail = size(free)
    if left is not None and left < 3650:
        detail += f", for {left:.0f} days as it has grown"
    figures = {"free": free, "days": left}
    if free < ENOUGH or (left is not None and left < TOO_SOON):
        return fail("free space", detail, hint, **figures)
    if left is not None and left < SOON:
        return warn("free space", detail, hint, **figures)
    return ok("free space", detail, **figures)


def suitable(kind: str, *, sqlite: bool) -> Finding:
    """Judge a kind of file system, for a data folder that holds databases or does not."""
    if kind in REMOTE and sqlite:
        return fail(
            "file system",
            f"{kind}: a network file system, on which SQLite loses what it said was durable",
            "Put the data folder on a local disk, or take a PostgreSQL store.",
        )
    if kind in FLEETING:
        return warn(
            "file system",
            f"{kind}: in memory, gone when the machine restarts",
            "Put the data folder on a disk, unless this is a trial.",
        )
    return ok("file system", kind or "not known")


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Return the kind of file system below a path, as Linux names it; empty if it is not known."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return ""
    real = os.path.realpath(path)
    found, longest = "", -1
    for line in lines:
        _, place, kind, *_ = line.split(" ")
        place = place.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        below = real == place or real.startswith(place.rstrip("/") + "/")
        if below and len(place) >= longest:  # the last one mounted there is the one in sight
            found, longest = kind, len(place)
    return found
