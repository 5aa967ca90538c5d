"""An empty data folder, and the command that fills it."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from parvis.server.commands.program import main
from tests.identities import PASSWORD

Parvis = Callable[..., Any]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """An empty data folder."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def parvis(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Parvis]:
    """Run the program in this process; returns exit code, and its JSON or its error."""
    for name in [name for name in os.environ if name.startswith("PARVIS_")]:
        monkeypatch.delenv(name)
    before = os.umask(0o022)

    def run(*words: str, stdin: str = "", store: str = "") -> tuple[int, Any]:
        monkeypatch.setattr(sys, "stdin", StringIO(stdin))
        more = ["--store", store] if store else []
        code = main([*words, "--data", str(data), "--json", *more])
        out, err = capsys.readouterr()
        return code, json.loads(out or err)

    yield run
    os.umask(before)


@pytest.fixture
def ada(parvis: Parvis) -> Any:
    """Somebody with an account."""
    code, user = parvis("user", "add", "ada@example.org", "--password-stdin", stdin=PASSWORD + "\n")
    assert code == 0
    return user
