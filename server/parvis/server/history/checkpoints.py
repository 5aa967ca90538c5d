"""Checkpoints in memory: what makes going through a long log quick. Helpers do the work."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from parvis.storage import Address, LoggedUpdate

from .reading import ROWS, Reading, Span
from .rows import Rows

KEPT: Final = 64 * 1024 * 1024
"""Bytes of checkpoints and indexes that are kept in memory."""

FAR: Final = 4 * ROWS
"""Rows from the nearest checkpoint in memory, beyond which a version may be nearer."""

TASKS: Final = "parvis.server.history"

Do = Callable[..., Awaitable[Any]]
"""Runs a function of this package in a helper: its name, then its arguments."""

Checkpoint = Mapping[str, Any]
"""See `travelling`."""

NOTHING: Final[Checkpoint] = {"log": b"", "waiting": []}


class Checkpoints:
    """Makes documents of logs, from the nearest checkpoint on.

    Checkpoints stand at fixed distances, `ROWS` apart, and at the end of the log.
    """

    def __init__(self, reading: Reading, rows: Rows, do: Do) -> None:
        self._reading = reading
        self._rows = rows
        self._do = do
        self._kept: OrderedDict[tuple[Address, int, int], Checkpoint] = OrderedDict()
        self._indexes: OrderedDict[tuple[Address, int], tuple[int, bytes]] = OrderedDict()
        self._locks: WeakValueDictionary[Address, asyncio.Lock] = WeakValueDictionary()

    async def at(self, span: Span, offset: int) -> Checkpoint:
        """Return what the log is worth up to an offset of this life, with all that was deleted."""
        async with self._lock(span.address):
            checkpoint, _ = await self._go(span, offset, with_state=False)
        return checkpoint

    async def state(self, span: Span, offset: int) -> bytes:
        """Return the document as it was after an offset, without what was deleted."""
        async with self._lock(span.address):
            checkpoint, state = await self._go(span, offset, with_state=True)
        if state is None:
            state = await self._do("travelling:state", checkpoint["log"])
        return state

    async def index(self, span: Span) -> bytes:
        """Return who wrote what, for the whole log; see `authorship.Index`."""
        key = (span.address, span.incarnation)
        async with self._lock(span.address):
            at, packed = self._indexes.pop(key, (span.start, b""))
            at = max(at, span.start)  # rows before may be gone since
            while at < span.end:
                rows = await self._reading.rows(span, at, span.end)
                shown = [[row.offset, row.update, row.sender, row.time] for row in rows]
                packed = await self._do("authorship:index", packed, shown)
                at = rows[-1].offset
            self._indexes[key] = (at, packed)
            self._shrink()
        return packed

    def forget(self, tenant: str, room: str) -> None:
        """A room was deleted."""
        for kept in (self._kept, self._indexes):
            for key in [k for k in kept if (k[0].tenant, k[0].room) == (tenant, room)]:
                del kept[key]  # type: ignore[arg-type]  # keys of the one or of the other

    async def _go(
        self, span: Span, offset: int, *, with_state: bool
    ) -> tuple[Checkpoint, bytes | None]:
        at, checkpoint = await self._nearest(span, offset)
        state: bytes | None = None
        while at < offset:
            upto = min(offset, (at // ROWS + 1) * ROWS)
            rows = await self._reading.rows(span, at, upto)
            at = rows[-1].offset
            last = with_state and at == offset
            task = "travelling:travel" if last else "travelling:advance"
            found = await self._do(task, checkpoint, _updates(rows))
            checkpoint = {"log": found["log"], "waiting": found["waiting"]}
            state = found.get("state")
            if at % ROWS == 0 or at == span.end:
                self._keep(span, at, checkpoint)
        return checkpoint, state

    async def _nearest(self, span: Span, offset: int) -> tuple[int, Checkpoint]:
        here = (span.address, span.incarnation)
        # Rows after a checkpoint from before a compaction may be gone.
        low = span.start
        known = [at for (*place, at) in self._kept if tuple(place) == here and low <= at <= offset]
        near = max(known, default=span.start)
        if offset - near > FAR:
            version = await self._rows.kept(span.address, near + 1, offset)
            if version is not None and version.incarnation == span.incarnation:
                return version.offset, await self._do("travelling:unpack", version.log)
        if not known:
            return span.start, NOTHING
        self._kept.move_to_end((*here, near))
        return near, self._kept[*here, near]

    def _keep(self, span: Span, offset: int, checkpoint: Checkpoint) -> None:
        here = (span.address, span.incarnation)
        for key in [k for k in self._kept if k[:2] == here and k[2] % ROWS and k[2] < offset]:
            del self._kept[key]  # the log has grown since
        self._kept[*here, offset] = checkpoint
        self._kept.move_to_end((*here, offset))
        self._shrink()

    def _shrink(self) -> None:
        size = sum(map(_size, self._kept.values()))
        size += sum(len(packed) for _, packed in self._indexes.values())
        while size > KEPT and len(self._kept) > 1:
            size -= _size(self._kept.popitem(last=False)[1])
        while size > KEPT and len(self._indexes) > 1:
            size -= len(self._indexes.popitem(last=False)[1][1])

    def _lock(self, address: Address) -> asyncio.Lock:
        """Return what is held while a document's checkpoints are made: once, whoever asks."""
        lock = self._locks.get(address)
        if lock is None:
            lock = self._locks[address] = asyncio.Lock()
        return lock


def _updates(rows: Sequence[LoggedUpdate]) -> list[bytes]:
    return [row.update for row in rows]


def _size(checkpoint: Checkpoint) -> int:
    return len(checkpoint["log"]) + sum(map(len, checkpoint["waiting"]))
