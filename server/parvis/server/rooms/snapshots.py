"""Snapshots of documents, made by helpers from the log, which is the truth; no replica is asked."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

from parvis.storage import Snapshot, StorageError

from ..ports import HelperStopped

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)


PAGE: Final = 1024 * 1024
"""Bytes of log that are squashed at a time; they pass through this process."""


async def save_snapshot(part: FastPart) -> None:
    """Squash the log up to here into a snapshot, unless something in it waits for a predecessor.

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
    start = offset = old.offset if old else part.since
    state: bytes = old.state if old else b""
    waiting: list[bytes] = []
    while page := await store.read(address, after=offset, max_bytes=PAGE):
        updates = [state, *waiting, *[row.update for row in page]]
        squashed = cast("dict[str, Any]", await part.room.node.helpers.run("squash", updates))
        if squashed["unreadable"]:
            logger.warning("%s: no snapshot was made: rows that are no updates", address)
            return
        state, waiting = squashed["state"], [updates[at] for at in squashed["waiting"]]
        offset = page[-1].offset
    if offset == start or waiting:
        return
    snapshot = Snapshot(part.incarnation, offset, state)
    if await store.save_snapshot(address, part.room.fence, snapshot):
        part.snapshot_saved()
        part.document.size = len(state)
