"""What is done in helper processes, on whole documents: conversions, and the work of the history.

Each function takes and returns plain values, for `parvis.plugins.Node.compute`. Libraries are
imported where they are used: a node never needs them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pycrdt import Doc, merge_updates

from parvis.protocol import surrogates

FAN_IN: Final = 50
"""Updates merged at a time: merging all at once takes time in proportion to their square."""

BLANK: Final = b"\x00\x00"
"""The update that changes nothing."""


def describe(updates: Sequence[bytes]) -> dict[str, Any]:
    """Return what lists and searches say about a document, whom it mentions, what is wrong."""
    from .formats.text import digest
    from .fragment import load, read

    reading = read(load(surrogates.mend(updates)))
    said = digest(reading.document)
    return {
        "title": said.title,
        "excerpt": said.excerpt,
        "text": said.text,
        "words": said.words,
        "mentions": sorted(_mentions(reading.document)),
        "problems": list(reading.problems),
    }


def _mentions(node: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    attributes: dict[str, Any] = node.get("attrs") or {}
    if node.get("type") == "mention" and isinstance(attributes.get("id"), str):
        found.add(attributes["id"])
    children: list[dict[str, Any]] = node.get("content") or []
    for child in children:
        found |= _mentions(child)
    return found


def copied(updates: Sequence[bytes]) -> bytes:
    """Return the content of a document as that of a new one, without its past."""
    from .fragment import insert, load, read_tree, root

    tree = read_tree(root(load(surrogates.mend(updates))))
    doc: Doc[Any] = Doc()
    with doc.transaction():
        insert(root(doc), 0, tree)
    return doc.get_update()


def reverted(now: Sequence[bytes], then: Sequence[bytes]) -> bytes:
    """Return an update that makes of a document what another one says, with few changes."""
    from .formats.convert import rewrite

    return rewrite([_merged(now)], [_merged(then)])


def _merged(updates: Sequence[bytes]) -> bytes:
    layer = surrogates.mend(update for update in updates if update)
    if not layer:
        return BLANK
    while len(layer) > 1:
        layer = [merge_updates(*layer[at : at + FAN_IN]) for at in range(0, len(layer), FAN_IN)]
    return layer[0]


def as_json(update: bytes) -> bytes:
    """Return a document as ProseMirror's JSON, for ``parvis room export``."""
    return _exported(update, "json")


def as_markdown(update: bytes) -> bytes:
    """Return a document as Markdown."""
    return _exported(update, "markdown")


def as_html(update: bytes) -> bytes:
    """Return a document as a page of HTML; images show their words."""
    return _exported(update, "html")


def as_text(update: bytes) -> bytes:
    """Return a document as plain text."""
    return _exported(update, "text")


def as_pdf(update: bytes) -> bytes:
    """Return a document as PDF; images show their words."""
    return _exported(update, "pdf")


def _exported(update: bytes, format: str) -> bytes:
    from .formats.convert import export
    from .formats.text import digest
    from .fragment import load, read

    title = digest(read(load([update])).document).title
    return export([update], format, title, {})
