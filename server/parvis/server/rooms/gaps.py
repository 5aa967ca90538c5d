"""Updates that wait for a predecessor: logged raw, and acknowledged when the document has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.protocol.ranges import DeleteSet, Range, merge
from parvis.protocol.update import Scan

from .seat import Seat, Submission


class Gaps:
    """What a document has been given and could not integrate yet; yrs itself does not say."""

    def __init__(self) -> None:
        self._waiting: list[Submission] = []
        self._repeated: list[Submission] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def updates(self) -> list[bytes]:
        """The raw updates: `Doc.get_update` leaves them out."""
        return [submission.update for submission in self._waiting]

    def add(self, submission: Submission) -> None:
        """Keep an update; a rebuilt document meets again those that are here already."""
        if submission in self._waiting:
            return
        submission.gapped = True
        if submission.update in self.updates:
            self._repeated.append(submission)
        else:
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

    def closable(self, clocks: Mapping[int, int]) -> bool:
        """Whether a document with these clocks may have integrated one of them."""
        return any(s.scan is not None and not s.scan.gap(clocks) for s in self._waiting)

    def close(self, clocks: Mapping[int, int]) -> Sequence[Submission]:
        """Take out, and return, what a document with these clocks has integrated."""
        done: list[Submission] = []
        self._waiting = _still(self._waiting, clocks, done)
        self._repeated = _still(self._repeated, clocks, done)
        return done


def senders(submissions: Sequence[Submission]) -> Sequence[Seat]:
    """Return who may know what is missing to these, each once.

    An answer to SyncStep1 is all that its sender has: who lacks the predecessor itself would give
    the same answer for ever.
    """
    seats = dict.fromkeys(s.seat for s in submissions if s.gapped and not s.complete)
    return [seat for seat in seats if seat is not None and not seat.left]


def _still(
    waiting: Sequence[Submission], clocks: Mapping[int, int], done: list[Submission]
) -> list[Submission]:
    still: list[Submission] = []
    for submission in waiting:
        assert submission.scan is not None
        submission.gapped = not _reached(submission.scan, clocks)
        (still if submission.gapped else done).append(submission)
    return still


def _reached(scanned: Scan, clocks: Mapping[int, int]) -> bool:
    """Whether a document with these clocks has integrated all of an update."""
    for client, ranges in (*scanned.structs.items(), *scanned.deletes.items()):
        if ranges[-1][1] > clocks.get(client, 0):
            return False
    return True
