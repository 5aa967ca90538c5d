"""The past of a document, read from its log: who wrote when, and how it was then."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from parvis.plugins import Caller, ErrorCode, LoggedUpdate, Refused

from .contents import PATIENCE, TASKS
from .office import Office, malformed
from .rights import Rights

ROWS: Final = 5_000
"""Rows of the log that are read for one answer."""

CHUNK: Final = 500
"""Rows that are read at a time, going back."""

BYTES: Final = 32 * 1024 * 1024
"""Of updates that are read for one page of the timeline, or merged at a time."""

ENTRIES: Final = 100
"""Entries of one answer, at most."""

OTHERS: Final = 60.0
"""Seconds after which a change by somebody new begins a new entry, pause or not."""

KEPT: Final = 64 * 1024 * 1024
"""Bytes of merged logs that are kept in memory, so that going through a timeline is quick."""


@dataclass(slots=True)
class Entry:
    """Changes that belong together: without a long pause, by the same people."""

    first: int
    last: int
    start: float
    end: float
    authors: list[str] = field(default_factory=list[str])
    updates: int = 0


class History:
    """Reads the past."""

    def __init__(self, office: Office, rights: Rights) -> None:
        self._office = office
        self._rights = rights
        self._merged: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()

    async def timeline(
        self, caller: Caller, key: str, before: int, limit: int
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return entries, newest first, and before which offset to go on, if there is more.

        Args:
            before: The entries before this offset; 0: all.
        """
        await self._rights.require(caller, key, "history")
        if before <= 0:
            before = await self._end(caller, key) + 1
        limit = max(1, min(limit, ENTRIES))
        rows, low = await self._back(caller.tenant, key, before)
        entries = grouped(rows, self._office.settings.history_pause)
        if low > 0 and len(entries) > 1:
            del entries[0]  # its beginning was not read
        entries.reverse()
        shown = entries[:limit]
        following = None
        if len(entries) > limit or low > 0:
            following = shown[-1].first if shown else low + 1
        names = await self._office.names(
            caller.tenant, {author for entry in shown for author in entry.authors}
        )
        return [
            {
                "from": entry.first,
                "to": entry.last,
                "start": entry.start,
                "end": entry.end,
                "authors": [names[author] for author in entry.authors],
                "updates": entry.updates,
            }
            for entry in shown
        ], following

    async def content(self, caller: Caller, key: str, offset: int) -> bytes:
        """Return the content as it was after an offset, as a Yjs update."""
        await self._rights.require(caller, key, "history")
        async with self._office.work(caller):
            return (await self.at(caller, key, offset))["state"]

    async def at(self, caller: Caller, key: str, offset: int) -> dict[str, bytes]:
        """Merge the log up to an offset; see `tasks.merged`.

        Whoever calls has asked for rights, and waits for their turn: see `Office.work`.
        """
        if offset < 1 or offset > await self._end(caller, key):
            raise malformed("there is no such moment in the history")
        tenant, node = caller.tenant, self._office.node
        after, base = await self._base(tenant, key, offset)
        updates, size = [base] if base else [], len(base)
        while after < offset:
            rows = await node.log(tenant, key, after=after, limit=min(ROWS, offset - after))
            if not rows:
                raise Refused(ErrorCode.TRY_AGAIN, "the history cannot be read now")
            for row in rows:
                if row.offset > offset:
                    break
                after = row.offset
                updates.append(row.update)
                size += len(row.update)
            if size > BYTES:
                updates = [await self._log(updates)]
                size = len(updates[0])
        found: dict[str, bytes] = await node.compute(f"{TASKS}:merged", updates, timeout=PATIENCE)
        self._keep((tenant, key, offset), found["log"])
        return found

    async def _log(self, updates: Sequence[bytes]) -> bytes:
        task = f"{TASKS}:merged"
        found: dict[str, bytes] = await self._office.node.compute(task, updates, timeout=PATIENCE)
        return found["log"]

    async def _base(self, tenant: str, key: str, offset: int) -> tuple[int, bytes]:
        """Return what is worth the log up to an offset as near as can be, and that offset."""
        known = [each[2] for each in self._merged if each[:2] == (tenant, key)]
        near = max((each for each in known if each <= offset), default=0)
        sql = (
            'SELECT "offset", state FROM docs_version WHERE document = ? AND "offset" <= ?'
            ' AND "offset" > ? ORDER BY "offset" DESC LIMIT 1'
        )
        node = self._office.node
        for at, state in await node.query(tenant, sql, key, offset, near):
            assert isinstance(at, int)
            return at, await node.compute(f"{TASKS}:unpacked", state, timeout=PATIENCE)
        if near:
            self._merged.move_to_end((tenant, key, near))
            return near, self._merged[tenant, key, near]
        return 0, b""

    def _keep(self, key: tuple[str, str, int], log: bytes) -> None:
        self._merged[key] = log
        self._merged.move_to_end(key)
        while sum(map(len, self._merged.values())) > KEPT:
            self._merged.popitem(last=False)

    async def _end(self, caller: Caller, key: str) -> int:
        async with self._office.node.open(caller, key, vouched=True) as room:
            return room.heads[""]

    async def _back(self, tenant: str, key: str, before: int) -> tuple[list[LoggedUpdate], int]:
        """Return rows before an offset, oldest first, and the offset of the last one not read."""
        node = self._office.node
        found: list[LoggedUpdate] = []
        low, size = before - 1, 0
        while low > 0 and before - low <= ROWS and size < BYTES:
            after, upto = max(0, low - CHUNK), low
            rows: list[LoggedUpdate] = []
            at = after
            while at < upto:
                page = await node.log(tenant, key, after=at, limit=upto - at)
                if not page:
                    raise Refused(ErrorCode.TRY_AGAIN, "the history cannot be read now")
                rows += [row for row in page if row.offset <= upto]
                at = page[-1].offset
            size += sum(len(row.update) for row in rows)
            found[:0] = rows
            low = after
        return found, low


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
