"""Keeps shared types from being nested, over many updates, deeper than yrs can stand.

A scan sees one update; depth can grow over thousands that are each harmless. Knowing the depth of
every block would take an index of the whole document. A bound is enough: a document cannot be
nested deeper than it has types. So types are counted, which costs nothing, and only when the count
could matter does a helper look at the document and say how deep it is.

Example: a page loads with at most 900 types; 7,100 more paragraphs are typed without a question.
Then a helper finds that nothing in it is deeper than `DEEPEST`, and the count goes on from there.

yrs 0.28 overflows a stack of 8 MiB when it deletes a type that holds 32,600 others inside each
other, and when it prints one that holds 10,300 (measured with maps, arrays, texts and XML).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from parvis.protocol.errors import TooDeep
from parvis.server.ports import HelperFailed, Helpers

DEEPEST: Final = 4_000
"""Types inside each other that a helper lets pass."""

TRUSTED: Final = 8_000
"""As long as a document cannot be deeper than this, nobody looks."""

MEASURE_TIMEOUT: Final = 60.0

_TYPE_BLOCKS: Final = (0x07, 0x27, 0x47, 0x67, 0x87, 0xA7, 0xC7, 0xE7)
"""How a block begins that holds a shared type, with any flags."""


def most_types(updates: Iterable[bytes]) -> int:
    """Return a number of types that these updates cannot exceed, quickly."""
    return sum(update.count(first) for update in updates for first in _TYPE_BLOCKS)


class DepthGuard:
    """An upper bound on how deep types are nested in one part."""

    def __init__(self) -> None:
        self._most = 0
        self._added = 0

    def start(self, state: Iterable[bytes]) -> None:
        """Begin with what was loaded."""
        self._most = most_types(state)

    def fits(self, types: int) -> bool:
        """Whether an update with so many types may be applied without `measure`."""
        return not types or self._most + types <= TRUSTED

    def add(self, types: int) -> None:
        """So many types are going to be applied."""
        self._most += types
        self._added += types

    async def measure(self, helpers: Helpers, state: Sequence[bytes], update: bytes) -> None:
        """Let a helper look how deep the part would be with an update.

        Args:
            state: Everything that the part holds now: applied, waiting, or about to be applied.

        Raises:
            TooDeep: If it would be nested deeper than `DEEPEST`.
            HelperStopped: If no helper could tell.
        """
        before = self._added
        try:
            await helpers.run("depth", [*state, update], DEEPEST, timeout=MEASURE_TIMEOUT)
        except HelperFailed as error:
            if error.kind != TooDeep.__name__:
                raise
            reason = f"at most {DEEPEST} shared types inside each other in one document"
            raise TooDeep(reason) from None
        # Others may have gone on while the helper looked.
        self._most = DEEPEST + self._added - before
