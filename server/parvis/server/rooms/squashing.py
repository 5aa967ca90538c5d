"""Many updates as one, made by a helper, and what the node knows of it without reading it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from parvis.protocol.pieces import Plan, cut
from parvis.protocol.surrogates import Astral
from parvis.storage import Snapshot

from ..ports import Helpers

FORMAT: Final = 1
"""Of a snapshot's index; one of another format is not used."""

SECONDS: Final = 30.0
ROW_SECONDS: Final = 0.001
BYTE_SECONDS: Final = 1e-6
"""After so long, for each row and byte so much more, a helper is given up: some ten times what it
takes. A limit for all sizes would call a log broken that is only long."""


@dataclass(frozen=True, slots=True)
class Squashed:
    """One update that is worth many.

    Attributes:
        clocks: Its state vector.
        astral: Its texts with characters of two UTF-16 units, as `Scan.astral`.
        plan: How to apply it piece by piece; None: at once, since it is small or has circles.
        waiting: Indexes of updates that are not in it, as they wait for a missing predecessor.
        unreadable: Indexes of those that are no updates.
    """

    state: bytes
    clocks: Mapping[int, int]
    astral: Sequence[Astral]
    plan: Plan | None
    waiting: Sequence[int] = ()
    unreadable: Sequence[int] = ()

    def pieces(self) -> Iterable[bytes]:
        """Return updates that are worth the state, each of which takes yrs a moment only."""
        return [self.state] if self.plan is None else cut(self.state, self.plan)

    def snapshot(self, incarnation: int, offset: int) -> Snapshot:
        """Make a snapshot of it, from which it can be `remembered`."""
        plan = None if self.plan is None else [self.plan.blocks, self.plan.deletes]
        index: bytes = msgpack.packb([FORMAT, self.clocks, self.astral, plan])
        return Snapshot(incarnation, offset, self.state, index)


async def squash(helpers: Helpers, updates: Sequence[bytes]) -> Squashed:
    """Merge updates into the smallest one that is worth all of them.

    Raises:
        HelperStopped: If it cannot be done; `HelperMissing` says nothing about the updates.
    """
    within = SECONDS + len(updates) * ROW_SECONDS + sum(map(len, updates)) * BYTE_SECONDS
    answer: Any = await helpers.run("squash", updates, timeout=within)
    plan = answer["plan"]
    return Squashed(
        answer["state"],
        answer["clocks"],
        answer["astral"],
        None if plan is None else Plan(*plan),
        answer["waiting"],
        answer["unreadable"],
    )


def remembered(snapshot: Snapshot) -> Squashed | None:
    """Return what a snapshot was made of; None if an earlier version made it."""
    if not snapshot.index:
        return None
    index: Any = msgpack.unpackb(snapshot.index, strict_map_key=False)
    if index[0] != FORMAT:
        return None
    clocks: Any
    astral: Any
    plan: Any
    _, clocks, astral, plan = index
    return Squashed(snapshot.state, clocks, astral, None if plan is None else Plan(*plan))
