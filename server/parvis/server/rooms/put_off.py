"""Peers whose updates were refused for now, until they are asked for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..ports import Timer
from .seat import Seat

if TYPE_CHECKING:
    from .fast import FastPart

PAUSE: Final = 0.5
"""Seconds until a peer whose update was put off is asked for what is missing, or later."""


class PutOff:
    """Those peers of one part. A Yjs client sends nothing again by itself: it has to be asked."""

    def __init__(self, part: FastPart) -> None:
        self._part = part
        self._seats: dict[Seat, None] = {}
        self._timer: Timer | None = None

    def add(self, seat: Seat) -> None:
        """An update of this peer was put off."""
        self._seats[seat] = None
        if self._timer is None:
            self._ask_later()

    def forget(self, seat: Seat) -> None:
        """The peer has left."""
        self._seats.pop(seat, None)

    def _ask_later(self) -> None:
        self._timer = self._part.room.node.clock.call_later(PAUSE, self._ask)

    def _ask(self) -> None:
        part = self._part
        if part.recovery.working or part.unlogged_bytes > part.room.node.limits.unlogged // 2:
            self._ask_later()
            return
        self._timer = None
        seats, self._seats = self._seats, {}
        for seat in seats:
            seat.resync(part.state())

    def close(self) -> None:
        """Ask nobody any more."""
        if self._timer is not None:
            self._timer.cancel()
