"""The native dialect: one frozen dataclass per message; field order is wire order.

A frame is a MessagePack array: the number in `FROM_CLIENT` or `FROM_SERVER`, then the fields. A
receiver ignores fields after those it knows, and a sender may leave out trailing fields that have a
default.
SPEC.md sections 4 to 6 say what each one means and which may follow which.

`ref` is a number the client chooses for a request; the answer carries it. 0 asks for no answer.
`channel` is a number the server gives to a joined part; it is the same for all sessions of a node,
so that a broadcast is encoded once.
"""

from __future__ import annotations  # the codec reads field types by name

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = "bool | int | float | str | bytes | Sequence[Value] | Mapping[str, Value] | None"
"""What a signal, a command or an answer carries: plain MessagePack, at most 32 levels deep."""


# From the client


@dataclass(frozen=True, slots=True)
class Hello:
    """Open the session. The first message, within 10 seconds.

    Attributes:
        version: 1.
        ticket: A one-time ticket from ``POST /api/v1/ticket``, an access token from a client
            that is not a browser, or a room token.
        client: Name and version of the software, for the operator's logs.
    """

    version: int
    ticket: str
    client: str = ""


@dataclass(frozen=True, slots=True)
class Join:
    """Enter a part.

    Attributes:
        room: ``type/key`` or ``type/key:part``.
        state: What the client has: a state vector (`YDoc`), 8 bytes with the offset of the last
            update, big-endian (`OpaqueLog`), or empty: nothing.
        incarnation: The life of the part that `state` belongs to; 0 if it has none.
        schema: Version of the room type's schema that the client knows; 0 for none.
    """

    ref: int
    room: str
    state: bytes = b""
    incarnation: int = 0
    schema: int = 0


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave a part. Nothing more comes for this channel."""

    channel: int


@dataclass(frozen=True, slots=True)
class Update:
    """Change a part. Answered by `Ack`, once durable, or by `Refuse`.

    Attributes:
        key: Up to 64 bytes that the user gives to no other update of the part. Sent again with the
            same key, after a lost connection, it is not logged twice: the ack has the old offset.
    """

    channel: int
    ref: int
    update: bytes
    key: bytes = b""


@dataclass(frozen=True, slots=True)
class Sync:
    """Ask for what the client lacks. Answered by `Synced`."""

    channel: int
    ref: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Awareness:
    """Short-lived states, both ways. `states` is a y-protocols awareness update."""

    channel: int
    states: bytes


@dataclass(frozen=True, slots=True)
class Signal:
    """An application message, neither merged nor logged. Answered by `Answer` if `ref` is not 0."""

    channel: int
    ref: int
    name: str
    body: Value = None


@dataclass(frozen=True, slots=True)
class Command:
    """A request that changes the room in the server's words. Answered by `Answer` or `Refuse`."""

    channel: int
    ref: int
    name: str
    body: Value = None


@dataclass(frozen=True, slots=True)
class Refresh:
    """Show a new ticket or token before the old one expires. Answered by `Refreshed`."""

    ref: int
    ticket: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask whether the other side is there. Answered by `Pong` with the same number."""

    ref: int


@dataclass(frozen=True, slots=True)
class History:
    """A question about a document's past. Answered by `Answer` or `Refuse`; SPEC.md section 6.1.

    Attributes:
        question: ``timeline``, ``at``, ``blame``, ``versions``, ``version.add``,
            ``version.rename``, ``version.delete``, ``restore`` or ``rollback``.
    """

    channel: int
    ref: int
    question: str
    body: Value = None


# From the server


@dataclass(frozen=True, slots=True)
class Welcome:
    """The session is open.

    Attributes:
        session: Its id.
        user: ``id``, ``name`` and ``color`` of the person it speaks for.
        expires: Seconds until the session ends unless it is refreshed; 0: never.
        limits: ``frame`` (bytes), ``rooms`` (joined at once), ``silence`` (seconds without any
            frame after which the server closes).
        server: Name and version.
    """

    session: str
    user: Mapping[str, Value]
    expires: float
    limits: Mapping[str, Value]
    server: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The part is open.

    Attributes:
        updates: What the client lacks, in order.
        state: What the server has, in the form of `Join.state`: send it what it lacks.
        offset: End of the durable log.
        access: The client's capabilities here, sorted.
        awareness: Everyone's states.
        schema: Version of the room type's schema; 0: it has none. A client that showed another one
            may only look.
    """

    ref: int
    channel: int
    room: str
    incarnation: int
    offset: int
    access: Sequence[str]
    updates: Sequence[bytes]
    state: bytes
    awareness: bytes = b""
    schema: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """The server has taken the client out of a part; the session goes on."""

    channel: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """Others changed the part.

    Attributes:
        offset: Place in the log; 0 on a fast part, where updates travel before they are durable.
        sender: Id of the user, on ordered parts; else empty.
        time: Seconds since the epoch, on ordered parts; else 0.
    """

    channel: int
    update: bytes
    offset: int = 0
    sender: str = ""
    time: float = 0.0


@dataclass(frozen=True, slots=True)
class Ack:
    """The update is durable and integrated at this offset."""

    channel: int
    ref: int
    offset: int


@dataclass(frozen=True, slots=True)
class Synced:
    """What the client lacked, in order, and what the server has."""

    channel: int
    ref: int
    updates: Sequence[bytes]
    state: bytes


@dataclass(frozen=True, slots=True)
class Resync:
    """The server may lack something: send what `state` does not cover, as `Update`."""

    channel: int
    state: bytes


@dataclass(frozen=True, slots=True)
class Reset:
    """Throw the local copy away and join again with a new client id; local work is kept aside."""

    channel: int
    incarnation: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class AccessChanged:
    """The client's capabilities in a part are others from now on."""

    channel: int
    access: Sequence[str]


@dataclass(frozen=True, slots=True)
class Unsaved:
    """Whether updates of this part wait for a store that does not answer."""

    channel: int
    waiting: bool


@dataclass(frozen=True, slots=True)
class Signaled:
    """A signal from the room type or, where it lets them through, from another peer.

    On channel 0 it concerns no part but the person whom the session speaks for.
    """

    channel: int
    name: str
    body: Value = None
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a signal or command brought."""

    channel: int
    ref: int
    body: Value = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Refuse:
    """No to one request; the session goes on. `channel` is 0 where there is none."""

    channel: int
    ref: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Error:
    """Why the session is about to be closed."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The session lives on for `expires` seconds."""

    ref: int
    expires: float


@dataclass(frozen=True, slots=True)
class Drain:
    """The node is about to go: connect again at a moment of your choice within `within` seconds."""

    within: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Pong:
    """Here."""

    ref: int


FROM_CLIENT: Mapping[int, type] = {
    1: Hello,
    2: Join,
    3: Leave,
    4: Update,
    5: Sync,
    6: Awareness,
    7: Signal,
    8: Command,
    9: Refresh,
    10: Ping,
    11: History,
}
"""Which number stands for which message of a client."""

FROM_SERVER: Mapping[int, type] = {
    6: Awareness,
    33: Welcome,
    34: Joined,
    35: Left,
    36: Changed,
    37: Synced,
    38: Ack,
    39: Signaled,
    40: Answer,
    41: Refreshed,
    42: Pong,
    43: Refuse,
    44: Error,
    45: Resync,
    46: Reset,
    47: AccessChanged,
    48: Unsaved,
    49: Drain,
}
"""Which number stands for which message of a server."""

ClientMessage = (
    Hello | Join | Leave | Update | Sync | Awareness | Signal | Command | Refresh | Ping | History
)
ServerMessage = (
    Awareness
    | Welcome
    | Joined
    | Left
    | Changed
    | Synced
    | Ack
    | Signaled
    | Answer
    | Refreshed
    | Pong
    | Refuse
    | Error
    | Resync
    | Reset
    | AccessChanged
    | Unsaved
    | Drain
)
