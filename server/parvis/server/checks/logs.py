"""Can every row of every document's log be read? Only with ``--deep``: it reads them all."""

from collections.abc import AsyncIterator
from typing import Any, Final

from parvis.plugins import Refused, YDoc
from parvis.storage import Address, Head, RoomInfo, StorageError
from parvis.storage.inspection import Inspection

from ..hosting.registry import Registry, installed
from ..ports import HelperStopped
from ..settings import SettingsInvalid
from .examination import Examination
from .finding import Finding, fail, ok, warn

PAGE_TIMEOUT: Final = 300.0
"""Seconds for a page of rows in a helper."""

SHOWN: Final = 10
"""Offsets that are named."""


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Read all rows after the snapshots' time and before: history is made of them."""
    if case.inspection is None or not case.deep:
        return
    try:
        registry = installed(case.settings)
    except SettingsInvalid:  # and that was said
        return
    bad = rooms = 0
    for tenant in await case.inspection.tenants():
        after = ""
        while page := await case.inspection.rooms(tenant, after=after):
            for room in page:
                rooms += 1
                case.report(f"reading log {rooms}: {room.room}")
                for name, head in sorted(room.parts.items()):
                    if not _is_document(registry, room, name):
                        continue
                    finding = await _part(case, case.inspection, Address(tenant, room.room, name),
                                          head)  # fmt: skip
                    if finding is not None:
                        bad += 1
                        yield finding
            after = page[-1].room
    if not bad:
        yield ok("logs", f"every row of {rooms} rooms can be read")


def _is_document(registry: Registry, room: RoomInfo, part: str) -> bool:
    try:
        kind = registry.get(room.room.partition("/")[0])
    except Refused:  # of a type that is not installed
        return False
    if part and part not in kind.parts:
        return False
    return issubclass(kind.parts[part].replica if part else kind.replica, YDoc)


async def _part(
    case: Examination, inspection: Inspection, address: Address, head: Head
) -> Finding | None:
    name, after = f"{address.tenant} {address}", max(0, head.first - 1)
    unreadable: list[int] = []
    try:
        while page := await inspection.read(address, after=after):
            answer: Any = await case.helpers.run(
                "call",
                "parvis.server.checks.reading:unreadable",
                [[row.update for row in page]],
                timeout=PAGE_TIMEOUT,
            )
            indexes: list[int] = answer["result"]
            unreadable += [page[index].offset for index in indexes]
            after = page[-1].offset
    except StorageError as error:
        hint = error.hint or "The last backup has it: parvis backup restore, aside."
        return fail(name, f"its log cannot be read after offset {after}: {error}", hint)
    except HelperStopped as problem:
        return warn(name, f"a helper stopped over its rows after offset {after}: {problem}")
    if not unreadable:
        return None
    shown = ", ".join(map(str, unreadable[:SHOWN])) + (" …" if len(unreadable) > SHOWN else "")
    return warn(
        name,
        f"{len(unreadable)} rows are no updates: {shown}",
        "Open the room: they are set aside and the rest loads; then parvis quarantine list.",
        offsets=unreadable,
    )
