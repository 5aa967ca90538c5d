"""Updates that wait for a predecessor: logged raw, and acknowledged when the document has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.protocol.update import Scan

from .seat import Seat, Submission


class Gaps:
    """What a document has been given and could not integrate yet; yrs itself does not say."""

    def __init__(self) -> None:
        self._waiting: list[Submission] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def updates(self) -> list[bytes]:
        """The raw updates: `Doc.get_update` leaves them out."""
        return [submission.update for submission in self._waiting]

    def add(self, submission: Submission) -> None:
        """Keep an update; a rebuilt document meets again those that are here already."""
        if submission.update not in self.updates:
            submission.gapped = True
            self._waiting.append(submission)

    def close(self, clocks: Mapping[int, int]) -> Sequence[Submission]:
        """Take out, and return, what a document with these clocks has integrated."""
        done: list[Submission] = []
        still: list[Submission] = []
        for submission in self._waiting:
            assert submission.scan is not None
            if _reached(submission.scan, clocks):
                submission.gapped = False
                done.append(submission)
            else:
                still.append(submission)
        self._waiting = still
        return done

    def senders(self) -> Sequence[Seat]:
        """Return who may know what is missing, each once."""
        seats = dict.fromkeys(submission.seat for submission in self._waiting)
        return [seat for seat in seats if seat is not None and not seat.left]


def _reached(scanned: Scan, clocks: Mapping[int, int]) -> bool:
    """Whether a document with these clocks has integrated all of an update."""
    for client, ranges in (*scanned.structs.items(), *scanned.deletes.items()):
        if ranges[-1][1] > clocks.get(client, 0):
            return False
    return True
