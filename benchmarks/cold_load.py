"""How soon is a document that nobody had open in memory, and how long do others wait meanwhile?

    python -m benchmarks.cold_load [--traces FOLDER] [--size 20] [--runs 5] [--store URL]

In one process, on a SQLite store or the one that is named: a paper's 260,000 keystrokes, one row
each ten, after compaction; and a document of so many megabytes, in which that history has happened
in many texts, each by another client and in one row. *Load* is from the first visitor's request
until it has the document; *stall* is the longest time in which the loop did nothing else, as CPU
time of its thread, so that it is the same on a busy machine.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pycrdt
import uvloop
from benchmarks.browser.history import history
from benchmarks.measure import percentiles

from parvis.plugins import EDITOR, Access, Caller, RoomType, YDoc
from parvis.protocol.lib0 import var_uint
from parvis.server.clock import SystemClock
from parvis.server.testing import Lobby, Visitor, live_room
from parvis.storage import Address, Batch, Entry, Status, Store
from parvis.storage.factory import open_store

BATCH = 10
"""Keystrokes in a row."""

ROOT = "text-----"
CLIENT = 3_000_000_000

TENANT = "kit"
ROWS = 1000


class Paper(RoomType[YDoc]):
    """A document that anybody writes."""

    name = "paper"
    replica = YDoc

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return EDITOR


class Clock(SystemClock):
    """A day later after each `skip`, so that a log is compacted without waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


def rows_of(edits: list[tuple[int, int, str]], doc: pycrdt.Doc[Any]) -> Iterator[bytes]:
    """Yield the updates of a text, called `ROOT`, in which a history happens."""
    made: list[bytes] = []
    observed = doc.observe(lambda event: made.append(event.update))
    text = doc.get(ROOT, type=pycrdt.Text)
    for start in range(0, len(edits), BATCH):
        with doc.transaction():
            for at, gone, new in edits[start : start + BATCH]:
                if gone:
                    del text[at : at + gone]
                if new:
                    text.insert(at, new)
        yield from made
        made.clear()
    doc.unobserve(observed)


def copies_of(doc: pycrdt.Doc[Any], times: int) -> Iterator[bytes]:
    """Yield updates that make a document's text once more each, elsewhere and by somebody else.

    Writing a history again takes minutes; its bytes differ in the client and the name only.
    """
    state = doc.get_update()
    written = str(doc.get(ROOT, type=pycrdt.Text))
    for number in range(times):
        root, client = f"text{number:05}", CLIENT + number
        copy = state.replace(var_uint(CLIENT), var_uint(client))
        copy = copy.replace(ROOT.encode(), root.encode())
        check: pycrdt.Doc[Any] = pycrdt.Doc()
        check.apply_update(copy)
        assert str(check.get(root, type=pycrdt.Text)) == written
        yield copy


async def fill(store: Store, room: str, updates: Iterator[bytes]) -> int:
    """Log updates, a thousand per call; return the bytes."""
    opened = await store.open_room(TENANT, room, creator="ann", now=time.time())
    end = size = 0
    entries: list[Entry] = []

    async def flush() -> None:
        nonlocal end
        batch = Batch(room, "", opened.fence, end, tuple(entries))
        (answer,) = await store.append(TENANT, [batch])
        assert answer.status is Status.LOGGED, answer
        end = answer.end
        entries.clear()

    for update in updates:
        size += len(update)
        key = (end + len(entries)).to_bytes(8, "big")
        entries.append(Entry(update, "ann", time.time(), key))
        if len(entries) == ROWS:
            await flush()
    await flush()
    return size


@asynccontextmanager
async def watched(stalls: list[float]) -> AsyncGenerator[None]:
    """Note the most CPU time between two turns of the loop."""
    worst = 0.0

    async def tick() -> None:
        nonlocal worst
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            worst, last = max(worst, now - last), now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    yield
    ticking.cancel()
    stalls.append(worst)


async def visit(lobby: Lobby) -> None:
    """Come in, and leave when the document is there."""
    visitor = Visitor(lobby, Caller(TENANT, "ann", "Ann", member=True))
    await visitor.enter(lobby.name, b"", 0, 0)
    visitor.session.disconnected()


async def measure(store: Store, key: str, runs: int) -> dict[str, Any]:
    """Load a room again and again, each time by a node that has not seen it."""
    address = Address(TENANT, f"paper/{key}")
    clock = Clock()
    loads: list[float] = []
    stalls: list[float] = []
    settings = {"history_days": 0.5}
    async with live_room(Paper(), key, store=store, clock=clock, settings=settings) as lobby:
        began = time.perf_counter()
        await visit(lobby)
        first = time.perf_counter() - began
        await lobby.forget()
        clock.skipped += 86_400
        began = time.perf_counter()
        await visit(lobby)
        await lobby.forget()  # the log is compacted when the last one leaves
        compacted = time.perf_counter() - began
        for _ in range(runs):
            began = time.perf_counter()
            async with watched(stalls):
                await visit(lobby)
            loads.append(time.perf_counter() - began)
            await lobby.forget()
        state = await store.snapshot(address)
        info = await store.room(TENANT, address.room)
        assert state is not None and info is not None
        head = info.parts[""]
        return {
            "state bytes": len(state.state),
            "rows kept": head.offset - head.first + 1,
            "rows ever": head.offset,
            "stored bytes": info.size,
            "stored / state": round(info.size / len(state.state), 2),
            "first load, all rows, s": round(first, 2),
            "a load and its compaction, s": round(compacted, 2),
            "load ms": percentiles(loads),
            "stall, CPU ms": percentiles(stalls),
        }


async def run(arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure the paper, and the document made of many."""
    trace = history(arguments.traces, arguments.edits)
    with tempfile.TemporaryDirectory() as folder:
        store, _ = open_store(arguments.store or f"sqlite:///{folder}")
        results: dict[str, Any] = {"history": trace.source}
        doc: pycrdt.Doc[Any] = pycrdt.Doc(client_id=CLIENT)
        await fill(store, "paper/one", rows_of(trace.edits, doc))
        results["one"] = await measure(store, "one", arguments.runs)
        times = max(1, round(arguments.size * 1e6 / results["one"]["state bytes"]))
        await fill(store, "paper/many", copies_of(doc, times))
        results[f"{times} times that"] = await measure(store, "many", arguments.runs)
        await store.close()
    return results


def main() -> None:
    """Measure, and print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=Path)
    parser.add_argument("--edits", type=int, default=260_000)
    parser.add_argument("--size", type=float, default=20, help="megabytes of the large document")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--store", help="store URL; default: SQLite in a temporary folder")
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(run(arguments)), indent=2))


if __name__ == "__main__":
    main()
