"""A room is rebuilt while people with the TypeScript client are away."""

import asyncio
from typing import Any

from parvis.server.operator_socket import ask
from tests.js.conftest import Scenario
from tests.running import Server

HOW = {"dry_run": False, "now": False, "positions": False}


def operate(server: Server, operation: str, **arguments: Any) -> Any:
    return asyncio.run(ask(server.data, operation, {"tenant": "local", **arguments}))


def test_unsent_work_is_rescued_by_the_client_and_everybody_goes_on(
    scenario: Scenario, open_server: Server, room: str
) -> None:
    result = scenario(
        "rebuild",
        "unsent_work",
        {"url": open_server.url, "room": room},
        {"rebuild": lambda: operate(open_server, "room_rebuild", room=room, **HOW)},
    )
    assert result == {"rescued": "kept unsent", "other": None, "resets": [304, 304]}


def test_a_document_that_an_application_kept_itself_is_put_aside_by_the_server(
    scenario: Scenario, open_server: Server, room: str
) -> None:
    result = scenario(
        "rebuild",
        "own_document",
        {"url": open_server.url, "room": room},
        {"rebuild": lambda: operate(open_server, "room_rebuild", room=room, **HOW)},
    )
    assert result == {"old": True}
    (rescue,) = operate(open_server, "rescued_list", room=room)
    shown = operate(open_server, "rescued_show", room=room, id=rescue["id"])
    assert shown["with"] == {"text": "kept offline"}
