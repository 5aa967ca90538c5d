"""Reads HTML, also what Word, Google Docs and LibreOffice make of a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from lxml import etree

from ..schema import Json, safe_address
from . import styles
from .builder import Builder, mark
from .html_bounds import require_bounded
from .limits import TooLarge

_MARKED: Final[Mapping[str, str]] = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "cite": "italic",
    "dfn": "italic",
    "var": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strike",
    "del": "strike",
    "strike": "strike",
    "code": "code",
    "kbd": "code",
    "samp": "code",
    "tt": "code",
    "sub": "subscript",
    "sup": "superscript",
    "mark": "highlight",
}
_UNREAD: Final = frozenset({
    "script", "style", "head", "title", "template", "noscript", "iframe", "frame", "frameset",
    "object", "applet", "svg", "math", "select", "textarea", "button", "canvas", "audio",
    "video", "map", "datalist", "dialog", "xml", "meta", "link", "base",
})  # fmt: skip
_BREAKING: Final = frozenset({
    "address", "article", "aside", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "html", "legend",
    "main", "nav", "section", "summary", "caption", "thead", "tbody", "tfoot", "colgroup",
})  # fmt: skip
_PARAGRAPHS: Final = frozenset(["p", "dt", "dd", "figcaption", "caption", "summary"])
_FILE: Final = re.compile(r"(?:^|/)(?:files/)?([0-9a-f]{64})$")
_NUMBERED: Final = re.compile(r"\(?(?:[0-9]+|[a-z]|[ivxlcdm]+)[.)]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds for text inside of an element."""

    marks: Sequence[Json] = ()
    align: str | None = None
    exact: bool = False


def from_html(content: bytes | str) -> Json:
    """Return a document of what a page shows. Nothing is fetched, and no script survives.

    Raises:
        TooLarge: If it has too many tags or attributes, or is nested too deep.
    """
    builder = Builder()
    read_into(builder, content)
    return builder.document()


def read_into(builder: Builder, content: bytes | str) -> None:
    """Add what a page or a piece of one shows to a document in the making."""
    raw = _CLOSED_EARLY.sub(_lasting, _decoded(content).encode("utf-8", "replace"))
    require_bounded(raw)
    parser = etree.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True
    )
    root = etree.fromstring(raw, parser) if raw.strip() else None
    if any("depth" in entry.message for entry in parser.error_log):
        raise TooLarge("HTML that is nested too deep")
    if root is not None:
        _Reader(builder).element(root, _Around())


# libxml2 ends these where a paragraph begins; browsers do not, and <b><p>…</p></b> is common.
_LASTING: Final[Mapping[bytes, bytes]] = {
    b"b": b"strong",
    b"i": b"em",
    b"u": b"ins",
    b"s": b"del",
    b"strike": b"del",
    b"tt": b"samp",
    b"big": b"span",
    b"small": b"span",
}
_CLOSED_EARLY: Final = re.compile(rb"<(/?)(b|i|u|s|strike|tt|big|small)(?=[\s/>])", re.IGNORECASE)


def _lasting(match: re.Match[bytes]) -> bytes:
    return b"<" + match[1] + _LASTING[match[2].lower()]


def _decoded(content: bytes | str) -> str:
    if isinstance(content, str):
        return content
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")  # as Word saves, whatever it says of itself


class _Reader:
    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.word: list[tuple[int, int, str]] = []  # lists of Word: level in Word, ours, kind

    def children(self, element: etree.Element, around: _Around) -> None:
        if element.text:
            self.text(element.text, around)
        for child in element:
            self.element(child, around)
            if child.tail:
                self.text(child.tail, around)

    def text(self, text: str, around: _Around) -> None:
        if self.word and text.strip() and not self.builder.in_text:
            self.end_word_lists()
        if around.exact and not self.builder.in_text and not text.strip():
            return
        was_open = self.builder.in_text
        if not was_open and around.align and text.strip():
            self.builder.open("paragraph", {"textAlign": around.align})
        self.builder.text(text, around.marks, exact=around.exact)

    def element(self, element: etree.Element, around: _Around) -> None:
        tag = element.tag.lower() if isinstance(element.tag, str) else "script"
        tag = tag.rpartition(":")[2] if tag.startswith("html:") else tag
        style = styles.parse(element.get("style") or "")
        if tag in _UNREAD or styles.hidden(style) or element.get("hidden") is not None:
            return
        ends = tag in _BREAKING or tag in _BLOCKS or (tag == "p" and not styles.word_level(style))
        if self.word and ends:
            self.end_word_lists()
        if "document" in (element.get("class") or "").split() and tag == "main":
            around = replace(around, exact=True)  # our own page, which keeps white space
        block = _BLOCKS.get(tag)
        if tag == "p" or (tag in _PARAGRAPHS):
            self.paragraph(element, style, around)
        elif block is not None:
            block(self, element, _aligned(element, style, around))
        elif tag == "figure" and element.get("data-file") is not None:
            self.image(element, around)
        elif tag in _BREAKING:
            self.section(element, _aligned(element, style, around))
        elif tag == "br":
            if self.builder.in_text and "interchange" not in (element.get("class") or ""):
                self.builder.inline("hardBreak", exact=around.exact)
        elif tag == "input":
            pass
        elif "data-mention" in element.attrib:
            label = "".join(element.itertext()).strip().removeprefix("@")[:200]
            who = (element.get("data-mention") or "")[:200] or None
            self.builder.inline("mention", {"id": who, "label": label}, exact=around.exact)
        else:
            self.children(element, replace(around, marks=_marks(tag, element, style, around.marks)))

    # Blocks

    def section(self, element: etree.Element, around: _Around) -> None:
        """Something that stands alone, and is no block of the schema: its content does."""
        if self.builder.in_text:
            self.builder.close_to(len(self.builder.inside) - 1)
        self.children(element, around)
        if self.builder.in_text:
            self.builder.close_to(len(self.builder.inside) - 1)

    def paragraph(self, element: etree.Element, style: styles.Style, around: _Around) -> None:
        names = (element.get("class") or "").lower().split()
        around = _aligned(element, style, around)
        if level := styles.word_level(style):
            self.word_item(element, level, around)
            return
        attributes: dict[str, Any] = {"textAlign": around.align}
        kind = "paragraph"
        if "msotitle" in names or "title" in names:
            kind, attributes = "heading", attributes | {"level": 1}
        elif "msosubtitle" in names or "subtitle" in names:
            kind, attributes = "heading", attributes | {"level": 2}
        self.block(kind, element, around, attributes)

    def block(
        self, kind: str, element: etree.Element, around: _Around, attributes: Mapping[str, Any]
    ) -> None:
        level = self.builder.open(kind, attributes)
        self.children(element, replace(around, align=None))
        self.builder.close_to(level)

    def heading(self, element: etree.Element, around: _Around) -> None:
        attributes = {"level": int(str(element.tag)[1]), "textAlign": around.align}
        self.block("heading", element, around, attributes)

    def quote(self, element: etree.Element, around: _Around) -> None:
        self.block("blockquote", element, around, {})

    def code(self, element: etree.Element, around: _Around) -> None:
        names = " ".join(e.get("class") or "" for e in element.iter() if isinstance(e.tag, str))
        match = re.search(r"(?:language|lang|highlight-source)-([\w+#.-]{1,40})", names)
        level = self.builder.open("codeBlock", {"language": match[1] if match else None})
        text = "".join(_code(element)).removeprefix("\n")
        self.builder.text(text if around.exact else text.removesuffix("\n"), exact=True)
        self.builder.close_to(level)

    def rule(self, element: etree.Element, around: _Around) -> None:
        self.builder.leaf("horizontalRule")

    def image(self, element: etree.Element, around: _Around) -> None:
        alt = (element.get("alt") or "")[:2000]
        source = element.get("data-file") or element.get("src") or ""
        if element.tag == "figure":  # one of our own pages that was made without the image
            alt = "".join(element.itertext())[1:-1]
        if match := _FILE.search(source.split("?")[0]):
            width = element.get("width") or element.get("data-width") or ""
            known = width.isdecimal() and 0 < int(width[:9]) <= 20_000
            attributes = {"file": match[1], "alt": alt, "width": int(width) if known else None}
            self.builder.leaf("image", attributes)
        elif element.tag == "figure":
            self.builder.leaf("image", {"alt": alt})
        elif alt or source.startswith(("http:", "https:")):
            # Elsewhere: nothing is fetched, and no page may watch who reads; a link remains.
            address = safe_address(source[:4000])
            marks = [*around.marks, mark("link", {"href": address})] if address else around.marks
            self.text(alt or source[:4000], replace(around, marks=marks))

    def bullets(self, element: etree.Element, around: _Around) -> None:
        ours = "tasks" in (element.get("class") or "").split()
        tasks = ours or any(_is_task(child) for child in element)
        kind = "taskList" if tasks else "bulletList"
        self.block(kind, element, around, {})

    def numbers(self, element: etree.Element, around: _Around) -> None:
        start = element.get("start") or "1"
        number = int(start[:9]) if start.isdecimal() else 1
        self.block("orderedList", element, around, {"start": number})

    def item(self, element: etree.Element, around: _Around) -> None:
        if self.builder.inside[-1] == "taskList" or _is_task(element):
            self.block("taskItem", element, around, {"checked": _is_checked(element)})
        else:
            self.block("listItem", element, around, {})

    def table(self, element: etree.Element, around: _Around) -> None:
        self.block("table", element, _Around(around.marks, exact=around.exact), {})

    def row(self, element: etree.Element, around: _Around) -> None:
        self.block("tableRow", element, around, {})

    def cell(self, element: etree.Element, around: _Around) -> None:
        attributes: dict[str, Any] = {}
        for name in ("colspan", "rowspan"):
            value = element.get(name) or "1"
            attributes[name] = min(max(int(value[:6]), 1), 1000) if value.isdecimal() else 1
        widths = [w for w in (element.get("data-colwidth") or "").split(",") if w.isdecimal()]
        if widths and len(widths) == attributes["colspan"]:
            attributes["colwidth"] = [min(int(width[:6]), 20_000) for width in widths]
        level = self.builder.open("tableHeader" if element.tag == "th" else "tableCell", attributes)
        self.children(element, around)
        self.builder.close_to(level)

    # Word keeps its lists as paragraphs that say how deep they are.

    def word_item(self, element: etree.Element, level: int, around: _Around) -> None:
        sign = "".join("".join(ignored.itertext()) for ignored in _ignored(element)).strip()
        kind = "orderedList" if _NUMBERED.match(sign) else "bulletList"
        while self.word and (
            self.word[-1][0] > level or (self.word[-1][0] == level and self.word[-1][2] != kind)
        ):
            self.builder.close_to(self.word.pop()[1])
        if not self.word or self.word[-1][0] < level:
            ours = self.builder.open(kind)
            self.word.append((level, ours, kind))
        else:
            # The item before ends where this one begins.
            while self.builder.inside[-1] != kind and len(self.builder.inside) > self.word[-1][1]:
                self.builder.close_to(len(self.builder.inside) - 1)
        for ignored in list(_ignored(element)):
            if (parent := ignored.getparent()) is not None:
                tail = ignored.tail
                ignored.clear()
                ignored.tail = tail
                parent.remove(ignored) if not tail else None
        self.builder.open("listItem")
        paragraph = self.builder.open("paragraph", {"textAlign": around.align})
        self.children(element, replace(around, align=None))
        self.builder.close_to(paragraph)

    def end_word_lists(self) -> None:
        if self.word:
            self.builder.close_to(self.word[0][1])
            self.word.clear()


_BLOCKS: Final[Mapping[str, Callable[[_Reader, etree.Element, _Around], None]]] = {
    **{f"h{level}": _Reader.heading for level in range(1, 7)},
    "blockquote": _Reader.quote,
    "pre": _Reader.code,
    "listing": _Reader.code,
    "hr": _Reader.rule,
    "img": _Reader.image,
    "ul": _Reader.bullets,
    "menu": _Reader.bullets,
    "dir": _Reader.bullets,
    "ol": _Reader.numbers,
    "li": _Reader.item,
    "table": _Reader.table,
    "tr": _Reader.row,
    "td": _Reader.cell,
    "th": _Reader.cell,
}


def _aligned(element: etree.Element, style: styles.Style, around: _Around) -> _Around:
    value = styles.align(style) or (element.get("align") or "").lower()
    names = (element.get("class") or "").split()
    value = next((n[6:] for n in names if n.startswith("align-")), value)
    if element.tag == "center":
        value = "center"
    if value in styles.ALIGNED and value != ("left" if not names else None):
        return replace(around, align=value)
    return around


def _marks(
    tag: str, element: etree.Element, style: styles.Style, around: Sequence[Json]
) -> Sequence[Json]:
    marks = {held["type"]: held for held in around}
    if (kind := _MARKED.get(tag)) is not None:
        marks[kind] = mark(kind)
    if tag == "mark":
        color = element.get("data-color") or ""
        known = re.fullmatch(r"#[0-9a-fA-F]{6}|[a-z]{1,32}", color)
        marks["highlight"] = mark("highlight", {"color": color if known else None})
    if tag == "a" and (address := _address(element.get("href") or "")):
        marks["link"] = mark("link", {"href": address})
    for kind, wanted in (("bold", styles.bold(style)), ("italic", styles.italic(style))):
        if wanted:
            marks[kind] = mark(kind)
        elif wanted is False:
            marks.pop(kind, None)
    for kind in styles.lines(style):
        if not (kind == "underline" and "link" in marks):
            marks[kind] = mark(kind)
    if (shift := styles.shifted(style)) is not None:
        marks[shift] = mark(shift)
    if (behind := styles.highlight(style)) is not None and "highlight" not in marks:
        marks["highlight"] = mark("highlight", {"color": behind})
    return list(marks.values())


def _address(address: str) -> str | None:
    safe = safe_address(address[:8000])
    if safe and safe.startswith("https://www.google.com/url?"):
        # How Google Docs counts who follows a link.
        target = parse_qs(urlsplit(safe).query).get("q", [""])[0]
        safe = safe_address(target) or safe
    return safe if safe and len(safe) <= 4000 else None


def _is_task(element: etree.Element) -> bool:
    if element.tag != "li":
        return False
    if element.get("role") == "checkbox" or element.get("data-checked") is not None:
        return True
    return "task-list-item" in (element.get("class") or "")


def _is_checked(element: etree.Element) -> bool:
    if "true" in (element.get("aria-checked"), element.get("data-checked")):
        return True
    boxes = (e for e in element.iter("input") if e.get("type") == "checkbox")
    return any(box.get("checked") is not None for box in boxes)


def _ignored(element: etree.Element) -> Iterator[etree.Element]:
    """Yield what Word shows as an item's sign, for programs that know no lists."""
    for inner in element.iter("span"):
        if "mso-list:ignore" in "".join((inner.get("style") or "").lower().split()):
            yield inner


def _code(element: etree.Element) -> Iterator[str]:
    if element.tag in _UNREAD:
        return
    if element.tag == "br":
        yield "\n"
    yield element.text or ""
    for child in element:
        yield from _code(child)
        yield child.tail or ""
