"""A paper's 260,000 keystrokes as a document: how large is its log, how soon is it open?

    python -m benchmarks.browser.trace [--traces FOLDER] [--batch 10] [--edits 260000]

The edits go through the node in their order, so many at once as a quick writer makes in a second or
two, each batch as one Yjs update; in the end the node's text must be the history's. Then its past
is looked at: the first page of the list, and the content as it was at random moments.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import Any

import pycrdt
from benchmarks.browser.chromium import options, play, run
from benchmarks.browser.history import EDITS, History, Writer, history
from benchmarks.browser.site import Api, Site, api
from benchmarks.lean_socket import LeanSocket, open_lean
from benchmarks.measure import Figures, percentiles
from benchmarks.swarm import PATIENCE

from parvis.plugins.docs.schema import content_of
from parvis.plugins.docs.vocabulary import VERSION
from parvis.protocol import decode_from_server, encode
from parvis.protocol.messages import Ack, Hello, Join, Joined, Refuse, Resync, Update, Welcome

IN_FLIGHT = 64
"""Updates that may be without an ack."""


class Replay:
    """A writer's connection to one document."""

    def __init__(self) -> None:
        self.offset = 0
        self._acked = 0
        self._refused = ""
        self._news = asyncio.Event()
        self._socket: LeanSocket | None = None
        loop = asyncio.get_running_loop()
        self._welcome: asyncio.Future[None] = loop.create_future()
        self._joined: asyncio.Future[Joined] = loop.create_future()

    async def run(self, site: Site, room: str, past: History, batch: int) -> float:
        """Send the whole history; return the seconds from the first update to the last ack."""
        await open_lean(
            f"{site.target.url}/ws", self._on_frame, self._attach, subprotocol="parvis.v1"
        )
        self._send(encode(Hello(1, site.token)))
        async with asyncio.timeout(PATIENCE):
            await self._welcome
            self._send(encode(Join(1, room, schema=VERSION)))
            joined = await self._joined
        doc: pycrdt.Doc[Any] = pycrdt.Doc()
        for update in joined.updates:
            doc.apply_update(update)
        writer = Writer(doc)
        began = perf_counter()
        sent = 0
        for at in range(0, len(past.edits), batch):
            update = writer.write(past.edits[at : at + batch])
            sent += 1
            self._send(encode(Update(joined.channel, sent + 1, update)))
            await self._until(sent - IN_FLIGHT)
        await self._until(sent)
        seconds = perf_counter() - began
        if self._socket is not None:
            self._socket.close()
        return seconds

    async def _until(self, count: int) -> None:
        await asyncio.sleep(0)  # what was sent goes out
        async with asyncio.timeout(PATIENCE):
            while self._acked < count:
                self._news.clear()
                await self._news.wait()
                if self._refused:
                    raise SystemExit(self._refused)

    def _on_frame(self, frame: bytes) -> None:
        message = decode_from_server(frame)
        if isinstance(message, Ack):
            self._acked += 1
            self.offset = message.offset
            self._news.set()
        elif isinstance(message, Joined):
            self._joined.set_result(message)
        elif isinstance(message, Welcome):
            self._welcome.set_result(None)
        elif isinstance(message, Refuse | Resync):
            self._refused = f"the server does not take it: {message}"
            self._news.set()

    def _attach(self, socket: LeanSocket) -> None:
        self._socket = socket

    def _send(self, payload: bytes) -> None:
        assert self._socket is not None
        self._socket.send(payload)


async def measure(site: Site, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    past = history(arguments.traces, arguments.edits)
    async with api(site) as calls:
        key = await calls.make("A paper")
        replay = Replay()
        cpu = site.target.cpu()
        seconds = await replay.run(site, f"docs/{key}", past, arguments.batch)
        cpu = site.target.cpu() - cpu
        content = await calls.call("GET", f"docs/documents/{key}/content?format=json")
        if (text := _text(content)) != past.text:
            raise SystemExit(f"the text differs: {len(text)} and {len(past.text)} characters")
        pages = await _times(calls, [f"docs/documents/{key}/history"] * arguments.looks)
        chance = random.Random(1)
        moments = [chance.randint(1, replay.offset) for _ in range(arguments.looks)]
        views = await _times(calls, [f"docs/documents/{key}/history/{at}" for at in moments])
    found = await play("trace", site, {"key": key, "runs": arguments.runs})
    return {
        "chromium": found["version"],
        "history": past.source,
        "edits": len(past.edits),
        "updates in the log": replay.offset,
        "characters": len(past.text),
        "paragraphs": past.text.count("\n") + 1,
        "replayed in s": round(seconds, 1),
        "server CPU s": round(cpu, 1),
        "data folder KiB": _kib(site.data),
        "history's first page, HTTP ms": percentiles(pages),
        "a moment's content, HTTP ms": percentiles(views),
        "open, cold: editable ms": percentiles([e["editable"] / 1000 for e in found["opened"]]),
        "open, cold: first letter shown ms": percentiles(
            [e["shown"] / 1000 for e in found["opened"]]
        ),
        "in the browser: history's list, ms": round(found["history"]["list"], 1),
        "in the browser: its newest moment, ms": round(found["history"]["view"], 1),
        "memory": {
            "scripts MiB": round(found["memory"]["scripts"] / 2**20, 1),
            "process MiB": round(found["memory"]["process"] / 2**20, 1),
        },
    }


def _text(content: dict[str, Any]) -> str:
    rows = content_of(content)
    return "\n".join("".join(str(text["text"]) for text in content_of(row)) for row in rows)


async def _times(calls: Api, paths: list[str]) -> list[float]:
    times: list[float] = []
    for path in paths:
        began = perf_counter()
        await calls.read(path)
        times.append(perf_counter() - began)
    return times


def _kib(data: Path) -> Figures:
    """Size of the tenant's databases by file, once what waits in their journals is in them."""
    sizes: Figures = {}
    for path in sorted(data.rglob("*.sqlite*")) + sorted(data.rglob("*.db*")):
        if path.suffix.endswith(("-wal", "-shm")):
            continue
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as file:
            (pages,), (size,) = (
                file.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
            )
        sizes[path.relative_to(data).as_posix()] = round(pages * size / 1024)
    return sizes


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--traces", type=Path, help="folder of automerge-paper.json.gz")
    parser.add_argument("--edits", type=int, default=EDITS, help="at most so many")
    parser.add_argument("--batch", type=int, default=10, help="edits in one update")
    parser.add_argument("--runs", type=int, default=3, help="visits")
    parser.add_argument("--looks", type=int, default=20, help="at the history, over HTTP")
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.edits, arguments.runs, arguments.looks = 3_000, 1, 2
    return run("browser-trace", measure, arguments)


if __name__ == "__main__":
    main()
