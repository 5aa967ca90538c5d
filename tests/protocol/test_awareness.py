"""Awareness updates, against the bytes of y-protocols."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from parvis.protocol.awareness import (
    AwarenessEntry,
    decode_awareness,
    dump_state,
    encode_awareness,
    parse_state,
)
from parvis.protocol.errors import Malformed, TooDeep, TooLarge

VECTORS: Any = json.loads(
    (Path(__file__).parents[2] / "protocol" / "vectors" / "awareness.json").read_text()
)

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
ANY_STATE = st.dictionaries(st.text(), ANY_JSON, max_size=5)


def entries_of(vector: Any) -> list[AwarenessEntry]:
    return [AwarenessEntry(**entry) for entry in vector["entries"]]


@pytest.mark.parametrize("vector", VECTORS["updates"])
def test_what_y_protocols_wrote_is_read(vector: Any) -> None:
    assert decode_awareness(bytes.fromhex(vector["bytes"])) == entries_of(vector)


@pytest.mark.parametrize("vector", VECTORS["updates"])
def test_it_is_written_as_y_protocols_writes_it(vector: Any) -> None:
    assert encode_awareness(entries_of(vector)).hex() == vector["bytes"]


@pytest.mark.parametrize("update", VECTORS["malformed"]["updates"])
def test_a_malformed_update_is_refused(update: str) -> None:
    with pytest.raises(Malformed):
        decode_awareness(bytes.fromhex(update))


@pytest.mark.parametrize("vector", VECTORS["states"])
def test_a_state_is_read_as_javascript_reads_it(vector: Any) -> None:
    assert parse_state(vector["state"]) == json.loads(vector["state"])


@pytest.mark.parametrize("state", VECTORS["malformed"]["states"])
def test_a_state_that_is_no_json_object_is_refused(state: str) -> None:
    with pytest.raises(Malformed):
        parse_state(state)


@given(
    st.lists(
        st.builds(
            AwarenessEntry,
            st.integers(0, 2**53 - 1),
            st.integers(0, 2**32),
            st.none() | ANY_STATE.map(json.dumps),
        ),
        max_size=5,
    )
)
def test_any_entries_come_back(entries: list[AwarenessEntry]) -> None:
    assert decode_awareness(encode_awareness(entries)) == entries


@given(ANY_STATE)
def test_any_state_comes_back(state: dict[str, Any]) -> None:
    text = dump_state(state)
    assert parse_state(text) == state
    assert text.encode().decode() == text


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=40), st.lists(st.integers(0, 5), max_size=20).map(bytes)))
def test_any_bytes_are_entries_or_malformed(update: bytes) -> None:
    try:
        entries = decode_awareness(update)
    except Malformed:
        return
    assert decode_awareness(encode_awareness(entries)) == entries


@settings(max_examples=500)
@given(st.one_of(st.text(), st.text('{}[]",:\\ 1eE+-.u', max_size=30)))
def test_any_text_is_a_state_or_malformed(text: str) -> None:
    try:
        state = parse_state(text)
    except Malformed:
        return
    assert parse_state(dump_state(state)) == state


def test_a_null_with_blanks_around_it_means_gone_too() -> None:
    update = bytes.fromhex("01 05 00 06") + b" null\n"
    assert decode_awareness(update) == [AwarenessEntry(5, 0, None)]


def test_the_word_null_as_a_text_does_not_mean_gone() -> None:
    update = bytes.fromhex("01 05 00 06") + b'"null"'
    assert decode_awareness(update) == [AwarenessEntry(5, 0, '"null"')]


def test_one_more_entry_than_allowed_is_too_large() -> None:
    two = encode_awareness([AwarenessEntry(1, 0, "{}"), AwarenessEntry(2, 0, "{}")])
    assert len(decode_awareness(two, max_entries=2)) == 2
    with pytest.raises(TooLarge, match="at most 1 awareness entries, not 2"):
        decode_awareness(two, max_entries=1)


def test_a_state_is_measured_in_bytes() -> None:
    state = '{"a":"éé"}'
    update = encode_awareness([AwarenessEntry(1, 0, state)])
    size = len(state.encode())
    assert decode_awareness(update, max_state=size)[0].state == state
    with pytest.raises(TooLarge):
        decode_awareness(update, max_state=size - 1)


def test_a_state_of_64_kib_is_taken_and_one_byte_more_is_not() -> None:
    fits = '{"a":"' + "x" * (64 * 1024 - 8) + '"}'
    assert decode_awareness(encode_awareness([AwarenessEntry(1, 0, fits)]))[0].state == fits
    with pytest.raises(TooLarge):
        decode_awareness(encode_awareness([AwarenessEntry(1, 0, fits + " ")]))


def test_depth_is_counted_and_brackets_inside_texts_are_not() -> None:
    assert parse_state('{"a":"[[[[\\"[[[[{{{{"}', max_depth=1) == {"a": '[[[["[[[[{{{{'}
    assert parse_state('{"a":[1],"b":[2],"c":{}}', max_depth=2) == {"a": [1], "b": [2], "c": {}}
    with pytest.raises(TooDeep):
        parse_state('{"a":[[1]]}', max_depth=2)


def test_a_state_too_deep_for_any_parser_is_refused_by_depth() -> None:
    with pytest.raises(TooDeep):
        parse_state('{"a":' * 10_000 + "1" + "}" * 10_000)


def test_half_an_emoji_can_be_sent_on() -> None:
    state = parse_state('{"name":"\\ud83d"}')
    assert dump_state(state) == '{"name":"\\ud83d"}'
