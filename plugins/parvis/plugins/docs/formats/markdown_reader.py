"""Reads Markdown: CommonMark with tables, strikethrough and task lists, and HTML inside of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore, inline
from markdown_it.token import Token

from ..schema import LIMITS, Json, content_of, safe_address
from .builder import Builder, mark
from .html_reader import read_into
from .limits import TooLarge

PARSER: Final = MarkdownIt("commonmark", {"maxNesting": 60}).enable(["table", "strikethrough"])
# What a link may lead to is decided below; a link that leads nowhere good keeps its words. Both are
# options of the library.
PARSER.validateLink = lambda url: True  # type: ignore[method-assign]
PARSER.normalizeLink = lambda url: url  # type: ignore[method-assign]

MAX_LINES: Final = 400_000
MAX_WORK: Final = 400_000_000
"""What the parser may have to try in all paragraphs: for each ``[`` and each ``<!`` it looks for
the end, to the end of the paragraph. That takes about three seconds."""


def _inline(state: StateCore) -> None:
    """Parse the text of all blocks, as markdown-it's own rule, but only if that takes no age."""
    work = 0
    for token in state.tokens:
        if token.type == "inline":
            work += token.content.count("[") ** 2 + 8 * token.content.count("<!") ** 2
    if work > MAX_WORK:
        raise TooLarge("Markdown with too many brackets in one paragraph")
    inline(state)


PARSER.core.ruler.at("inline", _inline)
_FILE: Final = re.compile(r"(?:^|/)files/([0-9a-f]{64})$")
_TASK: Final = re.compile(r"\[([ xX])\](?:[ \n]|$)")
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*)>")
_COLOR: Final = re.compile(r'data-color="(#[0-9a-fA-F]{6}|[a-z]{1,32})"')
_MENTION: Final = re.compile(r'data-mention="([^"<>&]{0,200})"')
_HTML_MARKS: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strike",
    "del": "strike",
    "code": "code",
    "kbd": "code",
    "sub": "subscript",
    "sup": "superscript",
    "mark": "highlight",
}
_MARKS: Final = {"strong": "bold", "em": "italic", "s": "strike"}


def from_markdown(source: str) -> Json:
    """Return a document of a Markdown text.

    Raises:
        TooLarge: If it has too many lines, or brackets in a paragraph.
    """
    if source.count("\n") + source.count("\r") > MAX_LINES:
        raise TooLarge(f"a text of more than {MAX_LINES} lines")
    builder = Builder()
    _Reader(builder).blocks(PARSER.parse(source))
    return builder.document()


def inline_of(source: str) -> list[Json]:
    """Return what a paragraph of this text holds."""
    content: list[Json] = from_markdown(source).get("content") or [{}]
    return content_of(content[0]) if len(content) == 1 else []


class _Reader:
    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.levels: list[int] = []
        self.marks: list[Json] = []

    def blocks(self, tokens: Sequence[Token]) -> None:
        for at, token in enumerate(tokens):
            kind = token.type
            if kind == "inline":
                self.inline(token.children or [])
            elif kind == "fence" or kind == "code_block":
                language = token.info.split()[0][:40] if token.info.split() else None
                level = self.builder.open("codeBlock", {"language": language})
                self.builder.text(token.content.removesuffix("\n"), exact=True)
                self.builder.close_to(level)
            elif kind == "hr":
                self.builder.leaf("horizontalRule")
            elif kind == "html_block":
                read_into(self.builder, token.content)
            elif kind.endswith("_open"):
                self.open(tokens, at)
            elif kind.endswith("_close"):
                self.builder.close_to(self.levels.pop())

    def open(self, tokens: Sequence[Token], at: int) -> None:
        token = tokens[at]
        kind = token.type.removesuffix("_open")
        attributes: dict[str, Any] = {}
        name = _BLOCKS.get(kind)
        if kind == "heading":
            attributes["level"] = int(token.tag[1])
        elif kind == "ordered_list":
            attributes["start"] = int(token.attrs.get("start", 1))
        elif kind == "bullet_list" and _is_task_list(tokens, at):
            name = "taskList"
        elif kind == "list_item" and self.builder.inside[-1] == "taskList":
            name = "taskItem"
            attributes["checked"] = _take_box(tokens[at + 2])
        elif kind == "paragraph" and _alone(tokens[at + 1]):
            name = None  # A picture stands in no paragraph here.
        elif kind in {"th", "td"}:
            self.levels.append(self.builder.open(str(name)))
            align = re.search(r"text-align:(\w+)", str(token.attrGet("style") or ""))
            if align and align[1] != "left":
                self.builder.open("paragraph", {"textAlign": align[1]})
            return
        level = len(self.builder.inside)
        self.levels.append(self.builder.open(name, attributes) if name else level)

    def inline(self, tokens: Sequence[Token]) -> None:
        self.marks = []
        for token in tokens:
            kind = token.type
            if kind == "text":
                self.builder.text(token.content, self.marks, exact=True)
            elif kind == "softbreak":
                self.builder.text(" ", self.marks, exact=True)
            elif kind == "hardbreak":
                self.builder.inline("hardBreak", exact=True)
            elif kind == "code_inline":
                self.builder.text(token.content, [*self.marks, mark("code")], exact=True)
            elif kind == "image":
                self.image(token)
            elif kind == "html_inline":
                self.tag(token.content)
            elif kind == "link_open":
                address = safe_address(str(token.attrGet("href") or ""))
                if address is not None and len(address) <= 4000:
                    self.marks.append(mark("link", {"href": address}))
            elif kind == "link_close":
                self.end("link")
            elif kind.endswith("_open"):
                self.marks.append(mark(_MARKS[kind.removesuffix("_open")]))
            elif kind.endswith("_close"):
                self.end(_MARKS[kind.removesuffix("_close")])

    def tag(self, source: str) -> None:
        match = _TAG.fullmatch(source)
        if match is None:
            return
        name = match[2].lower()
        if name == "br":
            self.builder.inline("hardBreak", exact=True)
        elif name in _HTML_MARKS and match[1]:
            self.end(_HTML_MARKS[name])
        elif name == "mark":
            color = _COLOR.search(match[3])
            self.marks.append(mark("highlight", {"color": color[1] if color else None}))
        elif name in _HTML_MARKS:
            self.marks.append(mark(_HTML_MARKS[name]))

    def end(self, kind: str) -> None:
        for at in range(len(self.marks) - 1, -1, -1):
            if self.marks[at]["type"] == kind:
                del self.marks[at]
                return

    def image(self, token: Token) -> None:
        source = str(token.attrGet("src") or "")
        alt = "".join(child.content for child in token.children or [])[:2000]
        if match := _FILE.search(source):
            self.builder.leaf("image", {"file": match[1], "alt": alt})
            return
        address = safe_address(source[:4000])
        link = [mark("link", {"href": address})] if address else []
        self.builder.text(alt or source[:4000], [*self.marks, *link], exact=True)


_BLOCKS: Final = {
    "paragraph": "paragraph",
    "heading": "heading",
    "blockquote": "blockquote",
    "bullet_list": "bulletList",
    "ordered_list": "orderedList",
    "list_item": "listItem",
    "table": "table",
    "tr": "tableRow",
    "th": "tableHeader",
    "td": "tableCell",
}
assert LIMITS.nesting < 60  # what is nested deeper than the parser goes, is flat


def _alone(inline: Token) -> bool:
    children = inline.children or []
    return len(children) == 1 and children[0].type == "image"


def _is_task_list(tokens: Sequence[Token], at: int) -> bool:
    """Say whether each item of a list begins with a box."""
    level, seen = tokens[at].level, False
    for place in range(at + 1, len(tokens)):
        token = tokens[place]
        if token.level == level and token.type == "bullet_list_close":
            return seen
        if token.type == "list_item_open" and token.level == level + 1:
            seen = True
            inline = tokens[place + 2] if tokens[place + 1].type == "paragraph_open" else None
            if inline is None or not _begins_with_box(inline):
                return False
    return seen


def _begins_with_box(inline: Token) -> bool:
    children = inline.children or []
    return bool(children) and children[0].type == "text" and bool(_TASK.match(inline.content))


def _take_box(inline: Token) -> bool:
    """Take the box from the beginning of an item; return whether it is checked."""
    first = (inline.children or [])[0]
    checked = first.content[1] in "xX"
    first.content = first.content[3:].removeprefix(" ")
    if not first.content and len(inline.children or []) > 1:
        following = (inline.children or [])[1]
        if following.type == "softbreak":
            following.hidden = True
            del (inline.children or [])[1]
    return checked
