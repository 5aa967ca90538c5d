"""A real editing history as edits of a document: each line of the text is a paragraph.

The history is that of a research paper, in the folder of ``--traces`` or ``PARVIS_TRACES``, else
in ``../shared/data`` beside the checkout; where it is missing, a seeded generator types one of the
same shape. A line end that is typed splits a paragraph, one that is deleted merges two: their text
moves, as editors do it.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pycrdt

from parvis.plugins.docs.fragment import root

NAME: Final = "automerge-paper"
FOLDER: Final = Path(__file__).parents[3] / "shared" / "data"
SEED: Final = 20261120
EDITS: Final = 260_000

Edit = tuple[int, int, str]
"""Where, how many characters go, and what comes in."""


@dataclass(frozen=True)
class History:
    """Edits, and the text they lead to. `source` says where they come from."""

    source: str
    edits: list[Edit]
    text: str


def history(folder: Path | None = None, most: int = EDITS) -> History:
    """Return the history, or its first `most` edits."""
    path = (folder or Path(os.environ.get("PARVIS_TRACES", FOLDER))) / f"{NAME}.json.gz"
    if not path.is_file():
        edits = list(_generated(most))
        return History(f"generated with seed {SEED}", edits, _applied(edits))
    trace = json.loads(gzip.decompress(path.read_bytes()))
    edits = [tuple(patch) for step in trace["txns"] for patch in step["patches"]]
    if most < len(edits):
        return History(f"{NAME}, its beginning", edits[:most], _applied(edits[:most]))
    return History(NAME, edits, trace["endContent"])


def _applied(edits: list[Edit]) -> str:
    text: list[str] = []
    for at, gone, new in edits:
        text[at : at + gone] = new
    return "".join(text)


def _generated(count: int) -> Iterator[Edit]:
    """Type in runs, correct, jump, and begin lines."""
    chance = random.Random(SEED)
    length = at = run = 0
    for _ in range(count):
        if run == 0:
            run = chance.randint(1, 40)
            if chance.random() < 0.2:
                at = chance.randint(0, length)
        run -= 1
        if at > 0 and chance.random() < 0.25:
            at, length = at - 1, length - 1
            yield at, 1, ""
        else:
            yield at, 0, chance.choice("etaoin shrdlu etaoin shrdlu etaoin shrdlu\n")
            at, length = at + 1, length + 1


class Writer:
    """Makes the edits in a copy of a document that has one empty paragraph.

    Its first update brings the text of that paragraph along.
    """

    def __init__(self, doc: pycrdt.Doc[Any]) -> None:
        self._doc = doc
        # What a transaction did. A difference of states would name all that was ever deleted.
        self._unsent: list[bytes] = []
        self._observed = doc.observe(lambda event: self._unsent.append(event.update))
        self._blocks = root(doc).children
        self._made = 0
        first = self._blocks[0]
        assert isinstance(first, pycrdt.XmlElement)
        self._texts = [pycrdt.XmlText()]
        first.children.append(self._texts[0])
        self._lengths = [0]
        # Where the last edit was: the next one is near.
        self._line = 0
        self._start = 0

    def write(self, edits: list[Edit]) -> bytes:
        """Make some edits at once; return their update."""
        with self._doc.transaction():
            for at, gone, new in edits:
                self._go_to(at)
                self._delete(at - self._start, gone)
                self._insert(at - self._start, new)
        made, self._unsent = self._unsent, []
        return made[0] if len(made) == 1 else pycrdt.merge_updates(*made)

    def _go_to(self, at: int) -> None:
        while at < self._start:
            self._line -= 1
            self._start -= self._lengths[self._line] + 1
        while at > self._start + self._lengths[self._line]:
            self._start += self._lengths[self._line] + 1
            self._line += 1

    def _delete(self, column: int, count: int) -> None:
        while count:
            line = self._line
            here = min(count, self._lengths[line] - column)
            if here:
                del self._texts[line][column : column + here]
                self._lengths[line] -= here
                count -= here
                continue
            # The line's end goes: what follows moves up.
            rest = str(self._texts[line + 1])
            if rest:
                self._texts[line].insert(column, rest)
            del self._blocks[line + 1]
            del self._texts[line + 1]
            self._lengths[line] += self._lengths.pop(line + 1)
            count -= 1

    def _insert(self, column: int, new: str) -> None:
        for number, row in enumerate(new.split("\n")):
            if number:
                self._split(column)
                column = 0
            if row:
                self._texts[self._line].insert(column, row)
                self._lengths[self._line] += len(row)
                column += len(row)

    def _split(self, column: int) -> None:
        line = self._line
        rest = str(self._texts[line])[column:]
        if rest:
            del self._texts[line][column : column + len(rest)]
        self._made += 1
        block = pycrdt.XmlElement("paragraph", {"id": f"{self._made:016d}"})
        text = pycrdt.XmlText(rest)
        self._blocks.insert(line + 1, block)
        block.children.append(text)
        self._texts.insert(line + 1, text)
        self._lengths[line] = column
        self._lengths.insert(line + 1, len(rest))
        self._line += 1
        self._start += column + 1
