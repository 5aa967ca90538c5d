"""Native messages: bytes as SPEC.md has them, and nothing but Malformed for the rest."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import msgpack
import pytest
from hypothesis import given, strategies as st

from parvis.protocol import Malformed, TooDeep, TooLarge, decode, decode_from_server, encode
from parvis.protocol.messages import (
    FROM_CLIENT,
    FROM_SERVER,
    Ack,
    Changed,
    ClientMessage,
    Hello,
    Join,
    Leave,
    ServerMessage,
    Signal,
    Update,
)

VECTORS = Path(__file__).parents[2] / "protocol" / "vectors" / "native.json"

values: st.SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**53 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
by_type: Mapping[str, st.SearchStrategy[object]] = {
    "int": st.integers(0, 2**53 - 1),
    "float": st.floats(0, 1e12),
    "str": st.text(max_size=20),
    "bytes": st.binary(max_size=40),
    "bool": st.booleans(),
    "Sequence[str]": st.lists(st.text(max_size=8), max_size=3),
    "Sequence[bytes]": st.lists(st.binary(max_size=8), max_size=3),
    "Value": values,
    "Mapping[str, Value]": st.dictionaries(st.text(max_size=4), values, max_size=3),
}


def messages(kinds: Mapping[int, type]) -> st.SearchStrategy[Any]:
    """Make any message of these kinds."""
    return st.one_of(
        [
            st.builds(kind, *[by_type[cast(str, field.type)] for field in fields(kind)])
            for kind in kinds.values()
        ]
    )


def vectors() -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", json.loads(VECTORS.read_text("utf-8"))["messages"])


def from_json(value: Any) -> Any:
    """Read the vectors' way of writing bytes: {"hex": "…"}."""
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        if set(table) == {"hex"}:
            return bytes.fromhex(table["hex"])
        return {key: from_json(item) for key, item in table.items()}
    if isinstance(value, list):
        return [from_json(item) for item in cast("list[object]", value)]
    return value


def test_an_update_is_an_array_of_its_number_and_fields() -> None:
    assert encode(Update(3, 7, b"\x01\x02")) == b"\x95\x04\x03\x07\xc4\x02\x01\x02\xc4\x00"
    assert decode(b"\x94\x04\x03\x07\xc4\x02\x01\x02") == Update(3, 7, b"\x01\x02")


def test_an_ack_is_an_array_of_its_number_and_fields() -> None:
    assert encode(Ack(3, 7, 300)) == b"\x94\x26\x03\x07\xcd\x01\x2c"


@pytest.mark.parametrize("vector", vectors(), ids=lambda v: v["message"]["type"])
def test_the_golden_vectors_hold_both_ways(vector: dict[str, Any]) -> None:
    described = dict(vector["message"])
    name, side = described.pop("type"), vector["from"]
    kinds = FROM_CLIENT if side == "client" else FROM_SERVER
    kind = next(kind for kind in kinds.values() if kind.__name__ == name)
    message = kind(**{key: from_json(value) for key, value in described.items()})
    frame = bytes.fromhex(vector["bytes"])
    read = decode if side == "client" else decode_from_server
    assert read(frame) == message
    assert encode(message) == frame


def test_there_is_a_golden_vector_for_every_message() -> None:
    covered = {(v["from"], v["message"]["type"]) for v in vectors()}
    wanted = {("client", kind.__name__) for kind in FROM_CLIENT.values()}
    wanted |= {("server", kind.__name__) for kind in FROM_SERVER.values()}
    assert covered == wanted


@pytest.mark.parametrize(
    "frame", json.loads(VECTORS.read_text(encoding="utf-8"))["malformed"], ids=lambda f: f[:24]
)
def test_the_malformed_vectors_are_refused(frame: str) -> None:
    with pytest.raises(Malformed):
        decode(bytes.fromhex(frame))


@given(messages(FROM_CLIENT))
def test_every_message_of_a_client_survives_the_wire(message: ClientMessage) -> None:
    assert decode(encode(message)) == message


@given(messages(FROM_SERVER))
def test_every_message_of_a_server_survives_the_wire(message: ServerMessage) -> None:
    assert decode_from_server(encode(message)) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(frame: bytes) -> None:
    with contextlib.suppress(Malformed):
        encode(decode(frame))


@given(messages(FROM_CLIENT), st.data())
def test_a_damaged_message_is_a_message_or_malformed(
    message: ClientMessage, data: st.DataObject
) -> None:
    frame = bytearray(encode(message))
    for _ in range(data.draw(st.integers(1, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Malformed):
        encode(decode(bytes(frame)))


def test_fields_that_are_not_known_are_passed_over() -> None:
    assert decode(msgpack.packb([4, 3, 7, b"u", b"", "from the future", 1])) == Update(3, 7, b"u")


def test_trailing_fields_with_a_default_may_be_left_out() -> None:
    assert decode(msgpack.packb([1, 1, "t"])) == Hello(1, "t", "")
    assert decode(msgpack.packb([2, 9, "plain/x"])) == Join(9, "plain/x")


def test_a_missing_field_is_named_by_what_is_wrong() -> None:
    with pytest.raises(Malformed, match="Update with 3 fields, not 1"):
        decode(msgpack.packb([4, 3]))


def test_a_field_of_the_wrong_type_is_named() -> None:
    with pytest.raises(Malformed, match=r"bytes as Update\.update"):
        decode(msgpack.packb([4, 3, 7, "text"]))


@pytest.mark.parametrize("number", [-1, 2**53, 1.5, True, None])
def test_numbers_stay_within_what_javascript_can_hold(number: object) -> None:
    with pytest.raises(Malformed, match=r"below 2\^53"):
        decode(msgpack.packb([4, number, 7, b""]))


def test_a_value_may_be_nested_32_levels_deep_and_not_33() -> None:
    def nested(levels: int) -> object:
        value: object = 1
        for _ in range(levels):
            value = [value]
        return value

    assert isinstance(decode(msgpack.packb([7, 1, 2, "x", nested(32)])), Signal)
    with pytest.raises(TooDeep):
        decode(msgpack.packb([7, 1, 2, "x", nested(33)]))


def test_arrays_nested_without_end_are_malformed_and_overflow_nothing() -> None:
    with pytest.raises(Malformed):
        decode(b"\x95\x07\x01\x02\xa1x" + b"\x91" * 1_000_000 + b"\xc0")


def test_a_map_with_keys_that_are_no_strings_is_malformed() -> None:
    with pytest.raises(Malformed):
        decode(b"\x95\x07\x01\x02\xa1x\x81\x01\x02")


def test_text_that_is_no_utf8_is_malformed() -> None:
    with pytest.raises(Malformed):
        decode(b"\x93\x01\x01\xa1\xff")


def test_a_frame_over_the_limit_is_too_large() -> None:
    with pytest.raises(TooLarge):
        decode(encode(Update(1, 1, bytes(100))), max_size=100)


LARGE = 200_000


@pytest.mark.parametrize("item", [b"\x80", b"\x90", b"\xc0"], ids=["maps", "arrays", "nils"])
def test_a_large_frame_holds_no_arrays_that_would_become_a_thousand_times_as_many_bytes(
    item: bytes,
) -> None:
    frame = b"\x95\x07\x01\x01\xa1x\xdd" + LARGE.to_bytes(4, "big") + item * LARGE
    with pytest.raises(Malformed, match="max_array_len"):
        decode(frame)
    with pytest.raises(TooLarge, match="fields"):
        decode(b"\xdd" + LARGE.to_bytes(4, "big") + b"\x04" + item * (LARGE - 1))


def test_a_large_frame_holds_any_bytes_or_text_and_fields_of_the_future() -> None:
    update = Update(3, 7, bytes(LARGE))
    assert decode(encode(update)) == update
    assert decode(msgpack.packb([3, 5, bytes(LARGE), "from the future", 1])) == Leave(5)
    signal = Signal(1, 2, "image", bytes(LARGE))
    assert decode(encode(signal)) == signal


def test_a_large_frame_ends_where_its_last_field_ends() -> None:
    with pytest.raises(Malformed):
        decode(encode(Update(3, 7, bytes(LARGE)))[:-1])
    with pytest.raises(Malformed):
        decode(encode(Update(3, 7, bytes(LARGE))) + b"\xc0")


def test_what_a_server_says_is_nothing_a_client_may_say() -> None:
    with pytest.raises(Malformed, match="a kind of message this side takes"):
        decode(encode(Changed(1, b"")))
