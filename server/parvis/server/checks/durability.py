"""Does the database keep its word: the settings that a promise of durability stands on?"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from .examination import Examination
from .finding import Finding, fail, ok, warn

Say = Callable[[str, str, str], Finding]

EXPECTED: Final[Mapping[str, Mapping[str, tuple[frozenset[str], Say, str]]]] = {
    "postgres": {
        "fsync": (
            frozenset({"on"}),
            fail,
            "Set fsync = on: a loss of power can damage the whole database.",
        ),
        "full_page_writes": (
            frozenset({"on"}),
            fail,
            "Set full_page_writes = on: a page written half is lost without it.",
        ),
        "synchronous_commit": (
            frozenset({"on", "remote_write", "remote_apply"}),
            warn,
            "A node asks for it in each transaction; set it to on for everybody else.",
        ),
        "autovacuum": (
            frozenset({"on"}),
            warn,
            "Set autovacuum = on: tables grow and plans age without it.",
        ),
    },
    "sqlite": {
        "journal_mode": (
            frozenset({"wal"}),
            fail,
            "Put the data folder on a local disk; a start sets it to wal.",
        ),
    },
}
"""Kind of store → setting → what it may be, how bad anything else is, and what to do."""


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Look at the settings of the database."""
    if case.inspection is None:
        return
    settings = await case.inspection.settings()
    for name, (wanted, say, hint) in EXPECTED.get(case.inspection.kind, {}).items():
        if name not in settings:
            continue
        value = settings[name]
        yield ok(name, value) if value in wanted else say(name, value, hint)
    if case.inspection.kind == "sqlite":
        yield ok("synchronous", "FULL, as each node sets it for its connections")
