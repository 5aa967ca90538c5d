"""Half a character: what Yjs makes of it, and yrs too once the updates are mended."""

from collections.abc import Sequence
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText, merge_updates

from parvis.protocol.surrogates import Pairs, mend
from parvis.protocol.update import STORED, scan
from parvis.protocol.yjs import decode_state_vector
from tests.protocol.cuts import CUTS, FOX, HARMLESS, LOST, deletion, text


def document(*updates: bytes) -> Doc[Any]:
    doc: Doc[Any] = Doc()
    for update in updates:
        doc.apply_update(update)
    return doc


def read(*updates: bytes) -> str:
    return str(document(*updates).get("text", type=Text))


@pytest.mark.parametrize(("updates", "shown"), CUTS.values(), ids=CUTS)
def test_what_was_cut_is_read_as_yjs_shows_it(updates: Sequence[bytes], shown: str) -> None:
    assert read(*mend(updates)) == shown
    assert read(merge_updates(*mend(updates))) == shown
    assert read(*mend([merge_updates(*mend(updates))])) == shown


@pytest.mark.parametrize(("updates", "shown"), CUTS.values(), ids=CUTS)
def test_a_document_with_a_cut_is_encoded_whole(updates: Sequence[bytes], shown: str) -> None:
    doc = document(*mend(updates))
    state = doc.get_update()
    assert scan(state, STORED).is_whole(decode_state_vector(doc.get_state()))
    assert read(state) == shown


@pytest.mark.parametrize(("updates", "shown"), CUTS.values(), ids=CUTS)
def test_the_clocks_stay_as_they_were(updates: Sequence[bytes], shown: str) -> None:
    for before, after in zip(updates, mend(updates), strict=True):
        assert scan(after).structs == scan(before).structs
        assert scan(after).deletes == scan(before).deletes


@pytest.mark.parametrize(("updates", "shown"), HARMLESS.values(), ids=HARMLESS)
def test_a_whole_character_stays(updates: Sequence[bytes], shown: str) -> None:
    assert mend(updates) == list(updates)
    assert read(*updates) == shown


def test_mending_twice_changes_nothing_more() -> None:
    for updates, _ in CUTS.values():
        assert mend(mend(updates)) == mend(updates)


def test_every_kind_of_content_is_read() -> None:
    doc: Doc[Any] = Doc(client_id=2)
    doc.apply_update(text(FOX + "ab"))
    some = doc.get("m", type=Map)
    some["any"] = {"deep": [1, 2.5, -7, True, False, None, "text", {"k": b"bytes"}, 2**40]}
    some["array"] = Array([FOX, 1.5])
    fragment = doc.get("x", type=XmlFragment)
    fragment.children.append(XmlElement("p", {"class": "a"}, [XmlText("inside")]))
    rich = doc.get("r", type=Text)
    rich += "formatted"
    rich.format(0, 3, {"bold": True, "color": "red"})
    rich.insert_embed(2, {"image": "x"})
    del some["array"]
    rest = doc.get_update()
    mended = mend([rest, deletion((0, 1))])
    assert scan(mended[0], STORED).structs == scan(rest, STORED).structs
    assert read(*mended) == f"{LOST}ab"
    assert str(document(*mended).get("r", type=Text)) == str(rich)


def test_what_is_no_update_is_left_alone() -> None:
    broken = [b"", b"\xf0\x9f\xa6\x8a", text(FOX)[:-3], b"\xff" * 9]
    mended = mend([text(FOX + "ab"), *broken, deletion((1, 2))])
    assert mended[1:-1] == broken
    assert read(mended[0], mended[-1]) == f"{LOST}ab"


def test_a_state_vector_is_moved_in_front_of_a_character() -> None:
    pairs = Pairs([text("x" + FOX + "ab")])
    assert [pairs.before({1: clock}) for clock in range(6)] == [
        {1: clock} for clock in (0, 1, 1, 3, 4, 5)
    ]
    assert pairs.before({2: 2}) == {2: 2}


def test_pairs_are_found_however_the_text_was_divided() -> None:
    whole = FOX + "a" + FOX + FOX
    parts = [text("a" + FOX, clock=2, left=1), text(FOX, clock=0), text(FOX + FOX, clock=3, left=2)]
    for updates in ([text(whole)], parts, [*parts, text(whole)], [text(whole), *parts]):
        pairs = Pairs(updates)
        assert [clock for clock in range(9) if pairs.hold(1, clock)] == [1, 4, 6]
        assert not pairs.hold(2, 1)
    assert not Pairs([text("äb")])


def test_a_state_that_ends_inside_a_character_cuts_it() -> None:
    whole = text(FOX + "ab")
    (mended,) = mend([whole], {1: 1}.items())
    assert read(text(LOST), mended) == f"{LOST}{LOST}ab"
    assert mend([whole], {1: 2, 2: 1}.items()) == [whole]
