"""HTML out and in again is the same; what others make is read as people see it, without scripts."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from parvis.plugins.docs.formats.html_bounds import require_bounded
from parvis.plugins.docs.formats.html_reader import from_html
from parvis.plugins.docs.formats.html_writer import to_html, to_page
from parvis.plugins.docs.formats.limits import TooLarge
from parvis.plugins.docs.schema import LIMITS, Json, check, content_of

from .documents import PIXEL, block, doc, documents, goldens, marked, paragraph

SAMPLES = Path(__file__).parent / "samples"


def shown(node: Json) -> Json:
    """Return a node without what a page does not show."""
    attributes: dict[str, Any] = dict(node.get("attrs") or {})
    if node["type"] != "mention":
        attributes.pop("id", None)
    else:
        attributes["label"] = attributes["label"].strip().removeprefix("@")
        attributes["id"] = attributes["id"] or None
    for name in ("naturalWidth", "naturalHeight"):
        attributes.pop(name, None)
    if node["type"] == "image" and not attributes["file"]:
        attributes["width"] = None
    if attributes.get("textAlign") == "left":
        attributes["textAlign"] = None
    if attributes.get("colwidth") and len(attributes["colwidth"]) != attributes["colspan"]:
        attributes["colwidth"] = None
    made = {k: v for k, v in node.items() if k not in {"attrs", "content"}} | {"attrs": attributes}
    if "text" in node:
        made["text"] = re.sub(r"[\x80-\x9f]", "", node["text"])
    return made | {"content": [shown(child) for child in content_of(node)]}


@given(documents())
@settings(max_examples=80, deadline=None)
def test_a_page_is_read_as_the_document_it_was(document: Json) -> None:
    images = {"ab" * 32: PIXEL}
    assert shown(check(from_html(to_page(document, "Title", images)))) == shown(document)


@pytest.mark.parametrize("golden", goldens("editor"), ids=lambda golden: golden.name)
def test_what_the_editor_made_comes_back_from_a_page(golden: Any) -> None:
    assert shown(from_html(to_page(golden.document, "", {}))) == shown(golden.document)


class Tags(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


KNOWN = {
    "html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2", "h3", "h4", "h5",
    "h6", "blockquote", "pre", "code", "hr", "figure", "img", "ul", "ol", "li", "input", "table",
    "tbody", "tr", "td", "th", "br", "a", "strong", "em", "u", "s", "sub", "sup", "mark", "span",
    "div",
}  # fmt: skip
NASTY = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' javascript:alert(1) </style>"


def nasty(node: Json) -> Json:
    """Return a document as a client that lies would write it, past every check."""
    made = dict(node)
    if "attrs" in node:
        made["attrs"] = {name: NASTY for name in [*node["attrs"], "onclick", "style", "src"]}
    if "text" in node:
        made["text"] = NASTY
    for name in ("marks", "content"):
        if name in node:
            made[name] = [nasty(child) for child in node[name]]
    return made


def test_nothing_that_a_client_writes_becomes_a_tag_or_an_attribute() -> None:
    for golden in [*goldens("editor"), *goldens("coming")]:
        page = to_page(nasty(golden.document), NASTY, {NASTY: PIXEL})
        for tag, attributes in Tags(page).tags:
            assert tag in KNOWN
            assert not [name for name in attributes if name.startswith("on") or name == "style"]
            assert not str(attributes.get("href") or "").lower().startswith("javascript")
            assert str(attributes.get("src", "data:image/")).startswith("data:image/")


def test_a_page_allows_itself_no_script_and_its_own_style_only() -> None:
    page = to_page(doc(paragraph(marked("x", "highlight", color="#123456"))), "T & <t>", {})
    style = page.partition("<style>")[2].partition("</style>")[0]
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    assert f'content="{policy}"' in page
    assert 'mark[data-color="#123456"] { background: #123456; }' in style
    assert "<title>T &amp; &lt;t&gt;</title>" in page


def test_images_are_inside_the_page() -> None:
    document = doc(block("image", file="ab" * 32, alt='A "pixel"', width=20))
    page = to_page(document, "", {"ab" * 32: PIXEL})
    data = b64encode(PIXEL).decode()
    assert f'<img src="data:image/png;base64,{data}"' in page
    assert 'alt="A &quot;pixel&quot;" width="20"' in page
    assert "<img" not in to_page(document, "", {})
    assert "<img" not in to_page(document, "", {"ab" * 32: b"<svg onload=alert(1)>"})


def test_words_of_nodes_that_are_not_known_are_shown() -> None:
    (callout, _) = goldens("coming")
    assert "<div><p><strong>inside</strong></p><div></div></div>" in to_html(callout.document)


# --- what others make -------------------------------------------------------------------------


def test_a_document_of_google_docs_is_read() -> None:
    assert check(from_html((SAMPLES / "google-docs.html").read_bytes())) == doc(
        block("heading", "A plan", level=1),
        paragraph(
            marked("Bold", "bold"),
            " plain ",
            marked("slanted", "italic", "underline"),
            " H",
            marked("2", "subscript"),
            "O",
        ),
        block(
            "bulletList",
            block(
                "listItem",
                paragraph("one"),
                block("bulletList", block("listItem", paragraph("one and a half"))),
            ),
            block("listItem", paragraph("two")),
        ),
        block(
            "taskList",
            block("taskItem", paragraph("done"), checked=True),
            block("taskItem", paragraph("open")),
        ),
        paragraph(
            marked("a link", "link", href="https://example.org/page?x=1"), textAlign="center"
        ),
        block(
            "table",
            block(
                "tableRow",
                block("tableCell", paragraph("wide"), colspan=2),
                block("tableCell", paragraph("narrow")),
            ),
        ),
        paragraph(marked("marked", "highlight", color="#ffff00")),
    )


def test_a_document_of_word_is_read() -> None:
    assert check(from_html((SAMPLES / "word.html").read_bytes())) == doc(
        block("heading", "Report \u2013 2026", level=1),
        block("heading", "Part", level=2),
        paragraph(
            "A line that was wrapped, with ",
            marked("bold ", "bold"),
            marked("and both", "bold", "italic"),
            ".",
        ),
        block(
            "bulletList",
            block(
                "listItem",
                paragraph("First"),
                block(
                    "orderedList",
                    block("listItem", paragraph("Numbered")),
                    block("listItem", paragraph("Again")),
                ),
            ),
            block("listItem", paragraph("Second")),
        ),
        paragraph("Right", textAlign="right"),
        block(
            "table",
            block(
                "tableRow",
                block("tableCell", paragraph("a")),
                block("tableCell", paragraph("b"), rowspan=2),
            ),
            block("tableRow", block("tableCell", paragraph("c"))),
        ),
        paragraph("after"),
    )


def test_a_document_of_libreoffice_is_read() -> None:
    assert check(from_html((SAMPLES / "libreoffice.html").read_bytes())) == doc(
        block("heading", "Titre", level=1),
        paragraph(
            "Un ",
            marked("mot", "bold"),
            " et ",
            marked("l’autre", "underline"),
            textAlign="justify",
        ),
        block(
            "orderedList",
            block("listItem", paragraph("quatre")),
            block("listItem", paragraph("cinq")),
            start=4,
        ),
        paragraph("m", marked("2", "superscript")),
        block("codeBlock", "code\n  indented"),
    )


@pytest.mark.parametrize(
    ("source", "document"),
    [
        ("", doc()),
        (" \n ", doc()),
        ("plain &amp; simple", doc(paragraph("plain & simple"))),
        ("a<p>b</p>c", doc(paragraph("a"), paragraph("b"), paragraph("c"))),
        ("<p>a  \n b <b> c </b> d</p>", doc(paragraph("a b ", marked("c ", "bold"), "d"))),
        ("<p>a<br>b<br></p>", doc(paragraph("a", {"type": "hardBreak"}, "b"))),
        ("<div>a<div>b</div></div>", doc(paragraph("a"), paragraph("b"))),
        ("<li>x</li>", doc(block("bulletList", block("listItem", paragraph("x"))))),
        (
            "<ul>x<li>y</ul>",
            doc(
                block(
                    "bulletList",
                    block("listItem", paragraph("x")),
                    block("listItem", paragraph("y")),
                )
            ),
        ),
        ("<td>x</td>", doc(block("table", block("tableRow", block("tableCell", paragraph("x")))))),
        (
            "<table><tr><td>x<tr><th>y</table>",
            doc(
                block(
                    "table",
                    block("tableRow", block("tableCell", paragraph("x"))),
                    block("tableRow", block("tableHeader", paragraph("y"))),
                )
            ),
        ),
        (
            "<p>a<table><tr><td>b</table>",
            doc(
                paragraph("a"),
                block("table", block("tableRow", block("tableCell", paragraph("b")))),
            ),
        ),
        (
            "<b><p>a</p><p>b</p></b>",
            doc(paragraph(marked("a", "bold")), paragraph(marked("b", "bold"))),
        ),
        (
            "<pre><code class='language-js'>\nlet a\n  b\n</code></pre>",
            doc(block("codeBlock", "let a\n  b", language="js")),
        ),
        (
            "<p>a<img src='https://x.example/i.png' alt='pic'></p>",
            doc(paragraph("a", marked("pic", "link", href="https://x.example/i.png"))),
        ),
        (
            f"<p>a<img src='/api/v1/docs/documents/k/files/{'ab' * 32}?x' width=9 alt=A></p>b",
            doc(paragraph("a"), block("image", file="ab" * 32, alt="A", width=9), paragraph("b")),
        ),
        ("<img src='data:image/png;base64,AAAA' alt=''>", doc()),
        (
            "<p>a<script>b</script><style>c</style><svg><text>d</text></svg><!-- e --></p>",
            doc(paragraph("a")),
        ),
        ("<p hidden>a</p><p style='display:none'>b</p>", doc()),
        ("<a href='javascript:alert(1)' onclick='x'>a</a>", doc(paragraph("a"))),
        ("<a href=' java&#10;script:alert(1)'>a</a>", doc(paragraph("a"))),
        ("<svg><a xlink:href='javascript:alert(1)'>a</a></svg>", doc()),
        ("<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>", doc()),
        ("<embed src='javascript:alert(1)'><p>a<wbr>b</p>", doc(paragraph("ab"))),
        ("<h1>a<h2>b", doc(block("heading", "a", level=1), block("heading", "b", level=2))),
        ("<dl><dt>a<dd>b</dl>", doc(paragraph("a"), paragraph("b"))),
        ("<?xml version='1.0' encoding='latin-1'?><p>é</p>", doc(paragraph("é"))),
        ("<p>a\x00\x0b\ufffeb</p>", doc(paragraph("a\ufffdb"))),
    ],
)
def test_html_of_others_is_read(source: str, document: Json) -> None:
    assert check(from_html(source)) == document


def test_old_windows_pages_are_read() -> None:
    assert from_html("<p>d’été \u2013 œuf</p>".encode("cp1252")) == doc(
        paragraph("d’été \u2013 œuf")
    )
    assert from_html("<p>été</p>".encode("utf-16")) == doc(paragraph("été"))


def test_what_is_nested_too_deep_for_the_schema_is_flat() -> None:
    deep = check(
        from_html("<blockquote>" * 100 + "<ul><li>a</ul><p>b" + "</blockquote>" * 100 + "<p>c")
    )
    assert content_of(deep)[-1:] == content_of(doc(paragraph("c")))
    assert "a" in str(deep)


@pytest.mark.parametrize(
    "page",
    ["<div>" * 5000, "<b>" * 300 + "x", "<i></i>" * 300_000, "<p>x" * (LIMITS.nodes // 2 + 1)],
    ids=["deep", "deep inline", "many tags", "many blocks"],
)
def test_pages_without_end_are_refused(page: str) -> None:
    with pytest.raises(TooLarge):
        from_html(page)


MANY = " ".join(f"a{number}=1" for number in range(501))


@pytest.mark.parametrize(
    "page",
    [
        f"<p {MANY}>x",
        f"<p>{'<' * 9}a/{MANY.replace('=1 ', '/')}",
        f"<p a='>' {MANY}>x",
        f'<p a=">"{MANY}>x',
        f"<p a=b'c {MANY} d'>x",  # quotes inside of a value quote nothing
        f'<p ="{MANY}">x',  # this = is a name's first letter
        f"<p title='<script>' {MANY}>x",
        f"<script/><p {MANY}>x",
        f"<style>p</style ><p {MANY}>x",
        f"<!--> <p {MANY}>x -->",
    ],
)
def test_a_tag_with_too_many_attributes_is_refused_unparsed(page: str) -> None:
    with pytest.raises(TooLarge, match="500 attributes"):
        require_bounded(page.encode())


@pytest.mark.parametrize(
    "page",
    [
        f"<p title='{MANY}'>x",
        f'<p title = "{MANY}">x',
        f'<p = = "{MANY}">x',
        f"<p a={MANY.replace(' ', '/')}>x",
        f"<script>if (i<n) {{ {MANY} }}</script><p>x",
        f"<style>a<b {MANY}</style><p>x",
        f"<p a>{MANY}",
        f"<p {MANY.removesuffix(' a500=1')}>x",
        f"a < b {MANY}",
        f"<p>x</p></{MANY}>",
    ],
)
def test_what_only_looks_like_many_attributes_is_read(page: str) -> None:
    require_bounded(page.encode())
    from_html(page)


@given(st.text("<>/ap=\"' b&;#1-!liultdr\n", max_size=80) | st.text(max_size=60))
@settings(max_examples=120, deadline=None)
def test_any_page_is_some_document(page: str) -> None:
    check(from_html(page))


@pytest.mark.parametrize(
    ("inside", "kind"),
    [("more", "paragraph"), ("<ul><li>more</ul>", "bulletList"), ("<hr>", "horizontalRule")],
)
def test_what_follows_an_empty_item_of_a_list_goes_into_it(inside: str, kind: str) -> None:
    document = from_html(f"<ul><li></li>{inside}</ul>")
    check(document)
    (item,) = document["content"][0]["content"]
    assert [each["type"] for each in item["content"]] == [kind]


TAGS = [
    "p", "div", "b", "i", "a", "ul", "ol", "li", "table", "tr", "td", "th", "blockquote", "pre",
    "h1", "br", "hr", "img", "span", "section", "input",
]  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(["<{}>", "</{}>", "<{}> x "]))))
@settings(max_examples=120, deadline=None)
def test_any_tangle_of_tags_is_some_document(parts: list[tuple[str, str]]) -> None:
    check(from_html("".join(form.format(tag) for tag, form in parts)))
