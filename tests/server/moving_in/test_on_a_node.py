"""Moving in while a node serves, and into PostgreSQL."""

import asyncio
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from pycrdt import Text

from parvis.client import connect
from tests.databases import Database
from tests.faults import ways_in
from tests.faults.ways_in import Promptly
from tests.identities import PASSWORD
from tests.running import Server, start_server
from tests.server.moving_in.sources import Parvis, kept, lines, statuses, updates_of

MADE = Path(__file__).with_name("hocuspocus.db")


async def run(server: Server, *words: str, stdin: str = "") -> tuple[int, Any]:
    """Run a command in a process of its own, beside the node."""
    argv = [sys.executable, "-m", "parvis.server", *words, "--data", str(server.data), "--json"]

    def do() -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)

    done = await asyncio.to_thread(do)
    return done.returncode, json.loads(done.stdout or done.stderr)


async def test_a_node_that_serves_takes_documents_in(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        source = shutil.copy(MADE, tmp_path / "db")
        words = ("--key-from", "doc:1|team/.*")
        code, report = await run(server, "room", "import", str(source), *words)
        assert (code, report["counts"]) == (0, {"imported": 2, "left out": 4})
        async with connect(ways_in.native(server), random=Promptly(1)) as session:
            room = await session.join("plain/team/plan é")
            text: Text = room.doc.get("text", type=Text)
            assert str(text) == "a plan that grew"

            arrived = asyncio.Event()
            watching = text.observe(lambda _: arrived.set())
            other = kept(tmp_path, "team/plan é", updates_of("from elsewhere")[0])
            code, report = await run(
                server, "room", "import", str(other), "--prefix", "team/", "--merge"
            )
            assert (code, statuses(report)) == (0, {"plan é": "merged"})
            assert "somebody was in the room" in report["documents"][0]["notes"][0]
            async with asyncio.timeout(10):
                await arrived.wait()
            text.unobserve(watching)
            assert "from elsewhere" in str(text) and "a plan that grew" in str(text)

        broken = kept(tmp_path, "broken", b"\x00")
        code, report = await run(server, "room", "import", str(broken))
        assert (code, statuses(report)) == (1, {"broken": "failed"})
        code, answer = await run(server, "room", "import", str(broken), "--type", "nothing")
        assert (code, answer["error"]["code"]) == (1, "unknown_room_type")


async def test_documents_that_move_in_beside_a_node_are_in_the_owners_list(
    tmp_path: Path,
) -> None:
    with start_server(tmp_path) as server:
        email = "ada@example.org"
        code, user = await run(
            server, "user", "add", email, "--password-stdin", stdin=PASSWORD + "\n"
        )
        assert code == 0, user
        source = shutil.copy(MADE, tmp_path / "db")
        words = ("--type", "docs", "--owner", email, "--key-from", "minutes")
        code, report = await run(server, "room", "import", str(source), *words)
        assert (code, statuses(report)["minutes"]) == (0, "imported")
        room = lines(report)["minutes"]["room"]
        _, described = await run(server, "room", "inspect", room)
        assert (described["creator"], set(described["parts"])) == (user["id"], {"", "meta"})


def test_postgresql_takes_documents_in(parvis: Parvis, database: Database, tmp_path: Path) -> None:
    code, answer = parvis("store", "migrate", store=database.owner)
    assert code == 0, answer
    words = ("user", "add", "ada@example.org", "--password-stdin")
    code, answer = parvis(*words, stdin=PASSWORD + "\n", store=database.node)
    assert code == 0, answer
    source = str(shutil.copy(MADE, tmp_path / "db"))
    code, report = parvis("room", "import", source, "--key-from", "doc:1", store=database.node)
    assert (code, statuses(report)["doc:1"]) == (0, "imported")
    code, report = parvis("room", "import", source, "--key-from", "doc:1", store=database.node)
    assert (code, statuses(report)["doc:1"]) == (0, "there")
    docs = ("--type", "docs", "--owner", "ada@example.org", "--key-from", "minutes")
    code, report = parvis("room", "import", source, *docs, store=database.node)
    assert (code, statuses(report)["minutes"]) == (0, "imported")
    titles = database.execute("SELECT title FROM parvis_plugins.docs_document")
    assert titles == "Minutes"
