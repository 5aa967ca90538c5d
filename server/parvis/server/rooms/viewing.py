"""Who may see what, and when.

Nothing that was seen may vanish. A peer who may write could give an update back, so it sees it at
once (`sending.send_on`); a viewer could not, so it sees it when it is durable. Nobody sees a
document that is being rebuilt.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from parvis.protocol.yjs import decode_state_vector

from .seat import Seat, Submission
from .sending import MERGE, lacking, offer, state_before

if TYPE_CHECKING:
    from .fast import FastPart


class Viewing:
    """The peers of one part who wait to see what is in the document."""

    def __init__(self, part: FastPart) -> None:
        self._part = part
        self._asking: deque[Callable[[], None]] = deque()
        self._freed: list[Submission] = []
        self._durable: tuple[tuple[int, int], dict[int, int]] | None = None

    @property
    def asked(self) -> bool:
        """Whether somebody waits; until all is durable the window is kept shut for them."""
        return bool(self._asking)

    def when_ready(self, seat: Seat, answer: Callable[[], None]) -> None:
        """Call as soon as a peer may see the document as it is.

        That is when it is whole and, for peers who could not give an update back, when all that it
        holds is durable.
        """
        if self._part.recovery.working or (not seat.may_write and self._part.unlogged):
            self._asking.append(answer)
        else:
            answer()

    def durable(self) -> Mapping[int, int]:
        """Return the state vector of what is durable for certain."""
        part = self._part
        version = (part.queued, part.settled)
        if self._durable is None or self._durable[0] != version:
            clocks = decode_state_vector(state_before(part, part.unlogged))
            self._durable = (version, clocks)
        return self._durable[1]

    def look_again(self) -> None:
        """The log has grown, or the document is whole again."""
        if not self._part.recovery.working and not self._part.unlogged:
            self.answer_all()

    def answer_all(self) -> None:
        """Answer everybody now; when the room is gone, that is how they hear of it."""
        asking, self._asking = self._asking, deque()
        for answer in asking:
            answer()

    def catch_up(self, seat: Seat) -> None:
        """Give a peer whose socket has drained what it missed."""
        if seat.behind is not None:
            self.when_ready(seat, lambda: self._catch_up(seat))

    def _catch_up(self, seat: Seat) -> None:
        if seat.behind is not None and not seat.left and not seat.session.outbox.full:
            behind, seat.behind = seat.behind, None
            seat.caught_up(self._part.diff(lacking(self._part, seat, behind)))
            self._part.room.node.metrics.resyncs.inc()

    def may_write_now(self, seat: Seat) -> None:
        """Show a viewer who has become a writer what it would have got after its commit."""
        seat.caught_up([s.update for s in self._part.unlogged if s.seat is not None])
        seat.resync(self._part.state())

    def freed(self, submissions: Sequence[Submission]) -> None:
        """Remember updates whose predecessor has come: they are shown once that is durable."""
        self._freed += submissions

    def show(self, submissions: Sequence[Submission]) -> None:
        """Show what is durable now, with what it freed, none before what it builds on."""
        settled = self._part.settled
        fresh = [s for s in submissions if not s.gapped and s not in self._freed]
        if self._freed:
            fresh += [s for s in self._freed if s.watermark <= settled]
            fresh.sort(key=_watermark)
            self._freed = [s for s in self._freed if s.watermark > settled]
        self._send(fresh)

    def _send(self, submissions: Sequence[Submission]) -> None:
        """Send durable updates to the viewers."""
        part = self._part
        viewers = [seat for seat in part.seats if not seat.may_write]
        visible = [s for s in submissions if s.scan is not None] if viewers else []
        for start in range(0, len(visible), MERGE):
            merged = part.halves.merge([s.update for s in visible[start : start + MERGE]])
            offer(part, viewers, merged, chain(visible[start:], part.unlogged))


def _watermark(submission: Submission) -> int:
    return submission.watermark
