"""Awareness between stock clients."""

import pytest

from tests.interop.scenario import KINDS, run
from tests.running import Server

STEPS = ["appears", "changes", "late joiner sees", "leaves", "is lost"]


@pytest.mark.parametrize("kind", KINDS)
def test_presence_appears_changes_and_disappears(kind: str, open_server: Server, room: str) -> None:
    settings = {"url": open_server.url, "room": room, "kinds": [kind] * 3}
    assert run("presence", "presence", settings)["seen"] == STEPS


def test_presence_crosses_from_each_dialect_to_the_other(open_server: Server, room: str) -> None:
    settings = {"url": open_server.url, "room": room, "kinds": list(KINDS)}
    assert run("presence", "presence", settings)["seen"] == STEPS
