"""Writes documents as Markdown: CommonMark with tables, strikethrough and task lists.

What that has no signs for is written as HTML, which Markdown may hold: underlined, highlighted and
shifted text, and tables with merged cells or blocks in them. Lost are alignments outside of tables,
ids, the widths of images and columns, who exactly was mentioned, and empty paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from ..schema import Json, attributes_of, content_of, mark_types, marks_of, safe_address
from .builder import mark
from .html_writer import to_html
from .markdown_reader import inline_of

_ESCAPED: Final = re.compile(r"[\\`*\[\]<~]|&(?=[#a-zA-Z])|!$|(?<![^\W_])_|_(?![^\W_])")
_LINE_START: Final = re.compile(r"^(?:[#>|:=+-]|(?=\d{1,9}[.)](?:\s|$)))")
_NUMBER: Final = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SIGNS: Final[Mapping[str, str]] = {"bold": "**", "italic": "*", "strike": "~~"}
_ALL_SIGNS: Final[Mapping[str, str]] = {**_SIGNS, "code": "`"}
_TAGS: Final[Mapping[str, str]] = {
    "bold": "b",
    "italic": "i",
    "strike": "s",
    "underline": "u",
    "subscript": "sub",
    "superscript": "sup",
    "highlight": "mark",
    "code": "code",
}
_ORDER: Final = [name for name in mark_types() if name != "code"]


def to_markdown(document: Json, where: Callable[[str], str] = lambda file: f"files/{file}") -> str:
    """Return a document as Markdown.

    Args:
        where: The address of an image, by the hash that its node names.
    """
    lines = list(_Writer(where).blocks(content_of(document)))
    return "\n".join(lines) + "\n" if lines else ""


class _Writer:
    def __init__(self, where: Callable[[str], str]) -> None:
        self.where = where

    def blocks(self, nodes: Sequence[Json], *, tight: bool = False) -> Iterator[str]:
        """Yield the lines of blocks that follow each other."""
        first, before, other = True, "", False
        for node in nodes:
            kind = node["type"]
            # Lists side by side are told apart by their signs.
            family = "ordered" if kind == "orderedList" else "bullet"
            is_list = kind in {"bulletList", "orderedList", "taskList"}
            sign = not other if is_list and before == family else False
            lines = list(self.block(node, sign))
            if not lines:
                continue
            other, before = sign, family if is_list else ""
            if not first and not tight:
                yield ""
            first = False
            yield from lines

    def block(self, node: Json, other: bool) -> Iterator[str]:
        kind = node["type"]
        attributes: Json = attributes_of(node)
        content: list[Json] = content_of(node)
        if kind == "paragraph":
            yield from _inline(node)
        elif kind == "heading":
            level = attributes.get("level", 1)
            title = " ".join(_inline(_unbroken(node), line=True))
            # Signs at the end would be taken for the heading's own.
            title = re.sub(r"(#+)$", r"\\\1", title)
            yield f"{'#' * level} {title}".rstrip()
        elif kind == "blockquote":
            lines = list(self.blocks(content))
            yield from (f"> {line}" if line else ">" for line in lines or [""])
        elif kind == "codeBlock":
            yield from _code(content, str(attributes.get("language") or ""))
        elif kind == "horizontalRule":
            yield "___"
        elif kind == "image":
            alt = _escape(" ".join(str(attributes.get("alt") or "").split()))
            if file := attributes.get("file"):
                yield f"![{alt}]({self.where(file)})"
            elif alt:
                yield f"\\[{alt}\\]"
        elif kind in {"bulletList", "orderedList", "taskList"}:
            yield from self.list(node, other)
        elif kind == "table":
            yield from _table(node)
        else:
            # Of a newer schema: its words are written.
            if any(child["type"] == "text" for child in content):
                yield from _inline(node)
            else:
                yield from self.blocks(content)

    def list(self, node: Json, other: bool) -> Iterator[str]:
        items: list[Json] = content_of(node)
        number = int(attributes_of(node).get("start", 1))
        tight = all(_is_tight(item) for item in items)
        for index, item in enumerate(items):
            if node["type"] == "orderedList":
                sign = f"{min(number + index, 999_999_999)}{')' if other else '.'} "
            else:
                sign = "* " if other else "- "
            box = ""
            if node["type"] == "taskList":
                box = "[x] " if attributes_of(item).get("checked") else "[ ] "
            content: list[Json] = content_of(item)
            if box and (not content or content[0]["type"] != "paragraph"):
                content = [{"type": "paragraph"}, *content]
            lines = list(self.blocks(content, tight=tight))
            if box and not (content[0].get("content") and any(_inline(content[0]))):
                lines = [box.rstrip(), *(["", *lines] if lines and not tight else lines)]
            elif box:
                lines[0] = box + lines[0]
            if index and not tight:
                yield ""
            indent = " " * len(sign)
            yield sign + lines[0] if lines else sign.rstrip()
            yield from (indent + line if line else "" for line in lines[1:])


def _is_tight(item: Json) -> bool:
    """Say whether an item is one paragraph, maybe with a list below: no blank line then."""
    content: list[Json] = content_of(item)
    if not content or content[0]["type"] != "paragraph" or not _inline(content[0]):
        return False
    if len(content) == 1:
        return True
    below = content[1]
    # A paragraph is ended at once only by a list that begins with 1.
    counted = below["type"] == "orderedList" and attributes_of(below).get("start", 1) == 1
    if len(content) > 2 or not (counted or below["type"] in {"bulletList", "taskList"}):
        return False
    items: list[Json] = content_of(below)
    return bool(items) and all(_is_tight(inner) for inner in items)


def _code(content: Sequence[Json], language: str) -> Iterator[str]:
    text = "".join(str(child.get("text") or "") for child in content)
    text = _UNWRITABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    runs = [len(run) for run in re.findall("`+", text)]
    fence = "`" * max(3, max(runs, default=0) + 1)
    yield fence + re.sub(r"[\s`\\&]", "", language)
    yield from text.split("\n") if text else []
    yield fence


# --- tables --------------------------------------------------------------------------------------


def _table(node: Json) -> Iterator[str]:
    rows: list[Json] = content_of(node)
    if not any(row.get("content") for row in rows):
        return
    if not _is_simple(rows):
        # A blank line would end the HTML.
        html = re.sub(r"\n", "&#10;", to_html({"content": [node]}).replace("<pre>\n", "<pre>"))
        yield html
        return
    aligned = [_alignment(rows, column) for column in range(len(rows[0]["content"]))]
    for index, row in enumerate(rows):
        cells = [_cell(cell) for cell in row["content"]]
        yield "| " + " | ".join(cells) + " |"
        if index == 0:
            yield "| " + " | ".join(_RULES[align] for align in aligned) + " |"


_RULES: Final[Mapping[str | None, str]] = {None: "---", "center": ":-:", "right": "--:"}


def _is_simple(rows: Sequence[Json]) -> bool:
    """Say whether Markdown's tables can hold this one: a row of headers, single lines below."""
    width = len(content_of(rows[0]))
    for index, row in enumerate(rows):
        cells: list[Json] = content_of(row)
        if len(cells) != width or not cells:
            return False
        for cell in cells:
            attributes: Json = attributes_of(cell)
            content: list[Json] = content_of(cell)
            if (cell["type"] == "tableHeader") is not (index == 0):
                return False
            if attributes.get("colspan", 1) != 1 or attributes.get("rowspan", 1) != 1:
                return False
            if len(content) > 1 or any(child["type"] != "paragraph" for child in content):
                return False
    return all(_alignment(rows, column) in _RULES for column in range(width))


def _alignment(rows: Sequence[Json], column: int) -> str | None:
    """Return how all cells of a column are aligned; ``mixed`` if not in the same way."""
    found: set[Any] = set()
    for row in rows:
        for paragraph in content_of(row["content"][column]):
            found.add(attributes_of(paragraph).get("textAlign"))
    if found == {"left"} or not found:
        found = {None}
    return found.pop() if len(found) == 1 else "mixed"


def _cell(cell: Json) -> str:
    content: list[Json] = content_of(cell)
    if not content:
        return " "
    line = "".join(_inline(_breaks_as_tags(content[0]), line=True))
    return line.replace("|", "\\|")


# --- text ----------------------------------------------------------------------------------------


def _unbroken(node: Json) -> Json:
    return node | {
        "content": [
            {"type": "html", "html": "<br>"} if child["type"] == "hardBreak" else child
            for child in content_of(node)
        ]
    }


_breaks_as_tags = _unbroken


def _inline(node: Json, *, line: bool = False) -> list[str]:
    """Return the lines of a block of text; `line`: there is something before it on its line."""
    content = [_cleaned(child) for child in content_of(node)]
    content = [child for child in content if child.get("text") != ""]
    for at in range(len(content) - 1, -1, -1):
        if content[at]["type"] != "hardBreak":
            break
        content[at] = {"type": "html", "html": "<br>"}  # The other spelling is no break there.
    if all(child["type"] == "html" for child in content):
        return []
    if not any(child.get("marks") for child in content):
        return _lines(_spelled(content, {}), line)
    content = list(_trimmed(content))
    nice = _lines(_spelled(content, _ALL_SIGNS), line)
    # Where signs would mean something else between these letters, tags do not.
    if _meaning(inline_of("\n".join(nice))) == _meaning(_as_read(content)):
        return nice
    return _lines(_spelled(content, {}), line)


def _trimmed(content: Sequence[Json]) -> Iterator[Json]:
    """Yield text whose weight and slant begin and end with words: signs cannot say else."""
    for at, node in enumerate(content):
        signed = [held for held in marks_of(node) if held["type"] in _SIGNS]
        text = str(node.get("text") or "")
        inner = text.strip()
        if not signed:
            yield node
            continue
        sides = [content[other] if 0 <= other < len(content) else {} for other in (at - 1, at + 1)]
        for part, side in (
            (text[: len(text) - len(text.lstrip())], sides[0]),
            (inner, node),
            (text[len(text.rstrip()) :] if inner else "", sides[1]),
        ):
            around: list[Json] = marks_of(side)
            lost = [held for held in signed if held not in around]
            if part:
                kept = [held for held in node["marks"] if held not in lost]
                yield {"type": "text", "text": part, "marks": kept}


def _cleaned(node: Json) -> Json:
    if node["type"] == "text":
        text = _UNWRITABLE.sub("", str(node.get("text") or ""))
        marks = [held for held in marks_of(node) if _is_writable(held)]
        return {
            "type": "text",
            "text": re.sub(r"[\n\r\t ]*[\n\r]+[\n\r\t ]*", " ", text),
            "marks": marks,
        }
    if node["type"] == "mention":
        return {"type": "text", "text": "@" + str(attributes_of(node).get("label") or "")}
    if node["type"] in {"hardBreak", "html"}:
        return node
    words = "".join(str(child.get("text") or "") for child in content_of(node))
    return {"type": "text", "text": words}


def _is_writable(held: Json) -> bool:
    if held["type"] == "link":
        return safe_address(str(attributes_of(held).get("href") or "")) is not None
    return held["type"] in mark_types()


def _as_read(content: Sequence[Json]) -> list[Json]:
    """Return content as a reader would see it."""
    return [{"type": "hardBreak"} if node["type"] == "html" else node for node in content]


def _meaning(content: Sequence[Json]) -> list[tuple[str, str]]:
    """Return each character with its marks, so that it does not matter where texts are cut."""
    said: list[tuple[str, str]] = []
    for node in content:
        if node["type"] != "text":
            said.append((node["type"], ""))
            continue
        marks = sorted(repr(_normal(held)) for held in marks_of(node))
        said.extend((letter, "".join(marks)) for letter in node["text"])
    return said


def _normal(held: Json) -> Json:
    attributes: Json = dict(attributes_of(held))
    if held["type"] == "link":
        attributes = {"href": safe_address(str(attributes.get("href") or ""))}
    return mark(held["type"], attributes)


def _spelled(content: Sequence[Json], signs: Mapping[str, str]) -> str:
    """Return text with marks as Markdown; marks without a sign become HTML."""
    out: list[str] = []
    open_marks: list[Json] = []
    for node in [*content, {"type": "end"}]:
        wanted: list[Json] = sorted(
            (held for held in marks_of(node) if held["type"] != "code"),
            key=lambda held: _ORDER.index(held["type"]),
        )
        keep = 0
        # What goes on stays open, the longest-lived outside.
        while keep < len(open_marks) and open_marks[keep] in wanted:
            keep += 1
        while len(open_marks) > keep:
            out.append(_closing(open_marks.pop(), signs))
        for held in wanted:
            if held not in open_marks:
                out.append(_opening(held, signs))
                open_marks.append(held)
        if node["type"] == "text":
            is_code = any(held["type"] == "code" for held in marks_of(node))
            out.append(_coded(node["text"], signs) if is_code else _escape(node["text"]))
        elif node["type"] == "hardBreak":
            out.append("\\\n")
        elif node["type"] == "html":
            out.append(node["html"])
    return "".join(out)


def _opening(held: Json, signs: Mapping[str, str]) -> str:
    kind = held["type"]
    if kind == "link":
        return "["
    if kind == "highlight":
        color = str(attributes_of(held).get("color") or "")
        if re.fullmatch(r"#[0-9a-fA-F]{6}|[a-z]{1,32}", color):
            return f'<mark data-color="{color}">'
    return signs.get(kind) or f"<{_TAGS[kind]}>"


def _closing(held: Json, signs: Mapping[str, str]) -> str:
    kind = held["type"]
    if kind == "link":
        address = safe_address(str(attributes_of(held).get("href"))) or ""
        if _AWKWARD.search(address):
            return "](<" + re.sub(r"([<>\\&])", r"\\\1", address) + ">)"
        return f"]({address})"
    return signs.get(kind) or f"</{_TAGS[kind]}>"


_AWKWARD: Final = re.compile(r"[()<>\\&*_\s`\[\]]|[^\x21-\x7e]")


def _coded(text: str, signs: Mapping[str, str]) -> str:
    if "code" not in signs or signs["code"] != "`" or not text.strip(" ") or "\n" in text:
        return f"<code>{_escape(text)}</code>"
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    space = " " if text[0] in " `" or text[-1] in " `" else ""
    return f"{fence}{space}{text}{space}{fence}"


def _escape(text: str) -> str:
    return _ESCAPED.sub(lambda match: "\\" + match[0], text)


def _lines(text: str, line: bool) -> list[str]:
    """Return lines that begin no block and keep the white space at their ends."""
    if not text:
        return []
    return [_guarded(part, line and index == 0) for index, part in enumerate(text.split("\n"))]


def _guarded(part: str, line: bool) -> str:
    broken = part.endswith("\\") and (len(part) - len(part.rstrip("\\"))) % 2 == 1
    body = part[:-1] if broken else part
    inner = body.strip()
    if not inner:
        body = _entities(body)
    else:
        start = body.index(inner)
        head, tail = body[:start], body[start + len(inner) :]
        if not line and not head:
            if match := _NUMBER.match(inner):
                inner = f"{match[1]}\\{inner[match.end(1) :]}"
            elif _LINE_START.match(inner):
                inner = "\\" + inner
        body = _entities(head) + inner + _entities(tail)
    return body + "\\" if broken else body


def _entities(space: str) -> str:
    return "".join(f"&#{ord(character)};" for character in space)
