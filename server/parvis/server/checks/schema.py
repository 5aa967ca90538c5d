"""Are tables, indexes, row level security and rights still what the migrations made?"""

from collections.abc import AsyncIterator, Mapping
from typing import Final

from .examination import Examination
from .finding import Finding, fail, ok, warn

HINTS: Final[Mapping[str, str]] = {
    "table": "Somebody has changed the tables: restore the last backup aside and compare.",
    "column": "Somebody has changed the tables: restore the last backup aside and compare.",
    "trigger": "Somebody has changed the tables: restore the last backup aside and compare.",
    "view": "Somebody has changed the tables: restore the last backup aside and compare.",
    "function": "Make it again, as in the migration that made it.",
    "protection": "Stop the nodes, then: ALTER TABLE … ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL"
    " SECURITY, and the policy of_the_tenant as parvis store migrate makes it.",
    "version": "Start the node, or run parvis store migrate; or install the version that made it.",
}
"""Kind of a drift → what to do, where no statement brings it back."""

SHOWN: Final = 50


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Compare what is there with what the migrations make."""
    if case.inspection is None:
        return
    case.report("comparing tables with the migrations")
    found = await case.inspection.drift(case.plugins)
    for each in found[:SHOWN]:
        hint = f"{each.repair}" if each.repair else HINTS.get(each.what, "")
        figures = {"place": each.place, "what": each.what, "object": each.name}
        say = warn if each.what == "version" else fail
        name = f"{each.what} {each.name}"
        yield say(name, f"{each.place}: {each.detail}", hint, **figures)
    if len(found) > SHOWN:
        yield fail("others", f"{len(found) - SHOWN} more")
    if not found:
        owners = len(case.plugins) + 1
        yield ok("tables", f"as the migrations of the store and {owners - 1} others made them")
