"""The node dies by SIGKILL and comes back, while stock clients write."""

from pathlib import Path

import pytest

from tests.interop.scenario import KINDS, run
from tests.running import start_server

ALONE = [pytest.param([kind, kind], id=kind) for kind in KINDS]
MIXED = pytest.param(list(KINDS), id="all kinds")


@pytest.mark.parametrize("kinds", [*ALONE, MIXED])
def test_edits_made_while_the_node_is_down_arrive_when_it_is_back(
    kinds: list[str], tmp_path: Path, room: str
) -> None:
    with start_server(tmp_path) as server:
        result = run(
            "restart",
            "offline_edits_survive",
            {"url": server.url, "room": room, "kinds": kinds},
            {"kill": server.kill, "start": server.start},
        )
    assert result["missing"] == []
    assert result["pictures"] == 1


@pytest.mark.parametrize("kinds", [*ALONE, MIXED])
def test_confirmed_edits_outlive_the_node_and_the_clients(
    kinds: list[str], tmp_path: Path, room: str
) -> None:
    with start_server(tmp_path) as server:
        result = run(
            "restart",
            "confirmed_edits_survive",
            {"url": server.url, "room": room, "kinds": kinds},
            {"kill": server.kill, "start": server.start},
        )
    assert result["same"] is True


def test_clients_go_on_when_the_worker_alone_dies(tmp_path: Path, room: str) -> None:
    with start_server(tmp_path) as server:
        first: list[int] = []
        result = run(
            "restart",
            "offline_edits_survive",
            {"url": server.url, "room": room, "kinds": list(KINDS)},
            {"kill": lambda: first.append(server.kill_worker()), "start": lambda: None},
        )
        assert server.worker_pid != first[0]
    assert result["missing"] == []
    assert result["pictures"] == 1


@pytest.mark.parametrize("kind", ["y-websocket-3", "hocuspocus-4"])
def test_half_a_character_looks_the_same_to_all_also_after_a_restart(
    kind: str, tmp_path: Path, room: str
) -> None:
    with start_server(tmp_path) as server:
        result = run(
            "restart",
            "half_a_character",
            {"url": server.url, "room": room, "kind": kind},
            {"kill": server.kill, "start": server.start},
        )
    assert result == {
        "insert": ["\ufffdX\ufffdab."] * 4,
        "first": ["\ufffdab."] * 4,
        "second": ["\ufffdab."] * 4,
    }


@pytest.mark.parametrize("rounds", [10, 110], ids=["from the log", "from a snapshot"])
def test_edits_that_cut_characters_look_the_same_to_all_also_after_a_restart(
    rounds: int, tmp_path: Path, room: str
) -> None:
    with start_server(tmp_path) as server:
        result = run(
            "restart",
            "careless_edits",
            {
                "url": server.url,
                "room": room,
                "kinds": ["y-websocket-3", "hocuspocus-4"],
                "rounds": rounds,
            },
            {"kill": server.kill, "start": server.start},
        )
    assert result["pictures"] == 1
    assert result["replaced"] > 0
