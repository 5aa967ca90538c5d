"""Takes documents of other servers into rooms: screened first, written whole, and read back."""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parvis.plugins import (
    Adopted,
    Caller,
    ErrorCode,
    Foreign,
    Node,
    Refused,
    YDoc,
    overrides,
)
from parvis.protocol import RoomName
from parvis.protocol.ranges import DeleteSet
from parvis.storage import Address, User
from parvis.storage.content import content

from ..core import Core
from ..hosting.host import SERVER
from ..hosting.registry import AnyType
from .screening import Screening
from .sources import Row
from .writing import Writing, keys_of


class Mode(enum.StrEnum):
    """What becomes of a room that holds something else already."""

    REFUSE = "refuse"
    MERGE = "merge"
    SKIP = "skip"


Find = Callable[[str], Awaitable[User | None]]


@dataclass(frozen=True, slots=True)
class Weight:
    """What a document amounts to; see `weighing.weigh`."""

    clocks: Mapping[int, int]
    deletes: Mapping[int, Sequence[tuple[int, int]]]
    content: str
    size: int

    @property
    def is_empty(self) -> bool:
        """Whether nobody ever wrote anything in it."""
        return not self.clocks

    def covers(self, other: Weight) -> bool:
        """Whether a document that amounts to this holds all of the other one."""
        return all(
            self.clocks.get(client, 0) >= clock for client, clock in other.clocks.items()
        ) and DeleteSet(self.deletes).covers(other.deletes)

    def equals(self, other: Weight) -> bool:
        """Whether both are the same document: state vector, deletions and content."""
        return (self.clocks, self.deletes, self.content) == (
            other.clocks,
            other.deletes,
            other.content,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a document that was not refused.

    Attributes:
        status: ``imported``, ``merged``, ``there``: it was there already, all of it; ``skipped``:
            its room holds something else; ``empty``: there is nothing to import.
        content: SHA-256 of what the document shows, as read back from the store.
        notes: For people.
    """

    room: str
    status: str
    updates: int = 0
    size: int = 0
    content: str = ""
    notes: tuple[str, ...] = ()


class Intake:
    """Takes documents in, one at a time.

    Attributes:
        core: Where the rooms are.
    """

    def __init__(self, core: Core, node: Callable[[AnyType], Node], find: Find) -> None:
        """Take documents into the rooms of a core.

        Args:
            node: What room types are given.
            find: Looks an account up by its address.
        """
        self.core = core
        self._node = node
        self._find = find
        self._screening = Screening(core.helpers)
        self._writing = Writing(core)

    async def plan(
        self, tenant: str, type: str, owner: str | None, keys: Sequence[str]
    ) -> Sequence[tuple[str, str, bool]]:
        """Say into which rooms documents would go.

        Returns:
            For each key the room, why there can be none, or empty, and whether it exists.

        Raises:
            Refused: If no document can go into rooms of this type, or the owner has no account.
        """
        kind = self._kind(type)
        await self._owner(kind, tenant, owner)
        planned: list[tuple[str, str, bool]] = []
        for key in keys:
            try:
                name = self._name(kind, key)
                there = await self._end(tenant, name)
                planned.append((name.room, "", there > 0))
            except Refused as refusal:
                planned.append((f"{kind.name}/{key}", refusal.reason, False))
        return planned

    async def take(
        self,
        tenant: str,
        type: str,
        owner: str | None,
        key: str,
        rows: Sequence[Row],
        *,
        mode: Mode = Mode.REFUSE,
    ) -> Taken:
        """Take a document in, and check that it arrived.

        Args:
            key: Of the room, before `RoomType.import_key`.
            rows: The document, oldest first.
            mode: What becomes of a room that holds something else.

        Raises:
            Refused: With the reason, if it is not in; nothing was written then, unless the reason
                says so.
            StorageError: If the store cannot be read.
        """
        kind = self._kind(type)
        author = await self._owner(kind, tenant, owner)
        name = self._name(kind, key)
        rows, waiting, notes = await self._screening.pass_through(rows)
        if not rows and not waiting:
            return Taken(name.room, "empty")
        adopted: Adopted | None = None
        if not kind.takes_any:
            updates = [row.update for row in rows]
            adopted = await kind.on_import(
                self._node(kind), author, name.key, Foreign(key, updates)
            )
            rows, waiting, notes = (Row(adopted.update),), (), (*notes, *adopted.notes)
        rows = [*rows, *waiting]
        updates = [row.update for row in rows]
        weight = await self._weigh(updates)
        held: Sequence[bytes] = (
            await self._stored(tenant, name) if await self._end(tenant, name) else ()
        )
        before = await self._weigh(held) if held else None
        status = "imported"
        if before is not None:
            if before.covers(weight) and not waiting:
                return Taken(name.room, "there", len(rows), weight.size, weight.content, notes)
            if not await self._begun(tenant, name, rows):
                if mode is Mode.SKIP:
                    return Taken(name.room, "skipped")
                if mode is Mode.REFUSE or adopted is not None:
                    raise Refused(ErrorCode.CONFLICT, _there(adopted))
                named = (*weight.clocks, *weight.deletes)
                await self.core.lives.rows.require_present(Address(tenant, name.room), named)
                status, weight = "merged", await self._weigh([*held, *updates])
        if weight.is_empty:
            reason = "nothing of it can be seen: it builds on updates that the source does not have"
            raise Refused(ErrorCode.REFUSED, reason)
        self._fits(kind, weight)
        if adopted is not None:
            await adopted.make()
        else:
            notes += await self._writing.write(kind, tenant, name, author, rows)
        after = await self._weigh(await self._stored(tenant, name))
        # Where people are, the room may have grown meanwhile.
        if not (after.covers(weight) if before else after.equals(weight)):
            raise Refused(
                ErrorCode.INTERNAL,
                "it was written, and what is read back is not the same: do not rely on this room",
            )
        return Taken(name.room, status, len(rows), weight.size, after.content, notes)

    # What is asked for

    def _kind(self, type: str) -> AnyType:
        kind = self.core.registry.get(type)
        if not issubclass(kind.replica, YDoc):
            raise Refused(ErrorCode.REFUSED, f"{type} rooms hold no documents that could be read")
        if not kind.takes_any and not overrides(kind, "on_import"):
            raise Refused(ErrorCode.REFUSED, f"{type} rooms take no documents of other servers")
        return kind

    async def _owner(self, kind: AnyType, tenant: str, email: str | None) -> Caller:
        if email is None:
            if not kind.takes_any:
                reason = f"{kind.name} rooms belong to somebody: name an account with --owner"
                raise Refused(ErrorCode.REFUSED, reason)
            return Caller(tenant, SERVER, "Parvis")
        user = await self._find(email)
        if user is None or user.disabled or user.tenant != tenant:
            reason = f"nobody in {tenant} has an account with the address {email[:80]!r}"
            raise Refused(ErrorCode.REFUSED, reason)
        return Caller(tenant, user.id, user.name, user.color, member=True, admin=user.admin)

    def _name(self, kind: AnyType, key: str) -> RoomName:
        name = self.core.registry.parse(f"{kind.name}/{kind.import_key(key)}")
        if name.part:
            raise Refused(ErrorCode.INVALID_NAME, "expected a room, got a part of one")
        return name

    def _fits(self, kind: AnyType, weight: Weight) -> None:
        most = self.core.registry.settings(kind.name).max_part
        if weight.size > most:
            raise Refused(
                ErrorCode.TOO_LARGE,
                f"the document has {weight.size} bytes; rooms.{kind.name}.max_part allows {most}",
            )

    # What is there

    async def _end(self, tenant: str, name: RoomName) -> int:
        """Return where the log of a room ends; 0 if there is none. Raises `Refused`."""
        info = await self.core.store.room(tenant, name.room)
        if info is None:
            return 0
        if info.deleted is not None:
            reason = "a room of this name was deleted, and its name is not given again"
            raise Refused(ErrorCode.ROOM_DELETED, reason)
        head = info.parts.get("")
        return head.offset if head is not None else 0

    async def _stored(self, tenant: str, name: RoomName) -> Sequence[bytes]:
        """Return what the store holds of a room's main part."""
        return await content(self.core.store, Address(tenant, name.room))

    async def _begun(self, tenant: str, name: RoomName, rows: Sequence[Row]) -> bool:
        """Whether all that a room holds is the beginning of this import."""
        keys, after = set(keys_of(rows)), 0
        while page := await self.core.store.read(Address(tenant, name.room), after=after):
            if not keys.issuperset(row.key for row in page):
                return False
            after = page[-1].offset
        return True

    async def _weigh(self, updates: Sequence[bytes]) -> Weight:
        found: Any = await self._screening.weigh(updates)
        deletes = {
            client: [(start, end) for start, end in ranges]
            for client, ranges in found["deletes"].items()
        }
        return Weight(found["clocks"], deletes, found["content"], found["size"])


def _there(adopted: Adopted | None) -> str:
    if adopted is not None:
        return "the room exists, and people have changed it since, or it is another document"
    return "the room exists and holds something else (--merge puts both together)"
