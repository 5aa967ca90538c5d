"""Names and messages beyond ASCII, and providers without a token."""

from tests.interop.scenario import run
from tests.running import Server


def test_every_key_names_the_same_room_in_both_dialects(open_server: Server) -> None:
    result = run("names", "keys", {"url": open_server.url, "prefix": "names/"})
    assert result["apart"] == []
    assert result["keys"] == 9


def test_stateless_messages_beyond_ascii_leave_the_session_alone(
    open_server: Server, room: str
) -> None:
    result = run("names", "stateless", {"url": open_server.url, "room": room})
    assert result == {"sockets": [1, 1, 1], "closes": []}


def test_a_version_2_provider_without_a_token_is_let_into_an_open_node(
    open_server: Server, room: str
) -> None:
    result = run("names", "version_2_without_a_token", {"url": open_server.url, "room": room})
    assert result == {"text": "no token;", "sockets": 1}
