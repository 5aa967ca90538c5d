"""A large update in pieces: each can be applied once those before it were."""

import random
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.protocol import Malformed
from parvis.protocol.lib0 import var_uint
from parvis.protocol.pieces import cut, plan
from parvis.protocol.update import STORED, scan


def written(seed: int, people: int, edits: int) -> bytes:
    """Return the state of a document that people wrote, read and tore at the same time."""
    chance = random.Random(seed)
    docs: list[Doc[Any]] = [Doc(client_id=100 + number) for number in range(people)]
    for number in range(edits):
        doc = docs[chance.randrange(people)]
        text, array = doc.get("text", type=Text), doc.get("array", type=Array)
        tree, table = doc.get("tree", type=XmlFragment), doc.get("map", type=Map)
        match chance.randrange(9):
            case 0 | 1 | 2:
                text.insert(chance.randint(0, len(str(text).encode())), "word ")
            case 3 if len(text):
                start = chance.randrange(len(text))
                del text[start : min(len(text), start + 7)]
            case 4:
                array.insert(chance.randint(0, len(array)), number)
            case 5:
                table[str(chance.randrange(5))] = Map({"at": number, "text": Text("inner")})
            case 6:
                tree.children.append(XmlElement("p", {"id": str(number)}, [XmlText("📜 é")]))
            case 7 if len(array):
                del array[chance.randrange(len(array))]
            case _:
                other = docs[chance.randrange(people)]
                doc.apply_update(other.get_update(doc.get_state()))
    for other in docs[1:]:
        docs[0].apply_update(other.get_update(docs[0].get_state()))
    return docs[0].get_update()


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("size", [1, 100, 2000, 1_000_000])
def test_pieces_applied_in_turn_make_the_whole(seed: int, size: int) -> None:
    update = written(seed, people=1 + seed % 5, edits=150)
    found = plan(update, size)
    assert found is not None
    doc: Doc[Any] = Doc()
    clocks: dict[int, int] = {}
    for piece in cut(update, found):
        scanned = scan(piece, STORED)
        assert not scanned.gap(clocks), "it builds on a later piece"
        clocks.update(scanned.max_clocks)
        doc.apply_update(piece)
    assert doc.get_update() == update


def test_pieces_are_about_as_large_as_asked() -> None:
    update = written(1, people=4, edits=2000)
    found = plan(update, 500)
    assert found is not None
    sizes = [len(piece) for piece in cut(update, found)]
    assert len(sizes) > len(update) / 1200
    assert max(sizes) < 1200


def test_one_block_is_never_cut() -> None:
    doc: Doc[Any] = Doc(client_id=7)
    doc.get("text", type=Text).insert(0, "long " * 1000)
    found = plan(doc.get_update(), 100)
    assert found is not None
    assert list(cut(doc.get_update(), found)) == [doc.get_update()]


def test_nothing_is_no_piece() -> None:
    found = plan(b"\x00\x00", 100)
    assert found is not None
    assert list(cut(b"\x00\x00", found)) == []


def test_blocks_that_build_on_each_other_in_a_circle_have_no_plan() -> None:
    def item(left: tuple[int, int]) -> bytes:
        return b"\x84" + var_uint(left[0]) + var_uint(left[1]) + b"\x01x"

    one = b"\x02" + var_uint(1) + b"\x00" + item((2, 1)) + item((2, 0))
    two = b"\x02" + var_uint(2) + b"\x00" + item((1, 1)) + item((1, 0))
    assert plan(b"\x02" + two + one + b"\x00", 1) is None


@pytest.mark.parametrize("end", [1, 5, 40])
def test_what_is_no_update_is_refused(end: int) -> None:
    with pytest.raises(Malformed):
        plan(written(3, people=2, edits=50)[:end], 100)
