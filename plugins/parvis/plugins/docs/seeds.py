"""What a new document's parts begin with. Made by the server: two clients would seed twice."""

from __future__ import annotations

from typing import Any, Final

from pycrdt import Doc, Map, XmlElement, XmlFragment

CONTENT_ROOT: Final = "default"
"""Name of the root that holds the content, as Tiptap and its kin have it."""


def blank(id: str) -> bytes:
    """Return the content of a new document: one empty paragraph with this id."""
    doc: Doc[Any] = Doc()
    fragment = doc.get(CONTENT_ROOT, type=XmlFragment)
    fragment.children.append(XmlElement("paragraph", {"id": id}))
    return doc.get_update()


def facts(doc: Doc[Any]) -> Map[Any]:
    """Return the map of the meta part that says what the document is."""
    found: Map[Any] = doc.get("doc", type=Map[Any])
    return found
