"""A whole node on PostgreSQL, from an empty database to a document that outlives a kill."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Text

from parvis.client import connect
from tests.databases import Database, Databases
from tests.faults import ways_in
from tests.faults.ways_in import Promptly
from tests.running import ServerError, start_server


@pytest.fixture
def empty(databases: Databases) -> Iterator[Database]:
    with databases.empty() as database:
        yield database


def parvis(data: Path, store: str, *words: str) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it said."""
    argv = [sys.executable, "-m", "parvis.server", *words, "--data", str(data), "--store", store]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def finding(data: Path, store: str) -> dict[str, Any]:
    """Return what the doctor finds of the store."""
    _, out, _ = parvis(data, store, "doctor", "--port", "0", "--json")
    (found,) = [each for each in json.loads(out)["findings"] if each["name"] == "store"]
    return dict(found)


def test_an_operator_is_led_from_an_empty_database_to_a_node(
    empty: Database, tmp_path: Path
) -> None:
    data, node = tmp_path / "data", empty.node.replace("@", ":s3cret@")
    assert "parvis store migrate" in finding(data, node)["hint"]
    with pytest.raises(ServerError, match="no tables of Parvis yet"):
        start_server(tmp_path, open=False, args=["--store", node])
    code, out, _ = parvis(data, empty.owner, "store", "migrate", "--dry-run")
    assert (code, "nothing was changed" in out) == (0, True)
    assert not finding(data, node)["good"]
    code, out, _ = parvis(data, empty.owner, "store", "migrate")
    assert (code, "schema" in out) == (0, True)
    code, out, _ = parvis(data, empty.owner, "store", "migrate", "--json")
    assert (code, json.loads(out)["steps"]) == (0, [])
    found = finding(data, node)
    assert (found["good"], "s3cret" in json.dumps(found)) == (True, False)
    with start_server(tmp_path, open=False, args=["--store", node]) as server:
        assert "s3cret" not in "".join(server.log)


def test_the_owners_role_does_not_serve(database: Database, tmp_path: Path) -> None:
    code, _, _ = parvis(tmp_path / "data", database.server.url(database.name), "user", "list")
    assert code == 1
    found = finding(tmp_path, database.server.url(database.name))
    assert "is a superuser" in found["detail"]
    assert "IN ROLE parvis_app" in found["hint"]


def test_sqlite_needs_no_such_step(tmp_path: Path) -> None:
    code, _, err = parvis(tmp_path, f"sqlite:///{tmp_path}", "store", "migrate")
    assert (code, "needs no such step" in err) == (1, True)


def test_a_start_without_postgresql_says_why_in_one_line(tmp_path: Path) -> None:
    url = "postgresql://parvis_node@127.0.0.1:1/parvis"
    argv = [sys.executable, "-m", "parvis.server", "serve", "--port", "0", "--store", url]
    with subprocess.Popen(
        [*argv, "--data", str(tmp_path / "data")], stderr=subprocess.PIPE, text=True
    ) as node:
        assert node.stderr is not None
        first = node.stderr.readline()
        node.terminate()
        node.communicate()
    assert "the store cannot be reached: PostgreSQL: " in first
    assert "Is PostgreSQL running" in first
    assert "Traceback" not in first


def test_a_refused_start_gives_its_hint_a_line_of_its_own(empty: Database, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="yet\\nhint: Run parvis store migrate"):
        start_server(tmp_path, open=False, args=["--store", empty.node])


def test_a_port_that_cannot_be_is_a_wrong_url(tmp_path: Path) -> None:
    url = "postgresql://parvis_owner@127.0.0.1:99999/parvis"
    code, _, err = parvis(tmp_path, url, "store", "migrate")
    assert (code, "the store's URL cannot be used" in err, "Traceback" in err) == (1, True, False)


async def test_a_document_outlives_a_kill_of_the_node(database: Database, tmp_path: Path) -> None:
    code, _, err = parvis(tmp_path, database.owner, "store", "migrate")
    assert code == 0, err
    with start_server(tmp_path, args=["--store", database.node]) as server:
        async with connect(ways_in.native(server), random=Promptly(1)) as session:
            room = await session.join("plain/board")
            text = room.doc.get("text", type=Text)
            text += "kept"
            await room.saved()
        server.restart()
        await (await ways_in.wire_when_up(server)).close()
        async with connect(ways_in.native(server), random=Promptly(2)) as session:
            room = await session.join("plain/board")
            assert str(room.doc.get("text", type=Text)) == "kept"
    listed = database.execute("SELECT tenant, name FROM parvis.parvis_room")
    assert listed == "local|plain/board"
