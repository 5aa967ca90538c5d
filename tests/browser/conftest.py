"""Scenarios in Debian's Chromium, on a node of the test's own or one shared by all."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from tests.interop import scenario
from tests.running import Server, start_server

HERE: Final = Path(__file__).parent
PASSWORD: Final = "zebra-quartz-mumble-74"
PEOPLE: Final = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "linus": "Linus Pauling"}
AT_ONCE: Final = {"PARVIS_MAIL__NOTICE_DELAY": "0"}


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a node that knows three people, to be copied: see `populated`."""
    folder = tmp_path_factory.mktemp("people")
    with start_server(folder, open=False) as server:
        for who, name in PEOPLE.items():
            flags = ["--admin"] if who == "ada" else []
            argv = [sys.executable, "-m", "parvis.server", "user", "add", f"{who}@example.org"]
            argv += ["--name", name, "--password-stdin", "--data", str(server.data), *flags]
            given = f"{PASSWORD}\n"
            subprocess.run(argv, input=given, text=True, check=True, capture_output=True)
        server.stop()
    return folder


def populated(people: Path, folder: Path, settings: Mapping[str, str] | None = None) -> Server:
    """Start a node in `folder` on which the scenarios' people have accounts."""
    shutil.copytree(people / "data", folder / "data")
    return start_server(folder, open=False, settings=settings)


@pytest.fixture(scope="session")
def node(people: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node with three people, shared by the tests that leave it running.

    Each makes documents of its own, and counts on nothing that is the same for all of a person's.
    """
    with populated(people, tmp_path_factory.mktemp("shared-node"), AT_ONCE) as server:
        yield server


@pytest.fixture
def own_node(people: Path, tmp_path: Path) -> Iterator[Server]:
    """A node with three people for a test that harms it, or looks at all that it holds."""
    with populated(people, tmp_path) as server:
        yield server


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
