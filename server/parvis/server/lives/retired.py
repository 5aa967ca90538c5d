"""Client ids of a part's earlier lives: whoever names one holds a copy that must not be merged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Life:
    """A life that has ended.

    Attributes:
        clocks: Its last state vector: every client id that ever wrote in it.
        kept: What it said last is still known, so that work can build on it.
    """

    incarnation: int
    clocks: Mapping[int, int]
    kept: bool = True


class Retired:
    """Which client ids are of which earlier life, exactly."""

    def __init__(self, lives: Sequence[Life] = ()) -> None:
        self._lives = tuple(lives)
        self._of = {client: life for life in self._lives for client in life.clocks}

    def __bool__(self) -> bool:
        return bool(self._of)

    def __len__(self) -> int:
        return len(self._of)

    def __contains__(self, client: int) -> bool:
        return client in self._of

    @property
    def clocks(self) -> Mapping[int, int]:
        """The last state vectors of all lives together."""
        return {client: life.clocks[client] for client, life in self._of.items()}

    def names(self, clients: Iterable[int]) -> bool:
        """Whether one of these client ids is of an earlier life."""
        return any(client in self._of for client in clients)

    def base(self, clients: Iterable[int], present: Mapping[int, int]) -> Life | None:
        """Return the life that a copy with these clients builds on.

        None if only the whole copy says what is in it: it is a mixture of several lives, the
        present one included, or what that life said is not kept any more.
        """
        found: Life | None = None
        for client in clients:
            if client in present:
                return None
            life = self._of.get(client)
            if life is not None and found is not None and life is not found:
                return None
            found = life or found
        return found if found is not None and found.kept else None


RELOAD: Final = "this document was rebuilt: reload the page"
KEPT: Final = f"{RELOAD}; what you wrote meanwhile is put aside"
"""Reasons for people; both fit a close frame."""

NOBODY: Final = Retired()
"""Of a part in its first life."""
