"""The TypeScript client as it is built, and nodes for its scenarios."""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from tests.checkout import CHECKOUT
from tests.interop.scenario import run
from tests.room_tokens import APP_SETTINGS
from tests.running import Server, start_server
from tests.services import ServiceError, program

PACKAGE: Final = Path(CHECKOUT) / "clients" / "js"


def npm(script: str) -> str:
    """Run a script of the package and return what it said; fail with that if it fails."""
    if not (PACKAGE / "node_modules").is_dir():
        raise ServiceError(f"{PACKAGE}: npm packages are missing. Hint: make test installs them")
    argv = [str(program("npm", "npm")), "run", "--silent", script]
    done = subprocess.run(argv, cwd=PACKAGE, capture_output=True, text=True, timeout=300)
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"npm run {script}:\n{said}"
    return said


class Scenario(Protocol):
    """Runs one of ``clients/js/scenarios`` and returns its answer."""

    def __call__(
        self,
        file: str,
        name: str,
        settings: Mapping[str, object],
        answers: Mapping[str, Callable[[], None]] | None = None,
    ) -> Any: ...


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """Scenarios of the package as it is built from the sources as they are."""
    npm("build")

    def play(
        file: str,
        name: str,
        settings: Mapping[str, object],
        answers: Mapping[str, Callable[[], None]] | None = None,
    ) -> Any:
        return run(file, name, settings, answers, folder=PACKAGE)

    return play


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
