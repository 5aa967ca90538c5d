"""What a plugin defines: hooks, replicas and settings of one kind of room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from parvis.protocol import ErrorCode
from parvis.protocol.messages import Value
from parvis.storage import Job, LoggedUpdate, Migration

from .access import Access, Caller
from .arrival import Adopted, Foreign
from .errors import Refused
from .history import Version
from .http import Route
from .node import Node
from .replica import Replica
from .room import Answer, Peer, Request, Room, Submission

R = TypeVar("R", bound=Replica)


@dataclass(frozen=True, slots=True)
class Part:
    """How a named part is kept, who may read and write it, and who may look into its past."""

    replica: type[Replica]
    read: str = "view"
    write: str = "edit"
    history: str = "history"


@dataclass(frozen=True, slots=True)
class NoSettings:
    """The settings of a room type that has none."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Rows that became durable, in order, for `RoomType.on_commit`."""

    tenant: str
    room: str
    part: str
    updates: Sequence[LoggedUpdate]


class RoomType(Generic[R]):
    """Base class of room types.

    A node makes one instance and calls its hooks for every room of that type. Within one room
    hooks run one at a time; one that is not overridden costs nothing. A hook turns a request down
    by raising :exc:`Refused`; any other exception is logged, answered with
    ``ErrorCode.INTERNAL``, and leaves the room as it was.
    """

    name: ClassVar[str]
    """First half of a room's name: rooms are addressed as ``name/key``."""

    replica: type[R]
    """Of the main part."""

    read: ClassVar[str] = "view"
    """Capability that lets a caller join the main part."""

    write: ClassVar[str] = "edit"
    """Capability that lets a peer send updates to the main part."""

    history: ClassVar[str] = "history"
    """Capability that lets a caller look into the main part's past: earlier states, who wrote
    what. With `write` besides, they may go back to it and name versions."""

    parts: ClassVar[Mapping[str, Part]] = {}
    """The named parts."""

    schema: ClassVar[int] = 0
    """Version of the content's schema. Above 0, a client that shows another one may only view."""

    Settings: ClassVar[type[Any]] = NoSettings
    """A frozen dataclass, filled from ``[rooms.<name>]``."""

    migrations: ClassVar[Sequence[Migration]] = ()
    """Numbered steps that make the type's own tables; see `parvis.plugins.migrations_in`."""

    beside: ClassVar[frozenset[str]] = frozenset()
    """Names of commands that take long: they run beside the other hooks of their room, which would
    wait otherwise, and with them everybody's updates. They keep what order they need."""

    exports: ClassVar[Mapping[str, str]] = {}
    """Forms in which ``parvis room export`` can write the main part, a document, beside the core's
    own: name → ``package.module:function``, called in a helper process with one Yjs update; it
    returns bytes, and raises `Refused` if there is no such form of this document."""

    restores: ClassVar[str] = ""
    """How the main part goes back to an earlier state, where the type knows better than the core:
    ``package.module:function``, called in a helper process with the present document and the
    earlier one, each as a list of Yjs updates; it returns the update that leads back."""

    rebuilds: ClassVar[frozenset[str]] = frozenset()
    """Parts, the main one as ``""``, that an administrator may have rebuilt (``parvis room
    rebuild``): the document begins a new life with the same content and none of its ids. None by
    default, since whatever points into it from elsewhere, such as relative positions in another
    part or in the type's tables, would point to nothing; and `on_commit` sees the whole document
    once more as one row."""

    checks: ClassVar[Mapping[str, str]] = {}
    """What ``parvis doctor`` looks at: name → ``package.module:function``, which returns what it
    found, and raises `Refused` with the reason if something that the type needs does not work."""

    takes_any: ClassVar[bool] = False
    """Rooms hold whatever document an application makes, so that ``parvis room import`` may log
    one of another server as it is. Other types say in `on_import` what becomes of it."""

    routes: Sequence[Route] = ()
    """HTTP routes below ``/api/v1/<name>``."""

    def __init__(self, settings: Any = None) -> None:
        self.settings = self.Settings() if settings is None else settings

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        """Say what a caller may do in a part, without loading the room.

        Asked before each join, in listings and by the HTTP API, also for rooms that do not exist.
        Refuses everybody unless overridden.
        """
        raise Refused(ErrorCode.PERMISSION_DENIED, "this room is closed")

    async def on_open(self, room: Room[R]) -> None:
        """The room has become live; nobody has joined yet."""

    async def on_join(self, room: Room[R], peer: Peer) -> None:
        """A peer that was authorised is about to enter a part."""

    async def on_update(self, room: Room[R], peer: Peer, submission: Submission) -> None:
        """Look at an update before it is merged. The peer may write."""

    async def on_commit(self, commit: Commit) -> None:
        """Rows became durable. Called at least once for each, in order, also after a crash.

        If it raises it is called again, later, with the same rows.
        """

    async def on_signal(self, room: Room[R], peer: Peer, signal: Request) -> Value:
        """Answer an application message, which is neither merged nor logged."""
        raise Refused(ErrorCode.UNKNOWN_COMMAND, f"{self.name} rooms take no signals")

    async def on_command(self, room: Room[R], caller: Caller, command: Request) -> Answer:
        """Do what a caller asks in the room's words, with `Room.edit`; one at a time per room."""
        raise Refused(ErrorCode.UNKNOWN_COMMAND, f"{self.name} rooms take no commands")

    async def on_version(
        self, room: Room[R], caller: Caller, id: str, version: Version | None
    ) -> None:
        """A version of the main part was named or renamed by a caller; None: it was forgotten."""

    async def on_leave(self, room: Room[R], peer: Peer) -> None:
        """A peer has gone, for whatever reason."""

    async def on_close(self, room: Room[R]) -> None:
        """The last peer has left and the log is durable."""

    async def on_delete(self, node: Node, tenant: str, key: str) -> None:
        """A room was deleted for good, whoever asked: remove what is kept about it elsewhere.

        Rows of tables, files, notices: its parts and their logs are gone already. Called at least
        once, also after a crash, so doing it again must change nothing; if it raises it is called
        again, later and later. A room that was deleted while no node ran is told of at the start.
        """

    def import_key(self, name: str) -> str:
        """Return the key of the room that a document of another server becomes; always the same.

        Args:
            name: As the operator wants it to be called, which need not be a valid key.
        """
        return name

    async def on_import(self, node: Node, owner: Caller, key: str, foreign: Foreign) -> Adopted:
        """Say what becomes of a document of another server; nothing is made yet.

        Args:
            owner: To whom it will belong, a member of the tenant.
            key: As `import_key` gave it.

        Raises:
            Refused: If no room of this type can hold it.
        """
        raise Refused(ErrorCode.REFUSED, f"{self.name} rooms take no documents of other servers")

    async def on_job(self, node: Node, tenant: str, job: Job) -> None:
        """Do a job that was enqueued. If it raises it is tried again, later and later."""

    def lifespan(self, node: Node) -> AbstractAsyncContextManager[None]:
        """Background work while the node runs: entered at its start, left at its end."""
        return nullcontext()


def overrides(kind: RoomType[Any], hook: str) -> bool:
    """Tell whether a room type has its own version of a hook."""
    return getattr(type(kind), hook) is not getattr(RoomType, hook)
