"""Is there a backup that is young enough, and has anybody tried to bring one back?"""

from collections.abc import AsyncIterator
from typing import Final

from ..backup.standing import standing
from .examination import Examination
from .finding import Finding, ok, warn
from .measurements import DAY

YOUNG: Final = 2.0
"""Days after which a backup is too old."""

PROVEN: Final = 35.0
"""Days after which nobody knows whether backups can be brought back."""


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Look at when the last backup was made and proven."""
    if not case.settings.data.is_dir():
        return
    now, known = case.clock.time(), standing(case.settings.data)
    for name, moment, most, never, hint in (
        ("last backup", known.created, YOUNG, "never made here", "parvis backup create, daily."),
        ("last drill", known.verified, PROVEN, "never done here", "parvis backup drill, monthly."),
    ):
        days = (now - moment) / DAY
        if not moment:
            yield warn(name, never, hint)
        elif days > most:
            yield warn(name, f"{days:.0f} days ago", hint, time=moment)
        else:
            yield ok(name, f"{days:.1f} days ago", time=moment)
