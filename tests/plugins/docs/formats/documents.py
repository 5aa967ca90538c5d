"""Documents for the tests: random valid ones, and those that the real editor made."""

import json
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from parvis.plugins.docs.schema import Json, defaults, mark_types, node_types

GOLDEN = Path(__file__).parent.parent / "golden"
PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)
"""An image of one pixel."""


@dataclass(frozen=True)
class Golden:
    """What the real editor made of a document.

    Attributes:
        document: As its Yjs binding reads it.
    """

    name: str
    update: bytes
    document: Json


def goldens(file: str) -> list[Golden]:
    """Return the golden documents of a file, in order."""
    found: list[Json] = json.loads((GOLDEN / f"{file}.json").read_text("utf-8"))
    return [Golden(g["name"], b64decode(g["update"]), g["document"]) for g in found]


# --- random documents ---------------------------------------------------------------------------

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("ab \u00e9😀"),
    min_size=1,
    max_size=12,
)
IDS = st.none() | st.text("abcdefgh0123", min_size=4, max_size=8)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": IDS,
    "textAlign": st.sampled_from([None, "left", "center", "right", "justify"]),
    "level": st.integers(1, 6),
    "language": st.sampled_from([None, "python", "c++"]),
    "file": st.none() | st.text("0123456789abcdef", min_size=64, max_size=64),
    "alt": st.text('a "<>&é]', max_size=8),
    "width": st.none() | st.integers(1, 2000),
    "naturalWidth": st.none() | st.integers(1, 2000),
    "naturalHeight": st.none() | st.integers(1, 2000),
    "start": st.integers(0, 999),
    "checked": st.booleans(),
    "colspan": st.integers(1, 3),
    "rowspan": st.integers(1, 3),
    "colwidth": st.none() | st.lists(st.integers(0, 300), min_size=1, max_size=3),
    "label": st.text("Aé [", max_size=8),
    "href": st.sampled_from(
        ["https://example.org/a?b=1&c=(2)", "mailto:a@example.org", "/docs/x#y", "tel:+33"]
    ),
    "color": st.sampled_from([None, "#ffee00", "yellow"]),
}


@st.composite
def _node(draw: st.DrawFn, name: str, depth: int) -> Json:
    kind = node_types()[name]
    node: Json = {"type": name}
    if attributes := {key: draw(_VALUES[key]) for key in defaults(kind)}:
        node["attrs"] = attributes
    if content := draw(_content(name, depth)):
        node["content"] = content
    return node


@st.composite
def _text(draw: st.DrawFn, marks: bool) -> Json:
    text: Json = {"type": "text"}
    names = draw(st.sets(st.sampled_from(list(mark_types())), max_size=3)) if marks else set[str]()
    chosen: list[Json] = []
    for name, kind in mark_types().items():
        if name in names:
            attributes = {key: draw(_VALUES[key]) for key in defaults(kind)}
            chosen.append({"type": name, "attrs": attributes} if attributes else {"type": name})
    if chosen:
        text["marks"] = chosen
    return text | {"text": draw(WORDS)}


def _inline(name: str) -> st.SearchStrategy[list[Json]]:
    marks = name != "codeBlock"
    parts = _text(marks)
    if marks:
        parts = parts | _node("hardBreak", 0) | _node("mention", 0)
    return st.lists(parts, max_size=5).map(_joined)


def _joined(content: list[Json]) -> list[Json]:
    """Join neighbouring texts with the same marks, as ProseMirror does."""
    joined: list[Json] = []
    for node in content:
        last = joined[-1] if joined else {}
        if node["type"] == last.get("type") == "text" and node.get("marks") == last.get("marks"):
            joined[-1] = last | {"text": last["text"] + node["text"]}
        else:
            joined.append(node)
    return joined


def _content(name: str, depth: int) -> st.SearchStrategy[list[Json]]:
    kind = node_types()[name]
    allowed = [edge.type.name for edge in kind.content_match.next]
    if not allowed:
        return st.just([])
    if kind.inline_content:
        return _inline(name)
    if depth == 0:
        allowed = [n for n in allowed if node_types()[n].inline_content or n == "horizontalRule"]
    if not allowed:
        return st.just([])
    children = st.sampled_from(allowed).flatmap(lambda child: _node(child, max(depth - 1, 0)))
    return st.lists(children, max_size=3)


def documents(depth: int = 3) -> st.SearchStrategy[Json]:
    """Return random documents that fit the schema, as ProseMirror writes them."""

    def document(content: list[Json]) -> Json:
        return {"type": "doc", "content": content} if content else {"type": "doc"}

    return _content("doc", depth).map(document)


# --- documents by hand --------------------------------------------------------------------------


def full(document: Json) -> Json:
    """Return a document with every attribute that it leaves out, as ProseMirror writes it."""
    kind = node_types().get(document["type"]) or mark_types()[document["type"]]
    made: Json = {"type": document["type"]}
    if known := defaults(kind):
        made["attrs"] = dict(known) | (document.get("attrs") or {})
    if marks := document.get("marks"):
        made["marks"] = [full(mark) for mark in marks]
    if content := document.get("content"):
        made["content"] = [full(child) for child in content]
    if "text" in document:
        made["text"] = document["text"]
    return made


def doc(*content: Json) -> Json:
    """Return a document of these blocks."""
    return full({"type": "doc", "content": list(content)})


def block(kind: str, *content: Json | str, **attributes: Any) -> Json:
    """Return a node; a string stands for its text."""
    nodes = [{"type": "text", "text": c} if isinstance(c, str) else c for c in content]
    return {"type": kind, "attrs": attributes, "content": nodes}


def marked(text: str, *marks: str, **attributes: Any) -> Json:
    """Return a text with marks; the attributes are those of the only mark that has any."""
    known = {mark: defaults(mark_types()[mark]) for mark in marks}
    return {
        "type": "text",
        "text": text,
        "marks": [{"type": m, "attrs": attributes} if known[m] else {"type": m} for m in marks],
    }


def paragraph(*content: Json | str, **attributes: Any) -> Json:
    """Return a paragraph."""
    return block("paragraph", *content, **attributes)
