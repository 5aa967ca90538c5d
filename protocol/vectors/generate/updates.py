"""Adds to ../updates.json the updates that pycrdt makes of edits like those of a Python client.

Run it after ``updates.mjs``. The order of keys inside one value is yrs' own and changes from run
to run; everything else comes out the same.
"""

import base64
import json
import random
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pycrdt import (
    Array,
    Doc,
    Map,
    Text,
    TransactionEvent,
    UndoManager,
    XmlElement,
    XmlFragment,
    XmlText,
    merge_updates,
)

from parvis.protocol.update import STORED, scan

FILE = Path(__file__).parent.parent / "updates.json"
SOURCE = f"pycrdt {version('pycrdt')}"
WORDS = ["the ", "quick", " fox", " über", " 漢字", " 😀", "👩‍👩‍👧", "\n", "0"]

Edit = Callable[["Doc[Any]", random.Random], None]


def _text(doc: "Doc[Any]", chance: random.Random) -> None:
    shared = doc.get("text", type=Text)
    for _ in range(150):
        length = len(str(shared).encode())
        if length > 20 and chance.random() < 0.2:
            shared.clear()
        shared += chance.choice(WORDS)
        shared.insert(0, chance.choice(["a", "b ", "c"]))


def _formats(doc: "Doc[Any]", chance: random.Random) -> None:
    shared = doc.get("text", type=Text)
    shared += "a plain text of some length, to be formatted"
    for _ in range(60):
        start = chance.randrange(30)
        attributes = chance.choice([{"bold": True}, {"bold": None}, {"link": {"href": "é"}}])
        shared.format(start, start + 1 + chance.randrange(10), attributes)
    shared.insert_embed(3, {"image": "x" * 100})
    shared.insert(2, "B", {"bold": True})


def _values(doc: "Doc[Any]", chance: random.Random) -> None:
    shared = doc.get("map", type=Map)
    array = doc.get("array", type=Array)
    samples: list[Any] = [None, True, False, 0, 1, -1, 2**31, 2**53 - 1, -(2**53) + 1, 0.1]
    samples += [1e300, float("inf"), "", "é😀", b"", b"\x00\xff", [], {}, [1, [2, [None]]]]
    samples += [{"a": [{"b": b"bytes"}]}, list(range(200))]
    for index, value in enumerate(samples):
        shared[f"k{index}"] = value
        shared["same"] = value
        array.append(value)
    array.extend(samples)
    del array[3:9]
    for key in list(shared):
        del shared[key]


def _nested(doc: "Doc[Any]", chance: random.Random) -> None:
    shared = doc.get("array", type=Array)
    for index in range(40):
        row: Map[Any] = Map({"n": index, "text": Text("row 😀"), "list": Array([1, "x"])})
        shared.insert(chance.randrange(len(shared) + 1), row)
        if index % 5 == 4:
            del shared[chance.randrange(len(shared))]


def _xml(doc: "Doc[Any]", chance: random.Random) -> None:
    root = doc.get("default", type=XmlFragment)
    for index in range(30):
        element = XmlElement("paragraph", {"level": str(index)}, [XmlText("text é")])
        root.children.append(element)
        inner = root.children[chance.randrange(len(root.children))]
        if isinstance(inner, XmlElement):
            inner.attributes["at"] = "x"
            inner.children.append(XmlText("more"))
        if index % 6 == 5:
            del root.children[0]


def _undo(doc: "Doc[Any]", chance: random.Random) -> None:
    shared = doc.get("text", type=Text)
    history = UndoManager(scopes=[shared], capture_timeout_millis=0)
    for index in range(80):
        what = chance.randrange(4)
        if what == 0:
            history.undo()
        elif what == 1:
            history.redo()
        else:
            shared += f"{index} "


def _transaction(doc: "Doc[Any]", chance: random.Random) -> None:
    shared = doc.get("text", type=Text)
    cells = doc.get("cells", type=Map)
    with doc.transaction():
        for index in range(200):
            shared.insert(0, chance.choice("abc"))
            cells[f"{index % 40}"] = index


def _record(name: str, client: int, edit: Edit) -> list[dict[str, Any]]:
    doc: Doc[Any] = Doc(client_id=client)
    updates: list[bytes] = []

    def note(event: TransactionEvent) -> None:
        updates.append(event.update)

    subscription = doc.observe(note)
    edit(doc, random.Random(client))
    doc.unobserve(subscription)
    whole = doc.get_update()
    return [
        _trace(f"{name}, pycrdt", doc, updates),
        _trace(f"{name}, pycrdt, whole", doc, [whole]),
        _trace(f"{name}, pycrdt, merged", doc, [*updates[:3], merge_updates(*updates)]),
    ]


def _crowd(clients: list[int]) -> list[dict[str, Any]]:
    chance = random.Random(7)
    docs: list[Doc[Any]] = [Doc(client_id=client) for client in clients]
    updates: list[bytes] = []
    for _ in range(120):
        doc = chance.choice(docs)
        before = doc.get_state()
        if chance.random() < 0.4:
            doc.apply_update(chance.choice(docs).get_update(before))
            continue
        what = chance.randrange(3)
        if what == 0:
            doc.get("text", type=Text).insert(0, chance.choice(["a", "b"]))
        elif what == 1:
            doc.get("map", type=Map)[f"k{chance.randrange(3)}"] = chance.randrange(100)
        else:
            doc.get("array", type=Array).append(chance.randrange(100))
        updates.append(doc.get_update(before))
    everyone: Doc[Any] = Doc(client_id=1)
    for update in updates:
        everyone.apply_update(update)
    gaps = [merge_updates(*updates[start::7]) for start in range(7)]
    return [
        _trace("three people, pycrdt", everyone, updates),
        _trace("three people, pycrdt, whole", everyone, [everyone.get_update()]),
        _trace("three people, pycrdt, merged with gaps", everyone, gaps),
    ]


def _trace(name: str, doc: "Doc[Any]", updates: list[bytes]) -> dict[str, Any]:
    deletes = scan(doc.get_update(), STORED).deletes
    return {
        "name": name,
        "source": SOURCE,
        "state_vector": base64.b64encode(doc.get_state()).decode(),
        "deletes": {str(client): ranges for client, ranges in sorted(deletes.items())},
        "updates": [base64.b64encode(update).decode() for update in updates],
    }


def _write(file: dict[str, Any]) -> str:
    """Lay the file out as updates.mjs does: one update a line, so that changes can be read."""
    traces: list[str] = []
    for each in file["traces"]:
        head = json.dumps({**each, "updates": []}, ensure_ascii=False, separators=(",", ":"))
        lines = ",\n".join(json.dumps(update) for update in each["updates"])
        traces.append(f"{head[:-2]}\n{lines}\n]}}")
    about = json.dumps(file["about"], ensure_ascii=False)
    return f'{{"about":{about},\n"traces":[\n{",".join(traces)}\n]}}\n'


def main() -> None:
    """Write the file anew, with the traces of pycrdt at its end."""
    file = json.loads(FILE.read_text())
    traces = [each for each in file["traces"] if not each["source"].startswith("pycrdt")]
    traces += _record("text", 2**32 + 5, _text)
    traces += _record("formats", 501, _formats)
    traces += _record("values", 2**53 - 2, _values)
    traces += _record("nested types", 502, _nested)
    traces += _record("XML", 503, _xml)
    traces += _record("undo and redo", 504, _undo)
    traces += _record("one transaction", 505, _transaction)
    traces += _crowd([601, 2**40, 3])
    file["traces"] = traces
    FILE.write_text(_write(file))
    print(f"{len(traces)} traces, {sum(len(each['updates']) for each in traces)} updates")


if __name__ == "__main__":
    main()
