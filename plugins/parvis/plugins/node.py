"""What a node offers to a room type outside of any one room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from parvis.storage import Blobs, LoggedUpdate, SqlValue, Statement

from .access import Caller
from .history import History
from .room import Room


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, as others of the tenant may see them.

    Attributes:
        color: Of cursors, ``#rrggbb``.
        language: ``en``, ``fr`` or empty: unknown.
    """

    id: str
    name: str
    email: str
    color: str
    language: str = ""
    admin: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """What a notice says, in one language: a short line, and the text of the mail below it."""

    subject: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know of: shown in the app, and mailed.

    Attributes:
        user: Id of the person.
        key: The same (user, key) is kept once, however often it is sent.
        kind: Led by the room type's name: ``docs.mention``.
        words: By language; must hold ``en``, which stands in for missing ones.
        path: Where it leads, e.g. ``/docs/k1#comment=c3``.
        actor: Id of the person who caused it, or empty. Nobody is told of their own doings.
        mail: Whether it is mailed, too.
    """

    user: str
    key: str
    kind: str
    words: Mapping[str, Words]
    path: str
    actor: str = ""
    mail: bool = True


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody without an account who was let in: their token, for websockets and HTTP."""

    caller: Caller
    token: str
    expires: float


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation to make an account, or the account that an address has already."""

    email: str
    person: Person | None = None


class Node(Protocol):
    """What a node offers to a room type. Reading and writing rows goes by tenant, never across."""

    # Rooms

    def open(
        self, caller: Caller, key: str, *, vouched: bool = False
    ) -> AbstractAsyncContextManager[Room[Any]]:
        """Hold a room of this type live while the block runs.

        Args:
            caller: In whose name.
            key: Of the room.
            vouched: The room type itself has found that the caller may: `RoomType.authorize` is
                not asked, and a missing room is created in the caller's name.

        Raises:
            Refused: If the caller may not, or the room cannot be had.
        """
        ...

    async def delete(self, tenant: str, key: str) -> None:
        """Delete a room for good; whoever is in it is told. Nothing happens if there is none."""
        ...

    async def reauthorize(self, tenant: str, key: str) -> None:
        """Ask `RoomType.authorize` anew about everybody in a room: rights have changed.

        Who lost the right to read is taken out; the others are told what they may do now.
        """
        ...

    async def log(
        self, tenant: str, key: str, part: str = "", *, after: int = 0, limit: int = 1000
    ) -> Sequence[LoggedUpdate]:
        """Return rows of a part's log after an offset, in order: at least one if there is one."""
        ...

    def caller(self, tenant: str) -> Caller:
        """Return the server itself, as the author of edits that nobody asked for."""
        ...

    # Work

    async def enqueue(self, tenant: str, key: str, payload: bytes, *, due: float = 0) -> None:
        """Have `RoomType.on_job` called at least once, not before `due` (seconds since 1970)."""
        ...

    async def compute(
        self,
        task: str,
        *args: Any,
        timeout: float = 30.0,  # noqa: ASYNC109  by a Clock
        upkeep: bool = False,
    ) -> Any:
        """Run ``package.module:function`` in a helper process, where nothing it does hurts anybody.

        Arguments and result are plain MessagePack values, at most 32 levels deep. What is `upkeep`,
        and no answer that somebody waits for, always finds a helper that people cannot keep busy.

        Raises:
            Refused: ``INTERNAL`` if the helper died or failed, ``TRY_AGAIN`` if none could be
                started, ``TOO_LARGE`` if it took longer than `timeout` seconds; with its own code
                if the function raised `Refused`.
        """
        ...

    # What is kept beside rooms

    @property
    def history(self) -> History:
        """The past of this type's documents."""
        ...

    @property
    def blobs(self) -> Blobs:
        """Files by the hash of what they hold."""
        ...

    async def query(self, tenant: str, sql: str, *args: SqlValue) -> Sequence[tuple[SqlValue, ...]]:
        """Read rows of the room type's own tables."""
        ...

    async def execute(self, tenant: str, *statements: Statement) -> None:
        """Write rows of the room type's own tables in one transaction, beside any log.

        For what follows from commits (``on_commit``, ``on_job``) and for what concerns no room;
        what goes with a change of a room belongs into `Room.edit`.
        """
        ...

    # People

    async def people(self, tenant: str) -> Sequence[Person]:
        """List who has an account that is not disabled, by name."""
        ...

    async def person(self, tenant: str, id: str) -> Person | None: ...

    async def notify(self, tenant: str, notice: Notice) -> None:
        """Keep a notice, show it to the person if they are here, and mail it, by a durable job."""
        ...

    async def recall(self, tenant: str, path: str) -> None:
        """Take back this room type's notices that lead to a page, or to a place on it.

        Nobody sees them any more, read or not, and no mail about them is sent that was not yet.
        """
        ...

    async def invite(self, caller: Caller, email: str, *, path: str = "/") -> Invited:
        """Invite somebody to make an account, by mail.

        Args:
            caller: A member, in whose name.
            email: Of the person. If somebody has an account with it, they are returned instead, and
                no mail is sent.
            path: Where the person is led when the account is made.

        Raises:
            Refused: If the caller may not invite, or that is no address.
        """
        ...

    async def guest(
        self,
        host: str,
        tenant: str,
        name: str,
        rooms: Sequence[str],
        capabilities: Sequence[str],
        *,
        seconds: float,
    ) -> Guest:
        """Let somebody without an account in, by a room token.

        Args:
            host: Id of the account on whose right this rests; the token ends with that account.
            tenant: Whose rooms they are.
            name: As others see the guest, up to 100 characters.
            rooms: Patterns as in `Grant.rooms`, with the room type's name.
            capabilities: In each of them.
            seconds: How long it lasts.
        """
        ...

    @property
    def store(self) -> str:
        """Kind of the store: ``sqlite``, ``postgres`` or ``memory``, which takes SQLite's SQL.

        For the few questions that cannot be the same text for all, such as a full-text search.
        """
        ...

    # Time and chance

    def now(self) -> float:
        """Seconds since 1970."""
        ...

    def chance(self, count: int) -> bytes:
        """Return so many bytes that nobody can guess, for keys and secrets."""
        ...
