"""What the real editor wrote is read, and what is written the real editor reads."""

import base64
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from prosemirror.model import Node
from pycrdt import Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.plugins.docs.fragment import (
    append,
    from_json,
    identified,
    load,
    read,
    read_tree,
    root,
    seed,
)
from parvis.plugins.docs.schema import SCHEMA, Invalid, Json, check
from parvis.plugins.docs.tree import Element

from .documents import Golden, block, doc, documents, goldens, marked, paragraph

KNOWN = goldens("editor") + goldens("meetings")
READER = Path(__file__).parent.parent / "golden" / "generate" / "read.mjs"


def read_by_the_editor(updates: list[bytes]) -> list[Json]:
    """Return what y-tiptap reads, and whether it left the document as it was."""
    question = json.dumps([base64.b64encode(update).decode() for update in updates])
    ran = subprocess.run(
        ["node", str(READER)], input=question, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    answers: list[Json] = json.loads(ran.stdout)
    return answers


@pytest.mark.parametrize("golden", KNOWN, ids=lambda golden: golden.name)
def test_what_the_editor_wrote_is_read_as_the_editor_reads_it(golden: Golden) -> None:
    reading = read(load([golden.update]))
    assert reading.document == golden.document
    assert reading.problems == []


@pytest.mark.parametrize("golden", KNOWN, ids=lambda golden: golden.name)
def test_what_the_editor_wrote_fits_the_schema_of_prosemirror(golden: Golden) -> None:
    node = Node.from_json(SCHEMA, golden.document)
    node.check()
    assert node.to_json() == check(golden.document)


@pytest.mark.parametrize("golden", goldens("coming"), ids=lambda golden: golden.name)
def test_what_the_schema_does_not_know_is_kept_and_reported(golden: Golden) -> None:
    reading = read(load([golden.update]))
    assert reading.document == golden.document
    assert all("unknown" in problem for problem in reading.problems)
    assert reading.problems


def test_the_editor_reads_what_is_written() -> None:
    written = [seed(golden.document).get_update() for golden in KNOWN]
    answers = read_by_the_editor(written)
    assert answers == [{"json": golden.document, "untouched": True} for golden in KNOWN]


def test_elements_are_kept_as_the_editor_keeps_them() -> None:
    for golden in KNOWN:
        if golden.name.startswith(("two people", "emptied")):
            continue  # A text that merged or was emptied has another form than one just written.
        ours, theirs = seed(golden.document), load([golden.update])
        assert read_tree(root(ours)) == read_tree(root(theirs)), golden.name


@given(documents())
@settings(max_examples=80, deadline=None)
def test_a_document_comes_back_from_yjs_as_it_was(document: Json) -> None:
    reading = read(load([seed(document).get_update()]))
    assert reading.document == document
    assert reading.problems == []


@given(documents(), documents())
@settings(max_examples=50, deadline=None)
def test_blocks_are_appended(first: Json, second: Json) -> None:
    written = seed(first)
    append(written, second)
    assert read(written).document.get("content", []) == [
        *first.get("content", []),
        *second.get("content", []),
    ]


def test_nothing_is_written_of_a_document_that_does_not_fit() -> None:
    written = seed(doc(paragraph("kept")))
    with pytest.raises(Invalid, match=r"content\[1\]\.attrs\.level"):
        append(written, doc(paragraph("good"), block("heading", "bad", level=7)))
    assert read(written).document == doc(paragraph("kept"))


def test_marks_of_nodes_that_are_no_text_are_not_written() -> None:
    mention = block("mention", id="u1", label="Ada") | {"marks": [{"type": "bold"}]}
    written = seed(doc(paragraph(mention)))
    assert read(written).document == doc(paragraph(block("mention", id="u1", label="Ada")))


def test_attributes_that_the_schema_does_not_know_are_reported() -> None:
    written = seed(doc(paragraph("text")))
    (paragraph_element,) = root(written).children
    assert isinstance(paragraph_element, XmlElement)
    paragraph_element.attributes["onclick"] = "alert(1)"
    reading = read(written)
    assert reading.document == doc(paragraph("text"))
    assert reading.problems == ["paragraph has no attribute 'onclick'; it is left out"]


def test_a_format_that_is_true_is_a_mark_without_attributes() -> None:
    written = seed(doc(paragraph()))
    (element,) = root(written).children
    assert isinstance(element, XmlElement)
    element.children.append(XmlText()).insert(0, "bold", {"bold": True})
    assert read(written).document == doc(paragraph(marked("bold", "bold")))


@pytest.mark.parametrize("nonsense", [Text("words"), Map({"a": 1})], ids=["text", "map"])
def test_a_root_of_another_kind_is_an_empty_document(nonsense: Text | Map[int]) -> None:
    foreign: Doc[Text | Map[int]] = Doc()
    foreign["default"] = nonsense
    assert read(load([foreign.get_update()])).document.get("content", []) == []


def test_texts_with_things_in_them_are_read_around() -> None:
    written = seed(doc(paragraph("before after")))
    (element,) = root(written).children
    assert isinstance(element, XmlElement)
    (text,) = element.children
    assert isinstance(text, XmlText)
    text.insert_embed(7, {"image": "x"})
    reading = read(written)
    assert reading.document == doc(paragraph("before after"))
    assert reading.problems == ["a text holds something that is no text"]


def test_nesting_without_end_is_read_to_a_depth() -> None:
    deep: Doc[XmlFragment] = Doc()
    with deep.transaction():
        parent: XmlFragment | XmlElement = root(deep)
        for _ in range(300):
            parent = parent.children.append(XmlElement("blockquote"))
    reading = read(deep)
    assert "nested deeper than 32 levels" in " ".join(reading.problems)


def test_each_block_gets_an_id_of_its_own() -> None:
    ids = iter("abcdef")
    same = doc(paragraph("1", id="x"), paragraph("2", id="x"), block("blockquote", paragraph("3")))
    assert identified(same, lambda: next(ids)) == doc(
        paragraph("1", id="x"),
        paragraph("2", id="a"),
        block("blockquote", paragraph("3", id="c"), id="b"),
    )


def test_an_edit_that_parts_an_emoji_loses_nothing_else() -> None:
    (golden,) = (one for one in KNOWN if one.name == "one replaces half of an emoji")
    (block_of_text,) = golden.document["content"]
    assert block_of_text["content"] == [{"type": "text", "text": "a\ufffd\ufffdb"}]
    assert read(load([golden.update])).document == golden.document


def test_null_attributes_are_not_kept() -> None:
    assert from_json(doc(paragraph())) == [Element("paragraph", {}, [])]
