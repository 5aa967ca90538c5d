"""Hocuspocus' SQLite database; `hocuspocus.db` was made by Hocuspocus itself.

See tests/producers/hocuspocus.mjs.
"""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.server.moving_in.sources import (
    Parvis,
    exported,
    kept,
    lines,
    same,
    standing,
    statuses,
    updates_of,
)

MADE = Path(__file__).with_name("hocuspocus.db")
LONG = "x" * 600


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Path(shutil.copy(MADE, tmp_path / "db.sqlite"))


def documents(source: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(source)) as connection:
        return dict(connection.execute("SELECT name, data FROM documents"))


def test_every_document_becomes_a_room_of_its_name(
    parvis: Parvis, source: Path, tmp_path: Path
) -> None:
    expected, before = documents(source), standing(source)
    code, report = parvis("room", "import", str(source), "--from", "hocuspocus")
    assert code == 1  # for the one whose name is too long
    assert statuses(report) == {
        "doc:1": "imported",
        "team/plan é": "imported",
        "minutes": "imported",
        "basic": "imported",
        "untouched": "empty",
        LONG: "failed",
    }
    assert lines(report)[LONG]["reason"] == "expected a key of 1 to 512 bytes, got 600"
    for name in ("doc:1", "team/plan é", "minutes", "basic"):
        assert lines(report)[name]["room"] == f"plain/{name}"
        assert same(exported(parvis, f"plain/{name}", tmp_path), expected[name])
    assert standing(source) == before


def test_a_name_that_no_key_can_be_is_changed_by_a_pattern(parvis: Parvis, source: Path) -> None:
    code, report = parvis("room", "import", str(source), "--key-from", "(x{1,512})x*")
    assert (code, report["counts"]) == (0, {"left out": 5, "imported": 1})
    assert lines(report)[LONG]["room"] == f"plain/{'x' * 512}"


def test_what_is_not_yet_in_the_main_file_is_read_too_and_the_log_is_left_there(
    parvis: Parvis, source: Path
) -> None:
    with closing(sqlite3.connect(source)) as server:
        server.execute("PRAGMA journal_mode = WAL")
        server.execute("INSERT INTO documents VALUES ('late', ?)", updates_of("late"))
        server.commit()
        before = standing(source)
        assert any(name.endswith("-wal") for name in before)
        _, report = parvis("room", "import", str(source))
        assert lines(report)["late"]["status"] == "imported"
        assert standing(source) == before


def test_a_transaction_that_a_crash_cut_off_is_not_taken_for_done(
    parvis: Parvis, source: Path
) -> None:
    # Large enough that SQLite has to write to the file before it is committed.
    crash = (
        "import os, sqlite3, sys\n"
        "server = sqlite3.connect(sys.argv[1])\n"
        "server.execute('PRAGMA cache_size = 1')\n"
        "server.execute('UPDATE documents SET data = zeroblob(200000)')\n"
        "server.execute('CREATE TABLE more AS SELECT * FROM documents')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", crash, str(source)], check=False)
    before = standing(source)
    assert any(name.endswith("-journal") for name in before)
    _, report = parvis("room", "import", str(source))
    assert lines(report)["doc:1"]["status"] == "imported"
    assert standing(source) == before


def test_a_locked_database_is_said_to_be_locked(
    parvis: Parvis, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parvis.server.moving_in.databases.PATIENCE", 0)
    with closing(sqlite3.connect(source, isolation_level=None)) as server:
        server.execute("BEGIN EXCLUSIVE")
        code, answer = parvis("room", "import", str(source))
    assert (code, answer["error"]["message"]) == (1, f"{source} is locked by another program")
    assert "Stop the server" in answer["error"]["hint"]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def scribble(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:8192] = b"\xa5" * 4096
    path.write_bytes(content)


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE documents (id INTEGER, body TEXT)")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut, "is damaged: "),
        (scribble, "is damaged: "),
        (foreign, "is a database of something else: its tables are documents"),
    ],
)
def test_a_damaged_or_foreign_database_is_refused_as_a_whole(
    parvis: Parvis, source: Path, damage: Callable[[Path], None], reason: str
) -> None:
    damage(source)
    code, answer = parvis("room", "import", str(source))
    assert (code, answer["error"]["code"]) == (1, "source")
    assert reason in answer["error"]["message"]
    assert parvis("room", "list")[1] == []


def test_a_row_without_content_costs_only_itself(parvis: Parvis, source: Path) -> None:
    with closing(sqlite3.connect(source)) as server:
        server.execute("UPDATE documents SET data = '' WHERE name = 'doc:1'")
        server.execute("UPDATE documents SET data = ? WHERE name = 'basic'", (b"\xff\xff",))
        server.commit()
    code, report = parvis("room", "import", str(source))
    assert code == 1
    assert "no content" in lines(report)["doc:1"]["reason"]
    assert "update 1 of 1" in lines(report)["basic"]["reason"]
    assert lines(report)["minutes"]["status"] == "imported"


def test_a_text_file_is_no_database(parvis: Parvis, tmp_path: Path) -> None:
    source = kept(tmp_path, "db.sqlite", b"SQLite format 2")
    code, answer = parvis("room", "import", str(source), "--from", "hocuspocus")
    assert code == 1 and "is no hocuspocus" in answer["error"]["message"]


def test_a_name_that_is_no_text_costs_only_itself(parvis: Parvis, source: Path) -> None:
    with closing(sqlite3.connect(source)) as server:
        sql = "INSERT INTO documents VALUES (CAST(? AS TEXT), ?)"
        server.execute(sql, (b"bad \xff", updates_of("a")[0]))
        server.execute("INSERT INTO documents VALUES (?, ?)", (b"blob", updates_of("b")[0]))
        server.commit()
    _, report = parvis("room", "import", str(source))
    for name in ("bad \\xff", "blob"):
        assert (lines(report)[name]["status"], lines(report)[name]["reason"]) == (
            "failed",
            "its name is no text",
        )
    assert lines(report)["minutes"]["status"] == "imported"


def test_of_a_name_that_is_there_twice_the_newest_is_taken(parvis: Parvis, tmp_path: Path) -> None:
    source, updates = tmp_path / "db", updates_of("old", "new")
    with closing(sqlite3.connect(source)) as server:
        server.execute("CREATE TABLE documents (name TEXT, data BLOB)")
        server.executemany("INSERT INTO documents VALUES ('a', ?)", [(each,) for each in updates])
        server.executemany("INSERT INTO documents VALUES ('b', ?)", [(updates[0],)] * 2)
        server.commit()
    _, report = parvis("room", "import", str(source))
    assert "builds on updates" in lines(report)["a"]["reason"]  # the newest alone
    assert lines(report)["b"]["status"] == "imported"
