"""Finds the rows of a log that would break whoever loads it."""

from collections.abc import Sequence
from typing import Final

from parvis.server.ports import HelperDied, HelperPanicked, Helpers, HelperStopped, HelperTimeout

VET_TIMEOUT: Final = 120.0

DEADLY: Final[tuple[type[HelperStopped], ...]] = (HelperDied, HelperTimeout, HelperPanicked)
"""What tells that the same work would have ended or spoilt a worker."""


async def find_poison(helpers: Helpers, updates: Sequence[bytes]) -> list[int]:
    """Return the indexes of rows without which the rest can be loaded and used.

    A helper replays the rows until one ends it; that row is named and the next helper goes without
    it, until all that is left passes. Rows that merely raise an error are named too. Where only the
    whole breaks (say, encoding it), the shortest deadly beginning names its last row.

    Raises:
        HelperMissing: If no helper can be started; nothing is known then.
    """
    left = list(updates)
    guilty: set[int] = set()
    while True:
        step = await _replay(helpers, left, guilty)
        if step is None:
            return sorted(guilty)
        if step >= len(left):
            step = await _last_of_shortest(helpers, left)
        guilty.add(step)
        left[step] = b""


async def _replay(helpers: Helpers, updates: Sequence[bytes], broken: set[int]) -> int | None:
    """Return the step that was deadly, None if none was; add rows that raise to `broken`."""
    for chance in (1, 0):
        try:
            broken.update(await helpers.run("vet", list(updates), timeout=VET_TIMEOUT))
        except DEADLY as error:
            # Whoever looks for memory may have ended the first one.
            if not (chance and isinstance(error, HelperDied)):
                return error.step
        else:
            break
    return None


async def _last_of_shortest(helpers: Helpers, updates: Sequence[bytes]) -> int:
    low, high = 0, len(updates)
    while high - low > 1:
        middle = (low + high) // 2
        if await _replay(helpers, updates[:middle], set()) is None:
            low = middle
        else:
            high = middle
    return high - 1
