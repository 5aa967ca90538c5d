"""Documents that another server kept, on their way into rooms of this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Foreign:
    """A document of another server, which has been looked through and can be applied.

    Attributes:
        name: As it was called there.
        updates: Together they are the document, each behind what it builds on.
    """

    name: str
    updates: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a room type makes of it.

    Attributes:
        update: The content of the main part as it will be; the same for the same `Foreign`, so
            that an import can be done again and finds what it did.
        make: Makes the room with this content, and all that the type keeps beside it. Done again
            after a crash half-way it completes the room.
        notes: What was left out or became something else, for people.
    """

    update: bytes
    make: Callable[[], Awaitable[None]]
    notes: Sequence[str] = ()
