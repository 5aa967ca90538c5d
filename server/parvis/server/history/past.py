"""The history of documents as a service of the node; rights are asked by whoever calls."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

from parvis.plugins import (
    Caller,
    ErrorCode,
    Refused,
    Restored,
    Timeline,
    Version,
    YDoc,
    overrides,
)
from parvis.plugins.history import Still, always
from parvis.storage import Address, StorageError

from ..hosting.registry import AnyType
from ..hosting.workshop import Workshop
from ..rooms.room import LiveRoom
from ..rooms.seat import Submission
from .binding import bindings
from .checkpoints import TASKS, Checkpoint, Checkpoints
from .reading import BYTES, Reading, Span
from .rows import Kept, Rows
from .timeline import timeline

if TYPE_CHECKING:
    from ..core import Core

logger = logging.getLogger(__name__)

PATIENCE: Final = 120.0
"""Seconds that a helper may take for one step."""

NAME: Final = 200
"""Characters of a version's name, at most."""

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)

PERIOD: Final = 4 * BYTES
"""Bytes of updates that are taken back at once."""


class Past:
    """Reads the past of every part that is a document, and goes back to it."""

    def __init__(self, core: Core, workshop: Workshop) -> None:
        self._core = core
        self._workshop = workshop
        self._rows = Rows(core.store)
        self._reading = Reading(core.store)
        self._checkpoints = Checkpoints(self._reading, self._rows, self._do)
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def prepare(self) -> None:
        """Bring the tables up to date, before anything else."""
        await self._rows.prepare()

    def turn(self, caller: Caller) -> asyncio.Lock:
        """Return what is held while helpers work for somebody: one thing at a time, so that nobody
        keeps them all busy."""
        # Whoever holds a link can become as many guests as they like.
        who = (caller.tenant, f"guests of {caller.host}" if caller.host else caller.user)
        lock = self._turns.get(who)
        if lock is None:
            lock = self._turns[who] = asyncio.Lock()
        return lock

    # Looking

    async def timeline(self, address: Address, before: int, limit: int, pause: float) -> Timeline:
        span = await self._reading.span(address)
        return await timeline(self._reading, span, before, limit, pause)

    async def at(self, address: Address, offset: int) -> bytes:
        """Return the document as it was after an offset, as a Yjs update."""
        span = await self._reading.span(address)
        if self._is_earlier(span, offset):
            kept = await self._kept(span, offset)
            return bytes(await self._do("travelling:state", kept["log"]))
        span.require(offset)
        return await self._checkpoints.state(span, offset)

    async def offset(self, address: Address, time: float) -> int:
        return await self._reading.offset(await self._reading.span(address), time)

    async def blame(
        self, address: Address, offset: int | None, root: str | None, pause: float
    ) -> list[dict[str, Any]]:
        span = await self._reading.span(address)
        at = span.end if offset is None else offset
        span.require(at)
        checkpoint = await self._checkpoints.at(span, at)
        index = await self._checkpoints.index(span)
        bound = await self._rows.bound(address)
        found: list[dict[str, Any]] = await self._do(
            "blaming:blame", checkpoint["log"], index, bound, root, at, pause
        )
        return found

    # Versions

    async def versions(self, address: Address) -> Sequence[Version]:
        await self._reading.span(address)
        return await self._rows.versions(address)

    async def name(
        self,
        kind: AnyType,
        caller: Caller,
        address: Address,
        name: str,
        offset: int | None,
        id: str | None,
        still: Still = always,
    ) -> Version:
        name, id = _name(name), self._new_id() if id is None else _id(id)
        if offset is None:
            offset = await self._settled(kind, address)
        span = await self._reading.span(address)
        span.require(offset)
        checkpoint = await self._checkpoints.at(span, offset)
        packed: bytes = await self._do("travelling:pack", checkpoint)
        await still()
        version = Version(id, name, caller.user, self._core.clock.time(), offset)
        kept = await self._rows.add(address, version, Kept(offset, span.incarnation, packed))
        await self._tell(kind, caller, address, id, kept)
        return kept

    async def rename(
        self, kind: AnyType, caller: Caller, address: Address, id: str, name: str
    ) -> None:
        name, id = _name(name), _id(id)
        await self._rows.rename(address, id, name)
        version = await self._rows.version(address, id)
        if version is None:
            raise Refused(ErrorCode.CONFLICT, "the version is not there any more")
        await self._tell(kind, caller, address, id, version)

    async def forget(self, kind: AnyType, caller: Caller, address: Address, id: str) -> None:
        await self._rows.forget(address, _id(id))
        await self._tell(kind, caller, address, id, None)

    async def _tell(
        self, kind: AnyType, caller: Caller, address: Address, id: str, version: Version | None
    ) -> None:
        if overrides(kind, "on_version") and not address.part:
            async with self._hold(kind, address) as room:
                await kind.on_version(room, caller, id, version)

    def _new_id(self) -> str:
        return self._core.random.bytes(9).hex()

    async def _settled(self, kind: AnyType, address: Address) -> int:
        """Return the offset at which all that was sent so far is durable."""
        async with self._hold(kind, address) as room:
            part = await room.open_part(address.part)
            committed = self._core.committed
            if part.unsettled:  # also what waits in the window, for some milliseconds
                await committed.wait()
            queued = part.queued
            while part.settled < queued and not room.lost:
                await committed.wait()
            return part.durable

    # Going back

    async def restore(
        self,
        kind: AnyType,
        caller: Caller,
        address: Address,
        offset: int,
        still: Still = always,
    ) -> Restored:
        """Change a document back to what it was after an offset, by one more update.

        What others write meanwhile is merged, as with any change.
        """
        override = "" if address.part else kind.restores
        span = await self._reading.span(address)
        earlier = self._is_earlier(span, offset)
        if not earlier or (offset <= span.since and not override):
            # Nothing of another life's document is known by its clocks.
            span.require(offset)
        then = await (self._kept if earlier else self._checkpoints.at)(span, offset)
        async with self._hold(kind, address) as room:
            present = list(await room.state(address.part))
            if override:
                update: bytes = await self._workshop.compute(
                    kind, override, (present, [then["log"]]), PATIENCE
                )
                found: dict[str, Any] = {"update": update}
            else:
                now = await self._now(address)
                found = await self._do("undoing:restore", now, present, then["log"], self._client())
            return await self._write(room, caller, address, found, still)

    async def rollback(
        self,
        kind: AnyType,
        caller: Caller,
        address: Address,
        author: str,
        first: int,
        last: int,
        still: Still = always,
    ) -> Restored:
        """Take back what one author did from one offset to another, and nobody else's work."""
        span = await self._reading.span(address)
        span.require(first)
        span.require(last)
        if not 0 < first <= last:
            raise Refused(ErrorCode.MALFORMED, "expected a period: first at least 1, then last")
        if 1 < span.first == first:
            first += 1  # that row is worth all before it
        rows = await self._period(span, first, last)
        before = await self._checkpoints.at(span, max(first - 1, span.start))
        async with self._hold(kind, address) as room:
            present = list(await room.state(address.part))
            now = await self._now(address)
            index = await self._checkpoints.index(span)
            bound = await self._rows.bound(address)
            found = await self._do(
                "undoing:rollback",
                *(now, present, before["log"], rows, author, index, bound, self._client()),
            )
            return await self._write(room, caller, address, found, still)

    async def _period(self, span: Span, first: int, last: int) -> list[list[Any]]:
        rows: list[list[Any]] = []
        at, size = first - 1, 0
        while at < last:
            page = await self._reading.rows(span, at, last)
            at = page[-1].offset
            rows += [[row.sender, row.update] for row in page if row.update]
            size += sum(len(row.update) for row in page)
            if size > PERIOD:
                reason = f"the period holds more than {PERIOD >> 20} MiB of updates: take less"
                raise Refused(ErrorCode.TOO_LARGE, reason)
        return rows

    async def _now(self, address: Address) -> Checkpoint:
        span = await self._reading.span(address)
        return await self._checkpoints.at(span, span.end)

    async def _write(
        self,
        room: LiveRoom,
        caller: Caller,
        address: Address,
        found: Mapping[str, Any],
        still: Still,
    ) -> Restored:
        # Rights may have gone meanwhile, or the room.
        await still()
        async with room.edit(caller, address.part) as edit:
            edit.append(found["update"])
        counts = found.get("restored", 0), found.get("removed", 0)
        return Restored(edit.offset, *counts, found.get("left", {}))

    def _hold(self, kind: AnyType, address: Address) -> AbstractAsyncContextManager[LiveRoom]:
        return self._core.directory.hold(kind, address.tenant, address.room, None)

    def _client(self) -> int:
        return self._core.random.below(2**32)

    # Earlier lives

    def _is_earlier(self, span: Span, offset: int) -> bool:
        return 0 < offset <= span.since or 0 < offset < span.first

    async def _kept(self, span: Span, offset: int) -> Checkpoint:
        """Return what a version has kept of a moment that the log does not show any more."""
        kept = await self._rows.kept(span.address, offset, offset)
        if kept is None:
            span.require(offset)
            raise AssertionError("a moment of an earlier life")
        checkpoint: Checkpoint = await self._do("travelling:unpack", kept.log)
        return checkpoint

    # What the node tells

    def note(self, address: Address, submission: Submission) -> None:
        """Note whose the client ids of an update are, where the log alone would not say it."""
        found = bindings(submission)
        if found:
            self._core.spawn(self._bind(address, found))

    async def _bind(self, address: Address, clients: Mapping[int, str]) -> None:
        try:
            await self._rows.bind(address, clients)
        except StorageError as problem:
            # They are then shown as relayed, or as their sender's own; the sender is known.
            logger.warning(
                "%s: whose %d clients are was not noted: %s", address, len(clients), problem
            )

    async def deleted(self, tenant: str, room: str) -> None:
        """A room was deleted for good."""
        self._checkpoints.forget(tenant, room)
        await self._rows.delete(tenant, room)

    # Work

    async def _do(self, task: str, *args: Any) -> Any:
        return await self._workshop.do(f"{TASKS}.{task}", args, PATIENCE)


def require_document(kind: AnyType, part: str) -> None:
    """Raise `Refused` if a part is nothing that the server can read."""
    replica = kind.parts[part].replica if part else kind.replica
    if not issubclass(replica, YDoc):
        raise Refused(
            ErrorCode.REFUSED, "the server cannot read this, so it has no history to show"
        )


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME:
        raise Refused(ErrorCode.MALFORMED, f"a version's name has 1 to {NAME} characters")
    return name


def _id(id: str) -> str:
    if not ID.fullmatch(id):
        reason = "expected id to have 1 to 64 letters, digits, - and _"
        raise Refused(ErrorCode.MALFORMED, reason)
    return id
