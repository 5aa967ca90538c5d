"""The states of a native session, SPEC.md section 4."""

import pytest

from parvis.protocol import TRANSITIONS, CloseCode, ErrorCode, OutOfOrder, SessionState, after
from parvis.protocol.messages import FROM_CLIENT, Hello, Ping, Update


def test_a_session_opens_with_a_hello() -> None:
    assert after(SessionState.CONNECTED, Hello(1, "ticket")) is SessionState.OPEN


def test_a_ping_is_answered_before_the_hello() -> None:
    assert after(SessionState.CONNECTED, Ping(1)) is SessionState.CONNECTED


def test_nothing_else_may_come_before_the_hello() -> None:
    with pytest.raises(OutOfOrder, match="expected Hello, Ping while connected, got Update"):
        after(SessionState.CONNECTED, Update(1, 1, b""))


def test_a_second_hello_is_out_of_order() -> None:
    with pytest.raises(OutOfOrder):
        after(SessionState.OPEN, Hello(1, "ticket"))


def test_a_closed_session_takes_nothing() -> None:
    with pytest.raises(OutOfOrder, match="expected nothing while closed"):
        after(SessionState.CLOSED, Ping(1))


def test_every_message_of_a_client_has_its_place() -> None:
    placed = {kind for row in TRANSITIONS.values() for kind in row}
    assert placed == set(FROM_CLIENT.values())


def test_the_number_of_a_close_says_whether_to_come_back() -> None:
    final = {code for code in CloseCode if not code.comes_back}
    assert final == {code for code in CloseCode if 3500 <= code < 4000 or 4400 <= code < 4500} - {
        CloseCode.STOCK_REFRESH_TOKEN
    }


def test_the_number_of_a_refusal_says_whether_to_try_again() -> None:
    assert {code for code in ErrorCode if code.retryable} == {
        ErrorCode.TRY_AGAIN,
        ErrorCode.RATE_LIMITED,
        ErrorCode.STORE_UNAVAILABLE,
        ErrorCode.TOO_MANY_ROOMS,
        ErrorCode.DRAINING,
    }


def test_a_code_has_a_slug_for_json() -> None:
    assert ErrorCode.ROOM_NOT_FOUND.slug == "room_not_found"
