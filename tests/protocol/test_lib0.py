"""lib0 encodings, against the bytes of lib0 itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from parvis.protocol.errors import Malformed, ProtocolError
from parvis.protocol.lib0 import MAX_UINT, Reader, var_bytes, var_int, var_string, var_uint

VECTORS: Any = json.loads(
    (Path(__file__).parents[2] / "protocol" / "vectors" / "lib0.json").read_text()
)

READ: dict[str, Callable[[Reader], object]] = {
    "var_uint": Reader.var_uint,
    "var_int": Reader.var_int,
    "var_bytes": Reader.var_bytes,
    "var_string": Reader.var_string,
}
WRITE: dict[str, Callable[[Any], bytes]] = {
    "var_uint": var_uint,
    "var_int": var_int,
    "var_bytes": var_bytes,
    "var_string": var_string,
}
KINDS = sorted(READ)

ALL = [(kind, vector) for kind in KINDS for vector in VECTORS[kind]]
ALL_MALFORMED = [(kind, encoded) for kind in KINDS for encoded in VECTORS["malformed"][kind]]


def value_of(kind: str, vector: Any) -> Any:
    return bytes.fromhex(vector["value"]) if kind == "var_bytes" else vector["value"]


@pytest.mark.parametrize(("kind", "vector"), ALL)
def test_what_lib0_wrote_is_read(kind: str, vector: Any) -> None:
    reader = Reader(bytes.fromhex(vector["bytes"]))
    assert READ[kind](reader) == value_of(kind, vector)
    assert reader.at_end


@pytest.mark.parametrize(("kind", "vector"), ALL)
def test_it_is_written_as_lib0_writes_it(kind: str, vector: Any) -> None:
    assert WRITE[kind](value_of(kind, vector)).hex() == vector["bytes"]


@pytest.mark.parametrize(("kind", "encoded"), ALL_MALFORMED)
def test_what_is_malformed_is_refused(kind: str, encoded: str) -> None:
    with pytest.raises(Malformed):
        READ[kind](Reader(bytes.fromhex(encoded)))


@given(st.integers(0, MAX_UINT))
def test_any_unsigned_number_comes_back(value: int) -> None:
    assert Reader(var_uint(value)).var_uint() == value


@given(st.integers(-MAX_UINT, MAX_UINT))
def test_any_signed_number_comes_back(value: int) -> None:
    assert Reader(var_int(value)).var_int() == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(value: str) -> None:
    assert Reader(var_string(value)).var_string() == value


@given(st.binary(max_size=300))
def test_any_bytes_come_back(value: bytes) -> None:
    assert Reader(var_bytes(value)).var_bytes() == value


@settings(max_examples=500)
@given(st.sampled_from(KINDS), st.binary(max_size=24))
def test_any_bytes_are_read_or_malformed(kind: str, data: bytes) -> None:
    reader = Reader(data)
    try:
        READ[kind](reader)
    except Malformed:
        return
    assert 0 < reader.pos <= len(data)


def test_values_are_read_one_after_another() -> None:
    reader = Reader(bytes.fromhex("05 41 01aa 0261c3 02c3a9".replace("61c3", "6162")))
    assert reader.byte() == 5
    assert reader.var_int() == -1
    assert reader.var_bytes() == b"\xaa"
    assert reader.var_string() == "ab"
    assert not reader.at_end
    assert reader.var_string() == "é"
    assert reader.at_end


def test_reading_can_start_anywhere() -> None:
    assert Reader(bytes.fromhex("ffff05"), 2).var_uint() == 5


def test_no_byte_is_read_behind_the_end() -> None:
    with pytest.raises(Malformed):
        Reader(b"").byte()


def test_the_error_says_what_was_expected_and_where() -> None:
    reader = Reader(bytes.fromhex("00 05 61"))
    reader.var_uint()
    with pytest.raises(Malformed) as caught:
        reader.var_bytes()
    assert str(caught.value) == "expected 5 bytes, 1 are left, at byte 1"
    assert caught.value.at == 1
    assert isinstance(caught.value, ProtocolError)


def test_an_error_without_a_place_names_none() -> None:
    assert str(Malformed("JSON")) == "expected JSON"


def test_negative_zero_of_javascript_is_zero() -> None:
    assert Reader(b"\x40").var_int() == 0


def test_a_number_may_be_written_longer_than_needed() -> None:
    assert Reader(bytes.fromhex("8500")).var_uint() == 5


@pytest.mark.parametrize("value", [-1, MAX_UINT + 1])
def test_a_number_that_javascript_cannot_hold_is_not_written(value: int) -> None:
    with pytest.raises(ValueError, match="varUint"):
        var_uint(value)


@pytest.mark.parametrize("value", [-MAX_UINT - 1, MAX_UINT + 1])
def test_a_signed_number_that_javascript_cannot_hold_is_not_written(value: int) -> None:
    with pytest.raises(ValueError, match="varInt"):
        var_int(value)


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("a\ud83d", "0461efbfbd"),
        ("\ude00a", "04efbfbd61"),
        ("\ud83d\ude00", "04f09f9880"),
    ],
)
def test_half_an_emoji_is_written_as_javascript_writes_it(text: str, encoded: str) -> None:
    assert var_string(text).hex() == encoded
