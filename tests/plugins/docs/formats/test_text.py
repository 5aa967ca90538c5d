"""Plain text in and out, and what lists and searches say about a document."""

import pytest
from hypothesis import given, settings, strategies as st

from parvis.plugins.docs.formats.text import (
    EXCERPT,
    Digest,
    digest,
    from_text,
    shortened,
    split_long,
    to_text,
)
from parvis.plugins.docs.schema import Json, check, content_of

from .documents import block, doc, documents, goldens, paragraph

BREAK: Json = {"type": "hardBreak"}


@pytest.mark.parametrize(
    ("text", "document"),
    [
        (
            "one\ntwo\n\nthree\r\n\r\n\r\n\r\nfour\n",
            doc(paragraph("one", BREAK, "two"), paragraph("three"), paragraph("four")),
        ),
        ("", doc(paragraph())),
        ("\n\n\x00a\x07b\tc", doc(paragraph("ab\tc"))),
        ("<b>not bold</b> **nor this**", doc(paragraph("<b>not bold</b> **nor this**"))),
        ("a\rb", doc(paragraph("a", BREAK, "b"))),
    ],
)
def test_text_is_read(text: str, document: Json) -> None:
    read = from_text(text)
    for node in content_of(read):
        node.setdefault("attrs", {"id": None, "textAlign": None})
        if not node["content"]:
            del node["content"]
    assert check(read) == document


def test_a_document_is_written_as_text() -> None:
    document = doc(
        block("heading", "Title", level=1),
        paragraph("a", BREAK, "b"),
        block("blockquote", paragraph("said"), paragraph("twice")),
        block("bulletList", block("listItem", paragraph("x"), paragraph("y"))),
        block(
            "orderedList",
            block("listItem", paragraph("nine")),
            block("listItem", paragraph("ten")),
            start=9,
        ),
        block("taskList", block("taskItem", paragraph("done"), checked=True)),
        block(
            "table",
            block(
                "tableRow", block("tableCell", paragraph("1")), block("tableCell", paragraph("2"))
            ),
        ),
        block("image", alt="a view"),
        paragraph(block("mention", id="u", label="Ada"), " knows"),
    )
    assert to_text(document) == (
        "Title\n\na\nb\n\n> said\n> twice\n\n- x\n  y\n\n9. nine\n10. ten\n\n[x] done\n\n"
        "1\t2\n\n[a view]\n\n@Ada knows\n"
    )


@given(documents())
@settings(max_examples=100, deadline=None)
def test_any_document_has_a_text_and_a_digest(document: Json) -> None:
    to_text(document)
    said = digest(document)
    assert len(said.title) <= 300
    assert len(said.excerpt) <= EXCERPT
    assert "\n" not in said.title + said.excerpt


def test_a_digest_says_what_a_document_is() -> None:
    document = doc(
        paragraph(),
        block("heading", "The  plan", level=1),
        paragraph("It's a well-known fact,", BREAK, "about 3.14."),
        block("bulletList", block("listItem", paragraph("日本語 text"))),
    )
    assert digest(document) == Digest(
        title="The plan",
        excerpt="It's a well-known fact, about 3.14. 日本語 text",
        text="The  plan\nIt's a well-known fact,\nabout 3.14.\n日本語 text",
        words=2 + 4 + 2 + 3 + 1,
    )


def test_a_digest_of_what_the_schema_does_not_know_has_its_words() -> None:
    (callout, _) = goldens("coming")
    assert digest(callout.document).text == "known\ninside\nknown again"


@given(st.text(max_size=40), st.integers(2, 20))
def test_what_is_shortened_is_short(text: str, most: int) -> None:
    assert len(shortened(text, most)) <= most
    assert "\n" not in shortened(text, most)


def test_blocks_that_are_too_long_are_cut_at_spaces() -> None:
    words = "word " * 100
    cut = split_long(doc(paragraph("short"), block("blockquote", paragraph(words, id="x"))), 120)
    inner = content_of(content_of(cut)[1])
    texts = ["".join(child["text"] for child in content_of(node)) for node in inner]
    assert "".join(texts) == words
    assert all(len(text) <= 120 and text.endswith(" ") for text in texts)
    assert content_of(cut)[0] == paragraph("short") | content_of(doc(paragraph("short")))[0]


def test_one_long_word_is_cut_anyway() -> None:
    cut = split_long(doc(paragraph("x" * 1001)), 500)
    assert [len(content_of(node)[0]["text"]) for node in content_of(cut)] == [500, 500, 1]
