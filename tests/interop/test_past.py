"""Ways back as Yjs itself takes them: copies that forget what is deleted and tidy formats up."""

import json
from pathlib import Path

from tests.interop.scenario import run
from tests.server.history.crowd import Crowd
from tests.server.history.test_undoing import restored

SEEDS = range(100)


def test_copies_of_yjs_say_what_the_document_said(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    written = [{"rows": [u.hex() for u in Crowd(seed).write(40).updates]} for seed in SEEDS]
    file.write_text(json.dumps(written))
    logs: list[list[str]] = run("past", "tidied", {"file": str(file)})
    assert sum(map(len, logs)) > 40 * len(SEEDS)  # Yjs has tidied something up
    cases: list[dict[str, object]] = []
    for seed, rows in zip(SEEDS, logs, strict=True):
        at = seed * 7 % (len(rows) + 1)
        back = restored([bytes.fromhex(row) for row in rows], at)["update"]
        cases.append({"rows": rows, "at": at, "back": back.hex()})
    file.write_text(json.dumps(cases))
    assert run("past", "astray", {"file": str(file)}) == 0
