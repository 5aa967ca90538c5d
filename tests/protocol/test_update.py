"""The structural reader of Yjs updates: what it takes, what it refuses, what it says."""

import base64
import dataclasses
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.protocol.errors import Malformed, NotAllowed, TooDeep, TooLarge
from parvis.protocol.lib0 import var_bytes, var_string, var_uint
from parvis.protocol.ranges import DeleteSet, Range, merge
from parvis.protocol.update import CLIENT, STORED, Limits, Scan, read_delete_set, scan
from parvis.protocol.yjs import decode_state_vector

TRACES: Any = json.loads(
    (Path(__file__).parents[2] / "protocol" / "vectors" / "updates.json").read_text()
)["traces"]
NAMES = [trace["name"] for trace in TRACES]
SUBDOCUMENTS = dataclasses.replace(CLIENT, subdocuments=True)

# yrs can stay behind when updates come in a wild order, although it has them all in the end.
STUCK_IN_YRS = {"received in any order"}


def updates_of(trace: Any) -> Iterator[bytes]:
    return map(base64.b64decode, trace["updates"])


def limits_of(trace: Any) -> Limits:
    return SUBDOCUMENTS if trace.get("subdocument") else CLIENT


def state_of(trace: Any) -> dict[int, int]:
    return decode_state_vector(base64.b64decode(trace["state_vector"]))


def block(content: str, *, info: int, stands: str = "01 01 74", client: int = 5) -> bytes:
    """An update of one block, which stands in root "t" unless told otherwise."""
    start = b"\x01\x01" + var_uint(client) + b"\x00" + bytes((info,))
    return start + bytes.fromhex(stands) + bytes.fromhex(content) + b"\x00"


def text(value: str) -> str:
    return var_string(value).hex()


# Names


def test_a_scan_names_roots_elements_and_formats() -> None:
    doc: Doc[Any] = Doc()
    root = doc.get("default", type=XmlFragment)
    root.children.append(XmlElement("paragraph", {"level": "1"}, [words := XmlText("some words")]))
    root.children.append(XmlElement("image"))
    words.format(0, 4, {"bold": True, "link": {"href": "x"}})
    whole = scan(doc.get_update())
    assert (whole.roots, whole.elements, whole.formats) == (
        {"default"},
        {"paragraph", "image"},
        {"bold", "link"},
    )
    before = doc.get_state()
    words.format(4, 6, {"italic": True})
    later = scan(doc.get_update(before))
    assert (later.roots, later.elements, later.formats) == (set[str](), set[str](), {"italic"})


@pytest.mark.parametrize("kind", ["00", "01", "02", "04", "06"])
def test_only_elements_have_a_name(kind: str) -> None:
    assert scan(block(kind, info=7)).elements == set()


def test_names_of_one_scan_do_not_show_in_the_next() -> None:
    element = scan(block("03" + text("paragraph"), info=7))
    format_ = scan(block(text("bold") + text("true"), info=6))
    plain = scan(block(text("x"), info=4))
    assert (element.elements, element.formats) == ({"paragraph"}, set[str]())
    assert (format_.elements, format_.formats) == (set[str](), {"bold"})
    assert (plain.elements, plain.formats) == (set[str](), set[str]())


# Real updates


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
def test_no_real_update_is_refused(trace: Any) -> None:
    for update in updates_of(trace):
        scan(update, limits_of(trace))
        scan(update, STORED)


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
def test_the_ranges_are_what_the_document_then_holds(trace: Any) -> None:
    structs: dict[int, list[Range]] = {}
    for update in updates_of(trace):
        for client, ranges in scan(update, limits_of(trace)).structs.items():
            structs.setdefault(client, []).extend(ranges)
    state = {client: merge(ranges) for client, ranges in structs.items()}
    assert state == {client: [(0, clock)] for client, clock in state_of(trace).items()}


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
def test_yrs_reads_the_same_ranges(trace: Any) -> None:
    doc: Doc[Any] = Doc()
    for update in updates_of(trace):
        doc.apply_update(update)
    reached = decode_state_vector(doc.get_state()) == state_of(trace)
    assert reached == (trace["name"] not in STUCK_IN_YRS)


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
def test_the_deletions_are_what_the_document_then_lacks(trace: Any) -> None:
    deleted = DeleteSet().union(
        *(scan(update, limits_of(trace)).delete_set for update in updates_of(trace))
    )
    lacks: dict[int, list[Range]] = {
        int(client): merge((start, end) for start, end in ranges)
        for client, ranges in trace["deletes"].items()
    }
    # A document also deletes by itself: what was set twice, what was in something deleted.
    assert DeleteSet(lacks).covers(deleted.ranges)
    if trace["name"].endswith("whole"):
        assert deleted == DeleteSet(lacks)


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
def test_a_gap_is_told_exactly_when_a_document_has_to_wait(trace: Any) -> None:
    """An update on top of what came before it, by this one's account and by the document's."""
    doc: Doc[Any] = Doc()
    for update in updates_of(trace):
        seen = scan(update, limits_of(trace))
        before = decode_state_vector(doc.get_state())
        gap = seen.gap(before)
        doc.apply_update(update)
        after = decode_state_vector(doc.get_state())
        integrated = all(after.get(client, 0) >= end for client, end in seen.max_clocks.items())
        if not gap:
            assert integrated
        if gap and seen.structs and not seen.deletes:
            assert not integrated
        if gap:
            break  # from here on the document holds updates back that its state does not show


@pytest.mark.parametrize("trace", TRACES, ids=NAMES)
def test_an_update_adds_nothing_the_second_time(trace: Any) -> None:
    state: dict[int, int] = {}
    deleted = DeleteSet()
    for update in updates_of(trace):
        seen = scan(update, limits_of(trace))
        if seen.gap(state):
            break
        added = not seen.is_empty and not seen.covered_by(state, deleted)
        state |= seen.reach(state)
        deleted = deleted.union(seen.delete_set)
        assert seen.covered_by(state, deleted)
        if added:
            assert not seen.covered_by({}, DeleteSet())


@pytest.mark.parametrize("name", ["merged with gaps", "three people, pycrdt, merged with gaps"])
def test_ranges_with_gaps_between_them_are_told_apart(name: str) -> None:
    trace = TRACES[NAMES.index(name)]
    assert any(
        len(ranges) > 1 for update in updates_of(trace) for ranges in scan(update).structs.values()
    )


def test_the_subdocuments_are_refused_unless_they_are_allowed() -> None:
    traces = [trace for trace in TRACES if trace.get("subdocument")]
    assert len(traces) == 2
    for trace in traces:
        with pytest.raises(NotAllowed):
            for update in updates_of(trace):
                scan(update)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 50), st.text(max_size=5)), max_size=30))
def test_any_edits_of_pycrdt_are_taken(edits: list[tuple[int, int, str]]) -> None:
    doc: Doc[Any] = Doc(client_id=2**33)
    updates: list[bytes] = []
    doc.observe(lambda event: updates.append(event.update))
    shared, array, cells = (
        doc.get("text", type=Text),
        doc.get("array", type=Array),
        doc.get("map", type=Map),
    )
    for kind, number, value in edits:
        if kind < 2:
            shared.insert(0, value)
        elif kind == 2:
            array.append([number, value])
        elif kind == 3:
            cells[value] = number
        elif kind == 4 and len(array):
            del array[number % len(array)]
        else:
            shared.clear()
    state: dict[int, int] = {}
    deleted = DeleteSet()
    for update in updates:
        seen = scan(update, STORED)
        assert not seen.gap(state)
        state |= seen.reach(state)
        deleted = deleted.union(seen.delete_set)
    assert state == decode_state_vector(doc.get_state())
    assert deleted == read_delete_set(doc.get_update())


# What it says


def test_a_keystroke_byte_by_byte() -> None:
    # 1 client, 1 block, client 5, clock 7, text with origin, origin 5:6, "é😀"; nothing deleted
    update = bytes.fromhex("01 01 05 07 84 05 06 06 c3a9f09f9880 00")
    seen = scan(update)
    assert seen.structs == {5: [(7, 10)]}
    assert (seen.deletes, seen.needs, seen.roots, seen.blocks) == ({}, {}, set(), 1)
    assert seen.min_clocks == {5: 7}
    assert seen.max_clocks == {5: 10}
    assert not seen.is_empty
    assert seen.gap({})
    assert seen.gap({5: 6})
    assert not seen.gap({5: 7})
    assert not seen.gap({5: 9})
    assert seen.reach({5: 6}) == {5: 6}
    assert seen.reach({5: 7}) == {5: 10}
    assert not seen.covered_by({5: 9}, DeleteSet())
    assert seen.covered_by({5: 10}, DeleteSet())


def test_a_deletion_byte_by_byte() -> None:
    # no blocks; 1 client, client 5, 2 ranges: 3 + 2, 9 + 1
    seen = scan(bytes.fromhex("00 01 05 02 03 02 09 01"))
    assert seen.deletes == {5: [(3, 5), (9, 10)]}
    assert seen.delete_set == DeleteSet({5: [(3, 5), (9, 10)]})
    assert seen.structs == {}
    assert not seen.is_empty
    assert seen.gap({5: 9})
    assert not seen.gap({5: 10})
    assert not seen.covered_by({5: 10}, DeleteSet({5: [(3, 5)]}))
    assert seen.covered_by({}, DeleteSet({5: [(0, 10)]}))


def test_an_empty_update_is_empty() -> None:
    seen = scan(bytes.fromhex("00 00"))
    assert seen.is_empty
    assert not seen.gap({})
    assert seen.covered_by({}, DeleteSet())


def test_a_gap_inside_an_update_parts_its_ranges() -> None:
    # client 5 from 0: garbage 2, gap 3, garbage 1, gap 4
    seen = scan(bytes.fromhex("01 04 05 00 00 02 0a 03 00 01 0a 04 00"))
    assert seen.structs == {5: [(0, 2), (5, 6)]}
    assert seen.blocks == 4
    assert seen.gap({})
    assert seen.gap({5: 4})
    assert not seen.gap({5: 5})
    assert seen.reach({}) == {5: 2}
    assert seen.reach({5: 5}) == {5: 6}


def test_a_gap_at_the_start_is_not_a_range() -> None:
    assert scan(bytes.fromhex("01 02 05 00 0a 03 00 01 00")).structs == {5: [(3, 4)]}


def test_only_gaps_are_no_blocks() -> None:
    seen = scan(bytes.fromhex("01 01 05 00 0a 03 00"))
    assert seen.is_empty
    assert seen.max_clocks == {}


def test_it_needs_what_its_blocks_refer_to() -> None:
    # client 5 from 0: text "a" with origin 6:3 and right origin 7:9; text in the map 8:1 under "k"
    update = bytes.fromhex("01 02 05 00 c4 06 03 07 09 01 61 24 00 08 01 01 6b 01 62 00")
    seen = scan(update)
    assert seen.needs == {6: 4, 7: 10, 8: 2}
    assert not seen.gap({6: 4, 7: 10, 8: 2})
    for lacking in ({6: 3, 7: 10, 8: 2}, {6: 4, 7: 9, 8: 2}, {6: 4, 7: 10}):
        assert seen.gap(lacking)


def test_what_it_needs_may_be_in_itself() -> None:
    # client 6 from 0: "ab"; client 5 from 0: "c" with origin 6:1
    seen = scan(bytes.fromhex("02 01 06 00 04 01 01 74 02 6162 01 05 00 84 06 01 01 63 00"))
    assert seen.needs == {6: 2}
    assert not seen.gap({})


def test_the_roots_it_names_are_known() -> None:
    update = bytes.fromhex("01 02 05 00 04 01 02 c3a9 01 61 21 01 00 01 6b 02 00")
    assert scan(update).roots == {"é", ""}


def test_a_state_that_ends_inside_a_character_is_told() -> None:
    # client 5 from 3: "a😀b", of which the second unit is the first half of the emoji
    seen = scan(bytes.fromhex("01 01 05 03 04 01 01 74 06 61f09f988062 00"))
    assert [clock for clock in range(12) if seen.halves({5: clock})] == [5]
    assert not seen.halves({})
    assert not scan(bytes.fromhex("01 01 05 03 04 01 01 74 05 61c3a9c3a9 00")).halves({5: 5})


def test_an_update_is_whole_if_it_is_what_the_state_says() -> None:
    seen = scan(bytes.fromhex("01 02 05 00 00 02 00 01 00"))
    assert seen.is_whole({5: 3})
    assert seen.is_whole({5: 3, 6: 0})
    assert not seen.is_whole({5: 2})
    assert not seen.is_whole({5: 4})
    assert not seen.is_whole({5: 3, 6: 1})
    assert not scan(bytes.fromhex("01 01 05 01 00 02 00")).is_whole({5: 3})


@pytest.mark.parametrize("trace", [t for t in TRACES if t["name"].endswith("whole")])
def test_an_encoded_document_is_whole(trace: Any) -> None:
    (update,) = updates_of(trace)
    assert scan(update, limits_of(trace)).is_whole(state_of(trace))


def test_half_an_emoji_deleted_has_yrs_encode_what_is_not_whole() -> None:
    """Why a snapshot is checked: to who loads this, the client's next clock would be known."""
    doc: Doc[Any] = Doc()
    doc.apply_update(bytes.fromhex("01 01 05 00 04 01 01 74 05 61f09f9880 00"))
    doc.apply_update(bytes.fromhex("00 01 05 01 02 01"))
    state = decode_state_vector(doc.get_state())
    assert state == {5: 3}
    assert scan(doc.get_update()).max_clocks == {5: 4}
    assert not scan(doc.get_update()).is_whole(state)


# What it refuses


def test_the_first_input_that_kills_yrs_is_too_deep() -> None:
    update = bytes.fromhex("01 01 01 00 08 01 01 6d 01") + b"\x75\x01" * 40_000 + b"\x7e\x00"
    with pytest.raises(TooDeep, match="values nested at most 64 deep"):
        scan(update)


def test_the_second_input_that_kills_yrs_is_too_deep() -> None:
    count = 50_000
    blocks = [bytes.fromhex("27 01 01 6d 01 6b 01")]
    blocks += [b"\x27\x00\x01" + var_uint(i - 1) + b"\x01k\x01" for i in range(1, count)]
    update = b"\x01" + var_uint(count) + b"\x01\x00" + b"".join(blocks) + b"\x00"
    with pytest.raises(TooDeep, match="256 shared types, not 49999"):
        scan(update)


def test_the_input_that_poisons_a_document_is_malformed() -> None:
    update = bytes.fromhex(
        "0116f0a204000401017402686581f0a20401ffffffff0f037f040401208404050677c3b6726c640405040603626346040001620474727565c60405040b0162046e756c6c016b"
        "022701016d016e01047e270101036172720008000414047c3f8000007c0000770178740362696e01010161010002880419017c40400000480419017801780301696401770131"
        "0700041e060400042001688404210265790421042202594f01030210021903"
    )
    with pytest.raises(Malformed):
        scan(update)


def test_the_inputs_that_the_fuzzer_found_are_malformed() -> None:
    """A client without blocks, for whom yrs has others waiting."""
    doc: Doc[Any] = Doc()
    for waiting in ("0101f803000401047465787402302000", "0101f803028494030102312000"):
        doc.apply_update(bytes.fromhex(waiting))
    for waiting in ("0101f8030184f70501022f2000", "0101f8020284f8030102312000"):
        doc.apply_update(bytes.fromhex(waiting))
    update = bytes.fromhex("0100f8030202f8030101312000")
    with pytest.raises(Malformed):
        scan(update)
    with pytest.raises(BaseException, match=r"Option::unwrap\(\)"):
        doc.apply_update(update)


def test_the_input_of_the_other_report_is_too_deep() -> None:
    value = b"\x08\x01\x01t\x01" + b"\x75\x01" * 30_000 + b"\x7f"
    with pytest.raises(TooDeep):
        scan(b"\x01\x01\x05\x00" + value + b"\x00")


ONE = "01 01 05 00"  # one client, one block, client 5 from clock 0

MALFORMED = {
    "nothing": "",
    "no delete set": "00",
    "bytes left over": "00 00 00",
    "fewer clients than claimed": "02 00 05 00 00",
    "fewer blocks than claimed": "01 02 05 00 00 01 00",
    "a client twice": "02 01 05 00 00 01 01 05 01 00 01 00",
    "a client above 2^53": "01 01 ffffffffffffff1f 00 00 01 00",
    "a number of nine bytes": "01 01 ffffffffffffffffff01 00 00 01 00",
    "a number that does not end": "01 01 ff",
    "a client without blocks": "01 00 05 00 00",
    "a client without deletions": "00 01 05 00",
    "garbage of no length": f"{ONE} 00 00 00",
    "a gap of no length": f"{ONE} 0a 00 00",
    "deleted content of no length": f"{ONE} 01 01 01 74 00 00",
    "garbage with an origin": "01 01 05 01 80 05 00 01 00",
    "garbage in a parent's key": f"{ONE} 20 01 00",
    "a clock above 2^31": "01 01 05 8080808008 00 01 00",
    "a length above 2^31": f"{ONE} 00 8180808008 00",
    "lengths above 2^31 together": "01 02 05 00 00 8080808008 00 01 00",
    "an unknown kind of content": f"{ONE} 0b 01 01 74 00",
    "a kind that yrs takes for another": f"{ONE} 14 01 01 74 01 61 00",
    "a text of no length": f"{ONE} 04 01 01 74 00 00",
    "a text that is too short": f"{ONE} 04 01 01 74 05 61 00",
    "a text that is no UTF-8": f"{ONE} 04 01 01 74 02 c328 00",
    "a text with a surrogate": f"{ONE} 04 01 01 74 03 eda080 00",
    "a root's name that is no UTF-8": f"{ONE} 04 01 01 ff 01 61 00",
    "a key that is no UTF-8": f"{ONE} 24 01 01 74 01 ff 01 61 00",
    "a parent that is neither root nor id": f"{ONE} 04 02 01 74 01 61 00",
    "an origin of its own": f"{ONE} 84 05 00 01 61 00",
    "an origin of its own, written longer": f"{ONE} 84 8500 00 01 61 00",
    "an origin in its own future": "01 01 05 03 84 05 09 01 61 00",
    "a right origin of its own": f"{ONE} 44 05 00 01 61 00",
    "a parent of its own": f"{ONE} 04 00 05 00 01 61 00",
    "an origin above 2^31": f"{ONE} 84 06 8080808008 01 61 00",
    "an unknown shared type": f"{ONE} 07 01 01 74 09 00",
    "a shared type that only yrs knows": f"{ONE} 07 01 01 74 0f 00",
    "an element's name that is no UTF-8": f"{ONE} 07 01 01 74 03 01 ff 00",
    "values of no number": f"{ONE} 08 01 01 74 00 00",
    "fewer values than claimed": f"{ONE} 08 01 01 74 02 7e",
    "an unknown kind of value": f"{ONE} 08 01 01 74 01 73 00",
    "a number in a value of nine bytes": f"{ONE} 08 01 01 74 01 7d ffffffffffffffffff00 00",
    "a float cut off": f"{ONE} 08 01 01 74 01 7b 00 00",
    "an array larger than the update": f"{ONE} 08 01 01 74 01 75 ff7f 7e 00",
    "an object larger than the update": f"{ONE} 08 01 01 74 01 76 ff7f 01 61 7e 00",
    "a key in an object that is no UTF-8": f"{ONE} 08 01 01 74 01 76 01 01 ff 7e 00",
    "a text in a value that is no UTF-8": f"{ONE} 08 01 01 74 01 77 01 ff 00",
    "bytes cut off": f"{ONE} 03 01 01 74 05 00",
    "an embed that is no JSON": f"{ONE} 05 01 01 74 01 7b 00",
    "an embed of NaN": f"{ONE} 05 01 01 74 03 4e614e 00",
    "an embed of nothing": f"{ONE} 05 01 01 74 00 00",
    "an embed that is no UTF-8": f"{ONE} 05 01 01 74 03 22ff22 00",
    "a format that is no JSON": f"{ONE} 06 01 01 74 01 62 02 7472 00",
    "a format's key that is no UTF-8": f"{ONE} 06 01 01 74 01 ff 04 74727565 00",
    "a client twice in the delete set": "00 02 05 01 00 01 05 01 02 01",
    "a deletion of no length": "00 01 05 01 00 00",
    "a deletion above 2^31": "00 01 05 01 01 8080808008",
    "fewer deletions than claimed": "00 01 05 02 00 01",
    "more deletions than bytes": "00 01 05 ff7f 00 01",
    "a delete set cut off": "00 01 05",
}


@pytest.mark.parametrize("update", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_malformed_is_refused(update: str) -> None:
    with pytest.raises(Malformed) as caught:
        scan(bytes.fromhex(update))
    assert type(caught.value) is Malformed


NOT_ALLOWED = {
    "a subdocument": block(text("guid") + "7600", info=9),
    "an XML hook, which yrs reads without its name": block("05" + text("hook"), info=7),
    "a weak link, which yrs cannot read": block("07 00 05 00", info=7),
    "values as JSON, of which yrs reads one too many": block("01" + text("1"), info=2),
}


@pytest.mark.parametrize("update", NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
def test_content_that_is_not_taken_is_refused_by_name(update: bytes) -> None:
    with pytest.raises(NotAllowed):
        scan(update)


def test_yrs_reads_one_value_too_many_as_json() -> None:
    """Why such values are refused: to yrs, the delete set is a value and what follows is next."""
    update = block("01" + text("1"), info=2)
    with pytest.raises(ValueError, match="end of buffer"):
        Doc[Any]().apply_update(update)


def test_yrs_does_not_read_the_name_of_a_hook() -> None:
    with pytest.raises(ValueError, match="end of buffer"):
        Doc[Any]().apply_update(block("05" + text("hook"), info=7))


def test_stored_updates_may_hold_subdocuments_and_texts_of_no_length() -> None:
    assert scan(block(text("guid") + "7600", info=9), STORED).structs == {5: [(0, 1)]}
    empty = bytes.fromhex("01 02 05 00 04 01 01 74 00 04 01 01 74 01 61 00")
    assert scan(empty, STORED).structs == {5: [(0, 1)]}
    with pytest.raises(Malformed, match="at least one character"):
        scan(empty)
    # yrs drops such texts, so that nothing else is a client without blocks.
    with pytest.raises(Malformed, match="blocks of a client"):
        scan(bytes.fromhex(f"{ONE} 04 01 01 74 00 00"), STORED)


def test_stored_updates_are_still_checked() -> None:
    with pytest.raises(TooDeep):
        scan(block("01" + "7501" * 65 + "7e", info=8), STORED)


@pytest.mark.parametrize("nest", ["7501", "760100"])
def test_values_may_be_64_deep_and_no_deeper(nest: str) -> None:
    scan(block("01" + nest * 64 + "7e", info=8))
    with pytest.raises(TooDeep):
        scan(block("01" + nest * 65 + "7e", info=8))


def test_values_side_by_side_are_not_deep() -> None:
    scan(block("01" + "75c801" + "7500" * 200, info=8))


@pytest.mark.parametrize("info", [5, 6])
def test_json_may_be_64_deep_and_no_deeper(info: int) -> None:
    key = text("bold") if info == 6 else ""
    scan(block(key + text("[" * 64 + "]" * 64), info=info))
    with pytest.raises(TooDeep) as caught:
        scan(block(key + text("[" * 65 + "]" * 65), info=info))
    assert caught.value.at is not None


def test_brackets_in_the_texts_of_json_are_not_deep() -> None:
    scan(block(text(json.dumps({"a": "[" * 500})), info=5))


def maps(depth: int, *, leaf: bool = False, padding: int = 0) -> bytes:
    """An update of maps inside each other, and perhaps a text in the last of them."""
    blocks = [bytes.fromhex("27 01 01 6d 01 6b 01")]
    blocks += [b"\x27\x00\x05" + var_uint(i - 1) + b"\x01k\x01" for i in range(1, depth)]
    if leaf:
        blocks.append(b"\x24\x00\x05" + var_uint(depth - 1) + b"\x01k\x01x")
    count = var_uint(len(blocks) + 1)
    garbage = b"\x03\x01\x01b" + var_bytes(bytes(padding))
    return b"\x01" + count + b"\x05\x00" + b"".join(blocks) + garbage + b"\x00"


def test_a_block_may_stand_in_256_shared_types_and_in_no_more() -> None:
    scan(maps(256, leaf=True))
    with pytest.raises(TooDeep, match="at most 256 shared types, not 257"):
        scan(maps(257, leaf=True))


@pytest.mark.parametrize("padding", [0, 100_000])
def test_the_depth_of_shared_types_does_not_depend_on_what_else_there_is(padding: int) -> None:
    shallow = dataclasses.replace(CLIENT, type_depth=3)
    scan(maps(3, leaf=True, padding=padding), shallow)
    with pytest.raises(TooDeep):
        scan(maps(4, leaf=True, padding=padding), shallow)


def test_depth_is_passed_on_along_origins_and_over_clients() -> None:
    # client 5: type in root; client 6: type beside nothing in 5:0; text in 6:0, two beside it,
    # one of them by its right origin only; a type beside those, a text in that
    update = bytes.fromhex(
        "02 01 05 00 07 01 01 74 00"
        "06 06 00 07 00 05 00 00 04 00 06 00 01 61 84 06 01 01 62 44 06 02 01 63"
        "87 06 03 00 04 00 06 04 01 64 00"
    )
    for depth, fits in ((2, False), (3, True)):
        limits = dataclasses.replace(CLIENT, type_depth=depth)
        if fits:
            scan(update, limits)
        else:
            with pytest.raises(TooDeep, match="not 3"):
                scan(update, limits)


def test_blocks_that_wait_for_each_other_in_a_circle_do_not_stop_the_scan() -> None:
    # client 5:0 in 6:0, client 6:0 in 5:0; and blocks that stand in what is not in the update
    update = bytes.fromhex(
        "03 01 05 00 07 00 06 00 00 01 06 00 07 00 05 00 00 03 07 05 07 00 07 01 00 07 00 08 00 00"
        "00 01 00"
    )
    seen = scan(update, dataclasses.replace(CLIENT, type_depth=2))
    assert seen.needs == {5: 1, 6: 1, 8: 1}


def test_an_update_may_have_so_many_bytes_and_no_more() -> None:
    update = bytes.fromhex("00 01 05 01 03 02")
    scan(update, Limits(max_bytes=len(update)))
    with pytest.raises(TooLarge, match="at most 5 bytes, not 6"):
        scan(update, Limits(max_bytes=len(update) - 1))


def test_an_update_may_have_so_many_blocks_and_no_more() -> None:
    update = bytes.fromhex("02 02 05 00 00 01 00 01 01 06 00 00 01 00")
    assert scan(update, Limits(max_blocks=3)).blocks == 3
    with pytest.raises(TooLarge, match="at most 2 blocks"):
        scan(update, Limits(max_blocks=2))


def test_a_claim_of_many_blocks_is_refused_before_they_are_read() -> None:
    with pytest.raises(TooLarge):
        scan(bytes.fromhex("01 ffffffff0f 05 00 00"))


def test_deletions_out_of_order_are_put_in_order() -> None:
    seen = scan(bytes.fromhex("00 01 05 03 09 01 03 02 04 05"))
    assert seen.deletes == {5: [(3, 10)]}


def test_many_clients_and_long_numbers_are_read() -> None:
    clients = range(1000, 1200)
    blocks = b"".join(b"\x01" + var_uint(client) + b"\x81\x00\x00\x82\x00" for client in clients)
    deletes = b"".join(var_uint(client) + b"\x01\x01\x01" for client in clients)
    update = var_uint(200) + blocks + var_uint(200) + deletes
    seen = scan(update)
    assert seen.structs == {client: [(1, 3)] for client in clients}
    assert seen.deletes == {client: [(1, 2)] for client in clients}


@settings(max_examples=1000)
@given(st.one_of(st.binary(max_size=60), st.lists(st.integers(0, 11), max_size=40).map(bytes)))
def test_any_bytes_are_an_update_or_malformed(update: bytes) -> None:
    try:
        seen = scan(update)
    except Malformed:
        return
    assert_sane(seen)


@settings(max_examples=500)
@given(st.data())
def test_any_change_to_a_real_update_leaves_an_update_or_something_malformed(
    data: st.DataObject,
) -> None:
    trace = data.draw(st.sampled_from(TRACES))
    update = bytearray(base64.b64decode(data.draw(st.sampled_from(trace["updates"]))[:2000]))
    for _ in range(data.draw(st.integers(1, 4))):
        update[data.draw(st.integers(0, len(update) - 1))] = data.draw(st.integers(0, 255))
    try:
        seen = scan(bytes(update))
    except Malformed:
        return
    assert_sane(seen)


def assert_sane(seen: Scan) -> None:
    for ranges in (*seen.structs.values(), *seen.deletes.values()):
        assert ranges
        assert ranges == merge(ranges)
        assert all(0 <= start < end <= 2**31 for start, end in ranges)
    assert not seen.gap({client: 2**31 for client in (*seen.structs, *seen.deletes, *seen.needs)})


# Delete sets


def test_a_delete_set_covers_what_lies_inside_one_of_its_ranges() -> None:
    deleted = DeleteSet({5: [(0, 3), (10, 20)]})
    assert deleted.covers({})
    assert deleted.covers({5: [(0, 3), (12, 13), (19, 20)], 6: []})
    for outside in ([(2, 4)], [(3, 4)], [(9, 11)], [(19, 21)], [(30, 31)]):
        assert not deleted.covers({5: outside})
    assert not deleted.covers({6: [(0, 1)]})


def test_delete_sets_are_united() -> None:
    one = DeleteSet({5: [(0, 3)], 6: [(1, 2)]})
    other = DeleteSet({5: [(3, 5), (8, 9)]})
    assert one.union(other) == DeleteSet({5: [(0, 5), (8, 9)], 6: [(1, 2)]})
    assert DeleteSet().union() == DeleteSet()


def test_a_delete_set_is_written_as_the_end_of_an_update() -> None:
    deleted = DeleteSet({5: [(3, 5), (9, 10)], 2**53 - 1: [(0, 1)]})
    encoded = b"\x00" + deleted.encode()
    assert encoded.hex() == "00" + "02" + "ffffffffffffff0f" + "010001" + "05" + "0203020901"
    assert read_delete_set(encoded) == deleted


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9)).map(lambda r: (r[0], sum(r)))))
def test_merged_ranges_hold_the_same_clocks_and_do_not_touch(ranges: list[Range]) -> None:
    merged = merge(ranges)
    assert {clock for start, end in merged for clock in range(start, end)} == {
        clock for start, end in ranges for clock in range(start, end)
    }
    assert all(before[1] < after[0] for before, after in itertools.pairwise(merged))
