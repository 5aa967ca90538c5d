from pathlib import Path

import pytest

from parvis.server.health import (
    LAG_REMEMBERED,
    STUCK_AFTER,
    Health,
    Scope,
    folder_problem,
    livez,
    readyz,
)
from tests.clocks import SetClock

CHECKS = {"data folder": Scope.NODE, "store": Scope.SHARED, "redis": Scope.SHARED}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def health(clock: SetClock) -> Health:
    return Health(clock, CHECKS)


def test_a_node_on_which_all_is_well_is_ready(health: Health) -> None:
    assert readyz(health) == (
        200,
        {
            "status": "ready",
            "checks": {
                "data folder": {"ok": True, "scope": "node"},
                "store": {"ok": True, "scope": "shared"},
                "redis": {"ok": True, "scope": "shared"},
                "loop": {"ok": True, "scope": "node"},
            },
        },
    )


def test_a_fault_that_all_nodes_share_degrades_and_does_not_fail(health: Health) -> None:
    health.set("store", False, "disk full")
    status, body = readyz(health)
    assert (status, body["status"]) == (200, "degraded")
    assert body["checks"]["store"] == {"ok": False, "scope": "shared", "detail": "disk full"}


def test_a_fault_of_this_node_fails_readiness(health: Health) -> None:
    health.set("store", False, "gone")
    health.set("data folder", False, "read-only")
    status, body = readyz(health)
    assert (status, body["status"]) == (503, "failing")


def test_a_fault_that_is_over_leaves_nothing(health: Health) -> None:
    before = readyz(health)
    health.set("store", False, "gone")
    health.set("store", True, "back")
    assert readyz(health) == before


def test_a_draining_node_wants_no_new_sessions(health: Health) -> None:
    health.draining = True
    status, body = readyz(health)
    assert (status, body["status"]) == (503, "draining")


def test_a_loop_that_beats_is_not_stuck(health: Health, clock: SetClock) -> None:
    for _ in range(60):
        clock.pass_time(1.0)
        assert health.beat() == pytest.approx(1.0)
    assert readyz(health)[0] == 200


def test_a_loop_that_stands_still_fails_readiness(health: Health, clock: SetClock) -> None:
    clock.pass_time(STUCK_AFTER + 0.1)
    status, body = readyz(health)
    assert (status, body["status"], body["checks"]["loop"]["ok"]) == (503, "failing", False)


def test_a_loop_that_stood_still_is_trusted_again_after_a_while(
    health: Health, clock: SetClock
) -> None:
    clock.pass_time(STUCK_AFTER + 1.0)
    assert health.beat() == pytest.approx(STUCK_AFTER + 1.0)
    assert readyz(health)[0] == 503
    for _ in range(int(LAG_REMEMBERED)):
        clock.pass_time(1.0)
        health.beat()
    assert readyz(health)[0] == 200


def test_a_node_that_answers_is_alive_whatever_else_is_wrong(
    health: Health, clock: SetClock
) -> None:
    health.set("data folder", False, "read-only")
    health.draining = True
    clock.pass_time(1000.0)
    assert livez(health) == (200, {"status": "alive"})


def test_only_known_checks_can_be_set(health: Health) -> None:
    with pytest.raises(KeyError):
        health.set("moon", False)


def test_a_folder_that_can_be_written_has_no_problem(tmp_path: Path) -> None:
    assert folder_problem(tmp_path) == ""


def test_a_folder_that_is_gone_is_a_problem(tmp_path: Path) -> None:
    assert folder_problem(tmp_path / "gone") == "No such file or directory"
