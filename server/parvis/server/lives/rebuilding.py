"""Begins a new life of a document: the same content, none of its tombstones, one client id.

A helper makes the copy while everybody goes on. If nothing was written meanwhile, the log is begun
anew with it in one transaction, which also retires the client ids of the old life. Then the room is
loaded afresh, and whoever was in it starts over: Parvis' own clients by themselves, stock clients
by reloading the page. A kill at any moment leaves the old life or the new one.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from parvis.plugins import ErrorCode, Refused
from parvis.protocol.yjs import decode_state_vector
from parvis.storage import Address, Appended, Entry, Status, StorageError

from ..hosting.registry import AnyType
from ..hosting.workshop import Workshop
from ..rooms.fast import FastPart
from ..rooms.room import LiveRoom
from ..rooms.seat import Submission
from ..rooms.sending import merged_update
from .retired import Life
from .rows import CLIENTS, LIVES

if TYPE_CHECKING:
    from ..core import Core

logger = logging.getLogger(__name__)

COPY: Final = "parvis.server.lives.copying:rebuild"

PATIENCE: Final = 300.0
"""Seconds that a helper may take for a copy."""

QUIET: Final = 60.0
"""Seconds to wait for a moment in which nobody writes for as long as a copy takes."""

TRIES: Final = 6
"""Times that the store is asked, should it not answer, while everybody's updates wait."""

FIRST_RETRY: Final = 0.05


@dataclass(frozen=True, slots=True)
class Figures:
    """A document and its copy.

    Attributes:
        before: Bytes of the document.
        after: Bytes of the copy.
        blocks: Of the document.
        clocks: Letters, values and elements that it ever held, as far as they left a trace.
        deleted: How many of those are deleted: the tombstones.
        clients: How many client ids it names.
        positions: Values that look like relative positions, which would point to nothing.
    """

    before: int
    after: int
    blocks: int
    clocks: int
    deleted: int
    clients: int
    positions: int


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did, or would do.

    Attributes:
        incarnation: The present life's number.
        offset: At which the new life begins; 0 if nothing was changed.
        sessions: Dialect → how many were there.
        retired: Client ids of all lives that have ended.
        waiting: Updates that wait for a predecessor; they are put aside.
    """

    incarnation: int
    offset: int
    figures: Figures
    sessions: Mapping[str, int]
    retired: int
    waiting: int


@dataclass(frozen=True, slots=True)
class _Copied:
    """A copy of a document, and where the log ended when it was made."""

    offset: int
    client: int
    clocks: bytes
    state: bytes
    update: bytes
    figures: Figures


class Rebuilding:
    """The rebuilds of one node."""

    def __init__(self, core: Core, workshop: Workshop) -> None:
        self._core = core
        self._workshop = workshop
        self._under_way: set[Address] = set()

    async def look(self, kind: AnyType, address: Address) -> Rebuilt:
        """Say what a rebuild would do; nothing is changed.

        Raises:
            Refused: If the part cannot be rebuilt.
        """
        async with self._core.directory.hold(kind, address.tenant, address.room, None) as room:
            part = await self._part(room, address)
            copied = await self._copy(part, self._core.clock.monotonic() + QUIET)
            return await self._report(part, copied, offset=0)

    async def rebuild(
        self, kind: AnyType, address: Address, *, at_once: bool = False, positions: bool = False
    ) -> Rebuilt:
        """Begin a new life of a part.

        Args:
            at_once: Do not wait until nobody writes: what comes while the copy is made is put
                aside, by the clients or here.
            positions: Also if the content seems to hold relative positions.

        Raises:
            Refused: If it cannot be rebuilt, or people do not stop writing; nothing has changed.
                `STORE_UNAVAILABLE`: perhaps it has; the part is then in one life or the other.
        """
        if address in self._under_way:
            raise Refused(ErrorCode.TRY_AGAIN, "it is being rebuilt already")
        self._under_way.add(address)
        try:
            async with self._core.directory.hold(kind, address.tenant, address.room, None) as room:
                part = await self._part(room, address)
                try:
                    return await self._rebuild(part, at_once, positions)
                finally:
                    if part.held and not room.lost:
                        part.release()
        finally:
            self._under_way.discard(address)

    async def _part(self, room: LiveRoom, address: Address) -> FastPart:
        kind = room.kind
        part = await room.open_part(address.part)
        if not isinstance(part, FastPart):
            raise Refused(ErrorCode.REFUSED, "the server cannot read this, so it cannot rebuild it")
        if address.part not in kind.rebuilds:
            reason = f"{kind.name} does not let this be rebuilt: what points into it would be lost"
            raise Refused(ErrorCode.REFUSED, reason)
        return part

    async def _rebuild(self, part: FastPart, at_once: bool, positions: bool) -> Rebuilt:
        rows = self._core.lives.rows
        if await rows.lives(part.address) >= LIVES or len(part.retired) > CLIENTS:
            raise Refused(ErrorCode.REFUSED, "it was rebuilt as often as a document can be")
        if part.durable == part.since:
            raise Refused(ErrorCode.REFUSED, "nothing was ever written here")
        deadline = self._core.clock.monotonic() + QUIET
        while True:
            if at_once:
                part.hold()
            copied = await self._copy(part, deadline)
            if copied.figures.positions and not positions:
                count = copied.figures.positions
                reason = f"{count} values look like relative positions, which would be lost"
                raise Refused(ErrorCode.REFUSED, reason)
            if part.room.lost:
                raise Refused(ErrorCode.TRY_AGAIN, "the room was closed meanwhile")
            if part.durable == copied.offset and self._is_quiet(part):
                return await self._swap(part, copied)

    def _is_quiet(self, part: FastPart) -> bool:
        if part.held:
            return not part.unlogged and not part.inboxes and not part.recovery.working
        return not part.unsettled

    async def _copy(self, part: FastPart, deadline: float) -> _Copied:
        """Make a copy of what is durable. Raises `Refused` if there is no moment for that."""
        clock, committed = self._core.clock, self._core.committed
        timer = clock.call_later(max(0.0, deadline - clock.monotonic()), committed.announce)
        try:
            while not self._is_quiet(part) and not part.room.lost and clock.monotonic() < deadline:
                await committed.wait()
        finally:
            timer.cancel()
        if clock.monotonic() >= deadline:
            reason = "people write all the time, or nothing can be stored: try later, or with --now"
            raise Refused(ErrorCode.TRY_AGAIN, reason)
        if part.room.lost:
            raise Refused(ErrorCode.TRY_AGAIN, "the room was closed meanwhile")
        offset, clocks, state = part.durable, part.state(), list(part.diff(b""))
        known = decode_state_vector(clocks)
        client = self._core.random.below(2**32)
        while client in known or client in part.retired:
            client = self._core.random.below(2**32)
        made: dict[str, Any] = await self._workshop.do(COPY, (state, client), PATIENCE, upkeep=True)
        whole = merged_update(state)
        return _Copied(offset, client, clocks, whole, made["update"], Figures(**made["figures"]))

    async def _report(self, part: FastPart, copied: _Copied, offset: int) -> Rebuilt:
        sessions: dict[str, int] = {}
        for seat in part.seats:
            sessions[seat.session.dialect] = sessions.get(seat.session.dialect, 0) + 1
        return Rebuilt(
            part.incarnation,
            offset,
            copied.figures,
            dict(sorted(sessions.items())),
            len(part.retired),
            len(part.gaps.updates),
        )

    # The swap

    async def _swap(self, part: FastPart, copied: _Copied) -> Rebuilt:
        """Begin the log anew; from here on nothing is taken in or logged."""
        part.hold()
        part.frozen = True
        core, room, address = self._core, part.room, part.address
        report = await self._report(part, copied, offset=0)
        now = core.clock.time()
        ended = core.lives.rows.ended(address, part.incarnation, now, copied.clocks, copied.state)
        # Nobody is the author: it is what many wrote, as after a compaction.
        entry = Entry(copied.update, "", now, room.next_key(), statements=(ended,))
        answer = await self._begin(part, copied.offset, entry)
        if answer.status is not Status.LOGGED:
            room.lose(answer.status, answer.detail)
            raise Refused(ErrorCode.TRY_AGAIN, f"the room has moved: {answer.detail}")
        if not answer.offsets[0]:
            raise Refused(ErrorCode.INTERNAL, answer.refusals.get(0, "the store refused it"))
        late = [*part.waiting]
        waiting = list(part.gaps.updates)
        life = Life(part.incarnation, decode_state_vector(copied.clocks))
        logger.warning(
            "%s: rebuilt at %d, %d bytes instead of %d",
            *(address, answer.offsets[0], copied.figures.after, copied.figures.before),
        )
        part.reborn(life)
        room.end(ErrorCode.TRY_AGAIN, "another part was rebuilt")
        await self._put_aside(part, life.incarnation, late, waiting)
        return Rebuilt(
            part.incarnation,
            answer.offsets[0],
            report.figures,
            report.sessions,
            report.retired + len(life.clocks),
            report.waiting,
        )

    async def _begin(self, part: FastPart, expected: int, entry: Entry) -> Appended:
        """Have the store do it; asking again after a fault begins no second life."""
        core, pause, problem = self._core, FIRST_RETRY, ""
        for left in reversed(range(TRIES)):
            try:
                answer = await core.store.rebuild(
                    part.address, part.room.fence, expected=expected, entry=entry
                )
                if answer.status is not Status.FAILED:
                    return answer
                problem = answer.detail
            except StorageError as error:
                problem = str(error)
            logger.warning("%s: could not be rebuilt: %s", part.address, problem)
            if left:
                await core.clock.sleep(pause)
                pause *= 2
        # It may have happened all the same; whoever loads the room next sees what is true.
        part.room.fail("the store does not answer")
        raise Refused(ErrorCode.STORE_UNAVAILABLE, f"the store does not answer: {problem}")

    async def _put_aside(
        self, part: FastPart, incarnation: int, late: Sequence[Submission], waiting: Sequence[bytes]
    ) -> None:
        """Keep what was on its way in clients that keep nothing themselves, and what waited."""
        lives, address = self._core.lives, part.address
        try:
            for submission in late:
                if submission.seat is not None and not submission.seat.resettable:
                    sender = submission.seat.caller.user
                    clients = sorted(submission.scan.structs) if submission.scan else []
                    await lives.keep(
                        address, "unsaved", sender, incarnation, clients, submission.update
                    )
            for update in waiting:
                await lives.keep(address, "waiting", "", incarnation, [], update)
        except (Refused, StorageError) as problem:
            logger.error("%s: what came during the rebuild was not kept: %s", address, problem)
