"""What the HTTP API needs of the node, and what one of its endpoints is."""

import enum
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from parvis.plugins import Answer, Caller, RoomType
from parvis.protocol import RoomName
from parvis.protocol.messages import Value
from parvis.storage import Store

from ..identity import Identified, Identity
from ..members import Members
from ..ports import Clock
from ..settings import Settings
from .faults import Fault
from .gate import Gate


class Registry(Protocol):
    """The room types of this node."""

    def get(self, name: str, /) -> RoomType[Any]:
        """Return a room type by its name. Raises `Refused` if there is none."""
        ...

    def parse(self, name: str, /) -> RoomName:
        """Read a room's name. Raises `Refused`."""
        ...

    def __iter__(self) -> Iterator[RoomType[Any]]: ...


class Directory(Protocol):
    """The rooms of this node, live or not."""

    async def delete(self, tenant: str, room: str, /) -> None:
        """Close a room for everybody in it and delete it. Raises `RoomNotFound`."""
        ...


class Ask(Protocol):
    """Answers questions about the past of documents; see `parvis.server.history.asking`."""

    async def __call__(
        self, caller: Caller, name: RoomName, question: str, body: Value, /
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Api:
    """Everything that a handler may use."""

    settings: Settings
    identity: Identity
    gate: Gate
    store: Store
    registry: Registry
    directory: Directory
    clock: Clock
    members: Members
    ask: Ask


class Who(enum.Enum):
    """Who may call an endpoint."""

    ANYONE = "anyone"
    CALLER = "whoever proves who they are"
    MEMBER = "members"
    ADMIN = "administrators"


@dataclass(frozen=True, slots=True)
class Call:
    """One request to an endpoint, checked.

    Attributes:
        identified: Who asks; None only where anyone may.
        body: An instance of the endpoint's body class.
    """

    request: web.Request
    identified: Identified | None = None
    body: Any = None

    @property
    def who(self) -> Identified:
        """Who asks. Raises `Fault` where nobody has to say so."""
        if self.identified is None:
            raise Fault(401, "unauthenticated", "sign in first")
        return self.identified


Handle = Callable[[Api, Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One line of the table of the API.

    Attributes:
        path: Below ``/api/v1``, with ``{name}`` for variables and ``{name:.+}`` for those that may
            hold slashes.
        body: The dataclass that the request's body is read into; None for none.
        query: What may stand after the question mark, and what it means.
    """

    method: str
    path: str
    handle: Handle
    who: Who
    summary: str
    status: int = 200
    body: type[Any] | None = None
    query: Mapping[str, str] = field(default_factory=dict[str, str])
