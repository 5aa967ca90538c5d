"""Long documents to measure with are whole, valid and the same each time."""

import json
import subprocess
import sys

from benchmarks.documents import document

from parvis.plugins.docs.formats.text import digest
from parvis.plugins.docs.fragment import ids, load, read, seed
from parvis.plugins.docs.schema import check, content_of
from tests.checkout import CHECKOUT


def test_a_document_has_as_many_words_as_were_asked_for() -> None:
    made = check(document(70_000))
    assert 68_000 < digest(made).words < 74_000
    kinds = {block["type"] for block in content_of(made)}
    assert {"heading", "blockquote", "bulletList", "taskList", "table"} <= kinds
    assert len(set(ids(made))) == len(list(ids(made)))


def test_a_document_is_printed_as_json_or_as_an_update() -> None:
    command = [sys.executable, "-m", "benchmarks.documents", "--words", "500"]
    printed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout
    update = subprocess.run([*command, "--update"], cwd=CHECKOUT, capture_output=True, check=True)
    assert json.loads(printed) == document(500)
    assert read(load([update.stdout])) == read(seed(document(500)))
