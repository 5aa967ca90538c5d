"""Builds a valid document out of the parts that a reader finds, in whatever order they come.

A reader opens and closes blocks and adds text as it meets them. What may not stand where it is
found is put where it may: text outside of a paragraph gets one, items outside of a list get a
list, a block inside a paragraph ends it. What is nested too deep goes into the block around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..schema import LIMITS, SCHEMA, Json, defaults, mark_types, marks_of, node_types
from .limits import TooLarge

_SPACE: Final = re.compile(r"[ \t\n\r\f]+")
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_WRAPPERS: Final[Mapping[str, str]] = {
    "listItem": "bulletList",
    "taskItem": "taskList",
    "tableRow": "table",
    "tableCell": "tableRow",
    "tableHeader": "tableRow",
}
_LISTS: Final[Mapping[str, str]] = {
    "bulletList": "listItem",
    "orderedList": "listItem",
    "taskList": "taskItem",
    "table": "tableRow",
    "tableRow": "tableCell",
}
"""Which child of each takes what may not stand in it."""

Marks = Sequence[Json]


class Builder:
    """A document in the making."""

    def __init__(self) -> None:
        self._stack: list[Json] = [{"type": SCHEMA.top_node_type.name, "content": []}]
        self._nodes = 0
        self._implied: list[bool] = [False]

    @property
    def inside(self) -> Sequence[str]:
        """The kinds of the blocks that are open, the document first."""
        return [node["type"] for node in self._stack]

    @property
    def in_text(self) -> bool:
        """Whether a block of text is open."""
        return node_types()[self._top["type"]].is_textblock

    def document(self) -> Json:
        """Return what was built; every open block is closed."""
        self.close_to(1)
        document = self._stack[0]
        return document if document["content"] else {"type": document["type"]}

    def open(self, kind: str, attributes: Mapping[str, Any] | None = None) -> int:
        """Open a block; return what `close_to` takes to close it and all that was opened for it."""
        if self.in_text:
            self._close()
        while self._implied[-1] and not self._takes(kind):
            self._close()
        level = len(self._stack)
        self._make_room(kind)
        # Rows need cells, and both a paragraph: some levels are kept for them.
        if len(self._stack) > LIMITS.nesting - 4 and not node_types()[kind].is_textblock:
            return len(self._stack)
        if self._takes(kind):
            self._push(kind, attributes, implied=False)
        return level

    def close_to(self, level: int) -> None:
        """Close blocks until so many are open."""
        while len(self._stack) > level:
            self._close()

    def leaf(self, kind: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Add a block without content."""
        self.close_to(self.open(kind, attributes))

    def inline(
        self, kind: str, attributes: Mapping[str, Any] | None = None, *, exact: bool = False
    ) -> None:
        """Add a node among the text; `exact`: also a break that ends a block."""
        if not self._paragraph():
            return
        if self._top["type"] == "codeBlock":
            self.text("\n" if kind == "hardBreak" else str((attributes or {}).get("label")))
            return
        self._top["content"].append(self._node(kind, attributes))
        if exact:
            self._top["exact"] = True

    def text(self, text: str, marks: Marks = (), *, exact: bool = False) -> None:
        """Add text.

        Args:
            exact: White space stays as it is; else it is as wide as in HTML.
        """
        text = _CONTROLS.sub("", text)
        if self.in_text and self._top["type"] == "codeBlock":
            exact, marks = True, ()
        if not exact:
            text = _SPACE.sub(" ", text)
            if not self.in_text and text in {"", " "}:
                return
        if not text or not self._paragraph():
            return
        content: list[Json] = self._top["content"]
        last = content[-1] if content else None
        if not exact and text[0] == " " and (last is None or _ends_line(last)):
            text = text[1:]
        if not text:
            return
        kept = _ordered(marks) if self._top["type"] != "codeBlock" else []
        if last is not None and last["type"] == "text" and marks_of(last) == kept:
            last["text"] += text
        else:
            content.append(self._node("text", None) | ({"marks": kept} if kept else {}))
            content[-1]["text"] = text
        if exact:
            self._top["exact"] = True

    # Inside

    @property
    def _top(self) -> Json:
        return self._stack[-1]

    def _takes(self, kind: str) -> bool:
        match = node_types()[self._top["type"]].content_match
        return match.match_type(node_types()[kind]) is not None

    def _make_room(self, kind: str) -> None:
        """Open what must be around a block that is to come."""
        for _ in range(4):
            if self._takes(kind):
                return
            top = self._top["type"]
            if kind in _WRAPPERS and self._takes(_WRAPPERS[kind]):
                self._push(_WRAPPERS[kind], None, implied=True)
            elif top in _LISTS:
                self._reopen(_LISTS[top])
            elif kind in _WRAPPERS:
                # A cell in a paragraph's place: first what a cell stands in.
                self._make_room(_WRAPPERS[kind])
                self._push(_WRAPPERS[kind], None, implied=True)
            else:
                return

    def _reopen(self, kind: str) -> None:
        """Go on in the last item of a list, as in ``<ul><li>…</li><ul>…</ul></ul>``."""
        content: list[Json] = self._top["content"]
        if content and content[-1]["type"] == kind and kind in {"listItem", "taskItem"}:
            content[-1].setdefault("content", [])  # an empty one has lost its own
            self._stack.append(content[-1])
            self._implied.append(True)
        else:
            self._push(kind, None, implied=True)

    def _paragraph(self) -> bool:
        if not self.in_text:
            self.open("paragraph")
            self._implied[-1] = True
        return self.in_text

    def _push(self, kind: str, attributes: Mapping[str, Any] | None, *, implied: bool) -> None:
        node: Json = {**self._node(kind, attributes), "content": []}
        self._top["content"].append(node)
        self._stack.append(node)
        self._implied.append(implied)

    def _close(self) -> None:
        node = self._stack.pop()
        self._implied.pop()
        content: list[Json] = node["content"]
        exact = node.pop("exact", False)
        if node_types()[node["type"]].is_textblock and node["type"] != "codeBlock" and not exact:
            _trim(content)
        if not content:
            del node["content"]

    def _node(self, kind: str, attributes: Mapping[str, Any] | None) -> Json:
        self._nodes += 1
        if self._nodes > LIMITS.nodes:
            raise TooLarge(f"a document of more than {LIMITS.nodes} parts")
        node: Json = {"type": kind}
        if known := defaults(node_types()[kind]):
            node["attrs"] = dict(known) | dict(attributes or {})
        return node


def mark(kind: str, attributes: Mapping[str, Any] | None = None) -> Json:
    """Return a mark with all of its attributes."""
    known = defaults(mark_types()[kind])
    return (
        {"type": kind, "attrs": dict(known) | dict(attributes or {})} if known else {"type": kind}
    )


_RANKS: Final = {name: rank for rank, name in enumerate(mark_types())}


def _ordered(marks: Marks) -> list[Json]:
    """Return marks as ProseMirror orders them; of several of one kind the last."""
    kept = {mark["type"]: mark for mark in marks}
    return sorted(kept.values(), key=lambda mark: _RANKS[mark["type"]])


def _ends_line(node: Json) -> bool:
    if node["type"] == "text":
        return str(node["text"]).endswith(" ")
    return bool(node["type"] == "hardBreak")


def _trim(content: list[Json]) -> None:
    """Drop the space that ends a line, and the one break that ends a block: browsers show none."""
    if content and content[-1]["type"] == "hardBreak":
        content.pop()
    for index in range(len(content) - 1, -1, -1):
        ends = index + 1 == len(content) or content[index + 1]["type"] == "hardBreak"
        node = content[index]
        if ends and node["type"] == "text" and node["text"].endswith(" "):
            node["text"] = node["text"][:-1]
            if not node["text"]:
                del content[index]
