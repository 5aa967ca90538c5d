"""Several documents or sessions of stock Hocuspocus providers on one socket."""

import pytest

from tests.interop.scenario import HOCUSPOCUS, run
from tests.running import Server


@pytest.mark.parametrize("kind", HOCUSPOCUS)
def test_two_documents_on_one_socket_stay_apart(kind: str, open_server: Server, room: str) -> None:
    result = run("sockets", "two_documents", {"url": open_server.url, "room": room, "kind": kind})
    assert result == {
        "sockets": 1,
        "closes": [],
        "a": ["0", "2"],
        "b": ["1", "3", "and writing", "still here"],
        "crossed": False,
    }


def test_two_sessions_of_one_document_share_a_socket(open_server: Server, room: str) -> None:
    result = run("sockets", "two_sessions", {"url": open_server.url, "room": room})
    assert result == {"sockets": 1, "closes": [], "text": ["0", "1", "2", "after"]}
