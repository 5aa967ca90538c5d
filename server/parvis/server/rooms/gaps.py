"""Updates that wait for a predecessor: logged raw, and kept beside the document until it has come.

yrs is never given one: see `parvis.server.firewall.order`.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Final

from parvis.protocol.ranges import DeleteSet, Range, merge
from parvis.protocol.update import Scan

from ..firewall.order import advance
from .seat import Seat, Submission

MOST: Final = 256
"""Each is looked at whenever the document has moved on. Whoever is asked for what is missing sends
all of it anyway."""


class Gaps:
    """What a document has yet to be given."""

    def __init__(self) -> None:
        self._waiting: list[Submission] = []
        self._known: set[bytes] = set()
        self._repeated: list[Submission] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        """Whether so many wait that no more are kept; their senders are asked for them later."""
        return len(self._waiting) + len(self._repeated) >= MOST

    @property
    def updates(self) -> list[bytes]:
        """The raw updates, which are not in the document."""
        return [submission.update for submission in self._waiting]

    def add(self, submission: Submission) -> None:
        """Keep an update; a rebuilt document meets again those that are here already."""
        if submission in self._waiting:
            return
        submission.gapped = True
        if submission.update in self._known:
            self._repeated.append(submission)
        else:
            self._known.add(submission.update)
            self._waiting.append(submission)

    def repeat(self, submission: Submission) -> None:
        """Remember one that brings only what waits here; its ack waits as well."""
        submission.gapped = True
        self._repeated.append(submission)

    def hold(self, client: int, ranges: Sequence[Range], clock: int) -> bool:
        """Whether what a document with this clock lacks of a client's blocks waits here."""
        here: list[Range] = [(0, clock)]
        for submission in self._waiting:
            assert submission.scan is not None
            here += submission.scan.structs.get(client, ())
        return len(here) > 1 and DeleteSet({client: merge(here)}).covers({client: ranges})

    @property
    def deleted(self) -> Sequence[DeleteSet]:
        """What the waiting updates delete."""
        return [s.scan.delete_set for s in self._waiting if s.scan is not None]

    def freed(self, clocks: MutableMapping[int, int]) -> list[Submission]:
        """Take out, in an order that can be applied, what has no gap any more; moves the clocks."""
        ready: list[Submission] = []
        for submission in self._waiting:
            assert submission.scan is not None
            if not submission.scan.gap(clocks):
                advance(clocks, submission.scan)
                ready.append(submission)
        if ready:
            self._known.difference_update(submission.update for submission in ready)
            self._waiting = [s for s in self._waiting if s.update in self._known]
        return ready

    def repeats(self, clocks: Mapping[int, int]) -> Sequence[Submission]:
        """Take out those that brought only what waited here and is in the document by now."""
        done = [s for s in self._repeated if s.scan is not None and reached(s.scan, clocks)]
        self._repeated = [submission for submission in self._repeated if submission not in done]
        return done


def senders(submissions: Sequence[Submission]) -> Sequence[Seat]:
    """Return who may know what is missing to these, each once.

    An answer to SyncStep1 is all that its sender has: who lacks the predecessor itself would give
    the same answer for ever.
    """
    seats = dict.fromkeys(s.seat for s in submissions if s.gapped and not s.complete)
    return [seat for seat in seats if seat is not None and not seat.left]


def reached(scanned: Scan, clocks: Mapping[int, int]) -> bool:
    """Whether a document with these clocks has integrated all of an update."""
    for client, ranges in (*scanned.structs.items(), *scanned.deletes.items()):
        if ranges[-1][1] > clocks.get(client, 0):
            return False
    return True
