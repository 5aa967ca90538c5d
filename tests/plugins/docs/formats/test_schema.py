"""The schema is closed under merges, and says where a document does not fit."""

import re

import pytest
from hypothesis import given, settings
from prosemirror.model import MarkType, Node, NodeType

from parvis.plugins.docs.schema import (
    LIMITS,
    SCHEMA,
    Invalid,
    Json,
    check,
    faults,
    mark_types,
    node_types,
    safe_address,
)

from .documents import block, doc, documents, marked, paragraph


@pytest.mark.parametrize("name", list(node_types()))
def test_any_row_of_allowed_children_is_allowed(name: str) -> None:
    """Merges only unite and cut rows of children: one state with loops to itself takes them all."""
    match = node_types()[name].content_match
    assert match.valid_end
    assert all(edge.next is match for edge in match.next) or name == "text"


@pytest.mark.parametrize("name", list(mark_types()))
def test_a_mark_excludes_only_itself(name: str) -> None:
    """Formats merge one by one: two that exclude each other would meet."""
    assert mark_types()[name].excluded == [mark_types()[name]]


def test_every_attribute_has_a_default_that_fits() -> None:
    kinds: list[NodeType | MarkType] = [*node_types().values(), *mark_types().values()]
    for kind in kinds:
        assert not any(attribute.is_required for attribute in kind.attrs.values())
    everything = doc(
        *(block(name) for name in node_types() if "block" in node_types()[name].groups)
    )
    assert check(everything) == everything


@given(documents())
@settings(max_examples=100, deadline=None)
def test_what_prosemirror_takes_is_taken(document: Json) -> None:
    Node.from_json(SCHEMA, document).check()
    assert check(document) == document


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "expected a node of type 'doc'"),
        ({"type": "paragraph"}, "expected a node of type 'doc'"),
        ({"type": "doc", "content": {}}, "content: expected a list of nodes"),
        ({"type": "doc", "content": ["x"]}, "content[0]: expected a node"),
        ({"type": "doc", "content": [{"type": "x"}]}, "content[0]: unknown node 'x'"),
        (
            {"type": "doc", "content": [{"type": "text", "text": "x"}]},
            "content[0]: text may not stand in doc",
        ),
        (
            doc(block("bulletList", block("listItem", block("tableRow")))),
            "content[0].content[0].content[0]: tableRow may not stand in listItem",
        ),
        (
            {"type": "doc", "content": [{"type": "paragraph", "attrs": {"style": "x"}}]},
            "content[0].attrs.style: paragraph has no such attribute",
        ),
        (
            doc(block("heading", level="1")),
            "content[0].attrs.level: expected an integer from 1 to 6",
        ),
        (
            doc(block("heading", level=None)),
            "content[0].attrs.level: expected an integer from 1 to 6",
        ),
        (
            doc(block("heading", level=True)),
            "content[0].attrs.level: expected an integer from 1 to 6",
        ),
        (
            doc(block("taskList", block("taskItem", checked=1))),
            "content[0].content[0].attrs.checked: expected true or false",
        ),
        (
            doc(paragraph(textAlign="middle")),
            "content[0].attrs.textAlign: expected one of left, center, right, justify",
        ),
        (
            doc(block("image", file="../../etc/passwd")),
            "content[0].attrs.file: expected text like [0-9a-f]{64}",
        ),
        (
            doc(paragraph(marked("x", "link", href="javascript:alert(1)"))),
            "content[0].content[0].marks[0].attrs.href:"
            " expected the address of a page or a mailbox",
        ),
        (
            doc(paragraph({"type": "text", "text": "x", "marks": [{"type": "bold"}] * 2})),
            "content[0].content[0].marks[1]: bold twice on one text",
        ),
        (
            doc(block("codeBlock", marked("x", "bold"))),
            "content[0].content[0]: codeBlock takes no mark bold",
        ),
        (
            {"type": "doc", "content": [paragraph({"type": "text", "text": "", "marks": []})]},
            "content[0].content[0].text: expected text that is not empty",
        ),
        (
            doc(paragraph("\ud83d")),
            "content[0].content[0].text: half of a surrogate pair",
        ),
        (
            doc(paragraph("x" * (LIMITS.text + 1))),
            "content[0]: a block of 100001 characters, 100000 are allowed",
        ),
    ],
)
def test_the_place_of_a_fault_is_named(document: object, fault: str) -> None:
    with pytest.raises(Invalid, match="^" + re.escape(fault) + "$"):
        check(document)


def nested(levels: int) -> Json:
    inner = paragraph("x")
    for _ in range(levels - 1):
        inner = block("blockquote", inner)
    return doc(inner)


def test_nesting_has_a_limit() -> None:
    assert list(faults(nested(LIMITS.nesting))) == []
    with pytest.raises(Invalid, match="nested deeper than 32 levels"):
        check(nested(LIMITS.nesting + 1))


def test_the_number_of_nodes_has_a_limit() -> None:
    blocks = [{"type": "horizontalRule"}] * (LIMITS.nodes + 1)
    with pytest.raises(Invalid, match=r"content\[200000\]: more than 200000 nodes"):
        check({"type": "doc", "content": blocks})


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("MAILTO:a@example.org", "MAILTO:a@example.org"),
        ("/docs/abc?x=a:b", "/docs/abc?x=a:b"),
        ("#part", "#part"),
        ("page", "page"),
        ("javascript:alert(1)", None),
        ("JaVa\tScRiPt\n:alert(1)", None),
        ("\x01javascript:alert(1)", None),
        (" javascript:alert(1)", None),
        ("\u200bjavascript:alert(1)", None),
        ("data:text/html,<script>", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("blob:https://example.org/1", None),
        ("", None),
        (" \n", None),
    ],
)
def test_links_lead_to_pages_and_mailboxes_only(address: str, safe: str | None) -> None:
    assert safe_address(address) == safe
