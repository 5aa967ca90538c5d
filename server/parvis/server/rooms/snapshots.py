"""Snapshots of documents, made by helpers from the log: the loop never encodes a whole document."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from parvis.storage import Snapshot, StorageError

from ..ports import HelperStopped

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)


async def save_snapshot(part: FastPart) -> None:
    """Squash the log up to here into a snapshot, unless something in it waits for a predecessor.

    A snapshot is a cache: whatever goes wrong is logged, and the log stays the truth.
    """
    node, address = part.room.node, part.address
    try:
        async with node.snapshotting:
            old = await node.store.snapshot(address)
            start = offset = old.offset if old else part.since
            updates = [old.state] if old else []
            while page := await node.store.read(address, after=offset):
                updates += [row.update for row in page if row.update]
                offset = page[-1].offset
            if offset == start:
                return
            squashed = cast("dict[str, Any]", await node.helpers.run("squash", updates))
            if not squashed["waiting"]:
                snapshot = Snapshot(part.incarnation, offset, squashed["state"])
                if await node.store.save_snapshot(address, part.room.fence, snapshot):
                    part.snapshot_saved()
                    part.size = len(snapshot.state)
    except (StorageError, HelperStopped) as problem:
        logger.warning("%s: no snapshot was made: %s", address, problem)
