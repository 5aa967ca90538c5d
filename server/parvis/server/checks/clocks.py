"""Can the clock be believed: against the database's, the log's newest row, and its own keeper?"""

import ctypes
from collections.abc import AsyncIterator
from typing import Final

from .examination import Examination
from .finding import Finding, fail, ok, warn

APART: Final = 2.0
"""Seconds between two clocks that are too many for tokens and reminders to be exact."""

FAR_APART: Final = 60.0

ERROR: Final = 5
"""What ``adjtimex`` answers while nobody keeps the clock."""

HINT: Final = "Let chrony, systemd-timesyncd or ntpd keep the clock of every machine."


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Look at the clock."""
    if case.inspection is not None:
        before = case.clock.time()
        theirs = await case.inspection.clock()
        after = case.clock.time()
        if theirs is not None:
            apart = theirs - (before + after) / 2
            apart = max(0.0, abs(apart) - (after - before) / 2)
            detail = f"{apart:.1f} s apart from this machine's"
            say = fail if apart > FAR_APART else warn
            yield (
                ok("database's clock", detail)
                if apart <= APART
                else say("database's clock", detail, HINT)
            )
        newest = await case.inspection.newest()
        ahead = newest - case.clock.time()
        if ahead > APART:
            say = fail if ahead > FAR_APART else warn
            detail = f"{ahead:.0f} s ahead of the clock, which was set back"
            yield say("newest row", detail, f"{HINT} History is ordered by offsets, not by time.")
        else:
            yield ok("newest row", "not ahead of the clock" if newest else "the logs are empty")
    kept = is_kept()
    if kept is None:
        yield ok("time service", "not known on this system")
    elif kept:
        yield ok("time service", "the clock is kept")
    else:
        yield warn("time service", "nobody keeps the clock of this machine", HINT)


def is_kept() -> bool | None:
    """Ask the kernel whether a time service keeps the clock; None if it cannot say."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    # Mode 0 only asks; the structure is smaller on every system.
    answer = adjtimex(ctypes.create_string_buffer(1024))
    return None if answer < 0 else answer != ERROR
