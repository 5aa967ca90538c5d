"""The JSON bodies of the HTTP API, and how queries are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from parvis.plugins import HttpRequest

from .office import malformed

SAME: Final = "="
"""Default of what may be null: the body did not say anything about it."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A document to make; with `content`, `format` says what that is."""

    title: str = ""
    space: str | None = None
    format: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class ChangedDocument:
    """What is to change; ``space: null`` takes a document out of its space."""

    title: str | None = None
    space: str | None = SAME
    editors_share: bool | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """How a duplicate is to be called."""

    title: str | None = None


@dataclass(frozen=True, slots=True)
class Addition:
    """What is to be added at the end of a document."""

    format: str
    content: str


@dataclass(frozen=True, slots=True)
class NewSpace:
    """A space to make."""

    name: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ChangedSpace:
    """What is to change; ``parent: null`` moves a space to the top."""

    name: str | None = None
    parent: str | None = SAME


@dataclass(frozen=True, slots=True)
class Sharer:
    """A person with an account, or an address, and the role they are to have."""

    role: str
    user: str | None = None
    email: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class NewOwner:
    """Who is to own a document: the id of somebody with an account."""

    user: str


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link to make; `expires` in seconds since 1970, null: never."""

    role: str = "viewer"
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class ChangedLink:
    """What is to change about a link; `adopt` makes it one's own, so that a stopped one goes on."""

    role: str | None = None
    expires: float | str | None = SAME
    adopt: bool = False


@dataclass(frozen=True, slots=True)
class Secret:
    """What the fragment of a link says, and the name by which a stranger wants to be seen."""

    key: str
    secret: str
    name: str = ""


def number(request: HttpRequest, name: str, default: int) -> int:
    """Return a whole number of the query. Raises `Refused` if that is none."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise malformed(f"expected a number as {name}, got {text[:40]!r}")
    return int(text)


def choice(query: Mapping[str, str], name: str, options: Mapping[str, object], default: str) -> str:
    """Return a word of the query that is one of some. Raises `Refused` if it is none of them."""
    word = query.get(name) or default
    if word not in options:
        raise malformed(f"expected {name} to be one of {', '.join(options)}, got {word[:40]!r}")
    return word
