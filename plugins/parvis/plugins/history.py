"""The past of documents, as a room type sees it: who wrote when, how it was, and going back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from .access import Caller

PAUSE: Final = 300.0
"""Seconds without a change after which a new entry, or a new run, begins."""


Still = Callable[[], Awaitable[None]]
"""Called when a helper is done, just before something is changed: rights may have gone meanwhile.
Raises `Refused` if the caller may not any more."""


async def always() -> None:
    """Nobody's right could have gone meanwhile."""


@dataclass(slots=True)
class Entry:
    """Changes that belong together: without a long pause, by the same people.

    Attributes:
        first: Offset of the first; `last`: of the last.
        start: Time of the first, in seconds since 1970; `end`: of the last.
        authors: Ids of who sent them, in the order of their first changes.
        updates: How many.
    """

    first: int
    last: int
    start: float
    end: float
    authors: list[str] = field(default_factory=list[str])
    updates: int = 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of entries, newest first.

    Attributes:
        following: The offset before which to go on; None: this was all.
        since: Up to this offset nothing is shown: it is of an earlier life, or not kept any more.
    """

    entries: Sequence[Entry]
    following: int | None
    since: int


@dataclass(frozen=True, slots=True)
class Version:
    """A moment of a document that somebody has named.

    Attributes:
        author: Id of who named it.
        time: When, in seconds since 1970.
        offset: Of the last update that it holds.
    """

    id: str
    name: str
    author: str
    time: float
    offset: int


@dataclass(frozen=True, slots=True)
class Restored:
    """A change that went back.

    Attributes:
        offset: Its own place in the log.
        restored: Clocks that came back: letters, values, elements; 0 where the room type counts
            nothing.
        removed: Clocks that were deleted.
        left: What could not be done, in clocks: ``lost`` (nobody has kept what it said),
            ``homeless`` (what it stood in is gone), ``overtaken`` (its key has another value by
            now), ``lived_in`` (others have put something into it), ``relayed`` (the author may
            have had it from somebody else).
    """

    offset: int
    restored: int = 0
    removed: int = 0
    left: Mapping[str, int] = field(default_factory=dict[str, int])


class History(Protocol):
    """The past of the rooms of a type: of every part that is a `YDoc`.

    Nobody's rights are asked here: whoever calls has done that. All of it reads the durable log,
    does what is heavy in helper processes, and raises `Refused`: ``ROOM_NOT_FOUND``,
    ``MALFORMED`` for a moment that never was, ``STALE_INCARNATION`` for one of an earlier life,
    ``REFUSED`` for one that is not kept any more, ``TOO_LARGE``, ``TRY_AGAIN``.
    """

    async def timeline(
        self,
        tenant: str,
        key: str,
        part: str = "",
        *,
        before: int = 0,
        limit: int = 50,
        pause: float = PAUSE,
    ) -> Timeline:
        """Say who wrote when, newest first.

        Args:
            before: Only entries before this offset; 0: all.
            limit: Entries, at most 100.
        """
        ...

    async def at(self, tenant: str, key: str, part: str = "", *, offset: int) -> bytes:
        """Return the document as it was after an offset, as a Yjs update."""
        ...

    async def offset(self, tenant: str, key: str, part: str = "", *, time: float) -> int:
        """Return the offset of the last update that had come by then; 0 if none had."""
        ...

    async def blame(
        self,
        tenant: str,
        key: str,
        part: str = "",
        *,
        offset: int | None = None,
        root: str | None = None,
        pause: float = PAUSE,
    ) -> Sequence[Mapping[str, Any]]:
        """Say who wrote which range, as it is or as it was after an offset.

        Returns:
            One mapping for each shared type that holds something: ``path``, ``kind``, ``runs``;
            see docs/history.md.
        """
        ...

    async def versions(self, tenant: str, key: str, part: str = "") -> Sequence[Version]:
        """List what was named, newest moment first."""
        ...

    async def name(
        self,
        caller: Caller,
        key: str,
        part: str = "",
        *,
        name: str,
        offset: int | None = None,
        id: str | None = None,
        still: Still = always,
    ) -> Version:
        """Name a moment, and keep it; None: the present one.

        Args:
            id: 1 to 64 letters, digits, - and _; with one that is there already, nothing changes
                and that version is returned. None: a new one.
        """
        ...

    async def rename(self, caller: Caller, key: str, part: str = "", *, id: str, name: str) -> None:
        """Give a version another name. Raises `Refused` with ``CONFLICT`` if it is not there."""
        ...

    async def forget(self, caller: Caller, key: str, part: str = "", *, id: str) -> None:
        """Forget a version, if it is there; the moment stays in the history."""
        ...

    async def restore(
        self, caller: Caller, key: str, part: str = "", *, offset: int, still: Still = always
    ) -> Restored:
        """Change the document back to what it was after an offset, by one more update."""
        ...

    async def rollback(
        self,
        caller: Caller,
        key: str,
        part: str = "",
        *,
        author: str,
        first: int,
        last: int,
        still: Still = always,
    ) -> Restored:
        """Take back what one author did from offset `first` to `last`, and nobody else's work."""
        ...
