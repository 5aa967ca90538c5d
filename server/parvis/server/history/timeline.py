"""The timeline: the rows of a log, grouped by who sent them and by pauses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from parvis.plugins import Entry, Timeline
from parvis.storage import LoggedUpdate

from .reading import Reading, Span

ROWS: Final = 5_000
"""Rows of the log that are read for one page."""

CHUNK: Final = 500
"""Rows that are read at a time, going back."""

BYTES: Final = 32 * 1024 * 1024
"""Of updates that are read for one page."""

ENTRIES: Final = 100
"""Entries of one page, at most."""

OTHERS: Final = 60.0
"""Seconds after which a change by somebody new begins a new entry, pause or not."""


async def timeline(reading: Reading, span: Span, before: int, limit: int, pause: float) -> Timeline:
    """Return a page of entries; see `parvis.plugins.History.timeline`."""
    before = min(before, span.end + 1) if before > 0 else span.end + 1
    limit = max(1, min(limit, ENTRIES))
    rows, low = await reading.back(span, before, ROWS, CHUNK, BYTES)
    entries = grouped(rows, pause)
    if low > span.shown and len(entries) > 1:
        del entries[0]  # its beginning was not read
    entries.reverse()
    shown = entries[:limit]
    following = None
    if len(entries) > limit or low > span.shown:
        following = shown[-1].first if shown else low + 1
    return Timeline(shown, following, span.shown)


def grouped(rows: Sequence[LoggedUpdate], pause: float) -> list[Entry]:
    """Return what belongs together among rows of a log, in their order."""
    entries: list[Entry] = []
    for row in rows:
        if not row.update:
            continue
        last = entries[-1] if entries else None
        silence = row.time - last.end if last else 0.0
        if last is None or silence > (pause if row.sender in last.authors else min(OTHERS, pause)):
            last = Entry(row.offset, row.offset, row.time, row.time)
            entries.append(last)
        last.last, last.end = row.offset, max(last.end, row.time)
        last.updates += 1
        if row.sender not in last.authors:
            last.authors.append(row.sender)
    return entries
