"""Makes long documents of a public-domain text, for benchmarks here and in the browser.

    python -m benchmarks.documents --words 100000 [--update] > document

Prints ProseMirror's JSON, or with ``--update`` the Yjs update that makes the document. The same
number of words gives the same text and ids each time. Letters are headings, terms are bold, verse
is quoted with its line ends, and every fortieth entry brings a list, a task list or a table, so
that most kinds of blocks occur. The text has 61,000 words; a longer document goes on from its
beginning.
"""

import argparse
import gzip
import json
import re
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

from parvis.plugins.docs.fragment import identified, seed
from parvis.plugins.docs.schema import content_of

TEXT: Final = Path(__file__).parent / "data" / "devils-dictionary.txt.gz"
_ITALIC: Final = re.compile(r"_([^_]+)_")
_TERM: Final = re.compile(r"([A-Z][A-Z' -]+)(?=[,.;]| )")

Json = dict[str, Any]


def document(words: int) -> Json:
    """Return a document of about so many words: the block that reaches the number is the last."""
    content: list[Json] = []
    left = words
    for block in _endless():
        content.append(block)
        left -= _words(block)
        if left <= 0:
            break
    numbers = count()
    whole = {"type": "doc", "content": content}
    return identified(whole, lambda: f"{next(numbers):016d}")


def _endless() -> Iterator[Json]:
    source = gzip.decompress(TEXT.read_bytes()).decode("ascii")
    chunks = [chunk for chunk in re.split(r"\n\s*\n", source) if chunk.strip()]
    preface = next(at for at, chunk in enumerate(chunks) if chunk.strip() == "PREFACE")
    for reading in count(1):
        yield _block("heading", _text(f"The Devil's Dictionary, reading {reading}"), level=1)
        letter, entries = "", 0
        for chunk in chunks[preface + 1 :]:
            term = _TERM.match(chunk)
            if term and term[1][0] != letter:
                letter = term[1][0]
                yield _block("heading", _text(letter), level=2)
            if chunk.startswith("    "):
                yield _verse(chunk)
                continue
            yield _block("paragraph", *_marked(" ".join(chunk.split()), term[1] if term else ""))
            entries += 1
            if entries % 40 == 0:
                yield _extra(entries // 40, letter)


def _marked(text: str, term: str) -> Iterator[Json]:
    if term:
        yield _text(term, "bold")
        text = text[len(term) :]
    at = 0
    for match in _ITALIC.finditer(text):
        if match.start() > at:
            yield _text(text[at : match.start()])
        yield _text(match[1], "italic")
        at = match.end()
    if at < len(text):
        yield _text(text[at:])


def _verse(chunk: str) -> Json:
    content: list[Json] = []
    for line in chunk.split("\n"):
        if content:
            content.append({"type": "hardBreak"})
        if line.strip():
            content.extend(_marked(line.strip(), ""))
    return _block("blockquote", _block("paragraph", *content))


def _extra(number: int, letter: str) -> Json:
    said = [f"Entry {number} of {letter}", "read twice", "still true"]
    lines = [_block("paragraph", _text(line)) for line in said]
    if number % 3 == 0:
        return _block("bulletList", *(_block("listItem", line) for line in lines))
    if number % 3 == 1:
        done = [_block("taskItem", line, checked=at == 0) for at, line in enumerate(lines)]
        return _block("taskList", *done)
    rows = [
        _block("tableRow", *(_block(kind, line) for line in lines))
        for kind in ("tableHeader", "tableCell")
    ]
    return _block("table", *rows)


def _block(kind: str, *content: Json, **attributes: Any) -> Json:
    node: Json = {"type": kind, "attrs": attributes}
    return node | {"content": list(content)} if content else node


def _text(text: str, *marks: str) -> Json:
    node: Json = {"type": "text", "text": text}
    return node | {"marks": [{"type": mark} for mark in marks]} if marks else node


def _words(node: Json) -> int:
    if "text" in node:
        return len(str(node["text"]).split())
    return sum(_words(child) for child in content_of(node))


def main() -> None:
    """Print a document."""
    parser = argparse.ArgumentParser(description="Makes a long document.")
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--update", action="store_true", help="the Yjs update instead of JSON")
    arguments = parser.parse_args()
    made = document(arguments.words)
    if arguments.update:
        sys.stdout.buffer.write(seed(made).get_update())
    else:
        json.dump(made, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()
