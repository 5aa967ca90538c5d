"""The TypeScript client as it is built, and nodes for its scenarios."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import pytest

from tests.checkout import CHECKOUT
from tests.interop.scenario import run
from tests.services import ServiceError, program
from tests.shared_nodes import (
    guarded_server as guarded_server,
    open_server as open_server,
    room as room,
)

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
