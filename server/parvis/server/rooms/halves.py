"""Keeps a document whole when somebody takes half a character: see `parvis.protocol.surrogates`.

Whatever is to be applied or merged comes by here. In a part that never held a character of two
UTF-16 units this costs a look at a flag; in others, a quick reading of each update. When a pair
is parted, the document is made anew from its own state, with that pair spelled as Yjs shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from parvis.protocol.surrogates import Pairs, mend
from parvis.protocol.yjs import decode_state_vector, encode_state_vector

from .seat import Submission
from .sending import merged_update

if TYPE_CHECKING:
    from .fast import FastPart


class Halves:
    """The characters of one part that could be parted.

    Attributes:
        met: Whether the part has ever held one, since it was loaded.
    """

    def __init__(self, part: FastPart) -> None:
        self._part = part
        self._pairs = Pairs()
        self.met = False

    def start(self, state: Iterable[bytes]) -> None:
        """Begin with what the document holds."""
        self._pairs = Pairs(state)
        if self._pairs:
            self.met = True

    def prepare(self, batch: Sequence[Submission]) -> list[bytes]:
        """Get the document ready for some updates, which have no gap; return them as yrs can read.

        The document may be another one afterwards.
        """
        updates = [submission.update for submission in batch]
        fresh = [s for s in batch if s.scan is not None and s.scan.astral]
        if not fresh and not self.met:
            return updates
        self.met = True
        for submission in fresh:
            assert submission.scan is not None
            self._pairs.add(submission.scan.astral)
        if any(map(self._pairs.cut_by, updates)) or self._end_inside(fresh):
            state = self._part.replica.doc.get_update()
            mended, *updates = mend([state, *updates])
            if mended != state:
                self._part.replace_document(mended)
            self._pairs = Pairs([mended, *updates])
        return updates

    def _end_inside(self, fresh: Sequence[Submission]) -> bool:
        """Whether the document ends inside a character: somebody typed its halves one by one."""
        if not fresh:
            return False
        clocks = decode_state_vector(self._part.replica.doc.get_state())
        return any(s.scan is not None and s.scan.halves(clocks) for s in fresh)

    def merge(self, updates: Sequence[bytes]) -> bytes:
        """Return one update worth all of these, which came through `prepare` at some time."""
        return merged_update(mend(updates) if self.met and len(updates) > 1 else updates)

    def before(self, state: bytes) -> bytes:
        """Return a state vector that ends inside of no character of the document.

        Raises:
            Malformed: If it is no state vector.
        """
        clocks = decode_state_vector(state)
        if not self._pairs:
            return state
        return encode_state_vector(self._pairs.before(clocks))
