"""The blocks of updates one by one: read, cut and written as they were."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pycrdt import Doc, merge_updates

from parvis.protocol import Malformed
from parvis.protocol.blocks import Block, read, units, write
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.update import STORED, STRING, scan
from tests.server.history.crowd import Crowd

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors" / "updates.json"


TRACES = json.loads(VECTORS.read_text())["traces"]


@pytest.mark.parametrize("trace", TRACES, ids=[trace["name"] for trace in TRACES])
def test_updates_of_yjs_and_pycrdt_are_written_as_they_were_read(trace: dict[str, Any]) -> None:
    for update in map(b64decode, trace["updates"]):
        again, seen = scan(write(*read(update)), STORED), scan(update, STORED)
        assert (again.structs, again.deletes) == (seen.structs, seen.deletes)
        assert (again.needs, again.roots, again.formats) == (seen.needs, seen.roots, seen.formats)


@given(st.integers(0, 2**32))
def test_what_was_written_is_the_same_document(seed: int) -> None:
    merged = merge_updates(*Crowd(seed).write(12).updates)
    one: Doc[Any] = Doc()
    other: Doc[Any] = Doc()
    one.apply_update(merged)
    other.apply_update(write(*read(merged)))
    assert one.get_state() == other.get_state()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.data())
def test_a_text_is_cut_by_utf_16_units(text: str, data: st.DataObject) -> None:
    length = units(text)
    at = data.draw(st.integers(0, length))
    block = Block(1, 0, length, STRING, content=text)
    rest = block.cut(at)
    whole = text.encode("utf-16-le")
    assert block.content == whole[: 2 * at].decode("utf-16-le", "replace")
    assert rest == whole[2 * at :].decode("utf-16-le", "replace")


@pytest.mark.parametrize(("first", "rest"), [("a\ufffd", "\ufffdb")])
def test_each_half_of_a_character_that_is_cut_takes_its_clock(first: str, rest: str) -> None:
    block = Block(1, 0, 4, STRING, content="a\U0001f98ab")
    assert (block.cut(2), block.content) == (rest, first)


def test_a_block_at_no_known_place_is_not_written() -> None:
    with pytest.raises(ValueError, match="parent"):
        write({1: [Block(1, 0, 1, STRING, content="a")]}, DeleteSet())


@pytest.mark.parametrize("update", ["", "01", "0101010004010174", "000001"])
def test_what_is_no_update_is_malformed(update: str) -> None:
    with pytest.raises(Malformed):
        read(bytes.fromhex(update))
