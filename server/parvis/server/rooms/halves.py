"""Keeps a document whole when somebody takes half a character: see `parvis.protocol.surrogates`.

Whatever is to be applied or merged comes by here. In a part that never held a character of two
UTF-16 units this costs a look at a flag; in others, a quick reading of each update. When a pair
is parted, the document is made anew from its own state, with that pair spelled as Yjs shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from parvis.protocol.surrogates import Astral, Pairs, astral, mend
from parvis.protocol.update import Scan
from parvis.protocol.yjs import decode_state_vector, encode_state_vector

from ..errors import ServerError
from ..ports import HelperStopped
from .seat import Submission
from .sending import merged_update

if TYPE_CHECKING:
    from .fast import FastPart


class TakesLong(ServerError):
    """A large document is to be made anew; carries its state, as it is."""

    def __init__(self, state: bytes) -> None:
        super().__init__(f"a document of {len(state)} bytes is to be made anew")
        self.state = state


class Halves:
    """The characters of one part that could be parted.

    Attributes:
        met: Whether the part has ever held one, since it was loaded.
    """

    def __init__(self, part: FastPart) -> None:
        self._part = part
        self._pairs = Pairs()
        self.met = False

    def start(self, texts: Iterable[Iterable[Astral]]) -> None:
        """Begin with what is in the document: the `Scan.astral` of each of its updates."""
        self._pairs = Pairs()
        for each in texts:
            self._pairs.add(each)
        if self._pairs:
            self.met = True

    def prepare(self, batch: Sequence[Submission], *, at_once: bool) -> list[bytes]:
        """Get the document ready for some updates, which have no gap; return them as yrs can read.

        The document may be another one afterwards.

        Raises:
            TakesLong: If it is large and has to be made anew, unless it must be at once.
        """
        updates = [submission.update for submission in batch]
        fresh = any([s.scan is not None and s.scan.astral for s in batch])
        if not fresh and not self.met:
            return updates
        self.met = True
        document = self._part.replica.doc
        cut = any(map(self._pairs.cut_by, updates))
        if cut:
            state = document.get_update()
            if len(state) > self._part.room.node.limits.quick_update and not at_once:
                raise TakesLong(state)
            mended, *updates = mend([state, *updates])
            self._take(mended, [astral(mended)])
        if fresh:
            clocks = decode_state_vector(document.get_state())
            if not cut and (seen := _whole(batch, clocks)) is not None:
                self._pairs.add(seen.astral)
                return updates
            updates = mend(updates, clocks.items())
            for update in updates:
                self._pairs.add(astral(update))
        return updates

    async def mend_in_helper(self, state: bytes, updates: Sequence[bytes]) -> None:
        """Make the document anew for updates that cut it, without keeping the loop."""
        try:
            answer: Any = await self._part.room.node.helpers.run("mend", [state, *updates])
            mended, texts = answer["updates"][0], answer["astral"][:1]
        except HelperStopped:  # it can wait less than anything else
            mended = mend([state, *updates])[0]
            texts = [astral(mended)]
        self._take(cast(bytes, mended), texts)

    def _take(self, mended: bytes, texts: Iterable[Iterable[Astral]]) -> None:
        self._part.document.replace(mended)
        self.start(texts)

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


def _whole(batch: Sequence[Submission], clocks: Mapping[int, int]) -> Scan | None:
    """Return the scan of a single update of which a helper has found that nothing need be mended.

    Reading megabytes once more would keep everybody waiting.
    """
    scanned = batch[0].scan if len(batch) == 1 else None
    if scanned is None or not scanned.cuts_none or scanned.halves(clocks):
        return None
    return scanned
