"""Compaction: rows older than the history that is kept give way to one that is worth them all.

A log is compacted step by step, each of which is durable by itself, so that a kill costs at most
one of them. Where a row waits for a predecessor that has not come, compaction ends: what would
replace it could no more be put in order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from parvis.storage import LoggedUpdate, StorageError

from ..ports import HelperStopped
from .squashing import Squashed, squash

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)

DAY: Final = 86_400.0

STEP: Final = 4 * 1024 * 1024
"""Bytes of log that are compacted at a time; they pass through this process."""

STEP_ROWS: Final = 20_000


async def compact(part: FastPart) -> None:
    """Compact a log as far as its history need not be kept any more.

    Whatever goes wrong is logged, and what was not done is done at another time.
    """
    days = part.room.settings.history_days
    if not days:
        return
    oldest = part.room.node.clock.time() - days * DAY
    try:
        async with part.room.node.snapshotting:
            while not part.room.lost and await _step(part, oldest):
                pass
    except (StorageError, HelperStopped) as problem:
        logger.warning("%s: not compacted: %s", part.address, problem)


async def _step(part: FastPart, oldest: float) -> bool:
    """Compact some rows from before a time; True if there may be more."""
    if part.first < part.since:
        return await _end_earlier_lives(part, oldest)
    rows = await _rows_before(part, oldest)
    if len(rows) < part.room.node.limits.compact_rows:
        return False
    squashed = await _squash(part, rows)
    if squashed.waiting:
        rows = rows[: squashed.waiting[0]]
        if len(rows) < part.room.node.limits.compact_rows:
            return False
        squashed = await _squash(part, rows)
    if squashed.unreadable:
        logger.warning("%s: not compacted: it has rows that are no updates", part.address)
        return False
    return await _begin(part, rows[-1].offset, squashed.state)


async def _end_earlier_lives(part: FastPart, oldest: float) -> bool:
    """Forget what came before a rebuild, once all of it is old."""
    last = await part.room.node.store.read(part.address, after=part.since - 1, limit=1)
    if not last or last[0].time >= oldest or await _consumed(part) < part.since:
        return False
    if not await _begin(part, part.since, b""):
        return False
    rows = part.room.node.lives.rows
    await rows.forget_states(part.address)
    part.retired = await rows.retired(part.address)
    return True


async def _rows_before(part: FastPart, oldest: float) -> list[LoggedUpdate]:
    """Return the rows with which a log begins, as far as they are old and everybody's done with."""
    consumed = await _consumed(part)
    rows: list[LoggedUpdate] = []
    size, offset = 0, max(part.first - 1, part.since)
    while size < STEP and len(rows) < STEP_ROWS:
        page = await part.room.node.store.read(part.address, after=offset)
        old = [row for row in page if row.time < oldest and row.offset <= consumed]
        rows += old
        if len(old) < len(page) or not page:
            break
        size += sum(len(row.update) for row in page)
        offset = page[-1].offset
    return rows


async def _consumed(part: FastPart) -> int:
    """Return the offset up to which the room type has worked through the log."""
    kind = part.room.kind.name
    if not part.room.node.consumers.reads(kind):
        return part.durable
    return await part.room.node.store.cursor(kind, part.address)


async def _squash(part: FastPart, rows: Sequence[LoggedUpdate]) -> Squashed:
    return await squash(part.room.node.helpers, [row.update for row in rows])


async def _begin(part: FastPart, through: int, base: bytes) -> bool:
    store, fence = part.room.node.store, part.room.fence
    if not await store.compact(part.address, fence, through=through, base=base):
        return False
    logger.info("%s: the log begins at %d", part.address, through)
    part.first = through
    return True
