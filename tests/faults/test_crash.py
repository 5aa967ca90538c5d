"""What was acknowledged survives SIGKILL, in every dialect.

Six writers, three in each of two rooms, one of each dialect, keep eight updates on their way each.
At moments that a seed picks, the whole node or its worker alone is killed. After each kill a fresh
client reads: `acked ⊆ visible ⊆ sent`. After each kill of the node, the log is read before the next
start: its offsets have no gap, and it alone holds every acknowledged mark.
"""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from pycrdt import Doc

from parvis.client import connect
from parvis.storage import Address
from parvis.storage.factory import open_store
from tests.faults import ways_in
from tests.faults.ways_in import Promptly
from tests.faults.writers import (
    Book,
    HocuspocusWriter,
    NativeWriter,
    Writer,
    YWriter,
    marks_in,
)
from tests.running import Server, start_server

ROOMS: Final = ("plain/crash/one", "plain/crash/two")
DIALECTS: Final[tuple[type[Writer], ...]] = (NativeWriter, YWriter, HocuspocusWriter)
PATIENCE: Final = 120.0
"""Seconds after which a round is stuck; never waited for when all is well."""


async def visible(node: Server, room: str) -> set[str]:
    """The marks that a fresh client sees, as soon as the node lets it in."""
    await (await ways_in.wire_when_up(node)).close()
    async with connect(ways_in.native(node), random=Promptly(1)) as session:
        return marks_in((await session.join(room)).doc)


async def logged(node: Server, room: str) -> set[str]:
    """The marks in the log, which must have no gap; the node must not run."""
    store, _ = open_store(f"sqlite:///{node.data}")
    try:
        doc: Doc[Any] = Doc()
        offset = 0
        address = Address("local", room)
        while rows := await store.read(address, after=offset):
            for row in rows:
                offset += 1
                assert row.offset == offset, f"{room}: {row.offset} where {offset} belongs"
                if row.update:
                    doc.apply_update(row.update)
        return marks_in(doc)
    finally:
        await store.close()


class Crash:
    """Kills the node at a moment, counted in entries of the writers' books."""

    def __init__(self, books: list[Book]) -> None:
        self._left = -1
        self._kill: Callable[[], None] | None = None
        self.done = asyncio.Event()
        self.after_ack = True
        for book in books:
            book.on_ack = lambda: self._count(after_ack=True)
            book.on_sent = lambda: self._count(after_ack=False)

    def plan(self, count: int, *, after_ack: bool, kill: Callable[[], None]) -> None:
        self._left, self.after_ack, self._kill = count, after_ack, kill
        self.done.clear()

    def _count(self, *, after_ack: bool) -> None:
        if self._kill is None or after_ack is not self.after_ack:
            return
        self._left -= 1
        if self._left == 0:
            self._kill()
            self._kill = None
            self.done.set()


async def crash_again_and_again(folder: Path, *, rounds: int, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    node = start_server(folder)
    books = {room: Book() for room in ROOMS}
    writers = [
        kind(node, room, f"{kind.__name__}-{at}", books[room], chance.randrange(1, 2**31))
        for at, room in enumerate(ROOMS)
        for kind in DIALECTS
    ]
    crash = Crash(list(books.values()))
    running = [asyncio.create_task(writer.run()) for writer in writers]
    kills = {"node": 0, "worker": 0}
    try:
        for round in range(rounds):
            whole = round % 2 == 0
            count, after_ack = chance.randrange(20, 400), chance.random() < 0.7
            where = f"seed {seed}, round {round}"

            def kill(whole: bool = whole) -> None:
                node.kill() if whole else node.kill_worker()

            crash.plan(count, after_ack=after_ack, kill=kill)
            async with asyncio.timeout(PATIENCE):
                await all_well(crash.done.wait(), running)
            acked = {room: set(book.acked) for room, book in books.items()}
            kills["node" if whole else "worker"] += 1
            if whole:
                for room in ROOMS:
                    lost = acked[room] - await logged(node, room)
                    assert not lost, f"{where}: {len(lost)} acked marks not in the log of {room}"
                await asyncio.to_thread(node.start)
            for room in ROOMS:
                async with asyncio.timeout(PATIENCE):
                    seen = await visible(node, room)
                lost, made_up = acked[room] - seen, seen - books[room].sent
                assert not lost, f"{where}: {len(lost)} acked marks lost in {room}"
                assert not made_up, f"{where}: {sorted(made_up)[:5]} were never sent in {room}"
        for writer in writers:
            writer.stop()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*running)
        for room in ROOMS:
            assert await visible(node, room) == books[room].sent, f"seed {seed}: {room} differs"
        node.stop()
        for room in ROOMS:
            assert await logged(node, room) == books[room].sent
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        node.kill()
    sent = sum(len(book.sent) for book in books.values())
    acked_all = sum(len(book.acked) for book in books.values())
    return {"rounds": rounds, **kills, "sent": sent, "acked": acked_all, "lost": 0}


async def all_well(waiting: Any, running: list[asyncio.Task[None]]) -> None:
    """Wait for something, but not longer than every writer lives."""
    goal = asyncio.ensure_future(waiting)
    try:
        await asyncio.wait([goal, *running], return_when=asyncio.FIRST_COMPLETED)
        for task in running:
            if task.done():
                task.result()
                raise AssertionError("a writer stopped by itself")
    finally:
        goal.cancel()


async def test_what_was_acknowledged_survives_twenty_kills(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    counts = await crash_again_and_again(tmp_path, rounds=20, seed=20)
    record_property("crash", counts)
    print(counts)
    assert counts["acked"] > 1_000


@pytest.mark.soak
async def test_what_was_acknowledged_survives_two_hundred_kills(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    counts = await crash_again_and_again(tmp_path, rounds=200, seed=random.randrange(2**32))
    record_property("crash", counts)
    print(counts)
    assert counts["acked"] > 10_000
