"""Long documents to measure with are whole, valid and the same each time."""

import json
import subprocess
import sys

from parvis.plugins.docs.formats.text import digest
from parvis.plugins.docs.fragment import ids, load, read
from parvis.plugins.docs.schema import check, content_of
from tests.checkout import CHECKOUT


def printed(*arguments: str) -> bytes:
    command = [sys.executable, "-m", "benchmarks.documents", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout


def test_a_document_has_as_many_words_as_were_asked_for() -> None:
    made = check(json.loads(printed("--words", "70000")))
    assert 68_000 < digest(made).words < 74_000
    kinds = {block["type"] for block in content_of(made)}
    assert {"heading", "blockquote", "bulletList", "taskList", "table"} <= kinds
    assert len(set(ids(made))) == len(list(ids(made)))


def test_the_update_makes_the_same_document() -> None:
    made = json.loads(printed("--words", "500"))
    (heading, *_) = content_of(read(load([printed("--words", "500", "--update")])).document)
    assert [heading["attrs"]["id"]] == list(ids(made))[:1]
    assert digest(read(load([printed("--words", "500", "--update")])).document) == digest(made)


def test_the_converters_are_measured() -> None:
    command = [sys.executable, "-m", "benchmarks.converters", "--words", "300", "--runs", "1"]
    ran = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True)
    assert "to PDF" in json.loads(ran.stdout)["milliseconds"]
