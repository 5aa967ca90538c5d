"""Snapshots of documents, made by helpers from the log, which is the truth; no replica is asked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from parvis.storage import StorageError

from ..ports import HelperStopped
from .squashing import Squashed, squash

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)


PAGE: Final = 1024 * 1024
"""Bytes of log that are squashed at a time; they pass through this process."""


async def save_snapshot(part: FastPart) -> None:
    """Squash the log into a snapshot, up to the last page before something waits for a predecessor.

    A snapshot is a cache: whatever goes wrong is logged, and the log stays the truth.
    """
    try:
        async with part.room.node.snapshotting:
            await _save(part)
    except (StorageError, HelperStopped) as problem:
        logger.warning("%s: no snapshot was made: %s", part.address, problem)


async def _save(part: FastPart) -> None:
    store, address = part.room.node.store, part.address
    old = await store.snapshot(address)
    offset = old.offset if old else part.since
    state: bytes = old.state if old else b""
    waiting: list[bytes] = []
    whole: tuple[int, Squashed] | None = None
    while page := await store.read(address, after=offset, max_bytes=PAGE):
        updates = [state, *waiting, *[row.update for row in page]]
        squashed = await squash(part.room.node.helpers, updates)
        if squashed.unreadable:
            logger.warning("%s: no snapshot was made: rows that are no updates", address)
            return
        state, waiting = squashed.state, [updates[at] for at in squashed.waiting]
        offset = page[-1].offset
        if not waiting:
            whole = offset, squashed
    if whole is None:
        return
    snapshot = whole[1].snapshot(part.incarnation, whole[0])
    if await store.save_snapshot(address, part.room.fence, snapshot):
        if not waiting:
            part.snapshot_saved()
        part.document.size = len(state)
