"""What clients say in commands about comments, as it comes from them: read, checked, bounded."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from parvis.plugins import Person
from parvis.protocol.messages import Value

from .office import malformed

LETTERS: Final = 10_000
"""Characters of one message."""

PIECES: Final = 1_000
"""Runs of text and mentions in one message."""

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
POSITION: Final = re.compile(r"[A-Za-z0-9+/=_-]{1,400}")

QUOTE: Final[Mapping[str, int]] = {"text": 2_000, "prefix": 100, "suffix": 100}
"""Characters of what a thread stands at, and around it."""

Body = list[str | dict[str, str]]


def fields(body: Value, *names: str) -> Mapping[str, Value]:
    """Return the fields of a command; those that are missing are None."""
    if not isinstance(body, Mapping) or not set(body) <= set(names):
        raise malformed(f"expected {{{', '.join(names)}}}")
    return {name: body.get(name) for name in names}


def id_of(given: Mapping[str, Value], name: str) -> str:
    """Return the id that a client has chosen."""
    id = given[name]
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise malformed(f"expected {name} to be an id of 1 to 64 letters, digits, - and _")
    return id


def anchor_of(given: Value) -> dict[str, Any]:
    """Return where a new thread stands: its place, and the words there and around."""
    anchor = fields(given, "a", "quote", "block")
    quote = fields(anchor["quote"] or {}, *QUOTE)
    kept: dict[str, str] = {}
    for name, most in QUOTE.items():
        text = quote[name] or ""
        if not isinstance(text, str):
            raise malformed(f"expected a text as {name} of the quote")
        kept[name] = text[:most]
    return place_of(anchor) | {"quote": kept}


def place_of(given: Mapping[str, Value]) -> dict[str, Any]:
    """Return the relative positions of a thread's ends, if it has any, and its block."""
    block = given["block"]
    if block is not None and (not isinstance(block, str) or len(block) > 64):
        raise malformed("expected the id of a block, or null")
    if given["a"] is None:
        return {"a": None, "block": block}
    ends = fields(given["a"], "start", "end")
    if not all(isinstance(end, str) and POSITION.fullmatch(end) for end in ends.values()):
        raise malformed("expected relative positions in base64")
    return {"a": dict(ends), "block": block}


def said_by(given: Value, people: Mapping[str, Person]) -> Body:
    """Return the body of a message; a mention carries the person's name as we know it."""
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise malformed("expected a body of texts and mentions")
    if len(given) > PIECES:
        raise malformed(f"a message has at most {PIECES} pieces")
    said: Body = []
    for piece in given:
        if isinstance(piece, str):
            said.append(piece)
            continue
        if not isinstance(piece, Mapping) or set(piece) != {"mention", "label"}:
            raise malformed("expected a text or {mention, label}")
        id, label = piece["mention"], piece["label"]
        if not isinstance(id, str) or not isinstance(label, str):
            raise malformed("expected a text or {mention, label}")
        person = people.get(id)
        said.append({"mention": id, "label": person.name} if person else f"@{label[:100]}")
    if not 0 < len(text_of(said).strip()) <= LETTERS:
        raise malformed(f"a message has 1 to {LETTERS} characters")
    return said


def text_of(body: Body) -> str:
    """Return what a message says, in plain text."""
    return "".join(each if isinstance(each, str) else f"@{each['label']}" for each in body)


def mentioned_in(body: Body) -> frozenset[str]:
    """Return the ids of those whom a message mentions."""
    return frozenset(each["mention"] for each in body if not isinstance(each, str))
