"""The y-websocket dialect, against the bytes of y-protocols and Yjs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from parvis.protocol import yjs
from parvis.protocol.errors import Malformed, TooLarge
from parvis.protocol.yjs import (
    Awareness,
    Message,
    PermissionDenied,
    QueryAwareness,
    SyncStep1,
    SyncStep2,
    YUpdate,
)

VECTORS: Any = json.loads(
    (Path(__file__).parents[2] / "protocol" / "vectors" / "yjs.json").read_text()
)

MAKE: dict[str, Callable[[Any], Message]] = {
    "sync_step1": lambda field: SyncStep1(bytes.fromhex(field["state_vector"])),
    "sync_step2": lambda field: SyncStep2(bytes.fromhex(field["update"])),
    "update": lambda field: YUpdate(bytes.fromhex(field["update"])),
    "awareness": lambda field: Awareness(bytes.fromhex(field["payload"])),
    "permission_denied": lambda field: PermissionDenied(field["reason"]),
    "query_awareness": lambda field: QueryAwareness(),
}


def make(fields: Any) -> Message:
    return MAKE[fields["type"]](fields)


def encode(message: Message) -> bytes:
    match message:
        case SyncStep1(state_vector):
            return yjs.encode_sync_step1(state_vector)
        case SyncStep2(update):
            return yjs.encode_sync_step2(update)
        case YUpdate(update):
            return yjs.encode_update(update)
        case Awareness(payload):
            return yjs.encode_awareness(payload)
        case PermissionDenied(reason):
            return yjs.encode_permission_denied(reason)
        case QueryAwareness():
            return yjs.encode_query_awareness()


ANY_MESSAGE: st.SearchStrategy[Message] = st.one_of(
    st.builds(SyncStep1, st.binary(max_size=200)),
    st.builds(SyncStep2, st.binary(max_size=200)),
    st.builds(YUpdate, st.binary(max_size=200)),
    st.builds(Awareness, st.binary(max_size=200)),
    st.builds(PermissionDenied, st.text(st.characters(exclude_categories=["Cs"]))),
    st.just(QueryAwareness()),
)


@pytest.mark.parametrize("vector", VECTORS["messages"])
def test_what_y_protocols_wrote_is_read(vector: Any) -> None:
    assert yjs.decode(bytes.fromhex(vector["bytes"])) == [make(vector["message"])]


@pytest.mark.parametrize("vector", VECTORS["messages"])
def test_a_message_is_written_as_y_protocols_writes_it(vector: Any) -> None:
    assert encode(make(vector["message"])).hex() == vector["bytes"]


@pytest.mark.parametrize("vector", VECTORS["frames"])
def test_several_messages_in_one_frame_are_read(vector: Any) -> None:
    assert yjs.decode(bytes.fromhex(vector["bytes"])) == [make(each) for each in vector["messages"]]


@pytest.mark.parametrize("frame", VECTORS["malformed"]["frames"])
def test_a_malformed_frame_is_refused(frame: str) -> None:
    with pytest.raises(Malformed):
        yjs.decode(bytes.fromhex(frame))


def test_a_frame_of_a_million_messages_is_refused_before_they_are_read() -> None:
    assert len(yjs.decode(b"\x03" * yjs.MAX_MESSAGES)) == yjs.MAX_MESSAGES
    with pytest.raises(TooLarge, match=f"at byte {yjs.MAX_MESSAGES}"):
        yjs.decode(b"\x03" * 1_000_000)


@pytest.mark.parametrize("vector", VECTORS["state_vectors"])
def test_a_state_vector_is_read_and_written_as_yjs_does(vector: Any) -> None:
    clocks = {int(client): clock for client, clock in vector["clocks"].items()}
    assert yjs.decode_state_vector(bytes.fromhex(vector["bytes"])) == clocks
    assert yjs.encode_state_vector(clocks).hex() == vector["bytes"]


@pytest.mark.parametrize("state_vector", VECTORS["malformed"]["state_vectors"])
def test_a_malformed_state_vector_is_refused(state_vector: str) -> None:
    with pytest.raises(Malformed):
        yjs.decode_state_vector(bytes.fromhex(state_vector))


@given(st.lists(ANY_MESSAGE, min_size=1, max_size=5))
def test_any_messages_come_back_from_one_frame(messages: list[Message]) -> None:
    assert yjs.decode(b"".join(map(encode, messages))) == messages


@given(st.dictionaries(st.integers(0, 2**53 - 1), st.integers(0, 2**31), max_size=20))
def test_any_state_vector_comes_back(clocks: dict[int, int]) -> None:
    assert yjs.decode_state_vector(yjs.encode_state_vector(clocks)) == clocks


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=40), st.lists(st.integers(0, 5), max_size=12).map(bytes)))
def test_any_bytes_are_messages_or_malformed(frame: bytes) -> None:
    try:
        messages = yjs.decode(frame)
    except Malformed:
        return
    assert messages


@settings(max_examples=500)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_state_vector_or_malformed(state_vector: bytes) -> None:
    try:
        clocks = yjs.decode_state_vector(state_vector)
    except Malformed:
        return
    assert yjs.decode_state_vector(yjs.encode_state_vector(clocks)) == clocks


def test_a_state_vector_that_claims_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(Malformed, match="100000000 entries"):
        yjs.decode_state_vector(bytes.fromhex("80c2d72f") + bytes(1000))
