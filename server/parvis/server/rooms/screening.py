"""The firewall: what an update goes through before a document touches it.

Small updates are read by the structural scan in the same turn. An update needs time if it is
large (a helper reads it), if a worker died over one like it (a helper tries it out), if the part
may become too deep (a helper measures it), if its room is guarded (a shadow of the document takes
it first), or if the room type wants to see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

from parvis.plugins import Refused, Submission as Proposal
from parvis.protocol import ErrorCode, Malformed, TooLarge
from parvis.protocol.update import Scan, scan

from ..firewall.scanning import scan_in_helper
from ..lives.retired import RELOAD
from ..ports import HelperMissing, HelperStopped, HelperTimeout
from .seat import Submission

if TYPE_CHECKING:
    from .fast import FastPart


MANY: Final = 3000
"""Blocks; an update with more is tried out by a helper first."""

TRIAL_LIMIT: Final = 10.0
"""Seconds for that trial, which takes some five times as long as the worker would."""


def needs_time(part: FastPart, submission: Submission) -> bool:
    """Whether the update cannot be judged in this turn of the loop."""
    room = part.room
    return (
        room.inspects
        or room.guarded
        or len(submission.update) > room.node.limits.quick_update
        or room.node.quarantine.is_suspect(submission.update)
    )


def screen(part: FastPart, submission: Submission) -> bool:
    """Read the update's structure; a peer whose update is refused is told."""
    try:
        submission.scan = scan(submission.update)
    except Malformed as problem:
        _turn_down(part, submission, problem)
        return False
    return has_room(part, submission)


def has_room(part: FastPart, submission: Submission) -> bool:
    """Whether the document may take this in; a peer whose update is refused is told.

    What only deletes is taken always, or a full document could never become smaller. What names a
    client id of an earlier life never is: it would bring back the content of that life, beside the
    same of this one.
    """
    scanned = submission.scan
    assert scanned is not None
    if part.retired and part.retired.names((*scanned.structs, *scanned.deletes)):
        if submission.seat is not None and submission.seat.resettable:
            # It keeps its copy itself, if it knows what in it is unsaved. Others are asked for it.
            part.room.node.spawn(part.room.node.lives.brought(part, submission))
        part.turn_down(submission, ErrorCode.STALE_INCARNATION, RELOAD)
        return False
    most = part.room.settings.max_part
    if part.document.size <= most or not scanned.structs:
        return True
    part.turn_down(submission, ErrorCode.TOO_LARGE, f"the document is full: {most} bytes")
    return False


def fits(part: FastPart, submission: Submission) -> bool:
    """Whether an update that was read cannot make the document too deep."""
    assert submission.scan is not None
    return part.depth.fits(submission.scan.types)


def at_once(part: FastPart, submission: Submission) -> bool:
    """Whether an update that was read can be taken in without a look by a helper."""
    assert submission.scan is not None
    return submission.scan.blocks <= MANY and fits(part, submission)


async def _measure(part: FastPart, submission: Submission) -> bool:
    if part.recovery.working:
        raise Refused(ErrorCode.TRY_AGAIN, "the document is being rebuilt")
    state = part.everything()
    try:
        await part.depth.measure(part.room.node.helpers, state, submission.update)
    except Malformed as problem:
        _turn_down(part, submission, problem)
        return False
    except HelperStopped as problem:
        raise Refused(ErrorCode.TRY_AGAIN, f"no helper could look at it: {problem}") from None
    return True


def _turn_down(part: FastPart, submission: Submission, problem: Malformed) -> None:
    code = ErrorCode.TOO_LARGE if isinstance(problem, TooLarge) else ErrorCode.MALFORMED
    part.turn_down(submission, code, str(problem))


async def look_through(part: FastPart, submission: Submission) -> bool:
    """Judge an update that needs time; a peer whose update is refused is told.

    Raises:
        Refused: If the room type turns it down, or a helper could not read it.
    """
    room, node, seat = part.room, part.room.node, submission.seat
    assert seat is not None
    if node.quarantine.is_suspect(submission.update):
        base = [part.replica.doc.get_update()]
        sender = seat.caller.user
        try:
            harmless = await node.quarantine.judge(part.address, base, submission.update, sender)
        except HelperMissing:
            raise Refused(ErrorCode.TRY_AGAIN, "no helper could look at it") from None
        if not harmless:
            condemn(submission)
            return False
    if len(submission.update) > node.limits.quick_update:
        try:
            submission.scan = await scan_in_helper(node.helpers, submission.update)
        except Malformed as problem:
            _turn_down(part, submission, problem)
            return False
        except HelperMissing:
            raise Refused(ErrorCode.TRY_AGAIN, "no helper could look at it") from None
        except HelperStopped as problem:
            raise Refused(ErrorCode.INVALID_UPDATE, f"unreadable: {problem}") from None
        if not has_room(part, submission):
            return False
    elif not screen(part, submission):
        return False
    if not fits(part, submission) and not await _measure(part, submission):
        return False
    if room.inspects:
        async with room.turn:
            await room.kind.on_update(room, seat, _proposal(part, submission))
    if room.guarded:
        return await part.shadow.survives(submission)
    return (
        submission.scan is None
        or submission.scan.blocks <= MANY
        or await _is_quick(part, submission)
    )


def _proposal(part: FastPart, submission: Submission) -> Proposal:
    scanned = submission.scan
    assert scanned is not None
    return Proposal(
        part.address.part,
        submission.update,
        frozenset(scanned.roots),
        frozenset(scanned.elements),
        frozenset(scanned.formats),
    )


async def read_edit(part: FastPart, update: bytes) -> Scan:
    """Return the structure of an update of the server's own, as a peer's is read.

    Raises:
        Refused: If it is none, or nobody could read it.
    """
    node = part.room.node
    try:
        if len(update) > node.limits.quick_update:
            return await scan_in_helper(node.helpers, update)
        return scan(update)
    except Malformed as problem:
        raise Refused(ErrorCode.INVALID_UPDATE, f"the edit: {problem}") from None
    except HelperMissing:
        raise Refused(ErrorCode.TRY_AGAIN, "no helper could look at the edit") from None
    except HelperStopped as problem:
        raise Refused(ErrorCode.INVALID_UPDATE, f"the edit is unreadable: {problem}") from None


async def merge_edit(part: FastPart, updates: Sequence[bytes]) -> bytes:
    """Merge large updates of the server's own in a helper. Raises `Refused`."""
    try:
        return cast(bytes, await part.room.node.helpers.run("merge", list(updates)))
    except HelperStopped as problem:
        raise Refused(ErrorCode.TRY_AGAIN, f"the edit was not merged: {problem}") from None


async def look_through_edit(part: FastPart, update: bytes) -> Scan:
    """Judge an update of the server's own before it is logged; return its structure.

    What a room type computed from what people wrote is no safer than what they send.

    Raises:
        Refused: If the document cannot take it, or not within a moment.
    """
    node = part.room.node
    scanned = await read_edit(part, update)
    try:
        if not part.depth.fits(scanned.types):
            await part.depth.measure(node.helpers, part.everything(), update)
        if scanned.blocks > MANY:
            await _try_out(part, update)
    except Malformed as problem:
        raise Refused(ErrorCode.INVALID_UPDATE, f"the edit: {problem}") from None
    except HelperMissing:
        raise Refused(ErrorCode.TRY_AGAIN, "no helper could look at the edit") from None
    except HelperTimeout:
        raise Refused(ErrorCode.TOO_LARGE, "the edit would take too long to take in") from None
    except HelperStopped as problem:
        raise Refused(ErrorCode.INVALID_UPDATE, f"the edit broke a helper: {problem}") from None
    return scanned


async def _try_out(part: FastPart, update: bytes) -> None:
    base = list(part.everything())
    await part.room.node.helpers.run("trial", base, update, False, timeout=TRIAL_LIMIT)


async def _is_quick(part: FastPart, submission: Submission) -> bool:
    """Have a helper find out whether many blocks can be taken in within a moment.

    What yrs does with blocks that were all put at the same place takes time in proportion to their
    number times that of those there already.
    """
    node = part.room.node
    try:
        await _try_out(part, submission.update)
    except HelperMissing:
        raise Refused(ErrorCode.TRY_AGAIN, "no helper could look at it") from None
    except HelperTimeout:
        part.turn_down(submission, ErrorCode.TOO_LARGE, "it would take too long to take in")
        return False
    except HelperStopped as problem:
        sender = submission.seat.caller.user if submission.seat else ""
        reason = f"broke a helper: {problem}"
        await node.quarantine.condemn(part.address, submission.update, sender, reason)
        condemn(submission)
        return False
    return True


def condemn(submission: Submission) -> None:
    """Close the session of somebody whose update breaks documents."""
    reason = "this update breaks documents"
    if submission.seat is not None:
        submission.seat.live.tell(submission, ErrorCode.POISON, reason)
        submission.seat.session.close(submission.seat.session.poison, reason)
