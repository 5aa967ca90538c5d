"""How large is the store, table by table, and how much has it grown in a day and in a week?"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from parvis.storage.urls import redacted

from ..commands.output import size
from .examination import Examination
from .finding import Finding, ok, warn
from .measurements import DAY, Measurement, about, keep, kept

PATIENCE: Final = 3.0
"""Seconds for the tables of all files together."""

SHOWN: Final = 10
"""Tables that get a line of their own."""

SUDDEN: Final = 256 * 1024 * 1024
"""Bytes by which a table may grow in a day, if that is not more than it had."""


async def look(case: Examination) -> AsyncIterator[Finding]:
    """Measure the store, and compare it with what was measured before."""
    if case.inspection is None:
        return
    case.report("measuring the tables")
    sizes = case.sizes = await case.inspection.sizes(patience=case.patience(PATIENCE))
    now, data = case.clock.time(), case.settings.data
    store = redacted(case.settings.store_url)
    before = kept(data, store)
    tables = {each.table: (each.rows, each.size) for each in sizes.tables}
    new = Measurement(now, store, sizes.total, {} if sizes.unread else tables)
    day, week = about(before, now, 1), about(before, now, 7)
    if day is not None:
        case.daily = (sizes.total - day.total) * DAY / (now - day.time)
    last = before[-1] if before else None
    told = _growth(now, new.total, [(each, each.total) for each in (day or last, week) if each])
    yield ok(
        "total",
        f"{size(sizes.total)}{told}",
        bytes=sizes.total,
        measured=now,
        earlier=[{"time": each.time, "bytes": each.total} for each in before],
    )
    for table in sizes.tables[:SHOWN]:
        earlier = [
            (each, each.tables[table.table][1])
            for each in (day or last, week)
            if each and table.table in each.tables
        ]
        told = _growth(now, table.size, earlier) if not sizes.unread else ""
        detail = f"{table.rows} rows, {size(table.size)}{told}"
        figures = {"rows": table.rows, "bytes": table.size}
        grown = table.size - day.tables[table.table][1] if earlier and day else 0
        if grown > SUDDEN and grown > table.size - grown:
            hint = "More than doubled since then: parvis room list shows the largest rooms."
            yield warn(table.table, detail, hint, **figures)
        else:
            yield ok(table.table, detail, **figures)
    if others := sizes.tables[SHOWN:]:
        rows, total = sum(each.rows for each in others), sum(each.size for each in others)
        yield ok(
            f"{len(others)} others",
            f"{rows} rows, {size(total)}",
            tables={each.table: {"rows": each.rows, "bytes": each.size} for each in others},
        )
    if sizes.unread:
        yield ok("not read", f"{size(sizes.unread)}; parvis doctor --deep reads all")
    if data.is_dir():
        try:
            keep(data, before, new)
        except OSError as error:
            yield ok("measurement", f"not kept: {error.strerror}")


def _growth(now: float, size_now: int, earlier: Sequence[tuple[Measurement, int]]) -> str:
    """Say how much something has grown since earlier measurements, of which two may be one."""
    told: list[str] = []
    times: set[float] = set()
    for measurement, before in earlier:
        if measurement.time in times:
            continue
        times.add(measurement.time)
        grown = size_now - before
        sign = "+" if grown >= 0 else "-"
        told.append(f"{sign}{size(abs(grown))} in {_span(now - measurement.time)}")
    return ", " + ", ".join(told) if told else ""


def _span(seconds: float) -> str:
    for unit, length in (("days", DAY), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} seconds"
