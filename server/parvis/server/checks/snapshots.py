"""Can the snapshots be read, and which documents are mostly tombstones?

The largest ones are looked at, as far as there is time; ``--deep`` looks at all.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parvis.storage import Address
from parvis.storage.inspection import Inspection, StateSize

from ..commands.output import size
from ..ports import HelperStopped
from .examination import Examination
from .finding import Finding, State, fail, ok, warn

MOST: Final = 20
"""Snapshots that are looked at without ``--deep``."""

ALL: Final = 1_000_000

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a packed state beyond which it is read with ``--deep`` only."""

ONE: Final = 5.0
"""Seconds for one document, without ``--deep``."""

TOGETHER: Final = 20.0
"""Seconds for all of them, without ``--deep``."""

SHOWN: Final = 5
MANY: Final = 0.8
"""Share of deleted characters from which a document of `WORTHWHILE` bytes is worth rebuilding."""

WORTHWHILE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tombstones:
    """How much of a document is deleted, in characters and elements."""

    address: Address
    size: int
    units: int
    deleted: int

    @property
    def share(self) -> float:
        return self.deleted / self.units if self.units else 0.0


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Read the snapshots."""
    if case.inspection is None:
        return
    states = await case.inspection.states(most=ALL if case.deep else MOST)
    began = case.clock.monotonic()
    found: list[Tombstones] = []
    damaged = skipped = 0
    for number, state in enumerate(states, 1):
        case.report(f"reading snapshot {number} of {len(states)}: {state.address}")
        late = case.clock.monotonic() - began > case.patience(TOGETHER)
        if late or (state.size > LARGEST and not case.deep):
            skipped += 1
            continue
        read = await _read(case, case.inspection, state)
        if isinstance(read, Finding):
            damaged += read.state is State.FAIL
            yield read
        elif read is not None:
            found.append(read)
    for finding in _shown(found):
        yield finding
    if not damaged:
        more = f"; {skipped} not read, parvis doctor --deep reads all" if skipped else ""
        whole = "all of" if case.deep else "the largest,"
        yield ok("snapshots", f"{whole} {len(states) - skipped} can be read{more}")


async def _read(
    case: Examination, inspection: Inspection, state: StateSize
) -> Tombstones | Finding | None:
    kept = await inspection.snapshot(state.address)
    if kept is None:  # it has gone meanwhile
        return None
    try:
        snapshot = await asyncio.to_thread(kept.opened)
    except ValueError as damage:
        return fail(
            str(state.address),
            f"the snapshot at offset {state.offset} is damaged ({damage}); the log has it all",
            "Open the room: it is loaded from the log, and a new snapshot is made. If it happens"
            " again, look at the disk.",
            tenant=state.address.tenant,
        )
    if not snapshot.state:
        return None
    try:
        answer: Any = await case.helpers.run(
            "call",
            "parvis.server.checks.tombstones:count",
            [snapshot.state],
            timeout=case.patience(ONE),
        )
    except HelperStopped as problem:
        detail = f"{size(state.size)}: not counted: {problem}"
        return warn(str(state.address), detail, "parvis doctor --deep takes the time it needs.")
    units, deleted = answer["result"]
    return Tombstones(state.address, state.size, units, deleted)


def _shown(found: Sequence[Tombstones]) -> list[Finding]:
    worst = sorted(found, key=lambda each: (-each.share, -each.size))[:SHOWN]
    shown: list[Finding] = []
    for each in worst:
        name = f"{each.address.tenant} {each.address}"
        detail = f"{each.share:.0%} of {each.units} characters are deleted, {size(each.size)}"
        figures = {
            "tenant": each.address.tenant,
            "room": each.address.room,
            "part": each.address.part,
            "units": each.units,
            "deleted": each.deleted,
            "bytes": each.size,
        }
        if each.share >= MANY and each.size >= WORTHWHILE:
            hint = f"parvis room rebuild {each.address} makes it small: docs/rebuild.md says how."
            shown.append(warn(name, detail, hint, **figures))
        else:
            shown.append(ok(name, detail, **figures))
    return shown
