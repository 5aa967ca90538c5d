"""Native messages to bytes and back. SPEC.md section 5."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, cast

import msgpack

from .errors import Malformed, TooDeep, TooLarge
from .messages import FROM_CLIENT, FROM_SERVER, ClientMessage, ServerMessage
from .packing import pack

MAX_DEPTH = 32
"""Deepest nesting of a `Value`."""

MAX_STRUCTURED = 128 * 1024
"""Bytes of a client's frame in which a value may be an array or a map.

Eight megabytes of empty maps would become a gigabyte of objects and stop everybody for nine
seconds; what is large is bytes or text.
"""

MOST_FIELDS = 32
"""Fields of a large frame, those of later versions included."""

MAX_NUMBER = 2**53 - 1
"""Largest integer that JavaScript can hold."""

Check = Callable[[object], bool]


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value <= MAX_NUMBER


def _is_seconds(value: object) -> bool:
    return type(value) in (int, float)


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_bytes(value: object) -> bool:
    return type(value) is bytes


def _is_bool(value: object) -> bool:
    return type(value) is bool


def _is_texts(value: object) -> bool:
    return type(value) is list and all(type(item) is str for item in cast(list[object], value))


def _is_chunks(value: object) -> bool:
    return type(value) is list and all(type(item) is bytes for item in cast(list[object], value))


def _is_plain(value: object, depth: int = 0) -> bool:
    if depth > MAX_DEPTH:
        raise TooDeep(f"at most {MAX_DEPTH} levels of nesting")
    if type(value) is list:
        return all(_is_plain(item, depth + 1) for item in cast(list[object], value))
    if type(value) is dict:
        return all(
            type(key) is str and _is_plain(item, depth + 1)
            for key, item in cast(dict[object, object], value).items()
        )
    return value is None or type(value) in (bool, int, float, str, bytes)


def _is_table(value: object) -> bool:
    return type(value) is dict and _is_plain(cast(object, value))


CHECKS: Mapping[str, tuple[Check, str]] = {
    "int": (_is_number, "a whole number below 2^53"),
    "float": (_is_seconds, "a number"),
    "str": (_is_text, "a string"),
    "bytes": (_is_bytes, "bytes"),
    "bool": (_is_bool, "true or false"),
    "Sequence[str]": (_is_texts, "a list of strings"),
    "Sequence[bytes]": (_is_chunks, "a list of bytes"),
    "Value": (_is_plain, "a plain value"),
    "Mapping[str, Value]": (_is_table, "a map with string keys"),
}


class _Shape:
    """What the array of one kind of message looks like."""

    __slots__ = ("checks", "kind", "names", "required")

    def __init__(self, kind: type[Any]) -> None:
        known = fields(kind)
        self.kind = kind
        self.names = tuple(f.name for f in known)
        self.checks = tuple(CHECKS[cast(str, f.type)] for f in known)
        self.required = sum(f.default is MISSING and f.default_factory is MISSING for f in known)

    def read(self, values: Sequence[object]) -> Any:
        if len(values) < self.required:
            raise Malformed(f"{self.kind.__name__} with {self.required} fields, not {len(values)}")
        known = values[: len(self.checks)]
        for name, (check, what), value in zip(self.names, self.checks, known, strict=False):
            if not check(value):
                raise Malformed(f"{what} as {self.kind.__name__}.{name}")
        return self.kind(*known)


_CLIENT_SHAPES = {number: _Shape(kind) for number, kind in FROM_CLIENT.items()}
_SERVER_SHAPES = {number: _Shape(kind) for number, kind in FROM_SERVER.items()}
_NUMBERS: Mapping[type, tuple[int, tuple[str, ...]]] = {
    kind: (number, tuple(f.name for f in fields(kind)))
    for table in (FROM_SERVER, FROM_CLIENT)
    for number, kind in table.items()
}


def encode(message: ClientMessage | ServerMessage) -> bytes:
    """Return the frame of one message."""
    number, names = _NUMBERS[type(message)]
    return pack([number, *[getattr(message, name) for name in names]])


def decode(frame: bytes, *, max_size: int = 16 * 1024 * 1024) -> ClientMessage:
    """Read a frame that a client sent.

    Raises:
        Malformed: Whatever is wrong with it; nothing else escapes.
    """
    large = len(frame) > MAX_STRUCTURED
    return cast(ClientMessage, _decode(frame, _CLIENT_SHAPES, max_size, flat=large))


def decode_from_server(frame: bytes, *, max_size: int = 256 * 1024 * 1024) -> ServerMessage:
    """Read a frame that a server sent; for clients.

    Raises:
        Malformed: Whatever is wrong with it; nothing else escapes.
    """
    return cast(ServerMessage, _decode(frame, _SERVER_SHAPES, max_size))


def _decode(
    frame: bytes, shapes: Mapping[int, _Shape], max_size: int, *, flat: bool = False
) -> object:
    if len(frame) > max_size:
        raise TooLarge(f"a frame of at most {max_size} bytes, not {len(frame)}")
    try:
        values: object
        if flat:
            values = _unpack_flat(frame)
        else:
            values = msgpack.unpackb(frame, use_list=True, raw=False, strict_map_key=True)
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException) as problem:
        raise Malformed(f"one MessagePack value ({type(problem).__name__}: {problem})") from None
    if type(values) is not list or not values:
        raise Malformed("an array that starts with the kind of message")
    kind, *rest = cast(list[object], values)
    shape = shapes.get(kind) if type(kind) is int else None
    if shape is None:
        raise Malformed(f"a kind of message this side takes, not {str(kind)[:20]!r}")
    return shape.read(rest)


def _unpack_flat(frame: bytes) -> list[object]:
    """Read the fields of a large frame, none of which may be an array or a map with entries."""
    unpacker = msgpack.Unpacker(
        max_buffer_size=len(frame),
        raw=False,
        strict_map_key=True,
        max_array_len=0,
        max_map_len=0,
    )
    unpacker.feed(frame)
    count = unpacker.read_array_header()
    if count > MOST_FIELDS:
        raise TooLarge(f"at most {MOST_FIELDS} fields, not {count},")
    values: list[object] = [unpacker.unpack() for _ in range(count)]
    if unpacker.tell() != len(frame):
        raise Malformed("the end of the frame", unpacker.tell())
    return values
