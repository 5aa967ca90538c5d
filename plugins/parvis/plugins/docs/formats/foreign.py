"""Reads documents of other editors on Yjs: what ProseMirror and Tiptap keep, in whatever schema.

Nodes and marks are told by their names, those of prosemirror-schema-basic included. What our schema
does not have is left out or becomes something that it has, and is counted for a note.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict, cast

from prosemirror.model import MarkType, NodeType
from pycrdt import Array, Doc, Text as YText, XmlElement, XmlFragment, XmlText

from parvis.plugins import ErrorCode, Refused

from .. import fragment
from ..schema import Json, check, defaults, fits, mark_types, node_types, safe_address
from ..tree import Element, Part, Text
from . import text
from .builder import Builder, mark
from .limits import TooLarge

NODES: Final[Mapping[str, str]] = {
    "bullet_list": "bulletList",
    "ordered_list": "orderedList",
    "list_item": "listItem",
    "task_list": "taskList",
    "task_item": "taskItem",
    "code_block": "codeBlock",
    "hard_break": "hardBreak",
    "horizontal_rule": "horizontalRule",
    "table_row": "tableRow",
    "table_cell": "tableCell",
    "table_header": "tableHeader",
}
"""Names of other schemas → ours."""

MARKS: Final[Mapping[str, str]] = {
    "strong": "bold",
    "em": "italic",
    "s": "strike",
    "strikethrough": "strike",
    "u": "underline",
    "sub": "subscript",
    "sup": "superscript",
}

ATTRIBUTES: Final[Mapping[tuple[str, str], str]] = {
    ("orderedList", "order"): "start",
    ("codeBlock", "params"): "language",
}
"""Our node, and an attribute of other schemas → ours."""

LEAVES: Final = frozenset({"horizontalRule"})

CLIENTS: Final = 2**31

_HASH: Final = re.compile(r"--[a-zA-Z0-9+/=]{8}$")


class Moved(TypedDict):
    """A document in our schema: the update that makes it, its first line, and what was lost."""

    update: bytes
    title: str
    notes: list[str]


def adopt(updates: Sequence[bytes], name: str) -> Moved:
    """Return what becomes of a document of another server; the same for the same document.

    Raises:
        Refused: If it holds no rich text, or more than a document may.
    """
    doc = fragment.load(updates)
    root, others = _root(doc)
    reading = _Reading()
    with doc.transaction():  # one for all that is read: each costs
        reading.parts(fragment.read_tree(doc.get(root, type=XmlFragment)))
    try:
        built = text.split_long(reading.builder.document())
    except TooLarge as error:
        raise Refused(ErrorCode.TOO_LARGE, str(error)) from None
    # Ids and the writer's number come from the content, so that the same comes of it again, and
    # never the same of another one.
    words = json.dumps(built, sort_keys=True).encode()
    chance = hashlib.blake2b(words, key=name.encode()[:64]).digest()
    document = fragment.identified(check(built), fragment.new_ids(chance))
    made: Doc[Any] = Doc(client_id=1 + int.from_bytes(chance[:8], "big") % (CLIENTS - 1))
    fragment.append(made, document)
    if not document.get("content"):
        raise Refused(ErrorCode.REFUSED, "nothing of it can be kept by our schema")
    notes = reading.notes()
    if others:
        listed = ", ".join(repr(other[:40]) for other in others[:5])
        notes.append(f"only the text in {root!r} was taken; {listed} of it was left out")
    return {"update": made.get_update(), "title": text.digest(document).title, "notes": notes}


def _root(doc: Doc[Any]) -> tuple[str, list[str]]:
    """Return the root that holds rich text, and the names of the others that hold something."""
    names = sorted(doc.keys())
    rich = [name for name in names if _is_rich(doc, name)]
    if fragment.ROOT in rich:
        found = fragment.ROOT
    elif len(rich) == 1:
        (found,) = rich
    else:
        what = f"several ({', '.join(repr(name[:40]) for name in rich)})" if rich else "none"
        raise Refused(
            ErrorCode.REFUSED,
            f"expected one root that holds the rich text of an editor, got {what}; rooms of the"
            " type plain take any document",
        )
    return found, [name for name in names if name != found]


def _is_rich(doc: Doc[Any], name: str) -> bool:
    if str(doc.get(name, type=YText)):
        return False
    items = list(doc.get(name, type=Array))
    return any(isinstance(item, XmlElement | XmlText) for item in items)


class _Reading:
    """One pass over a document."""

    def __init__(self) -> None:
        self.builder = Builder()
        self._lost: Counter[str] = Counter()

    def notes(self) -> list[str]:
        return [f"{what} ({count})" for what, count in sorted(self._lost.items())]

    def parts(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if isinstance(part, Text):
                self._text(part)
            else:
                self._element(part)

    def _text(self, part: Text) -> None:
        if part.foreign:
            self._lost["things inside a text were left out"] += 1
        for run in part.runs:
            marks = [self._mark(name, given) for name, given in run.formats.items()]
            self.builder.text(run.text, [each for each in marks if each], exact=True)

    def _mark(self, name: str, given: Any) -> Json | None:
        name = _HASH.sub("", name)
        known = mark_types().get(MARKS.get(name, name))
        if known is None:
            self._lost[f"the mark {name[:40]} was left out"] += 1
            return None
        # Other writers put true where y-prosemirror puts the mark's attributes.
        had = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
        if known.name == "link":
            address = safe_address(str(had.get("href") or ""))
            if address is None or not fits(known, "href", address):
                self._lost["links to nowhere, or to what may not be linked, were left out"] += 1
                return None
            had = had | {"href": address}
        return mark(known.name, self._attributes(known.name, known, had))

    def _element(self, element: Element) -> None:
        name = NODES.get(element.tag, element.tag)
        kind = node_types().get(name)
        if name == "image":
            self._image(element)
        elif name == "mention":
            label = element.attributes.get("label") or element.attributes.get("id") or ""
            self._lost["mentions became text: their people are of another server"] += 1
            self.builder.text(f"@{label}", exact=True)
        elif kind is None or name in ("doc", "text"):
            kept = "only what is in it was kept" if element.children else "it was left out"
            self._lost[f"{element.tag[:40]} is not known: {kept}"] += 1
            self.parts(element.children)
        elif kind.is_inline:
            self.builder.inline(name, exact=True)
        elif name in LEAVES:
            self.builder.leaf(name)
        else:
            level = self.builder.open(name, self._attributes(name, kind, element.attributes))
            self.parts(element.children)
            self.builder.close_to(level)

    def _image(self, element: Element) -> None:
        """Put a link in the place of an image: its file is on another server."""
        source = element.attributes.get("src")
        address = safe_address(source) if isinstance(source, str) else None
        if address is None:
            self._lost["images without an address that can be linked were left out"] += 1
            return
        self._lost["images became links: their files are on another server"] += 1
        words = element.attributes.get("alt") or address
        self.builder.text(str(words), [mark("link", {"href": address})], exact=True)

    def _attributes(
        self, name: str, kind: NodeType | MarkType, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in given.items():
            ours = ATTRIBUTES.get((name, key), key)
            if value is None or (ours == "id" and ours in defaults(kind)):
                continue  # ids are given anew: another server may have given one twice
            if fits(kind, ours, value):
                kept[ours] = value
            else:
                self._lost[f"{name[:40]} lost its {key[:40]}"] += 1
        return kept
