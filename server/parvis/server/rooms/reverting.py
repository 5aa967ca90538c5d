"""Refusing by content what a stock client has already shown to its user.

A Yjs client cannot un-apply: an update silently dropped leaves a gap that hides all its later
ones. So it is taken together with its inverse, as one entry: everybody sees the refused change go
away, and nothing is missing. Native clients are told to start over instead (`Seat.reset`).
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pycrdt import merge_updates

from parvis.plugins import Refused
from parvis.protocol import Malformed
from parvis.protocol.update import scan

from ..ports import HelperStopped
from .seat import Submission

if TYPE_CHECKING:
    from .fast import FastPart

logger = logging.getLogger(__name__)


async def revert(part: FastPart, submission: Submission, refusal: Refused) -> None:
    """Undo a refused update in the document and at its sender; if it cannot be undone, reset."""
    seat = submission.seat
    assert seat is not None
    helpers, base = part.room.node.helpers, list(part.diff(b""))
    try:
        inverse: bytes = await helpers.run("invert", base, submission.update)
        both = merge_updates(submission.update, inverse)
        submission.scan = scan(both)
    except (HelperStopped, Malformed, ValueError) as problem:
        logger.info("%s: a refused update cannot be undone: %s", part.address, problem)
        part.turn_down(submission, refusal.code, refusal.reason)
        return
    submission.update = both
    part.room.node.metrics.refusals(refusal.code).inc()
    if not seat.left:
        seat.caught_up([inverse])
    part.take(submission)
