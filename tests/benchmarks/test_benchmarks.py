"""The benchmarks run, and what they count is there. Nothing is timed here."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text

from parvis.protocol.update import scan
from tests.checkout import CHECKOUT


def bench(name: str, *arguments: str) -> str:
    argv = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    done = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("dialect", ["native", "yjs", "hocuspocus"])
def test_every_update_reaches_everyone_in_each_dialect(dialect: str) -> None:
    printed = bench("fanout", "--short", "--dialect", dialect)
    assert re.search(r"updates sent +50\n +deliveries +950\n", printed), printed


@pytest.mark.parametrize("name", ["rooms", "idle", "joins"])
def test_the_other_benchmarks_run(name: str) -> None:
    assert "RSS MiB" in bench(name, "--short")


@pytest.mark.parametrize("name", ["first_load", "documents", "crowd", "trace"])
def test_the_benchmarks_in_chromium_run(name: str, chromium: Path) -> None:
    assert "chromium  " in bench(f"browser.{name}", "--short")


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_appends_to_each_store_are_measured_beside_its_driver(store: str) -> None:
    printed = bench("storage_append", "--short", "--store", store)
    assert re.search(r"1000 rows per call +rows/s \d", printed), printed
    assert re.search(r"raw: .*, 1000 rows per commit +rows/s \d", printed), printed


def test_the_past_of_a_long_document_runs() -> None:
    assert "look at a random moment, ms" in bench("history", "--short", "--edits", "1000")


def test_a_replayed_history_gives_its_text_and_small_updates() -> None:
    """In a process of its own, because the benchmarks are no package of the product."""
    script = (
        "from benchmarks.browser.history import Writer, history\n"
        "from parvis.plugins.docs.fragment import load, read, seed\n"
        "from parvis.plugins.docs.schema import content_of\n"
        "past = history(most=4_000)\n"
        "empty = seed({'type': 'doc', 'content': [{'type': 'paragraph'}]}).get_update()\n"
        "writer = Writer(load([empty]))\n"
        "updates = [writer.write([edit]) for edit in past.edits]\n"
        "rows = content_of(read(load([empty, *updates])).document)\n"
        "text = '\\n'.join(''.join(t['text'] for t in content_of(row)) for row in rows)\n"
        "assert text == past.text, text\n"
        "assert '\\n' in text\n"
        "assert sum(map(len, updates)) < 60 * len(updates)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, check=True)


def test_a_result_says_where_it_comes_from(tmp_path: Path) -> None:
    small = ["--clients", "4", "--writers", "2", "--seconds", "1", "--warm-up", "0.2"]
    bench("fanout", *small, "--results", str(tmp_path))
    (path,) = tmp_path.iterdir()
    assert re.fullmatch(r"fanout-native-\d{4}-\d\d-\d\d\.json", path.name)
    record: dict[str, Any] = json.loads(path.read_text())
    assert set(record["machine"]) == {"cpu", "cores", "kernel", "python"}
    assert re.fullmatch(r"[0-9a-f]{7,}\+?", record["commit"])
    assert record["figures"]["updates sent"] == 20
    assert record["figures"]["deliveries"] == 60


def test_a_typist_types_valid_updates_that_carry_their_marks() -> None:
    """In a process of its own, because the benchmarks are no package of the product."""
    script = (
        "from benchmarks.typist import MARK, Typist\n"
        "typist = Typist(300, padding=3)\n"
        "updates = [typist.type(number) for number in range(50)]\n"
        "assert [int(MARK.search(each)[1], 16) for each in updates] == list(range(50))\n"
        "print('\\n'.join(each.hex() for each in updates))\n"
    )
    argv = [sys.executable, "-c", script]
    printed = subprocess.run(argv, cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout
    doc: Doc[Any] = Doc()
    for line in printed.split():
        update = bytes.fromhex(line)
        assert scan(update).blocks == 1
        doc.apply_update(update)
    text: Text = doc.get("text", type=Text)
    assert str(text) == "".join(f"@{number:08x}xxx" for number in range(50))
