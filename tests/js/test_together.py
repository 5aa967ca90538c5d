"""Several people with the TypeScript client on a real node."""

import pytest

from tests.js.conftest import Scenario
from tests.room_tokens import APP_SECRET
from tests.running import Server


@pytest.mark.parametrize("seed", range(4))
def test_people_who_edit_at_random_agree(
    scenario: Scenario, open_server: Server, room: str, seed: int
) -> None:
    result = scenario(
        "together", "converge", {"url": open_server.url, "room": room, "seed": seed + 1}
    )
    assert result["same"] is True
    assert result["length"] > 100


def test_cursors_come_move_and_go_under_proven_names(
    scenario: Scenario, guarded_server: Server, room: str
) -> None:
    settings = {"url": guarded_server.url, "room": room, "secret": APP_SECRET}
    result = scenario("together", "cursors", settings)
    assert result == {"name": "moving"}


def test_many_parts_share_a_socket_and_do_not_mix(
    scenario: Scenario, open_server: Server, room: str
) -> None:
    result = scenario("together", "many_parts", {"url": open_server.url, "room": room})
    assert result == {"wrong": 0, "sockets": 1}


def test_work_done_offline_merges(scenario: Scenario, open_server: Server, room: str) -> None:
    result = scenario("together", "offline_merge", {"url": open_server.url, "room": room})
    assert result == {"online": True, "offline": True, "deleted": True}


def test_a_crowd_without_a_browser_has_everything(
    scenario: Scenario, open_server: Server, room: str
) -> None:
    result = scenario("together", "crowd", {"url": open_server.url, "room": room})
    assert result == {"sizes": 1}


def test_a_session_outlives_its_tokens(
    scenario: Scenario, guarded_server: Server, room: str
) -> None:
    settings = {"url": guarded_server.url, "room": room, "secret": APP_SECRET}
    result = scenario("together", "short_tokens", settings)
    assert result == {"connections": 1, "status": "open"}


def test_work_survives_the_right_to_do_it(
    scenario: Scenario, guarded_server: Server, room: str
) -> None:
    settings = {"url": guarded_server.url, "room": room, "secret": APP_SECRET}
    result = scenario("together", "access_taken_away", settings)
    assert result == {
        "saved": "unsaved",
        "seen": True,
        "watcher": False,
        "refused": [201],
        "status": "done",
    }


def test_who_may_not_is_told(scenario: Scenario, guarded_server: Server, room: str) -> None:
    settings = {"url": guarded_server.url, "room": room, "secret": APP_SECRET}
    result = scenario("together", "strangers", settings)
    assert result == {"saved": "unsaved", "seen": 0, "why": 201, "code": 3501}
