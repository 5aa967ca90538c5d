"""A copy of a document in a process of its own, which takes each update before the worker does.

For rooms over which workers died repeatedly, or stood still for an update: what ends a process or
takes too long there does so in the shadow, and nobody else notices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from parvis.plugins import Refused
from parvis.protocol import ErrorCode

from ..firewall.helpers import Shadow
from ..ports import HelperDied, HelperFailed, HelperMissing, HelperPanicked, HelperTimeout
from . import screening
from .seat import Submission

if TYPE_CHECKING:
    from .fast import FastPart


SHADOW_LIMIT: Final = 2.0
"""Seconds that an update to a guarded room may take; in the worker everybody would wait for it."""


class Shadowing:
    """The shadow of one part, started when it is first needed."""

    def __init__(self, part: FastPart) -> None:
        self._part = part
        self._shadow: Shadow | None = None

    async def survives(self, submission: Submission) -> bool:
        """Let the shadow take an update; False if it must not be taken, which the peer was told.

        Raises:
            Refused: If no shadow can be had now, or the update is unreadable.
        """
        part = self._part
        if self._shadow is None:
            self._shadow = part.room.node.make_shadow()
        try:
            if not self._shadow.is_open:
                await self._shadow.open(list(part.diff(b"")))
            await self._shadow.apply(submission.update, within=SHADOW_LIMIT)
        except HelperMissing:
            raise Refused(ErrorCode.TRY_AGAIN, "no helper could be started") from None
        except HelperTimeout:
            # Not undone like other refusals: that would mean to take it in.
            part.turn_down(submission, ErrorCode.TOO_LARGE, "it would take too long to take in")
            return False
        except (HelperDied, HelperPanicked) as death:
            sender = submission.seat.caller.user if submission.seat else ""
            reason = f"broke the room's shadow: {death}"
            quarantine = part.room.node.quarantine
            await quarantine.condemn(part.address, submission.update, sender, reason)
            screening.condemn(submission)
            return False
        except HelperFailed as problem:
            raise Refused(ErrorCode.INVALID_UPDATE, str(problem)) from None
        return True

    def close(self) -> None:
        if self._shadow is not None:
            self._part.room.node.spawn(self._shadow.close())
            self._shadow = None
