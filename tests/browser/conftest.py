"""Scenarios in Debian's Chromium, on a node of the test's own or one shared by all."""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.interop import scenario
from tests.running import Server, start_server

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node open to anyone, shared by the tests that leave it as it is."""
    with start_server(tmp_path_factory.mktemp("open-node")) as server:
        yield server


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """The key of a document of the test's own."""
    name: str = request.node.name
    return re.sub(r"[^a-z]+", "-", name.lower()).strip("-")


class RunInBrowser(Protocol):
    """Runs a scenario of ``scenarios/<file>.mjs`` in Chromium; see `scenario.run`."""

    def __call__(
        self,
        file: str,
        name: str,
        server: Server,
        answers: Mapping[str, Callable[[], None]] | None = None,
        **settings: object,
    ) -> Any: ...


@pytest.fixture
def run_in_browser(chromium: Path, key: str) -> RunInBrowser:
    """Run a scenario with the node's address, Chromium and the test's document."""

    def run(
        file: str,
        name: str,
        server: Server,
        answers: Mapping[str, Callable[[], None]] | None = None,
        **settings: object,
    ) -> Any:
        given = {"url": server.url, "chromium": str(chromium), "key": key, **settings}
        return scenario.run(file, name, given, answers, folder=HERE)

    return run
