"""Room names: ``type/key`` or ``type/key:part``. SPEC.md section 3."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from .errors import InvalidName

TYPE = re.compile(r"[a-z][a-z0-9-]{0,31}")
PART = re.compile(r"[a-z][a-z0-9-]{0,31}")
MAX_KEY_BYTES = 512


@dataclass(frozen=True, slots=True)
class RoomName:
    """A checked name. `part` is empty for the main part."""

    type: str
    key: str
    part: str = ""

    @property
    def room(self) -> str:
        """The name without its part."""
        return f"{self.type}/{self.key}"

    def __str__(self) -> str:
        return f"{self.room}:{self.part}" if self.part else self.room


def room_type(name: str) -> str:
    """Return the type in a name, so that its parts can be looked up before the name is parsed.

    Raises:
        InvalidName: If there is no well-formed type before the first slash.
    """
    type_, slash, _ = name.partition("/")
    if not slash or not TYPE.fullmatch(type_):
        raise InvalidName(f"expected type/key with a type like {TYPE.pattern}, got {name[:80]!r}")
    return type_


def parse_name(name: str, parts: Collection[str] = ()) -> RoomName:
    """Split a name, as it came from the wire.

    Args:
        name: ``type/key`` or ``type/key:part``; percent-decoded if it stood in a URL.
        parts: The named parts that the room type declares. Without any, a colon belongs to the
            key, so that an existing app's ``doc:1`` stays whole; with some, what follows the
            last colon must be one of them.

    Raises:
        InvalidName: If the type, key or part is not well-formed, or the part is not declared.
    """
    type_ = room_type(name)
    key, part = name[len(type_) + 1 :], ""
    if parts and ":" in key:
        key, _, part = key.rpartition(":")
        if part not in parts:
            raise InvalidName(f"{type_} rooms have the parts {sorted(parts)}, got {part[:40]!r}")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidName("expected a key that is valid UTF-8, got lone surrogates") from None
    if not 1 <= size <= MAX_KEY_BYTES:
        raise InvalidName(f"expected a key of 1 to {MAX_KEY_BYTES} bytes, got {size}")
    if not key.strip():
        raise InvalidName("expected a key that is not blank")
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in key):
        raise InvalidName("expected a key without control characters")
    return RoomName(type_, key, part)
