"""A live room as the hooks of its type see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from parvis.protocol import ErrorCode
from parvis.protocol.messages import Value
from parvis.storage import SqlValue

from .access import Access, Caller
from .replica import Replica, YDoc

R_co = TypeVar("R_co", bound=Replica, covariant=True)


class Peer(Protocol):
    """One session, seen from inside one part of a room."""

    @property
    def id(self) -> str:
        """Id of the session; it may sit in several parts."""
        ...

    @property
    def caller(self) -> Caller: ...
    @property
    def access(self) -> Access: ...
    @property
    def part(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Submission:
    """An update as `RoomType.on_update` sees it, before anything is merged.

    Attributes:
        roots: Names of the roots that the update itself names. What goes below something that is
            there already names no root.
        elements: Names of the XML elements it brings.
        formats: Keys of the formats (marks) it brings.
    """

    part: str
    update: bytes
    roots: frozenset[str] = frozenset()
    elements: frozenset[str] = frozenset()
    formats: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Request:
    """A signal or a command: its name and what it carries."""

    name: str
    body: Value = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command brought, and the offset up to which the log is durable with it."""

    body: Value = None
    offset: int = 0


class Edit(Protocol):
    """Changes of the server to one part, made in a block and committed at its end, all or none.

    Leaving the block waits until the change is durable; then `offset` is its place in the log.
    If the block raises, nothing happened.
    """

    @property
    def offset(self) -> int: ...

    def document(self, kind: type[YDocT]) -> YDocT:
        """Return the part's document to change; what the block does to it becomes one update.

        It is a copy: other peers' updates of the meantime are merged at the end of the block.
        """
        ...

    def append(self, update: bytes) -> None:
        """Add an update to an ordered part, or a ready Yjs update to a document."""
        ...

    def require(self, sql: str, *args: SqlValue) -> None:
        """Commit only if this query's first value is true, seen inside the transaction."""
        ...

    def execute(self, sql: str, *args: SqlValue) -> None:
        """Write rows of the room type's own tables in the same transaction."""
        ...


YDocT = TypeVar("YDocT", bound=YDoc)


class Room(Protocol[R_co]):
    """A live room. Valid until ``on_close`` returns."""

    @property
    def tenant(self) -> str: ...
    @property
    def id(self) -> str:
        """``type/key``."""
        ...

    @property
    def key(self) -> str: ...
    @property
    def replica(self) -> R_co:
        """The replica of the main part."""
        ...

    @property
    def peers(self) -> Sequence[Peer]:
        """Everyone in any part of this room."""
        ...

    @property
    def heads(self) -> Mapping[str, int]:
        """Offset up to which each open part is durable."""
        ...

    async def part(self, name: str) -> Replica:
        """Return the replica of a part, loaded if need be."""
        ...

    async def state(self, part: str = "") -> Sequence[bytes]:
        """Return updates that together are worth a document as it is now, durable or not.

        For `Node.compute`: nothing is merged or copied here that a helper could do.
        """
        ...

    def edit(self, author: Caller, part: str = "") -> AbstractAsyncContextManager[Edit]:
        """Change a part on the server, on the same road as everybody's updates.

        Leaving the block raises :exc:`Refused` if a precondition or a constraint failed, or the
        store could not commit.
        """
        ...

    def signal(self, peer: Peer, name: str, body: Value = None) -> None:
        """Queue a signal for one peer."""
        ...

    def broadcast(
        self, name: str, body: Value = None, *, part: str = "", skip: Peer | None = None
    ) -> None:
        """Queue a signal for every peer in a part, on every node. Encoded once."""
        ...

    def dismiss(self, peer: Peer, code: ErrorCode, reason: str) -> None:
        """Take a peer out of its part; its session goes on."""
        ...

    async def query(self, sql: str, *args: SqlValue) -> Sequence[tuple[SqlValue, ...]]:
        """Read rows of the room type's own tables."""
        ...
