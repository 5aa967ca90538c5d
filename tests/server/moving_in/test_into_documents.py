"""Documents of other servers that become documents of ours, in their owner's list."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

from parvis.storage import Statement
from parvis.storage.factory import open_store
from tests.server.moving_in.sources import Parvis, kept, lines, statuses, updates_of

MADE = Path(__file__).with_name("hocuspocus.db")

WORDS = ("--type", "docs", "--owner", "ada@example.org", "--key-from", "minutes|basic")


def titles(data: Path) -> list[tuple[Any, ...]]:
    """Return title and owner of every document."""

    async def query() -> list[tuple[Any, ...]]:
        store, _ = open_store(f"sqlite:///{data}")
        try:
            sql = "SELECT title, owner FROM docs_document ORDER BY title"
            return list(await store.query("local", Statement(sql)))
        finally:
            await store.close()

    return asyncio.run(query())


def markdown(parvis: Parvis, room: str, folder: Path) -> str:
    path = folder / "document.md"
    words = ("--format", "markdown", "--output", str(path))
    assert parvis("room", "export", room, *words)[0] == 0
    return path.read_text()


def test_they_are_in_their_owners_list_under_their_first_line(
    parvis: Parvis, ada: Any, data: Path, tmp_path: Path
) -> None:
    source = str(shutil.copy(MADE, tmp_path / "db"))
    code, report = parvis("room", "import", source, *WORDS)
    assert (code, report["counts"]) == (0, {"imported": 2, "left out": 4})
    assert titles(data) == [("Basic", ada["id"]), ("Minutes", ada["id"])]
    minutes = lines(report)["minutes"]
    text = markdown(parvis, minutes["room"], tmp_path)
    assert text.startswith("# Minutes\n\nWe met ***today*** at [the office](https://example.org/)")
    assert "mind the gap" in text and "[a cat](https://example.org/a.png)" in text
    assert any("youtube is not known" in note for note in minutes["notes"])


def test_importing_again_makes_no_second_document(
    parvis: Parvis, ada: Any, data: Path, tmp_path: Path
) -> None:
    source = str(shutil.copy(MADE, tmp_path / "db"))
    rooms = [parvis("room", "import", source, *WORDS)[1]["documents"] for _ in range(2)]
    assert [line["status"] for line in rooms[1]] == [
        "there" if line["status"] == "imported" else line["status"] for line in rooms[0]
    ]
    assert len(titles(data)) == 2


def test_a_dry_run_names_the_rooms_that_it_would_make(
    parvis: Parvis, ada: Any, tmp_path: Path
) -> None:
    source = str(shutil.copy(MADE, tmp_path / "db"))
    planned = lines(parvis("room", "import", source, *WORDS, "--dry-run")[1])
    done = lines(parvis("room", "import", source, *WORDS)[1])
    assert planned["minutes"]["room"] == done["minutes"]["room"]


def test_what_is_no_rich_text_is_refused_by_name(parvis: Parvis, ada: Any, tmp_path: Path) -> None:
    source = kept(tmp_path, "notes", updates_of("plain")[0])
    code, report = parvis("room", "import", str(source), *WORDS[:4])
    assert (code, statuses(report)) == (1, {"notes": "failed"})
    assert "rooms of the type plain take any document" in lines(report)["notes"]["reason"]
    assert parvis("room", "list")[1] == []
