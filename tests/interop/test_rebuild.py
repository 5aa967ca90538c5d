"""A room is rebuilt while stock clients are away with documents that they keep."""

import asyncio
from typing import Any

import pytest

from parvis.server.operator_socket import ask
from tests.interop.scenario import KINDS, run
from tests.running import Server

ALONE = [pytest.param([kind], id=kind) for kind in KINDS]
ALL = pytest.param(list(KINDS), id="all kinds")


def operate(server: Server, operation: str, **arguments: Any) -> Any:
    return asyncio.run(ask(server.data, operation, {"tenant": "local", **arguments}))


def rebuild(server: Server, room: str) -> Any:
    how = {"dry_run": False, "now": False, "positions": False}
    return operate(server, "room_rebuild", room=room, **how)


@pytest.mark.parametrize("kinds", [*ALONE, ALL])
def test_work_of_clients_that_were_away_is_put_aside_and_nothing_is_doubled(
    kinds: list[str], open_server: Server, room: str
) -> None:
    found: list[list[dict[str, Any]]] = []
    result = run(
        "rebuild",
        "away",
        {"url": open_server.url, "room": room, "kinds": kinds},
        {
            "rebuild": lambda: rebuild(open_server, room),
            "look": lambda: found.append(operate(open_server, "rescued_list", room=room)),
        },
    )
    assert result == {"same": True, "untouched": True, "pictures": 1}
    (rescued,) = found
    assert {each["origin"] for each in rescued} == {"offline"}
    texts = [
        operate(open_server, "rescued_show", room=room, id=each["id"])["with"]["text"]
        for each in rescued
    ]

    for kind in kinds:
        assert sum(f"{kind} was away;" in text for text in texts) == 1


@pytest.mark.parametrize("kind", ["y-websocket-3", "hocuspocus-4"])
def test_a_copy_that_the_device_shows_too_late_doubles_nothing(
    kind: str, open_server: Server, room: str
) -> None:
    text = run(
        "rebuild",
        "read_too_late",
        {"url": open_server.url, "room": room, "kind": kind},
        {"rebuild": lambda: rebuild(open_server, room)},
    )
    assert text == "once;"
    assert operate(open_server, "rescued_list", room=room) == []
