"""The node dies or drains while people type with the TypeScript client."""

from pathlib import Path

from tests.js.conftest import Scenario
from tests.running import Server, start_server


def test_nothing_that_was_acked_is_lost_by_a_kill(
    scenario: Scenario, tmp_path: Path, room: str
) -> None:
    with start_server(tmp_path) as server:
        result = scenario(
            "restart",
            "acked_survives",
            {"url": server.url, "room": room},
            {"kill": server.kill, "start": server.start},
        )
    assert result["acked"] > 40
    assert result["lost"] == []


def test_everything_unacked_arrives_after_a_kill(
    scenario: Scenario, tmp_path: Path, room: str
) -> None:
    with start_server(tmp_path) as server:
        result = scenario(
            "restart",
            "unacked_arrives",
            {"url": server.url, "room": room},
            {"kill": server.kill, "start": server.start},
        )
    assert result == {
        "missing": [],
        "same": True,
        "letters": 0,
        "savedOffline": ["unsaved", "unsaved"],
        "cameBack": True,
    }


def test_a_node_that_drains_is_left_and_found_again(
    scenario: Scenario, tmp_path: Path, room: str
) -> None:
    def stop(server: Server) -> None:
        assert server.stop() == 0

    settings = {"PARVIS_SERVER__DRAIN_DEADLINE": "2"}
    with start_server(tmp_path, settings=settings) as server:
        result = scenario(
            "restart",
            "draining",
            {"url": server.url, "room": room},
            {"stop": lambda: stop(server), "start": server.start},
        )
    assert result == {"closed": False, "missing": []}
