"""The y-websocket dialect: y-protocols messages, and state vectors.

Several messages in one inbound frame are read; outbound, a frame carries one message, because
y-websocket 3.1 reads only the first (SPEC.md section 11). The encoded sync, awareness and query
messages are also the bodies of Hocuspocus frames, so one encoding serves both dialects.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from parvis.protocol import lib0
from parvis.protocol.errors import Malformed, TooLarge

SYNC: Final = 0
AWARENESS: Final = 1
AUTH: Final = 2
QUERY_AWARENESS: Final = 3

STEP1: Final = 0
STEP2: Final = 1
UPDATE: Final = 2


MAX_MESSAGES: Final = 1_000
"""Messages in one frame; a query takes one byte, so that a frame could hold eight million."""


@dataclass(frozen=True, slots=True)
class SyncStep1:
    """What the sender has; asks for the rest."""

    state_vector: bytes


@dataclass(frozen=True, slots=True)
class SyncStep2:
    """All that the asker lacked, as an update, and every deletion."""

    update: bytes


@dataclass(frozen=True, slots=True)
class YUpdate:
    """One change to the document."""

    update: bytes


@dataclass(frozen=True, slots=True)
class Awareness:
    """An awareness update, not yet looked into (``parvis.protocol.awareness``)."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class PermissionDenied:
    """The server says no; y-websocket logs the reason, Hocuspocus emits an event."""

    reason: str


@dataclass(frozen=True, slots=True)
class QueryAwareness:
    """Asks for everyone's awareness."""


SyncMessage: TypeAlias = SyncStep1 | SyncStep2 | YUpdate
Message: TypeAlias = SyncMessage | Awareness | PermissionDenied | QueryAwareness

_SYNC_KINDS: Final = (SyncStep1, SyncStep2, YUpdate)  # by their number


def decode(frame: bytes) -> list[Message]:
    """Read the messages of one frame, at least one, in their order.

    Raises:
        TooLarge: If there are more than `MAX_MESSAGES`.
        Malformed: If anything in it is not a known message: an unknown one has no length, so that
            the rest of the frame could not be found.
    """
    reader = lib0.Reader(frame)
    messages = [_read_message(reader)]
    while reader.pos < reader.end:
        if len(messages) == MAX_MESSAGES:
            raise TooLarge(f"at most {MAX_MESSAGES} messages in a frame", reader.pos)
        messages.append(_read_message(reader))
    return messages


def _read_message(reader: lib0.Reader) -> Message:
    start = reader.pos
    kind = reader.var_uint()
    if kind == SYNC:
        return read_sync(reader)
    if kind == AWARENESS:
        return Awareness(reader.var_bytes())
    if kind == QUERY_AWARENESS:
        return QueryAwareness()
    if kind == AUTH:
        at = reader.pos
        if reader.var_uint() != 0:
            raise Malformed("permission denied (0) as auth message", at)
        return PermissionDenied(reader.var_string())
    raise Malformed(f"a y-protocols message, 0 to 3, not {kind}", start)


def read_sync(reader: lib0.Reader) -> SyncMessage:
    """Read the body of a sync message, which starts with the number of its step.

    Raises:
        Malformed: If it is none of the three.
    """
    start = reader.pos
    step = reader.var_uint()
    if step > UPDATE:
        raise Malformed(f"a sync step, 0 to 2, not {step}", start)
    return _SYNC_KINDS[step](reader.var_bytes())


def encode_sync_step1(state_vector: bytes) -> bytes:
    """Encode ``00 00``, then the state vector."""
    return b"\x00\x00" + lib0.var_bytes(state_vector)


def encode_sync_step2(update: bytes) -> bytes:
    """Encode ``00 01``, then the update."""
    return b"\x00\x01" + lib0.var_bytes(update)


def encode_update(update: bytes) -> bytes:
    """Encode ``00 02``, then the update."""
    return b"\x00\x02" + lib0.var_bytes(update)


def encode_awareness(payload: bytes) -> bytes:
    """Encode ``01``, then the awareness update."""
    return b"\x01" + lib0.var_bytes(payload)


def encode_permission_denied(reason: str) -> bytes:
    """Encode ``02 00``, then the reason."""
    return b"\x02\x00" + lib0.var_string(reason)


def encode_query_awareness() -> bytes:
    """Encode ``03``."""
    return b"\x03"


def decode_state_vector(state_vector: bytes) -> dict[int, int]:
    """Read how much of each client's work somebody has: client to the clock that comes next.

    Raises:
        Malformed: If a client comes twice, a number is out of bounds, or bytes are left over.
    """
    reader = lib0.Reader(state_vector)
    count = reader.var_uint()
    if count * 2 > reader.end - reader.pos:
        raise Malformed(f"{count} entries of a state vector", 0)
    clocks: dict[int, int] = {}
    for _ in range(count):
        start = reader.pos
        client = reader.var_uint()
        if client in clocks:
            raise Malformed(f"client {client} once in a state vector", start)
        clocks[client] = reader.var_uint()
    if not reader.at_end:
        raise Malformed("the end of the state vector", reader.pos)
    return clocks


def encode_state_vector(clocks: Mapping[int, int]) -> bytes:
    """Encode a state vector, higher clients first, as Yjs does."""
    parts = [lib0.var_uint(len(clocks))]
    for client in sorted(clocks, reverse=True):
        parts += (lib0.var_uint(client), lib0.var_uint(clocks[client]))
    return b"".join(parts)
