"""From the log to a document: one snapshot, then the rows after it.

Nobody is served before this ends. What cannot be applied is found out in helpers and set aside;
the snapshot is a cache, so a bad one only means to start from the first row.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from parvis.plugins import Refused
from parvis.protocol import ErrorCode, Malformed
from parvis.protocol.surrogates import Pairs, astral, mend
from parvis.protocol.update import STORED, scan
from parvis.storage import LoggedUpdate, RoomDeleted, RoomNotFound, Snapshot, StorageError

from ..errors import ServerError
from ..firewall.depth import most_types
from ..firewall.order import Order
from ..firewall.vetting import find_poison
from ..ports import HelperMissing, HelperStopped
from .seat import Submission
from .squashing import Squashed, remembered, squash

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)

MANY_ROWS: Final = 2000
MANY_BYTES: Final = 1024 * 1024
"""A longer tail is squashed by a helper, so that loading it blocks nobody."""

AT_ONCE: Final = 500
"""Small rows that are applied without a break."""

LARGE_ROW: Final = 16 * 1024
"""Bytes of one that is applied by itself."""

MANY_BRACKETS: Final = 4000
"""Bytes that could open a nested value; with fewer, a row cannot be too deep for the stack."""


class CannotLoad(ServerError):
    """The log could not be turned into a document."""


@contextmanager
def loading_refused(name: str) -> Generator[None]:
    """Say it as a refusal if a room or part cannot be loaded."""
    try:
        yield
    except RoomNotFound:
        raise Refused(ErrorCode.ROOM_NOT_FOUND, f"there is no room {name[:80]}") from None
    except RoomDeleted:
        raise Refused(ErrorCode.ROOM_DELETED, f"{name[:80]} was deleted") from None
    except StorageError as problem:
        logger.warning("%s: cannot be loaded: %s", name, problem)
        raise Refused(ErrorCode.STORE_UNAVAILABLE, "the store does not answer") from None
    except HelperMissing:
        raise Refused(ErrorCode.TRY_AGAIN, "no helper could be started") from None
    except CannotLoad:
        raise Refused(ErrorCode.INTERNAL, "the room's log is broken") from None


async def load_document(part: FastPart) -> None:
    """Fill a part's fresh document from the store.

    Raises:
        CannotLoad: If it breaks even without the rows that helpers found guilty.
        StoreUnavailable: If the store cannot be read.
    """
    node, address = part.room.node, part.address
    snapshot = await node.store.snapshot(address)
    rows = await _rows_after(part, snapshot.offset if snapshot else part.since)
    if node.quarantine.needs_vetting(address.tenant, address.room) or any(
        _deep(row.update) for row in rows
    ):
        rows = await _set_poison_aside(part, snapshot, rows)
    try:
        await _apply(part, snapshot, rows)
        return
    except Broken as broken:
        logger.error("%s: the log broke the document: %s", address, broken)
    part.document.renew()
    if snapshot is not None:
        snapshot, rows = None, await _rows_after(part, part.since)
    rows = await _set_poison_aside(part, snapshot, rows)
    try:
        await _apply(part, snapshot, rows)
    except Broken as broken:
        raise CannotLoad(str(broken)) from broken


class Broken(ServerError):
    """An apply panicked or raised: the document is not to be used."""


async def _rows_after(part: FastPart, offset: int) -> list[LoggedUpdate]:
    rows: list[LoggedUpdate] = []
    while page := await part.room.node.store.read(part.address, after=offset):
        rows += page
        offset = page[-1].offset
    return rows


async def _apply(part: FastPart, snapshot: Snapshot | None, rows: Sequence[LoggedUpdate]) -> None:
    """Fill the document; rows that wait for a predecessor are kept beside it."""
    part.depth.start(())
    tail = [row.update for row in rows]
    base = remembered(snapshot) if snapshot and not _is_long(tail) else None
    if base is not None and _cuts(base, tail):
        base = None
    order, whole = Order(), tail
    if base is None:
        whole = [snapshot.state, *tail] if snapshot else tail
        if _is_long(whole):
            base = await _squashed(part, whole)
            order.unreadable = [*base.unreadable]
            order.waiting = [(at, whole[at], scan(whole[at], STORED)) for at in base.waiting]
            tail = []
        else:
            tail = whole
    if base is not None:
        await _apply_noted(part, base.pieces())
        order.clocks.update(base.clocks)
    mended = mend([update for _, update in order.ready(tail)], base.clocks.items() if base else ())
    await _apply_noted(part, mended)
    part.halves.start([*([base.astral] if base else []), *map(astral, mended)])
    part.document.size = (len(base.state) if base else 0) + sum(map(len, tail))
    part.loaded(len(rows))
    part.document.cache.start([*([base.state] if base else []), *mended])
    if order.unreadable:
        raise Broken(f"{len(order.unreadable)} rows are no updates")
    before = len(whole) - len(rows)
    for at, update, scanned in order.waiting:
        part.depth.add(most_types([update]))
        part.gaps.add(Submission(None, 0, update, scan=scanned, offset=rows[at - before].offset))


def _is_long(updates: Sequence[bytes]) -> bool:
    return len(updates) > MANY_ROWS or sum(map(len, updates)) > MANY_BYTES


def _cuts(base: Squashed, tail: Sequence[bytes]) -> bool:
    """Whether an update takes half a character of the base, so that both must be read together."""
    if not base.astral:
        return False
    pairs = Pairs()
    pairs.add(base.astral)
    try:
        return any(map(pairs.cut_by, tail))
    except Malformed:
        return True


async def _squashed(part: FastPart, updates: Sequence[bytes]) -> Squashed:
    try:
        return await squash(part.room.node.helpers, updates)
    except HelperMissing:
        raise
    except HelperStopped as problem:
        raise Broken(f"squashing: {problem}") from problem


async def _apply_noted(part: FastPart, updates: Iterable[bytes]) -> None:
    """Apply updates in turn; between two of them others have theirs."""
    node = part.room.node
    for number, update in enumerate(updates):
        if number % AT_ONCE == AT_ONCE - 1 or len(update) > LARGE_ROW:
            await node.clock.sleep(0)
        node.watch.enter("load", part.address, [])
        try:
            part.replica.doc.apply_update(update)
            part.depth.add(most_types([update]))
        except BaseException as panic:  # PanicException is no Exception
            raise Broken(str(panic)) from None
        finally:
            node.watch.leave()


def _deep(update: bytes) -> bool:
    """Whether a row, which came through an older firewall, could overflow the stack."""
    if update.count(0x75) + update.count(0x76) < MANY_BRACKETS:
        return False
    try:
        scan(update, STORED)
    except Malformed:
        return True
    return False


async def _set_poison_aside(
    part: FastPart, snapshot: Snapshot | None, rows: list[LoggedUpdate]
) -> list[LoggedUpdate]:
    """Find the rows that end a helper or raise there; keep them in quarantine, load the others."""
    node, address = part.room.node, part.address
    before = [snapshot.state] if snapshot else []
    guilty = await find_poison(node.helpers, [*before, *[row.update for row in rows]])
    bad = {index - len(before) for index in guilty}
    for index in sorted(bad):
        if index >= 0:
            row = rows[index]
            logger.error("%s: row %d is set aside, it breaks documents", address, row.offset)
            await node.quarantine.condemn(
                address, row.update, row.sender, "breaks the document on loading", row.offset
            )
    return [row for index, row in enumerate(rows) if index not in bad]
