"""A document as plain text, in and out, and what is said about it in lists and searches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..schema import LIMITS, SCHEMA, Json, attributes_of, content_of, node_types

TITLE = 300
"""Most characters of a title."""
EXCERPT = 240
"""Most characters of an excerpt."""
SEARCHED = 2_000_000
"""Most characters of a document that a search looks at."""

# One word each in scripts that put no spaces between words.
_LONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_LONE}]|[^\W_{_LONE}]+(?:['\u2019.,_-][^\W_{_LONE}]+)*")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Digest:
    """What lists and searches say about a document.

    Attributes:
        title: The first line that is not empty, of a heading if the document begins with one.
        excerpt: The text on one line, without the heading that it begins with.
        text: All of it, a line for each block; the first two million characters.
        words: How many; a character of a script without spaces counts as one.
    """

    title: str
    excerpt: str
    text: str
    words: int


def digest(document: Json) -> Digest:
    """Return what lists and searches say about a document."""
    found = [(block, line) for block, line in _lines(document) if line.strip()]
    lines = [line for _, line in found]
    title = shortened(lines[0], TITLE) if lines else ""
    # A document has its title beside the text: only a heading says it twice.
    is_titled = bool(found) and found[0][0]["type"] == "heading"
    rest = lines[is_titled:] or lines
    text = "\n".join(lines)
    words = sum(1 for _ in _WORD.finditer(text))
    return Digest(title, shortened(" ".join(rest[:40]), EXCERPT), text[:SEARCHED], words)


def shortened(text: str, most: int) -> str:
    """Return a text on one line, cut at a word, with an ellipsis, if it is too long."""
    text = " ".join(text[: most * 4].split())
    if len(text) <= most:
        return text
    head, _, _ = text[:most].rpartition(" ")
    return (head if len(head) > most // 2 else text[: most - 1]) + "…"


def to_text(document: Json) -> str:
    """Return a document as plain text: blocks stand apart, items of lists are marked."""
    blocks = ["\n".join(_marked(block, "", "")) for block in content_of(document)]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def from_text(text: str) -> Json:
    """Return a document with a paragraph for each row of lines; single line ends are breaks."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    blocks: list[Json] = []
    for chunk in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n")):
        lines = chunk.split("\n")
        content: list[Json] = []
        for index, line in enumerate(lines):
            if index:
                content.append({"type": "hardBreak"})
            if line:
                content.append({"type": "text", "text": line})
        blocks.append({"type": "paragraph", "content": content})
    return {"type": SCHEMA.top_node_type.name, "content": blocks}


def inline_text(node: Json) -> str:
    """Return what a block of text says; a break is a line's end."""
    said: list[str] = []
    for child in content_of(node):
        if child["type"] == "text":
            said.append(child["text"])
        elif child["type"] == "hardBreak":
            said.append("\n")
        elif child["type"] == "mention":
            said.append("@" + str(attributes_of(child).get("label") or ""))
        else:
            said.append(inline_text(child))
    return "".join(said)


def is_text_block(node: Json) -> bool:
    """Say whether a node holds text itself; one that the schema does not know may."""
    kind = node_types().get(node["type"])
    if kind is not None:
        return kind.is_textblock
    return any(child["type"] == "text" for child in content_of(node))


def _lines(node: Json) -> Iterator[tuple[Json, str]]:
    if is_text_block(node):
        for line in inline_text(node).split("\n"):
            yield node, line
    elif node["type"] == "image":
        yield node, str(attributes_of(node).get("alt") or "")
    else:
        for child in content_of(node):
            yield from _lines(child)


def _marked(node: Json, first: str, rest: str) -> Iterator[str]:
    """Yield the lines of a block; `first` indents the first of them, `rest` the others."""
    attributes = attributes_of(node)
    kind = node["type"]
    if kind == "image":
        yield f"{first}[{attributes.get('alt') or 'image'}]"
    elif kind == "horizontalRule":
        yield first + "---"
    elif kind == "tableRow":
        cells = [" ".join(line for _, line in _lines(cell) if line) for cell in content_of(node)]
        yield first + "\t".join(cells)
    elif is_text_block(node):
        for line in inline_text(node).split("\n"):
            yield (first + line).rstrip()
            first = rest
    else:
        for sign, child in _signed(node):
            below = sign if sign == "> " else " " * len(sign)
            yield from _marked(child, first + sign, rest + below)
            first = rest


def _signed(node: Json) -> Iterator[tuple[str, Json]]:
    """Yield the children of a block, each with the sign in front of it."""
    number = attributes_of(node).get("start", 1)
    for index, child in enumerate(content_of(node)):
        if child["type"] == "taskItem":
            yield "[x] " if attributes_of(child).get("checked") else "[ ] ", child
        elif child["type"] == "listItem":
            yield f"{number + index}. " if node["type"] == "orderedList" else "- ", child
        else:
            yield "> " if node["type"] == "blockquote" else "", child


def split_long(document: Json, most: int = LIMITS.text) -> Json:
    """Return the document with blocks of text that are too long cut into several ones."""
    content: list[Json] = []
    for node in content_of(document):
        if is_text_block(node):
            content.extend(_split(node, most))
        else:
            content.append(split_long(node, most))
    return document | {"content": content} if content else document


def _split(node: Json, most: int) -> Iterator[Json]:
    children: list[Json] = []
    room = most
    for child in content_of(node):
        while child["type"] == "text" and len(child["text"]) > room:
            head: str = child["text"][:room]
            # At a space, if one is near.
            at = max(head.rfind(" ", room - 200, room) + 1, 0) or room
            if head[:at]:
                children.append(child | {"text": head[:at]})
            child = child | {"text": child["text"][at:]}
            yield node | {"content": children}
            children, room = [], most
        if child["type"] != "text" or child["text"]:
            children.append(child)
            room -= len(child.get("text", ""))
    if children or not node.get("content"):
        yield node | {"content": children}
