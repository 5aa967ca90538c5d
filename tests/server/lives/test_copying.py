"""A rebuilt document says what the old one said, and holds nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.plugins import Refused
from parvis.protocol.blocks import Block, read, write
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.yjs import decode_state_vector
from parvis.server.lives.copying import rebuild
from tests.server.history.crowd import Crowd, replay, said

NEW = 4_000_000_001


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 80))
def test_whatever_people_write_is_in_the_copy_as_it_was(seed: int, rows: int) -> None:
    old = replay(*Crowd(seed).write(rows).updates)
    made = rebuild([old.get_update()], NEW)
    new = replay(made["update"])
    assert said(new) == said(old)
    assert set(decode_state_vector(new.get_state())) <= {NEW}
    assert read(made["update"])[1] == DeleteSet()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32))
def test_people_go_on_in_a_copy_as_in_any_document(seed: int) -> None:
    old = replay(*Crowd(seed).write(30).updates)
    new = replay(rebuild([old.get_update()], NEW)["update"])
    for doc in (old, new):
        text: Text = doc.get("text", type=Text)
        text.insert(0, "on ")
        if len(str(text).encode()) > 3:
            del text[0:1]
        doc.get("list", type=Array).append("more")
        doc.get("map", type=Map)["x"] = 1
        doc.get("xml", type=XmlFragment).children.append(XmlElement("p"))
    assert said(new) == said(old)


def everything() -> Doc[Any]:
    """Return a document with everything that one can hold."""
    doc: Doc[Any] = Doc(client_id=5)
    rich: Text = doc.get("rich", type=Text)
    rich += "plain bold 🦊 end"
    rich.format(6, 10, {"bold": True, "link": {"href": "https://example.org"}})
    rich.insert_embed(3, {"image": "a.png"}, {"width": 5})
    del rich[0:2]
    items: Array[Any] = doc.get("items", type=Array)
    items.extend([1, 2.5, None, True, "text", b"bytes", [1, [2]], {"a": {"b": None}}, 2**53 - 1])
    items.append(Map({"inner": Array([Text("deep"), Map({"x": 1})])}))
    del items[0]
    facts: Map[Any] = doc.get("facts", type=Map)
    facts["gone"] = Text("gone")
    del facts["gone"]
    facts["twice"] = 1
    facts["twice"] = 2
    facts["blob"] = b"\x00\xff"
    facts["sub"] = Doc()
    page: XmlFragment = doc.get("page", type=XmlFragment)
    title = XmlElement("h1", {"id": "t"})
    page.children.append(title)
    words = XmlText("hello world")
    title.children.append(words)
    words.format(0, 5, {"em": {}})
    title.attributes["level"] = "1"
    page.children.append(XmlElement("hr"))
    del page.children[1]
    return doc


def test_every_kind_of_content_is_copied_as_it_was() -> None:
    old = everything().get_update()
    made = rebuild([old], NEW)
    new = {(each.kind, str(each.content)) for each in read(made["update"])[0][NEW]}
    alive = {
        (each.kind, str(each.content))
        for each in read(old)[0][5]
        # Neighbouring values become one block; yrs puts a subdocument's options in any order.
        if each.kind not in (0, 1, 8, 9)
    }
    assert alive <= new
    assert any(kind == 9 for kind, _ in new)
    again = rebuild([made["update"]], NEW + 1)
    assert again["figures"]["deleted"] == 0
    assert again["figures"]["blocks"] == made_blocks(made["update"])


def made_blocks(update: bytes) -> int:
    return len(read(update)[0][NEW])


def test_a_bloated_document_becomes_small() -> None:
    doc: Doc[Any] = Doc(client_id=1)
    text: Text = doc.get("text", type=Text)
    for number in range(500):
        other: Doc[Any] = Doc(client_id=10 + number)
        other.apply_update(doc.get_update())
        its: Text = other.get("text", type=Text)
        its.insert(0, "ab")
        del its[0:1]
        doc.apply_update(other.get_update())
    made = rebuild([doc.get_update()], NEW)
    assert made["figures"]["clients"] == 500
    assert made["figures"]["deleted"] == 500
    assert made["figures"]["clocks"] == 1000
    assert made["figures"]["before"] > 5 * made["figures"]["after"]
    assert str(text) == "b" * 500


def test_a_long_text_is_loaded_block_by_block() -> None:
    doc: Doc[Any] = Doc()
    text: Text = doc.get("text", type=Text)
    text += "🦊b" * 20_000
    made = rebuild([doc.get_update()], NEW)
    assert str(replay(made["update"]).get("text", type=Text)) == str(text)


def test_an_empty_document_stays_empty() -> None:
    doc: Doc[Any] = Doc()
    text: Text = doc.get("text", type=Text)
    text += "gone"
    text.clear()
    made = rebuild([doc.get_update()], NEW)
    assert made["update"] == b"\x00\x00"
    assert made["figures"]["deleted"] == 4


def test_content_that_cannot_be_copied_is_refused_by_its_kind() -> None:
    strange = Block(1, 0, 1, 2, None, None, "root", None, b'\x00\x03"a"')
    with pytest.raises(Refused, match=r"cannot be copied .* not 2"):
        rebuild([write({1: [strange]}, DeleteSet())], NEW)


def test_values_that_look_like_relative_positions_are_counted() -> None:
    doc: Doc[Any] = Doc()
    marks: Map[Any] = doc.get("marks", type=Map)
    marks["here"] = {"type": None, "tname": "text", "item": {"client": 1, "clock": 4}, "assoc": 0}
    marks["json"] = '{"item":{"client":1,"clock":4}}'
    marks["other"] = {"client": "ACME"}
    assert rebuild([doc.get_update()], NEW)["figures"]["positions"] == 2
