"""Frames of both stock dialects, looked at byte by byte while a stock client is at work."""

from tests.interop.scenario import run
from tests.running import Server


def test_what_a_y_websocket_client_gets(open_server: Server, room: str) -> None:
    result = run("wire", "y_websocket", {"url": open_server.url, "room": room})
    assert result == {
        "step1_first": True,
        "echoed": "brut",
        "told": "résidente",
        "answered": ["brut", "résidente"],
        "frames_with_more_than_one_message": 0,
        "closed": None,
    }


def test_what_a_hocuspocus_client_gets(open_server: Server, room: str) -> None:
    result = run("wire", "hocuspocus", {"url": open_server.url, "room": room})
    assert result == {
        "step1_first": True,
        "authenticated_first": True,
        "echoed": "brut",
        "answered": ["brut", "résidente"],
        "statuses": [[1] * 7, [1] * 8],
        "other_addresses": 0,
        "frames_with_more_than_one_message": 0,
        "closed": None,
    }
