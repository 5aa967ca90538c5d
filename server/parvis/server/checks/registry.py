"""Every check, in the order in which people read them."""

import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Final

from parvis.storage import DataFolderHeld, StorageError
from parvis.storage.factory import open_inspection
from parvis.storage.folder import LOCK, Held, hold_data_folder

from ..clock import SystemClock
from ..commands.serving import why_not_writable
from ..firewall.helpers import HelperPool
from ..hosting.registry import installed
from ..settings import Settings, SettingsInvalid
from ..tables import tables_of
from . import (
    backups,
    clocks,
    durability,
    growth,
    holding,
    logs,
    place,
    program,
    quarantined,
    schema,
    snapshots,
    stores,
)
from .examination import Check, Examination
from .finding import Finding, fail

CHECKS: Final[tuple[tuple[str, Check], ...]] = (
    ("program", program.look),
    ("node", holding.look),
    ("store", stores.look),
    ("store", durability.look),
    ("store", stores.pages),
    ("schema", schema.look),
    ("growth", growth.look),
    ("place", place.look),
    ("documents", snapshots.look),
    ("documents", logs.look),
    ("quarantine", quarantined.look),
    ("clock", clocks.look),
    ("backup", backups.look),
)
"""The group that people find it under → the check. Space is judged by the growth before it."""


async def examine(
    settings: Settings, *, deep: bool, report: Callable[[str], None]
) -> AsyncIterator[tuple[str, Finding]]:
    """Check one thing after the other; a folder that nobody holds is held meanwhile.

    Yields:
        The group and what was found.
    """
    async with contextlib.AsyncExitStack() as stack:
        clock = SystemClock()
        helpers = HelperPool(1, clock)
        stack.push_async_callback(helpers.close)
        case = Examination(settings, clock, helpers, deep, report)
        held = _hold(case)
        if held is not None:
            stack.callback(held.release)
        with contextlib.suppress(SettingsInvalid):  # a finding of its own
            case.plugins = tables_of(installed(settings))
        if settings.store_url != "memory:":
            case.inspection = inspection = open_inspection(settings.store_url)
            stack.push_async_callback(inspection.close)
        for group, check in CHECKS:
            try:
                async for finding in check(case):
                    yield group, finding
            except (StorageError, OSError) as error:
                hint = error.hint if isinstance(error, StorageError) else ""
                yield group, fail(group, str(error), hint)


def _hold(case: Examination) -> Held | None:
    """Hold the data folder, if there is one and nobody holds it; nothing is made for that."""
    data = case.settings.data
    if why_not_writable(data) or not (data / LOCK).is_file():
        return None
    try:
        return hold_data_folder(data, now=case.clock.time())
    except DataFolderHeld as holder:
        case.holder = str(holder)
    except StorageError:
        pass  # `place` finds out why
    return None
