"""The TypeScript client in documents of the docs product, as accounts of a real node."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.checkout import CHECKOUT
from tests.js.conftest import Scenario
from tests.running import Server, start_server

PASSWORD: Final = "quiet harbor, tuesday"
EMAILS: Final = ("ada@example.org", "bob@example.org")
SCHEMA_FILE: Final = Path(CHECKOUT) / "plugins/parvis/plugins/docs/schema.json"
SCHEMA: Final[int] = json.loads(SCHEMA_FILE.read_text())["version"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A node where ada and bob have accounts."""
    with start_server(tmp_path, open=False) as server:
        for email in EMAILS:
            name = email.partition("@")[0].title()
            argv = ["user", "add", email, "--name", name, "--password-stdin"]
            subprocess.run(
                [sys.executable, "-m", "parvis.server", *argv, "--data", str(server.data)],
                input=PASSWORD + "\n",
                text=True,
                check=True,
                capture_output=True,
            )
        yield server


def settings_for(server: Server) -> dict[str, Any]:
    people = [{"email": email, "password": PASSWORD} for email in EMAILS]
    return {"url": server.url, "people": people, "schema": SCHEMA}


def test_a_client_with_another_schema_only_looks(scenario: Scenario, server: Server) -> None:
    result = scenario("office", "schemas", settings_for(server))
    assert result == {
        "schemas": [
            {"mine": SCHEMA, "server": SCHEMA, "matches": True},
            {"mine": SCHEMA + 1, "server": SCHEMA, "matches": False},
            {"mine": 0, "server": SCHEMA, "matches": False},
        ],
        "writable": [True, False, False],
        "saved": ["saved", "unsaved", "unsaved"],
        "id": "by0",
        "words": True,
        "refused": [305],
    }


def test_comments_written_while_the_node_is_down_arrive_once_and_in_order(
    scenario: Scenario, server: Server
) -> None:
    result = scenario(
        "office",
        "queued_comments",
        settings_for(server),
        {"kill": server.kill, "start": server.start},
    )
    assert result == {
        "away": "unsaved",
        "bodies": [["before"], ["while away"], ["and again"]],
        "writable": [True, False],
    }


def test_sharing_shows_at_once_and_so_does_its_end(scenario: Scenario, server: Server) -> None:
    result = scenario("office", "sharing", settings_for(server))
    assert result == {"denied": 300, "rights": [True, True], "code": 300, "kept": "mine"}
