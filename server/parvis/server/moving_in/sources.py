"""What a source of documents is, whoever wrote it; nothing of it is ever changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from parvis.protocol.errors import Malformed, NotAllowed, TooDeep, TooLarge
from parvis.protocol.update import STORED, scan

from ..errors import ServerError


class SourceError(ServerError):
    """The source as a whole cannot be read.

    Attributes:
        hint: What to do about it, or empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class DocumentBroken(ServerError):
    """One document of a source cannot be read; the others can."""


@dataclass(frozen=True, slots=True)
class Row:
    """One update of a document.

    Attributes:
        time: When it was written, in seconds since 1970; None: the source does not say.
    """

    update: bytes
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A document of a source.

    Attributes:
        name: As the source has it.
        size: About so many bytes, for the progress bar.
        updates: How many the source keeps of it.
        broken: Why it cannot be imported, as far as was seen while looking; or empty.
    """

    name: str
    size: int
    updates: int
    broken: str = ""


class Source(Protocol):
    """Documents that somebody else kept.

    Attributes:
        path: Where it is, as the operator said it.
        kind: One of `KINDS`.
        notes: What is in it that no room can take, for people.
    """

    path: str
    kind: str
    notes: list[str]

    def documents(self) -> Sequence[Found]:
        """List the documents, by name. Raises `SourceError`."""
        ...

    def rows(self, name: str) -> Sequence[Row]:
        """Return a document's updates, oldest first.

        Raises:
            DocumentBroken: If this one cannot be read.
            SourceError: If nothing can any more.
        """
        ...

    def notes_of(self, name: str, rows: Sequence[Row]) -> Sequence[str]:
        """Return what people should know of a document that was read."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


KINDS: Final = {
    "yjs": "files of one Yjs update each",
    "hocuspocus": "Hocuspocus' SQLite database",
    "y-leveldb": "folder of y-leveldb, as y-websocket's server writes it",
    "pycrdt-store": "pycrdt-store's SQLite database, or its files",
}
"""What can be read: name → what it is."""


def looks_like_update(data: bytes) -> bool:
    """Whether these bytes are a whole Yjs update, of version 1."""
    try:
        scan(data, STORED)
    except (NotAllowed, TooDeep, TooLarge):
        return True  # one that no room takes, as whoever lets documents in will say
    except Malformed:
        return False
    return True
