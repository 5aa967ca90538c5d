"""How quick is the past of a long document: travel, blame, versions, going back?

    python -m benchmarks.history [--traces FOLDER] [--edits 260000] [--looks 200] [--short]

A paper's keystrokes (see `benchmarks.browser.history`) become the rows of a log in SQLite, one row
each, as three people type them in turn. Then a room type's own way to the history is measured:
`first look` starts from the log alone; the others have its checkpoints. All the while the event
loop's longest stall is taken, in CPU time of its thread between two turns: what everybody else in
the node would wait, whatever else runs on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter, thread_time, time
from typing import Any, TypeVar

import uvloop
from benchmarks.browser.history import EDITS, Edit, history
from benchmarks.measure import RESULTS, Figures, keep, percentiles, show
from pycrdt import Doc, Text

from parvis.plugins import Caller
from parvis.plugins.plain import Plain
from parvis.server.testing import Lobby, live_room
from parvis.storage import Batch, Entry, Status, Store
from parvis.storage.sqlite import open_sqlite

T = TypeVar("T")

TENANT, ROOM = "kit", "plain/paper"
AUTHORS = ("ada", "bob", "cy")
TURN = 500
"""Keystrokes of one author, before the next one goes on."""

PACE = 0.3
"""Seconds between two keystrokes."""


def typed(edits: list[Edit]) -> tuple[list[tuple[str, bytes]], str]:
    """Return sender and update of each edit, and the text that they make."""
    docs: list[Doc[Any]] = [Doc(client_id=1001 + n) for n in range(len(AUTHORS))]
    texts = [doc.get("text", type=Text) for doc in docs]
    rows: list[tuple[str, bytes]] = []
    for number, start in enumerate(range(0, len(edits), TURN)):
        who = number % len(AUTHORS)
        doc, text, before = docs[who], texts[who], docs[who - 1]
        doc.apply_update(before.get_update(doc.get_state()))
        made: list[bytes] = []
        observed = doc.observe(lambda event, made=made: made.append(event.update))
        for at, gone, new in edits[start : start + TURN]:
            with doc.transaction():
                del text[at : at + gone]
                text.insert(at, new)
        doc.unobserve(observed)
        rows += [(AUTHORS[who], update) for update in made]
    last = (len(edits) - 1) // TURN % len(AUTHORS)
    return rows, str(texts[last])


async def fill(store: Store, rows: list[tuple[str, bytes]], began: float) -> None:
    """Write the rows into the room's log, as if the first had come at that time."""
    opened = await store.open_room(TENANT, ROOM, creator="ada", now=0)
    for start in range(0, len(rows), 1000):
        entries = tuple(
            Entry(update, who, began + (start + n) * PACE, (start + n).to_bytes(8, "big"))
            for n, (who, update) in enumerate(rows[start : start + 1000])
        )
        (done,) = await store.append(TENANT, [Batch(ROOM, "", opened.fence, start, entries)])
        assert done.status is Status.LOGGED, done


class Stalls:
    """Watches how long the loop lets others wait."""

    def __init__(self) -> None:
        self.longest = 0.0

    async def watch(self) -> None:
        while True:
            began = thread_time()
            await asyncio.sleep(0.002)
            self.longest = max(self.longest, thread_time() - began)


async def measure(lobby: Lobby, count: int, text: str, looks: int, start: float) -> Figures:
    """Return the figures of one run."""
    past, ada = lobby.node.history, Caller(TENANT, "ada", "Ada", member=True)
    stalls, chance = Stalls(), random.Random(7)
    figures: Figures = {"rows": count}

    async def take(name: str, work: Callable[[], Awaitable[T]]) -> T:
        stalls.longest = 0.0
        began = perf_counter()
        done = await work()
        figures[f"{name}, ms"] = round((perf_counter() - began) * 1000, 1)
        figures[f"{name}: longest stall, ms"] = round(stalls.longest * 1000, 1)
        return done

    watching = asyncio.create_task(stalls.watch())
    await past.at(TENANT, "paper", offset=1)  # a helper has started
    whole = await take("first look at the end", lambda: past.at(TENANT, "paper", offset=count))
    doc: Doc[Any] = Doc()
    doc.apply_update(whole)
    assert str(doc.get("text", type=Text)) == text, "the history ends in another text"
    stalls.longest = 0.0
    times: list[float] = []
    for _ in range(looks):
        began = perf_counter()
        await past.at(TENANT, "paper", offset=chance.randint(1, count))
        times.append(perf_counter() - began)
    figures["look at a random moment, ms"] = percentiles(times)
    figures["the same: longest stall, ms"] = round(stalls.longest * 1000, 1)
    await take(
        "a moment by its time", lambda: past.offset(TENANT, "paper", time=start + count * PACE / 3)
    )
    await take("first page of the timeline", lambda: past.timeline(TENANT, "paper"))
    types = await take("first blame", lambda: past.blame(TENANT, "paper"))
    figures["blame: runs"] = len(types[0]["runs"])
    assert types[0]["runs"][-1]["to"] == len(text.encode("utf-16-le")) // 2, "a hole in the blame"
    await take("blame again", lambda: past.blame(TENANT, "paper"))
    await take("blame at half", lambda: past.blame(TENANT, "paper", offset=count // 2))
    await take("name a version", lambda: past.name(ada, "paper", name="Half", offset=count // 2))
    opened = lobby.node.open(ada, "paper", vouched=True)
    await take("open the room, without a snapshot", opened.__aenter__)
    first, last = count // 2, count // 2 + count // 10
    taken = await take(
        "roll an author back in a tenth",
        lambda: past.rollback(ada, "paper", author="bob", first=first, last=last),
    )
    figures["rolled back: removed, restored"] = f"{taken.removed:,}, {taken.restored:,}"
    back = await take("restore half", lambda: past.restore(ada, "paper", offset=count // 2))
    figures["restored half: removed, restored"] = f"{back.removed:,}, {back.restored:,}"
    now = await past.at(TENANT, "paper", offset=back.offset)
    then = await past.at(TENANT, "paper", offset=count // 2)
    assert text_of(now) == text_of(then), "the past was not brought back"
    await opened.__aexit__(None, None, None)
    watching.cancel()
    while lobby.core.working:  # noqa: ASYNC110  on a snapshot, perhaps; it takes seconds
        await asyncio.sleep(0.1)
    return figures


def text_of(update: bytes) -> str:
    """Return what a document says."""
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    return str(doc.get("text", type=Text))


async def run(arguments: argparse.Namespace) -> Figures:
    """Type the history, and look back at it."""
    past = history(arguments.traces, arguments.edits)
    rows, text = typed(past.edits)
    assert text == past.text, "typed otherwise than in the trace"
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        store, _ = open_sqlite(Path(folder))
        began = time() - len(rows) * PACE  # of late, or the log would be compacted
        await fill(store, rows, began)
        # Our own garbage collection must not look like the server's latency.
        gc.collect()
        gc.freeze()
        async with live_room(Plain(), "paper", tenant=TENANT, store=store) as lobby:
            figures = await measure(lobby, len(rows), text, arguments.looks, began)
        await store.close()
    return {"trace": past.source} | figures


def main() -> None:
    """Measure, print and keep the figures."""
    parser = argparse.ArgumentParser(description="How quick is the past of a long document?")
    parser.add_argument("--short", action="store_true", help="a quick run, for CI: proves nothing")
    parser.add_argument("--traces", type=Path, help="folder of automerge-paper.json.gz")
    parser.add_argument("--edits", type=int, default=EDITS)
    parser.add_argument("--looks", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="on the disk that is meant")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON files")
    arguments = parser.parse_args()
    if arguments.short:
        arguments.edits, arguments.looks = min(arguments.edits, 3_000), 10
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        figures = runner.run(run(arguments))
    show("history", figures)
    if not arguments.short:
        keep("history", figures, arguments)


if __name__ == "__main__":
    main()
