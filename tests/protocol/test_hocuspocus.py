"""The Hocuspocus dialect, against frames of its own providers and server."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from parvis.protocol import hocuspocus, yjs
from parvis.protocol.errors import Malformed
from parvis.protocol.hocuspocus import (
    Authenticated,
    Awareness,
    BroadcastStateless,
    ClientFrame,
    ClientMessage,
    Close,
    PermissionDenied,
    Ping,
    Pong,
    QueryAwareness,
    ServerFrame,
    ServerMessage,
    Stateless,
    SyncReply,
    SyncStatus,
    SyncStep1,
    SyncStep2,
    Token,
    TokenRequest,
    Unknown,
    YUpdate,
)

VECTORS: Any = json.loads(
    (Path(__file__).parents[2] / "protocol" / "vectors" / "hocuspocus.json").read_text()
)

MAKE: dict[str, Callable[[Any], Any]] = {
    "sync_step1": lambda field: SyncStep1(bytes.fromhex(field["state_vector"])),
    "sync_step2": lambda field: SyncStep2(bytes.fromhex(field["update"])),
    "update": lambda field: YUpdate(bytes.fromhex(field["update"])),
    "awareness": lambda field: Awareness(bytes.fromhex(field["payload"])),
    "token": lambda field: Token(field["token"], field["provider_version"]),
    "token_request": lambda field: TokenRequest(),
    "permission_denied": lambda field: PermissionDenied(field["reason"]),
    "authenticated": lambda field: Authenticated(field["scope"]),
    "query_awareness": lambda field: QueryAwareness(),
    "sync_reply": lambda field: SyncReply(make(field["message"])),
    "stateless": lambda field: Stateless(field["payload"]),
    "broadcast_stateless": lambda field: BroadcastStateless(field["payload"]),
    "close": lambda field: Close(field["reason"]),
    "sync_status": lambda field: SyncStatus(field["applied"]),
    "unknown": lambda field: Unknown(field["kind"]),
    "ping": lambda field: Ping(),
    "pong": lambda field: Pong(),
}


def make(fields: Any) -> Any:
    return MAKE[fields["type"]](fields)


def encode_shared(
    address: str, message: ClientMessage | ServerMessage | Ping | Pong
) -> bytes | None:
    match message:
        case SyncStep1(state_vector):
            return hocuspocus.encode_sync_step1(address, state_vector)
        case SyncStep2(update):
            return hocuspocus.encode_sync_step2(address, update)
        case YUpdate(update):
            return hocuspocus.encode_update(address, update)
        case Awareness(payload):
            return hocuspocus.encode_awareness(address, payload)
        case QueryAwareness():
            return hocuspocus.encode_query_awareness(address)
        case Stateless(payload):
            return hocuspocus.encode_stateless(address, payload)
        case _:
            return None


def encode_client(address: str, message: ClientMessage | Pong) -> bytes:
    match message:
        case Token(token, version):
            return hocuspocus.encode_token(address, token, version)
        case Close():
            return hocuspocus.encode_client_close(address)
        case SyncReply(SyncStep1(state_vector)):
            return hocuspocus.encode_sync_reply(address, yjs.encode_sync_step1(state_vector))
        case SyncReply(SyncStep2(update)):
            return hocuspocus.encode_sync_reply(address, yjs.encode_sync_step2(update))
        case BroadcastStateless(payload):
            return hocuspocus.encode_broadcast_stateless(address, payload)
        case Pong():
            return hocuspocus.encode_pong()
        case _:
            encoded = encode_shared(address, message)
            assert encoded is not None, message
            return encoded


def encode_server(address: str, message: ServerMessage | Ping) -> bytes:
    match message:
        case PermissionDenied(reason):
            return hocuspocus.encode_permission_denied(address, reason)
        case Authenticated(scope):
            return hocuspocus.encode_authenticated(address, readonly=scope == "readonly")
        case TokenRequest():
            return hocuspocus.encode_token_request(address)
        case SyncStatus(applied):
            return hocuspocus.encode_sync_status(address, applied=applied)
        case Close(reason):
            return hocuspocus.encode_close(address, reason)
        case Ping():
            return hocuspocus.encode_ping()
        case _:
            encoded = encode_shared(address, message)
            assert encoded is not None, message
            return encoded


FROM_CLIENT = [*VECTORS["from_client"], *VECTORS["between_servers"]]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
BLOB = st.binary(max_size=150)
ANY_SHARED: Any = st.one_of(
    st.builds(SyncStep1, BLOB),
    st.builds(SyncStep2, BLOB),
    st.builds(YUpdate, BLOB),
    st.builds(Awareness, BLOB),
    st.just(QueryAwareness()),
    st.builds(Stateless, TEXT),
)
ANY_FROM_CLIENT: Any = st.one_of(
    ANY_SHARED,
    st.builds(Token, TEXT, st.none() | TEXT),
    st.builds(SyncReply, st.builds(SyncStep1, BLOB) | st.builds(SyncStep2, BLOB)),
    st.builds(BroadcastStateless, TEXT),
    st.just(Close()),
)
ANY_FROM_SERVER: Any = st.one_of(
    ANY_SHARED,
    st.builds(PermissionDenied, TEXT),
    st.builds(Authenticated, st.sampled_from(["read-write", "readonly"])),
    st.just(TokenRequest()),
    st.builds(SyncStatus, st.booleans()),
    st.builds(Close, TEXT),
)


@pytest.mark.parametrize("vector", FROM_CLIENT)
def test_what_a_provider_sent_is_read(vector: Any) -> None:
    message = make(vector["message"])
    expected = message if isinstance(message, Pong) else ClientFrame(vector["address"], message)
    assert hocuspocus.decode_from_client(bytes.fromhex(vector["bytes"])) == expected


@pytest.mark.parametrize("vector", FROM_CLIENT)
def test_a_client_writes_what_a_provider_writes(vector: Any) -> None:
    message = make(vector["message"])
    assert encode_client(vector.get("address", ""), message).hex() == vector["bytes"]


@pytest.mark.parametrize("vector", VECTORS["from_server"])
def test_what_the_server_of_hocuspocus_sent_is_read(vector: Any) -> None:
    message = make(vector["message"])
    expected = message if isinstance(message, Ping) else ServerFrame(vector["address"], message)
    assert hocuspocus.decode_from_server(bytes.fromhex(vector["bytes"])) == expected


@pytest.mark.parametrize("vector", VECTORS["from_server"])
def test_a_server_writes_what_the_server_of_hocuspocus_writes(vector: Any) -> None:
    message = make(vector["message"])
    assert encode_server(vector.get("address", ""), message).hex() == vector["bytes"]


@pytest.mark.parametrize("vector", VECTORS["unknown"])
def test_a_message_of_a_later_version_is_passed_over(vector: Any) -> None:
    frame = bytes.fromhex(vector["bytes"])
    message = make(vector["message"])
    assert hocuspocus.decode_from_client(frame) == ClientFrame(vector["address"], message)
    assert hocuspocus.decode_from_server(frame) == ServerFrame(vector["address"], message)


@pytest.mark.parametrize("frame", VECTORS["malformed"]["from_client"])
def test_a_malformed_frame_of_a_client_is_refused(frame: str) -> None:
    with pytest.raises(Malformed):
        hocuspocus.decode_from_client(bytes.fromhex(frame))


@pytest.mark.parametrize("frame", VECTORS["malformed"]["from_server"])
def test_a_malformed_frame_of_a_server_is_refused(frame: str) -> None:
    with pytest.raises(Malformed):
        hocuspocus.decode_from_server(bytes.fromhex(frame))


@given(TEXT, ANY_FROM_CLIENT)
def test_any_frame_of_a_client_comes_back(address: str, message: ClientMessage) -> None:
    frame = encode_client(address, message)
    assert hocuspocus.decode_from_client(frame) == ClientFrame(address, message)


@given(TEXT, ANY_FROM_SERVER)
def test_any_frame_of_a_server_comes_back(address: str, message: ServerMessage) -> None:
    frame = encode_server(address, message)
    assert hocuspocus.decode_from_server(frame) == ServerFrame(address, message)


@settings(max_examples=500)
@given(st.one_of(st.binary(max_size=40), st.lists(st.integers(0, 11), max_size=12).map(bytes)))
def test_any_bytes_are_a_frame_or_malformed(frame: bytes) -> None:
    for decode in (hocuspocus.decode_from_client, hocuspocus.decode_from_server):
        try:
            decode(frame)
        except Malformed:
            continue


def test_the_same_encoded_message_serves_both_dialects() -> None:
    message = yjs.encode_update(b"\x00\x00")
    assert hocuspocus.with_address("doc", message).hex() == "03646f63" + "00020200" + "00"
    assert hocuspocus.with_address("doc", message) == hocuspocus.encode_update("doc", b"\x00\x00")


def test_an_answer_carries_the_address_as_it_came() -> None:
    frame = hocuspocus.decode_from_client(bytes.fromhex("0c646f63730073657373696f6e 00 00 01 00"))
    assert frame == ClientFrame("docs\0session", SyncStep1(b"\x00"))
    assert isinstance(frame, ClientFrame)
    answer = hocuspocus.encode_sync_status(frame.address, applied=True)
    assert answer.hex() == "0c646f63730073657373696f6e" + "0801"


@pytest.mark.parametrize(
    ("address", "name", "session"),
    [
        ("docs/a", "docs/a", None),
        ("docs/a\0k2j4", "docs/a", "k2j4"),
        ("docs/a\0", "docs/a", ""),
        ("docs/a\0x\0y", "docs/a", "x\0y"),
        ("", "", None),
    ],
)
def test_an_address_is_a_name_and_maybe_a_session(
    address: str, name: str, session: str | None
) -> None:
    assert hocuspocus.split_address(address) == (name, session)
    assert hocuspocus.join_address(name, session) == address


def test_a_document_whose_name_has_nine_bytes_is_no_ping() -> None:
    frame = hocuspocus.encode_query_awareness("ninebytes")
    assert frame[0] == hocuspocus.PING
    assert hocuspocus.decode_from_client(frame) == ClientFrame("ninebytes", QueryAwareness())


def test_what_follows_a_message_is_passed_over() -> None:
    frame = hocuspocus.encode_token("doc", "t", "9.0.0") + b"\xff\xff"
    assert hocuspocus.decode_from_client(frame) == ClientFrame("doc", Token("t", "9.0.0"))
    frame = hocuspocus.encode_query_awareness("doc") + b"\x00"
    assert hocuspocus.decode_from_client(frame) == ClientFrame("doc", QueryAwareness())


def test_a_status_other_than_one_means_not_applied() -> None:
    assert hocuspocus.decode_from_server(bytes.fromhex("0164 08 41")) == ServerFrame(
        "d", SyncStatus(False)
    )
