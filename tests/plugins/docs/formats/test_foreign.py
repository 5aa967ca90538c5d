"""What becomes of documents that other editors on Yjs wrote."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from pycrdt import Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.plugins import Refused
from parvis.plugins.docs import fragment
from parvis.plugins.docs.formats.foreign import Moved, adopt
from parvis.plugins.docs.schema import check

Node = tuple[str, dict[str, Any], Sequence[Any]]


def made(nodes: Sequence[Node], root: str = "default") -> Doc[Any]:
    """Return a document of elements: name, attributes, children; children may be texts."""
    doc: Doc[Any] = Doc()

    def fill(parent: XmlFragment | XmlElement, children: Sequence[Any]) -> None:
        for child in children:
            if isinstance(child, str):
                parent.children.append(XmlText(child))
            elif isinstance(child, list):
                text = parent.children.append(XmlText())
                for words, formats in cast("list[tuple[str, dict[str, Any]]]", child):
                    text.insert(0, words, formats)
            else:
                name, attributes, inner = child
                element = parent.children.append(XmlElement(name))
                for key, value in attributes.items():
                    element.attributes[key] = value
                fill(element, inner)

    fill(doc.get(root, type=XmlFragment), nodes)
    return doc


def moved(*nodes: Node, root: str = "default") -> Moved:
    return adopt([made(nodes, root).get_update()], "name")


def content(moved: Moved) -> list[Any]:
    """Return the blocks of a document, without their ids and what is as it always is."""
    document = fragment.read(fragment.load([moved["update"]])).document
    check(document)

    def bare(node: dict[str, Any]) -> dict[str, Any]:
        attributes = {
            key: value
            for key, value in node.get("attrs", {}).items()
            if key != "id" and value is not None
        }
        found: dict[str, Any] = {"type": node["type"]}
        if attributes:
            found["attrs"] = attributes
        if "text" in node:
            found["text"] = node["text"]
        if "marks" in node:
            found["marks"] = node["marks"]
        if "content" in node:
            found["content"] = [bare(child) for child in node["content"]]
        return found

    return [bare(node) for node in document.get("content", [])]


def paragraph(*content: Any) -> dict[str, Any]:
    return {"type": "paragraph", "content": list(content)}


def words(text: str, *marks: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "text", "text": text}
    return found | ({"marks": [{"type": mark} for mark in marks]} if marks else {})


def test_names_of_the_basic_schema_are_understood() -> None:
    became = moved(
        ("bullet_list", {}, [("list_item", {}, [("paragraph", {}, ["a"])])]),
        ("ordered_list", {"order": 3}, [("list_item", {}, [("paragraph", {}, ["b"])])]),
        ("code_block", {"params": "js"}, ["c"]),
        ("paragraph", {}, [[("d", {"strong": True, "em": {}})]]),
        ("horizontal_rule", {}, []),
        root="prosemirror",
    )
    assert became["notes"] == []
    assert content(became) == [
        {
            "type": "bulletList",
            "content": [{"type": "listItem", "content": [paragraph(words("a"))]}],
        },
        {
            "type": "orderedList",
            "attrs": {"start": 3},
            "content": [{"type": "listItem", "content": [paragraph(words("b"))]}],
        },
        {"type": "codeBlock", "attrs": {"language": "js"}, "content": [words("c")]},
        paragraph(words("d", "bold", "italic")),
        {"type": "horizontalRule"},
    ]


def test_spaces_breaks_and_empty_lines_stay() -> None:
    became = moved(
        ("paragraph", {}, ["  two  spaces "]),
        ("paragraph", {}, []),
        ("paragraph", {}, ["a", ("hardBreak", {}, []), "b"]),
    )
    assert content(became) == [
        paragraph(words("  two  spaces ")),
        {"type": "paragraph"},
        paragraph(words("a"), {"type": "hardBreak"}, words("b")),
    ]
    assert became["notes"] == []


def test_what_is_not_known_leaves_its_content_and_a_note() -> None:
    became = moved(
        ("callout", {"kind": "x"}, [("paragraph", {}, ["kept"])]),
        ("youtube", {"src": "https://example.org"}, []),
        ("paragraph", {"indent": 4, "textAlign": "center"}, [[("red", {"textStyle": {}})]]),
        ("heading", {"level": 9}, ["big"]),
    )
    assert content(became) == [
        paragraph(words("kept")),
        {**paragraph(words("red")), "attrs": {"textAlign": "center"}},
        {"type": "heading", "attrs": {"level": 1}, "content": [words("big")]},
    ]
    assert became["notes"] == [
        "callout is not known: only what is in it was kept (1)",
        "heading lost its level (1)",
        "paragraph lost its indent (1)",
        "the mark textStyle was left out (1)",
        "youtube is not known: it was left out (1)",
    ]


def test_what_stands_where_it_may_not_gets_what_must_be_around_it() -> None:
    became = moved(
        ("listItem", {}, [("paragraph", {}, ["lonely"])]),
        ("paragraph", {}, [("paragraph", {}, ["inside"])]),
    )
    assert [block["type"] for block in content(became)] == [
        "bulletList",
        "paragraph",
        "paragraph",
    ]


def test_images_become_links_and_mentions_words() -> None:
    became = moved(
        ("image", {"src": "https://example.org/a.png", "alt": "a cat"}, []),
        ("image", {"src": "data:image/png;base64,AAAA"}, []),
        ("paragraph", {}, ["Ask ", ("mention", {"id": "u7", "label": "Ada"}, [])]),
    )
    (link,) = content(became)[0]["content"]
    assert (link["text"], link["marks"][0]["attrs"]) == (
        "a cat",
        {"href": "https://example.org/a.png"},
    )
    assert content(became)[-1] == paragraph(words("Ask @Ada"))
    assert [note[:14] for note in became["notes"]] == [
        "images became ",
        "images without",
        "mentions becam",
    ]


def test_links_that_could_run_something_are_left_out() -> None:
    became = moved(("paragraph", {}, [[("click", {"link": {"href": "javascript:alert(1)"}})]]))
    assert content(became) == [paragraph(words("click"))]
    assert "left out" in became["notes"][0]


def test_the_same_document_becomes_the_same_and_another_one_another() -> None:
    update = made([("paragraph", {}, ["a"])]).get_update()
    other = made([("paragraph", {}, ["b"])]).get_update()
    assert adopt([update], "name")["update"] == adopt([update], "name")["update"]
    assert adopt([update], "name")["update"] != adopt([other], "name")["update"]


def test_other_roots_are_left_out_and_named() -> None:
    doc = made([("paragraph", {}, ["text"])])
    doc.get("config", type=Map)["a"] = 1
    became = adopt([doc.get_update()], "name")
    assert became["notes"] == ["only the text in 'default' was taken; 'config' of it was left out"]
    assert became["title"] == "text"


def test_a_document_without_rich_text_is_refused() -> None:
    doc: Doc[Any] = Doc()
    doc.get("text", type=Text).insert(0, "plain")
    with pytest.raises(Refused, match="got none; rooms of the type plain take any document"):
        adopt([doc.get_update()], "name")
    two = made([("paragraph", {}, ["a"])], "one")
    two.apply_update(made([("paragraph", {}, ["b"])], "two").get_update())
    with pytest.raises(Refused, match=r"got several \('one', 'two'\)"):
        adopt([two.get_update()], "name")


def test_a_document_of_nothing_we_know_is_refused() -> None:
    with pytest.raises(Refused, match="nothing of it can be kept"):
        moved(("youtube", {}, []))
