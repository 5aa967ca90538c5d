"""The Hocuspocus dialect: frames of the providers v2, v3 and v4.

Each frame is an address and one message; providers read and write exactly one. What follows it is
passed over, because that is how the protocol grows: v4 appended the provider's version to the
token, and v3 servers did not mind. A number that is not known is ``Unknown``, not an error, since
the frame ends where it ends. Only a socket's liveness goes without an address: ``Ping`` and
``Pong`` are one byte (SPEC.md section 12).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from parvis.protocol import lib0, yjs
from parvis.protocol.errors import Malformed
from parvis.protocol.yjs import (
    Awareness,
    PermissionDenied,
    QueryAwareness,
    SyncMessage,
    SyncStep1,
    SyncStep2,
    YUpdate,
)

SYNC: Final = 0
AWARENESS: Final = 1
AUTH: Final = 2
QUERY_AWARENESS: Final = 3
SYNC_REPLY: Final = 4
STATELESS: Final = 5
BROADCAST_STATELESS: Final = 6
CLOSE: Final = 7
SYNC_STATUS: Final = 8
PING: Final = 9
PONG: Final = 10

AUTH_TOKEN: Final = 0
AUTH_DENIED: Final = 1
AUTH_GRANTED: Final = 2

READ_WRITE: Final = "read-write"
READONLY: Final = "readonly"


@dataclass(frozen=True, slots=True)
class Token:
    """The client shows its token, which may be empty; v4 also says its version."""

    token: str
    provider_version: str | None = None


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """The server asks for the token again; v2 does not answer."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The server lets the client in, as ``read-write`` or ``readonly``."""

    scope: str


@dataclass(frozen=True, slots=True)
class SyncReply:
    """A sync message between servers, which must not lead to another SyncStep1."""

    message: SyncMessage


@dataclass(frozen=True, slots=True)
class Stateless:
    """A text of the application, neither merged nor logged."""

    payload: str


@dataclass(frozen=True, slots=True)
class BroadcastStateless:
    """A text between servers, for all their clients; a client that sends it is refused."""

    payload: str


@dataclass(frozen=True, slots=True)
class Close:
    """One document leaves the socket, which stays open; the reason is the server's."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """Whether the oldest update without an answer was taken."""

    applied: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a later version, to be noted and passed over."""

    kind: int


@dataclass(frozen=True, slots=True)
class Ping:
    """The server asks whether the socket is alive; only v4 answers."""


@dataclass(frozen=True, slots=True)
class Pong:
    """The client is there."""


ClientMessage: TypeAlias = (
    SyncMessage
    | Awareness
    | Token
    | QueryAwareness
    | SyncReply
    | Stateless
    | BroadcastStateless
    | Close
    | Unknown
)
ServerMessage: TypeAlias = (
    SyncMessage
    | Awareness
    | PermissionDenied
    | TokenRequest
    | Authenticated
    | QueryAwareness
    | Stateless
    | Close
    | SyncStatus
    | Unknown
)


@dataclass(frozen=True, slots=True)
class ClientFrame:
    """A message from a provider, and the address under which it wants its answers.

    Providers find their document by the whole address, session included, so an answer carries it
    exactly as it came.
    """

    address: str
    message: ClientMessage


@dataclass(frozen=True, slots=True)
class ServerFrame:
    """A message to a provider."""

    address: str
    message: ServerMessage


def split_address(address: str) -> tuple[str, str | None]:
    """Return the document's name, and the session that v4 appends behind a NUL if it is told to."""
    name, found, session = address.partition("\0")
    return name, session if found else None


def join_address(name: str, session: str | None = None) -> str:
    """Return the address of a document, or of one session of it."""
    return name if session is None else f"{name}\0{session}"


def decode_from_client(frame: bytes) -> ClientFrame | Ping | Pong:
    """Read what a provider sent.

    Raises:
        Malformed: If the address or the body of a known message cannot be read.
    """
    if len(frame) == 1:
        return _read_liveness(frame)
    reader = lib0.Reader(frame)
    return ClientFrame(reader.var_string(), _read_client_message(reader))


def _read_client_message(reader: lib0.Reader) -> ClientMessage:
    kind = reader.var_uint()
    if kind == SYNC:
        return yjs.read_sync(reader)
    if kind == AWARENESS:
        return Awareness(reader.var_bytes())
    if kind == AUTH:
        at = reader.pos
        if reader.var_uint() != AUTH_TOKEN:
            raise Malformed("a token (0) as auth message from a client", at)
        token = reader.var_string()
        return Token(token, None if reader.at_end else reader.var_string())
    if kind == QUERY_AWARENESS:
        return QueryAwareness()
    if kind == SYNC_REPLY:
        return SyncReply(yjs.read_sync(reader))
    if kind == STATELESS:
        return Stateless(reader.var_string())
    if kind == BROADCAST_STATELESS:
        return BroadcastStateless(reader.var_string())
    if kind == CLOSE:
        return Close()
    return Unknown(kind)


def decode_from_server(frame: bytes) -> ServerFrame | Ping | Pong:
    """Read what a server sent.

    Raises:
        Malformed: If the address or the body of a known message cannot be read.
    """
    if len(frame) == 1:
        return _read_liveness(frame)
    reader = lib0.Reader(frame)
    return ServerFrame(reader.var_string(), _read_server_message(reader))


def _read_server_message(reader: lib0.Reader) -> ServerMessage:
    kind = reader.var_uint()
    if kind == SYNC:
        return yjs.read_sync(reader)
    if kind == AWARENESS:
        return Awareness(reader.var_bytes())
    if kind == AUTH:
        return _read_server_auth(reader)
    if kind == QUERY_AWARENESS:
        return QueryAwareness()
    if kind == STATELESS:
        return Stateless(reader.var_string())
    if kind == CLOSE:
        return Close(reader.var_string())
    if kind == SYNC_STATUS:
        # Servers write it as varUint and providers read it as varInt: 0 and 1 are the same in both.
        return SyncStatus(reader.var_int() == 1)
    return Unknown(kind)


def _read_server_auth(reader: lib0.Reader) -> TokenRequest | PermissionDenied | Authenticated:
    at = reader.pos
    kind = reader.var_uint()
    if kind == AUTH_TOKEN:
        return TokenRequest()
    if kind == AUTH_DENIED:
        return PermissionDenied(reader.var_string())
    if kind == AUTH_GRANTED:
        return Authenticated(reader.var_string())
    raise Malformed(f"an auth message, 0 to 2, not {kind}", at)


def _read_liveness(frame: bytes) -> Ping | Pong:
    if frame[0] == PING:
        return Ping()
    if frame[0] == PONG:
        return Pong()
    raise Malformed("ping (09) or pong (0a) as the only byte of a frame", 0)


# Both ways.


def with_address(address: str, message: bytes) -> bytes:
    """Make a frame of an encoded message.

    The y-websocket encodings of sync, awareness and query messages (``parvis.protocol.yjs``) are
    also Hocuspocus messages: encoded once, they go to peers of both dialects.
    """
    return lib0.var_string(address) + message


def encode_sync_step1(address: str, state_vector: bytes) -> bytes:
    """Encode a ``SyncStep1``."""
    return with_address(address, yjs.encode_sync_step1(state_vector))


def encode_sync_step2(address: str, update: bytes) -> bytes:
    """Encode a ``SyncStep2``."""
    return with_address(address, yjs.encode_sync_step2(update))


def encode_update(address: str, update: bytes) -> bytes:
    """Encode a ``YUpdate``."""
    return with_address(address, yjs.encode_update(update))


def encode_awareness(address: str, payload: bytes) -> bytes:
    """Encode an ``Awareness``."""
    return with_address(address, yjs.encode_awareness(payload))


def encode_query_awareness(address: str) -> bytes:
    """Encode a ``QueryAwareness``."""
    return with_address(address, yjs.encode_query_awareness())


def encode_stateless(address: str, payload: str) -> bytes:
    """Encode a ``Stateless``."""
    return with_address(address, b"\x05" + lib0.var_string(payload))


# From a server.


def encode_permission_denied(address: str, reason: str) -> bytes:
    """Encode a ``PermissionDenied``."""
    return with_address(address, b"\x02\x01" + lib0.var_string(reason))


def encode_authenticated(address: str, *, readonly: bool) -> bytes:
    """Encode an ``Authenticated``."""
    scope = READONLY if readonly else READ_WRITE
    return with_address(address, b"\x02\x02" + lib0.var_string(scope))


def encode_token_request(address: str) -> bytes:
    """Encode a ``TokenRequest``."""
    return with_address(address, b"\x02\x00")


def encode_close(address: str, reason: str) -> bytes:
    """Encode a server's ``Close``; v2 does not know it and throws."""
    return with_address(address, b"\x07" + lib0.var_string(reason))


def encode_sync_status(address: str, *, applied: bool) -> bytes:
    """Encode a ``SyncStatus``."""
    return with_address(address, b"\x08\x01" if applied else b"\x08\x00")


def encode_ping() -> bytes:
    """Encode a ``Ping``; only providers v4 understand it."""
    return b"\x09"


# From a client.


def encode_token(address: str, token: str, provider_version: str | None = None) -> bytes:
    """Encode a ``Token``, with the version that providers since v4 add."""
    version = b"" if provider_version is None else lib0.var_string(provider_version)
    return with_address(address, b"\x02\x00" + lib0.var_string(token) + version)


def encode_client_close(address: str) -> bytes:
    """Encode a client's ``Close``, which has no reason."""
    return with_address(address, b"\x07")


def encode_pong() -> bytes:
    """Encode a ``Pong``."""
    return b"\x0a"


# From one server to another, here so that a test can show that a client is refused.


def encode_sync_reply(address: str, message: bytes) -> bytes:
    """Encode a ``SyncReply`` of an encoded sync message."""
    return with_address(address, bytes((SYNC_REPLY,)) + message[1:])


def encode_broadcast_stateless(address: str, payload: str) -> bytes:
    """Encode a ``BroadcastStateless``."""
    return with_address(address, b"\x06" + lib0.var_string(payload))


__all__ = [
    "Authenticated",
    "Awareness",
    "BroadcastStateless",
    "ClientFrame",
    "ClientMessage",
    "Close",
    "PermissionDenied",
    "Ping",
    "Pong",
    "QueryAwareness",
    "ServerFrame",
    "ServerMessage",
    "Stateless",
    "SyncReply",
    "SyncStatus",
    "SyncStep1",
    "SyncStep2",
    "Token",
    "TokenRequest",
    "Unknown",
    "YUpdate",
    "decode_from_client",
    "decode_from_server",
    "encode_authenticated",
    "encode_awareness",
    "encode_broadcast_stateless",
    "encode_client_close",
    "encode_close",
    "encode_permission_denied",
    "encode_ping",
    "encode_pong",
    "encode_query_awareness",
    "encode_stateless",
    "encode_sync_reply",
    "encode_sync_status",
    "encode_sync_step1",
    "encode_sync_step2",
    "encode_token",
    "encode_token_request",
    "encode_update",
    "join_address",
    "split_address",
    "with_address",
]
