"""Fixtures of nodes for clients of any kind: one open to all, one that wants tokens; and rooms."""

import re
from collections.abc import Iterator

import pytest

from tests.room_tokens import APP_SETTINGS
from tests.running import Server, start_server


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node open to anyone, shared by the tests that leave it as it is."""
    with start_server(tmp_path_factory.mktemp("open-node")) as server:
        yield server


@pytest.fixture(scope="session")
def guarded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node that wants room tokens, signed by an application called ``tests``."""
    folder = tmp_path_factory.mktemp("guarded-node")
    with start_server(folder, open=False, settings=APP_SETTINGS) as server:
        yield server


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of the test's own."""
    name: str = request.node.name
    return "plain/" + re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")
