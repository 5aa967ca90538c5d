"""The Yjs fragment that editors work on, and the same content as ProseMirror's JSON.

The form is that of y-prosemirror and y-tiptap: an element for each node, with its attributes that
are not null; a text for each row of text nodes, with their marks as formats. Reading is lenient:
what the schema does not know is kept and reported. Writing is strict: `check` comes first.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from string import ascii_letters, digits
from typing import Any, cast

from prosemirror.model import MarkType, NodeType
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from parvis.protocol import surrogates

from .schema import (
    SCHEMA,
    Json,
    attributes_of,
    check,
    content_of,
    defaults,
    faults,
    mark_types,
    marks_of,
    node_types,
)
from .tree import Element, Part, Run, Text

ROOT = "default"
"""Name of the fragment in the document."""

_HASH = re.compile(r"--[a-zA-Z0-9+/=]{8}$")
_LETTERS = ascii_letters + digits
_DEEPEST = 100  # levels that are read of a document that no editor wrote


@dataclass(frozen=True, slots=True)
class Reading:
    """A document as it was found.

    Attributes:
        document: As ProseMirror's JSON; nodes and marks that the schema does not know are kept,
            attributes that it does not know are left out.
        problems: What does not fit the schema, in the order of the text; the first twenty.
    """

    document: Json
    problems: Sequence[str]


def load(updates: Iterable[bytes]) -> Doc[Any]:
    """Return a document made of Yjs updates, in the order of the log."""
    doc: Doc[Any] = Doc()
    for update in surrogates.mend(updates):
        doc.apply_update(update)
    return doc


def root(doc: Doc[Any]) -> XmlFragment:
    """Return the fragment that holds the content."""
    fragment: XmlFragment = doc.get(ROOT, type=XmlFragment)
    return fragment


# --- out of Yjs --------------------------------------------------------------------------------


def read(doc: Doc[Any]) -> Reading:
    """Return the content as ProseMirror's JSON."""
    with doc.transaction():  # One for all that is read: each costs.
        document, problems = to_json(read_tree(root(doc)))
    problems.extend(str(fault) for fault, _ in zip(faults(document), range(20), strict=False))
    return Reading(document, problems[:20])


def read_tree(parent: XmlFragment | XmlElement) -> list[Part]:
    """Return what a fragment or an element holds, exactly as it is kept."""
    return _children(parent, 0)


def _children(parent: XmlFragment | XmlElement, depth: int) -> list[Part]:
    if depth == _DEEPEST:
        return []
    return [
        read_text(child)
        if isinstance(child, XmlText)
        else Element(
            (child.tag if isinstance(child, XmlElement) else None) or "fragment",
            _attributes(child) if isinstance(child, XmlElement) else {},
            _children(child, depth + 1),
        )
        for child in parent.children
    ]


def _attributes(element: XmlElement) -> Mapping[str, Any]:
    pairs = cast("Iterable[tuple[str, Any]]", element.attributes)
    return {name: _plain(value) for name, value in sorted(pairs) if value is not None}


def read_text(text: XmlText) -> Text:
    """Return the runs of a text; formats by name, so that equal ones are equal."""
    runs: list[Run] = []
    foreign = False
    for piece, formats in text.diff():
        if isinstance(piece, str):
            kept = {n: _plain(v) for n, v in sorted((formats or {}).items()) if v is not None}
            runs.append(Run(piece, kept))
        else:
            foreign = True
    return Text(runs, foreign)


def _plain(value: object) -> Any:
    """Return a value as JSON has it: Yjs keeps every number as a float; what is no JSON is null."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 2**53:
            return int(value)
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in cast("dict[object, object]", value).items()}
    return value if value is None or isinstance(value, (str, int, bool)) else None


# --- between the tree and JSON -------------------------------------------------------------------


def to_json(parts: Iterable[Part]) -> tuple[Json, list[str]]:
    """Return parts as a document in ProseMirror's JSON, and what was left out of it."""
    lost: list[str] = []
    document: Json = {"type": SCHEMA.top_node_type.name}
    if content := _content(parts, lost):
        document["content"] = content
    return document, lost


def _content(parts: Iterable[Part], lost: list[str]) -> list[Json]:
    content: list[Json] = []
    for part in parts:
        if isinstance(part, Element):
            content.append(_node(part, lost))
            continue
        if part.foreign:
            lost.append("a text holds something that is no text")
        for run in part.runs:
            node: Json = {"type": "text"}
            if run.formats:
                node["marks"] = _marks(run.formats, lost)
            last = content[-1] if content else {}
            # Two people who type into an empty block at once leave two texts in it.
            if last.get("type") == "text" and last.get("marks") == node.get("marks"):
                last["text"] += run.text
            else:
                content.append(node | {"text": run.text})
    return content


def _node(element: Element, lost: list[str]) -> Json:
    node: Json = {"type": element.tag}
    kind = node_types().get(element.tag)
    attributes = _filled(element.tag, element.attributes, kind, lost)
    if attributes:
        node["attrs"] = attributes
    if content := _content(element.children, lost):
        node["content"] = content
    return node


def _marks(formats: Mapping[str, Any], lost: list[str]) -> list[Json]:
    ranks = {name: rank for rank, name in enumerate(mark_types())}
    marks: list[Json] = []
    for key in sorted(formats, key=lambda key: (ranks.get(_HASH.sub("", key), len(ranks)), key)):
        name = _HASH.sub("", key)
        given: Any = formats[key]
        kind = mark_types().get(name)
        # Other writers put true where y-prosemirror puts the mark's attributes.
        attributes = _filled(
            name,
            cast(Json, given) if isinstance(given, dict) else {},
            kind,
            lost,
        )
        marks.append({"type": name, "attrs": attributes} if attributes else {"type": name})
    return marks


def _filled(
    name: str, given: Mapping[str, Any], kind: NodeType | MarkType | None, lost: list[str]
) -> Json:
    if kind is None:
        return dict(given)
    known = defaults(kind)
    lost.extend(f"{name} has no attribute {key!r}; it is left out" for key in given.keys() - known)
    return {key: given.get(key, default) for key, default in known.items()}


def from_json(document: Json) -> list[Part]:
    """Return the content of a document that `check` has passed."""
    return _parts(content_of(document))


def _parts(content: Sequence[Json]) -> list[Part]:
    parts: list[Part] = []
    for is_text, nodes in groupby(content, lambda node: node["type"] == "text"):
        if is_text:
            parts.append(Text([Run(n["text"], _formats(marks_of(n))) for n in nodes]))
        else:
            parts.extend(_element(node) for node in nodes)
    return parts


def _element(node: Json) -> Element:
    known = defaults(node_types()[node["type"]])
    given: Json = attributes_of(node)
    attributes = {name: given.get(name, default) for name, default in sorted(known.items())}
    kept = {name: value for name, value in attributes.items() if value is not None}
    return Element(node["type"], kept, _parts(content_of(node)))


def _formats(marks: Sequence[Json]) -> Mapping[str, Any]:
    formats: dict[str, Any] = {}
    for mark in sorted(marks, key=lambda mark: str(mark["type"])):
        known = defaults(mark_types()[mark["type"]])
        given: Json = attributes_of(mark)
        formats[mark["type"]] = {n: given.get(n, default) for n, default in known.items()}
    return formats


# --- into Yjs ------------------------------------------------------------------------------------


def seed(document: Json) -> Doc[Any]:
    """Return a new document with this content.

    Raises:
        Invalid: If it does not fit the schema.
    """
    doc: Doc[Any] = Doc()
    append(doc, document)
    return doc


def is_blank(doc: Doc[Any]) -> bool:
    """Tell whether there is only what a new document begins with: one paragraph without text."""
    children = list(root(doc).children)
    if len(children) != 1 or not isinstance(children[0], XmlElement):
        return False
    if children[0].tag != "paragraph":
        return False
    return all(isinstance(each, XmlText) and not each.diff() for each in children[0].children)


def append(doc: Doc[Any], document: Json) -> None:
    """Add the blocks of another document at the end of this one; if it is blank, in its place.

    Raises:
        Invalid: If it does not fit the schema; nothing was added.
    """
    parts = from_json(check(document))
    with doc.transaction():
        fragment = root(doc)
        if parts and is_blank(doc):
            del fragment.children[0]
        insert(fragment, len(fragment.children), parts)


def insert(parent: XmlFragment | XmlElement, index: int, parts: Iterable[Part]) -> None:
    """Insert parts among the children of a fragment or an element."""
    # From the last one on, all at the same place: finding a place means walking there.
    for part in reversed(list(parts)):
        if isinstance(part, Text):
            text = parent.children.insert(index, XmlText())
            end = 0
            for run in part.runs:
                text.insert(end, run.text, run.formats)
                end += len(run.text.encode())  # pycrdt counts in UTF-8
        else:
            element = parent.children.insert(index, XmlElement(part.tag))
            for name, value in part.attributes.items():
                element.attributes[name] = value
            insert(element, 0, part.children)


def changes(doc: Doc[Any], change: Callable[[], None]) -> bytes:
    """Return what a change does to a document, as an update; two bytes if it does nothing."""
    made: list[bytes] = []
    subscription = doc.observe(lambda event: made.append(event.update))
    try:
        with doc.transaction():
            change()
    finally:
        doc.unobserve(subscription)
    return made[0] if made else b"\0\0"


def new_ids(chance: bytes) -> Callable[[], str]:
    """Return what makes new ids for blocks, 16 characters each, out of some bytes of chance."""
    numbers = count()

    def new_id() -> str:
        number = next(numbers).to_bytes(8, "big")
        rest = int.from_bytes(hashlib.blake2b(number, digest_size=16, key=chance[:64]).digest())
        letters: list[str] = []
        for _ in range(16):
            rest, letter = divmod(rest, len(_LETTERS))
            letters.append(_LETTERS[letter])
        return "".join(letters)

    return new_id


def identified(document: Json, new_id: Callable[[], str], taken: Iterable[str] = ()) -> Json:
    """Return the document with an id for every block that has none, or a taken or earlier one."""
    seen = set(taken)

    def walk(node: Json) -> Json:
        kind = node_types().get(node["type"])
        if kind is not None and kind.is_block and "id" in kind.attrs:
            given: Json = attributes_of(node)
            if not given.get("id") or given["id"] in seen:
                node = node | {"attrs": given | {"id": new_id()}}
            seen.add(node["attrs"]["id"])
        if content := node.get("content"):
            node = node | {"content": [walk(child) for child in content]}
        return node

    return walk(document)


def ids(document: Json) -> Iterator[str]:
    """Yield the ids of all blocks."""
    for node in content_of(document):
        if node["type"] != "mention" and (id := attributes_of(node).get("id")):
            yield str(id)
        yield from ids(node)
