"""Raw Yjs updates: one file, many, and what is no update."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map, Text

from tests.faults.poison import NESTED_ARRAYS, PANIC, kinds_of_updates
from tests.server.moving_in.sources import (
    Parvis,
    exported,
    kept,
    lines,
    rows_of,
    same,
    standing,
    statuses,
    updates_of,
)


def test_one_file_becomes_one_room(parvis: Parvis, tmp_path: Path) -> None:
    update = kinds_of_updates()[-1]
    source = kept(tmp_path, "notes.yjs", update)
    before = standing(source)
    code, report = parvis("room", "import", str(source))
    assert (code, report["kind"], report["counts"]) == (0, "yjs", {"imported": 1})
    (line,) = report["documents"]
    assert (line["name"], line["room"], line["updates"]) == ("notes", "plain/notes", 1)
    assert same(exported(parvis, "plain/notes", tmp_path), update)
    assert standing(source) == before


def test_a_folder_becomes_a_room_for_each_file(parvis: Parvis, tmp_path: Path) -> None:
    for name in ("a.yjs", "deep/er/b.bin", "c", ".hidden", "v1.2"):
        kept(tmp_path / "source", name, updates_of(name)[0])
    code, report = parvis("room", "import", str(tmp_path / "source"), "--prefix", "old/")
    rooms = {line["name"]: line["room"] for line in report["documents"]}
    assert code == 0
    assert rooms == {
        "a": "plain/old/a",
        "c": "plain/old/c",
        "deep/er/b": "plain/old/deep/er/b",
        "v1.2": "plain/old/v1.2",
    }
    assert same(exported(parvis, "plain/old/deep/er/b", tmp_path), updates_of("deep/er/b.bin")[0])


def test_a_dry_run_says_what_would_go_where_and_does_nothing(
    parvis: Parvis, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    kept(source, "a", updates_of("a")[0])
    parvis("room", "import", str(source))
    kept(source, "b", updates_of("b")[0])
    kept(source, "x" * 200, updates_of("b")[0])
    words = ("room", "import", str(source), "--dry-run", "--prefix", "y" * 400)
    assert statuses(parvis(*words)[1]) == {"a": "new", "b": "new", "x" * 200: "failed"}
    code, report = parvis("room", "import", str(source), "--dry-run")
    assert statuses(report) == {"a": "exists", "b": "new", "x" * 200: "new"}
    assert code == 0
    assert [room["room"] for room in parvis("room", "list")[1]] == ["plain/a"]


def test_a_pattern_says_which_names_are_taken_and_what_their_keys_are(
    parvis: Parvis, tmp_path: Path
) -> None:
    for name in ("doc-1", "doc-2", "other"):
        kept(tmp_path / "source", name, updates_of(name)[0])
    words = ("room", "import", str(tmp_path / "source"), "--key-from")
    _, report = parvis(*words, r"doc-(\d+)")
    assert statuses(report) == {"doc-1": "imported", "doc-2": "imported", "other": "left out"}
    assert lines(report)["doc-2"]["room"] == "plain/2"
    code, answer = parvis(*words, r"(d).*|(o).*")
    assert (code, answer["error"]["code"]) == (1, "source")
    assert "would both become 'd'" in answer["error"]["message"]
    code, answer = parvis(*words, "(")
    assert "is no regular expression" in answer["error"]["message"]


BROKEN = {
    "empty": (b"", "the file is empty"),
    "cut": (updates_of("something")[0][:-4], "no Yjs update, or not all of one"),
    "text": (b"Hello, world. This is no update at all.", "no Yjs update, or not all of one"),
    "two": (b"".join(updates_of("one", "two")), "updates one behind the other are no document"),
    "twice": (updates_of("one")[0] * 2, "more behind it"),
    "database": (b"SQLite format 3\x00" + bytes(84), "this is an SQLite database"),
    "nested": (NESTED_ARRAYS, "nested at most 64 deep"),
    "panic": (PANIC, "no Yjs update, or not all of one"),
    "subdocument": (bytes.fromhex("0101010029010164017801017801017600"), "expected"),
}


def test_what_is_no_document_is_named_with_the_reason_and_the_rest_goes_on(
    parvis: Parvis, tmp_path: Path
) -> None:
    for name, (content, _) in BROKEN.items():
        kept(tmp_path / "source", name, content)
    kept(tmp_path / "source", "zz-good", updates_of("good")[0])
    code, report = parvis("room", "import", str(tmp_path / "source"))
    assert code == 1
    assert report["counts"] == {"failed": len(BROKEN), "imported": 1}
    for name, (_, reason) in BROKEN.items():
        line = lines(report)[name]
        assert line["status"] == "failed" and reason in line["reason"], line
    assert [room["room"] for room in parvis("room", "list")[1]] == ["plain/zz-good"]


def test_an_empty_document_makes_no_room(parvis: Parvis, tmp_path: Path) -> None:
    code, report = parvis("room", "import", str(kept(tmp_path, "empty", b"\x00\x00")))
    assert (code, statuses(report)) == (0, {"empty": "empty"})
    assert parvis("room", "list")[1] == []


def test_the_owner_is_named_as_the_author(parvis: Parvis, ada: Any, tmp_path: Path) -> None:
    source = kept(tmp_path, "a", updates_of("a")[0])
    assert parvis("room", "import", str(source), "--owner", "Ada@example.org")[0] == 0
    (row,) = asyncio.run(rows_of(f"sqlite:///{tmp_path}/data", "plain/a"))
    assert row.sender == ada["id"]


def test_a_source_that_is_not_there_is_said_to_be_missing(parvis: Parvis, tmp_path: Path) -> None:
    code, answer = parvis("room", "import", str(tmp_path / "nowhere"))
    assert (code, answer["error"]["message"]) == (
        1,
        f"{tmp_path}/nowhere: No such file or directory",
    )


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--type", "nothing"), "there is no room type 'nothing'"),
        (("--type", "docs"), "name an account with --owner"),
        (("--owner", "nobody@example.org"), "nobody in local has an account"),
        (("--from", "hocuspocus"), "is no hocuspocus"),
        (("--merge", "--skip-existing"), "not both"),
    ],
)
def test_what_cannot_be_done_to_any_document_is_said_before_one_is_touched(
    parvis: Parvis, tmp_path: Path, words: tuple[str, ...], reason: str
) -> None:
    source = kept(tmp_path, "a", updates_of("a")[0])
    code, answer = parvis("room", "import", str(source), *words)
    assert code != 0 and reason in answer["error"]["message"]
    assert parvis("room", "list")[1] == []


def test_a_document_too_large_for_its_room_is_refused(
    parvis: Parvis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_ROOMS__PLAIN__MAX_PART", str(64 * 1024))
    source = kept(tmp_path, "a", updates_of("a" * 70_000)[0])
    _, report = parvis("room", "import", str(source))
    assert "rooms.plain.max_part allows 65536" in report["documents"][0]["reason"]


def test_two_documents_are_told_apart_by_what_they_show() -> None:
    one: Doc[Any] = Doc(client_id=1)
    one.get("map", type=Map)["a"] = 1
    other: Doc[Any] = Doc(client_id=1)
    other.get("map", type=Map)["a"] = 2
    bold: Doc[Any] = Doc(client_id=1)
    bold.get("text", type=Text).insert(0, "a", {"bold": True})
    plain: Doc[Any] = Doc(client_id=1)
    plain.get("text", type=Text).insert(0, "a")
    assert not same(one.get_update(), other.get_update())
    assert not same(bold.get_update(), plain.get_update())
    assert same(one.get_update(), one.get_update())


def test_a_files_name_that_is_no_text_is_reported(parvis: Parvis, tmp_path: Path) -> None:
    folder = tmp_path / "source"
    kept(folder, "good", updates_of("a")[0])
    kept(folder, os.fsdecode(b"bad\xff"), updates_of("b")[0])
    code, report = parvis("room", "import", str(folder))
    assert (code, statuses(report)) == (1, {"bad\\udcff": "failed", "good": "imported"})


def test_a_pipe_is_left_alone(parvis: Parvis, tmp_path: Path) -> None:
    kept(tmp_path / "source", "good", updates_of("a")[0])
    os.mkfifo(tmp_path / "source" / "pipe")
    _, report = parvis("room", "import", str(tmp_path / "source"))
    assert statuses(report) == {"good": "imported"}
