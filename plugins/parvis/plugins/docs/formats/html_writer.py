"""Writes documents as HTML: nothing but what the schema knows, every character escaped."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from html import escape
from typing import Any, Final

from ..schema import Json, attributes_of, content_of, faults, mark_types, marks_of, safe_address
from .images import kind

Source = Callable[[str], str | None]
"""Where an image is, by the hash that its node names; None: it cannot be had."""

STYLE: Final = """
:root { color-scheme: light dark; }
body { margin: 0; }
main {
  box-sizing: border-box; max-width: 46rem; margin: 0 auto; padding: 2rem 1.25rem 4rem;
  font: 1.0625rem/1.6 Georgia, "Source Serif 4", "Noto Serif", serif;
  overflow-wrap: break-word; white-space: pre-wrap;
}
h1, h2, h3, h4, h5, h6 {
  font-family: system-ui, sans-serif; line-height: 1.25; margin: 1.6em 0 .5em;
}
p, ul, ol, pre, blockquote, table, figure { margin: 0 0 .8em; }
ul, ol, table { white-space: normal; }
li, td, th { white-space: pre-wrap; }
li > p { margin-bottom: .25em; }
a { color: #0b57d0; }
blockquote { border-left: .2rem solid #8886; margin-left: 0; padding-left: 1rem; }
pre, code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9em; }
pre { background: #8881; border-radius: .4rem; padding: .8rem 1rem; overflow-x: auto; }
code { background: #8881; border-radius: .2rem; padding: .1em .25em; }
pre code { background: none; padding: 0; }
hr { border: 0; border-top: 1px solid #8886; margin: 1.6em 0; }
figure { text-align: center; }
img { max-width: 100%; height: auto; }
table { border-collapse: collapse; }
td, th { border: 1px solid #8886; padding: .3em .6em; vertical-align: top; text-align: left; }
td > p, th > p { margin: 0; }
th { background: #8881; }
mark { background: #ffe58a; color: #222; }
.tasks { list-style: none; padding-left: .25rem; }
.tasks > li { position: relative; padding-left: 1.75rem; }
.tasks > li > input { position: absolute; left: 0; top: .35em; margin: 0; }
.mention { color: #0b57d0; white-space: nowrap; }
.align-center { text-align: center; }
.align-right { text-align: right; }
.align-justify { text-align: justify; }
.missing { color: #767676; font-style: italic; }
@media (prefers-color-scheme: dark) { a, .mention { color: #8ab4f8; } }
@media print { main { max-width: none; padding: 0; } a { color: inherit; } }
"""
_PLAIN: Final[Mapping[str, str]] = {
    "bold": "strong",
    "italic": "em",
    "underline": "u",
    "strike": "s",
    "code": "code",
    "subscript": "sub",
    "superscript": "sup",
}
_CONTAINERS: Final[Mapping[str, str]] = {
    "blockquote": "blockquote",
    "bulletList": "ul",
    "listItem": "li",
    "tableRow": "tr",
}


def to_html(document: Json, source: Source | None = None) -> str:
    """Return the content of a document as a piece of HTML, on one line."""
    return "".join(_Writer(source or (lambda file: None)).content(document))


def to_page(
    document: Json,
    title: str,
    images: Mapping[str, bytes],
    *,
    style: str = STYLE,
    source: Source | None = None,
) -> str:
    """Return a document as a page that stands alone: images inside, no script, nothing fetched.

    Args:
        images: By the hash that image nodes name.
        style: The page's only style sheet; its policy allows no other.
        source: Where images are instead, for a reader that is given them apart.
    """
    body = to_html(document, source or (lambda file: _inline(images.get(file))))
    colors = sorted(set(re.findall(r'data-color="(#[0-9a-fA-F]{6}|[a-z]{1,32})"', body)))
    style += "".join(f'mark[data-color="{color}"] {{ background: {color}; }}\n' for color in colors)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    return (
        '<!DOCTYPE html>\n<html lang="">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_escaped(title)}</title>\n<style>{style}</style>\n</head>\n"
        f'<body>\n<main class="document">{body}</main>\n</body>\n</html>\n'
    )


def _inline(image: bytes | None) -> str | None:
    if image is None or (type := kind(image)) is None:
        return None
    return f"data:{type};base64,{b64encode(image).decode()}"


class _Writer:
    def __init__(self, source: Source) -> None:
        self.source = source

    def content(self, node: Json) -> Iterator[str]:
        for child in content_of(node):
            if child["type"] == "text":
                yield _marked(_escaped(str(child.get("text") or "")), child)
            else:
                yield from self.node(child)

    def node(self, node: Json) -> Iterator[str]:
        attributes = _known(node)
        kind = node["type"]
        if (write := _NODES.get(kind)) is not None:
            yield from write(self, node, attributes)
        elif (tag := _CONTAINERS.get(kind)) is not None:
            yield from self.around(tag, node)
        else:
            # Of a newer schema: its words are shown.
            yield from self.around("div", node)

    def around(self, tag: str, node: Json, more: str = "") -> Iterator[str]:
        yield f"<{tag}{more}>"
        yield from self.content(node)
        yield f"</{tag}>"

    def paragraph(self, node: Json, attributes: Json) -> Iterator[str]:
        yield from self.around("p", node, _aligned(attributes))

    def heading(self, node: Json, attributes: Json) -> Iterator[str]:
        yield from self.around(f"h{attributes.get('level', 1)}", node, _aligned(attributes))

    def code(self, node: Json, attributes: Json) -> Iterator[str]:
        language = attributes.get("language")
        more = f' class="language-{_escaped(language)}"' if language else ""
        # Browsers drop a line end after <pre>: this one instead of the text's.
        yield f"<pre>\n<code{more}>"
        yield from self.content(node)
        yield "</code></pre>"

    def rule(self, node: Json, attributes: Json) -> Iterator[str]:
        yield "<hr>"

    def line_break(self, node: Json, attributes: Json) -> Iterator[str]:
        yield "<br>"

    def image(self, node: Json, attributes: Json) -> Iterator[str]:
        alt, file = _escaped(attributes.get("alt") or ""), attributes.get("file")
        where = self.source(file) if file else None
        width = f' width="{attributes["width"]}"' if attributes.get("width") else ""
        if where is None:
            missing = f'class="missing" data-file="{file or ""}"{width.replace(" ", " data-")}'
            yield f"<figure {missing}>[{alt}]</figure>"
            return
        src = _escaped(where)
        yield f'<figure><img src="{src}" data-file="{file}" alt="{alt}"{width}></figure>'

    def numbers(self, node: Json, attributes: Json) -> Iterator[str]:
        start = attributes.get("start", 1)
        yield from self.around("ol", node, f' start="{start}"' if start != 1 else "")

    def tasks(self, node: Json, attributes: Json) -> Iterator[str]:
        yield from self.around("ul", node, ' class="tasks"')

    def task(self, node: Json, attributes: Json) -> Iterator[str]:
        done = bool(attributes.get("checked"))
        box = f'<input type="checkbox" disabled{" checked" if done else ""}>'
        yield f'<li data-checked="{"true" if done else "false"}">{box}'
        yield from self.content(node)
        yield "</li>"

    def table(self, node: Json, attributes: Json) -> Iterator[str]:
        yield "<table><tbody>"
        yield from self.content(node)
        yield "</tbody></table>"

    def cell(self, node: Json, attributes: Json) -> Iterator[str]:
        tag = "th" if node["type"] == "tableHeader" else "td"
        more = "".join(
            f' {name}="{attributes[name]}"'
            for name in ("colspan", "rowspan")
            if attributes.get(name, 1) != 1
        )
        if widths := attributes.get("colwidth"):
            more += f' data-colwidth="{",".join(map(str, widths))}"'
        yield from self.around(tag, node, more)

    def mention(self, node: Json, attributes: Json) -> Iterator[str]:
        label, who = _escaped(attributes.get("label") or ""), _escaped(attributes.get("id") or "")
        yield f'<span class="mention" data-mention="{who}">@{label}</span>'


_NODES: Final[Mapping[str, Callable[[_Writer, Json, Json], Iterator[str]]]] = {
    "paragraph": _Writer.paragraph,
    "heading": _Writer.heading,
    "codeBlock": _Writer.code,
    "horizontalRule": _Writer.rule,
    "hardBreak": _Writer.line_break,
    "image": _Writer.image,
    "orderedList": _Writer.numbers,
    "taskList": _Writer.tasks,
    "taskItem": _Writer.task,
    "table": _Writer.table,
    "tableCell": _Writer.cell,
    "tableHeader": _Writer.cell,
    "mention": _Writer.mention,
}


def _known(node: Json) -> Json:
    """Return the attributes of a node that hold what the schema allows: clients may lie."""
    given: Json = attributes_of(node)
    alone = {"type": "doc", "content": [{"type": node["type"], "attrs": given}]}
    wrong = {fault.path.rpartition(".")[2] for fault in faults(alone) if ".attrs." in fault.path}
    return {name: value for name, value in given.items() if name not in wrong}


def _aligned(attributes: Json) -> str:
    align = attributes.get("textAlign")
    return f' class="align-{align}"' if align else ""


def _marked(text: str, node: Json) -> str:
    given: list[Json] = marks_of(node)
    by_name: dict[str, Any] = {held["type"]: attributes_of(held) for held in given}
    # The last mark of the schema is the innermost one.
    for name in reversed(list(mark_types())):
        if name not in by_name:
            continue
        if name == "link":
            if address := safe_address(str(by_name[name].get("href") or "")):
                text = (
                    f'<a href="{_escaped(address)}" rel="noopener noreferrer nofollow">{text}</a>'
                )
        elif name == "highlight":
            color = str(by_name[name].get("color") or "")
            known = re.fullmatch(r"#[0-9a-fA-F]{6}|[a-z]{1,32}", color)
            text = f'<mark data-color="{color}">{text}</mark>' if known else f"<mark>{text}</mark>"
        else:
            text = f"<{_PLAIN[name]}>{text}</{_PLAIN[name]}>"
    return text


_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def _escaped(text: str) -> str:
    """Return text for an element or a quoted attribute; without what HTML cannot hold."""
    return escape(_UNWRITABLE.sub("", str(text)).replace("\r", "\n"))
