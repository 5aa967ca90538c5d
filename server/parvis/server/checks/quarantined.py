"""Was anybody's work set aside because it broke a document, and not looked at since?"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from ..commands.output import size
from .examination import Examination
from .finding import Finding, ok, warn


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Count what is in quarantine."""
    if case.inspection is None:
        return
    found = await case.inspection.quarantined()
    for each in found:
        newest = datetime.fromtimestamp(each.newest, UTC)
        yield warn(
            each.tenant,
            f"{each.number} updates, {size(each.size)}, the newest of {newest:%Y-%m-%d %H:%M} UTC",
            f"parvis quarantine list --tenant {each.tenant}; then show, and replay or drop each.",
            updates=each.number,
            bytes=each.size,
            newest=each.newest,
        )
    if not found:
        yield ok("quarantine", "empty")
