"""Faults without end against a server whose writers keep book: `acked ⊆ visible ⊆ sent`.

Against another server (its acknowledgements are those of Hocuspocus, or one's own update that comes
back from a y-websocket server)::

    .venv/bin/python -m tests.faults.storm --command "node server.js" --port 1234 --dialect yjs
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from parvis.client import Disconnected
from tests.faults.proxy import FaultProxy
from tests.faults.target import DIALECTS, Command, Target
from tests.faults.writers import Book, StockWriter, marks_in

PATIENCE: Final = 120.0
"""Seconds after which a storm is stuck; never waited for when all is well."""


@dataclass
class Storm:
    """One run.

    Attributes:
        books: What was sent and acknowledged, by room.
        faults: How often each was played.
    """

    target: Target
    proxy: FaultProxy
    chance: random.Random
    books: dict[str, Book]
    writers: list[StockWriter] = field(default_factory=list[StockWriter])
    faults: Counter[str] = field(default_factory=Counter[str])

    @property
    def acked(self) -> int:
        return sum(len(book.acked) for book in self.books.values())


async def kill(storm: Storm) -> None:
    """SIGKILL of everything."""
    await asyncio.to_thread(storm.target.kill)
    await asyncio.to_thread(storm.target.start)


async def kill_one(storm: Storm) -> None:
    """SIGKILL of the process that serves."""
    await asyncio.to_thread(storm.target.kill_one)


async def stop(storm: Storm) -> None:
    """SIGSTOP for a moment."""
    go_on = storm.target.stop()
    await asyncio.sleep(storm.chance.uniform(0.05, 0.5))
    go_on()


async def squeeze(storm: Storm) -> None:
    """Hardly any more memory, for a moment."""
    lift = storm.target.squeeze()
    await asyncio.sleep(storm.chance.uniform(0.05, 0.5))
    lift()


async def lock(storm: Storm) -> None:
    """Another program holds the store's lock for a moment."""
    let_go = storm.target.lock_store()  # in this thread, to which its connections belong
    await asyncio.sleep(storm.chance.uniform(0.05, 0.5))
    let_go()


async def full(storm: Storm) -> None:
    """The disk is full for a moment."""
    lift = storm.target.fill_disk()
    await asyncio.sleep(storm.chance.uniform(0.05, 0.5))
    lift()


async def cut(storm: Storm) -> None:
    """All connections break."""
    storm.proxy.cut()


async def half_open(storm: Storm) -> None:
    """Some connections swallow everything, until their provider gives them up."""
    legs = [leg for leg in storm.proxy.legs if storm.chance.random() < 0.5]
    for leg in legs:
        leg.swallowed = True
    await asyncio.sleep(storm.chance.uniform(0.05, 0.3))
    for leg in legs:
        leg.cut()


async def slow(storm: Storm) -> None:
    """Some connections are slow from now on."""
    for leg in storm.proxy.legs:
        leg.slow = storm.chance.random() < 0.3


FAULTS: Final[Mapping[str, tuple[int, Callable[[Storm], Awaitable[None]]]]] = {
    "kill": (2, kill),
    "kill_one": (4, kill_one),
    "stop": (3, stop),
    "squeeze": (2, squeeze),
    "lock": (2, lock),
    "full": (2, full),
    "cut": (3, cut),
    "half_open": (3, half_open),
    "slow": (2, slow),
}
"""Weight and fault."""


async def rage(
    target: Target,
    *,
    rooms: Sequence[str],
    dialects: Sequence[str],
    faults: int,
    seed: int,
    apart: int = 100,
) -> Storm:
    """Play faults and judge.

    Args:
        dialects: One writer of each in every room.
        apart: Acknowledgements between two faults, at most.

    Raises:
        AssertionError: If something acknowledged was lost, or something was made up.
    """
    chance = random.Random(seed)
    async with FaultProxy(lambda: target.port) as proxy:
        storm = Storm(target, proxy, chance, {room: Book() for room in rooms})
        storm.writers = [
            DIALECTS[dialect](
                proxy, room, f"{dialect}-{at}", storm.books[room], chance.randrange(1, 2**31)
            )
            for at, room in enumerate(rooms)
            for dialect in dialects
        ]
        running = [asyncio.create_task(writer.run()) for writer in storm.writers]
        try:
            await _rage(storm, faults, apart, running, f"seed {seed}")
            await _judge(storm, running, f"seed {seed}")
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    return storm


async def _rage(
    storm: Storm, faults: int, apart: int, running: Sequence[asyncio.Task[None]], where: str
) -> None:
    names = [name for name, (weight, _) in FAULTS.items() for _ in range(weight)]
    moment = asyncio.Event()
    for book in storm.books.values():
        book.on_ack = moment.set
    for _ in range(faults):
        goal = storm.acked + storm.chance.randrange(1, apart)
        async with asyncio.timeout(PATIENCE):
            while storm.acked < goal:
                for task in running:
                    assert not task.done(), f"{where}: a writer stopped by itself: {task!r}"
                moment.clear()
                await moment.wait()
        name = storm.chance.choice(names)
        storm.faults[name] += 1
        acked = {room: set(book.acked) for room, book in storm.books.items()}
        await FAULTS[name][1](storm)
        if name in ("kill", "kill_one"):
            await _compare(storm, acked, f"{where}, after fault {storm.faults.total()}, {name}")


async def _compare(storm: Storm, acked: Mapping[str, set[str]], where: str) -> None:
    for room, book in storm.books.items():
        async with asyncio.timeout(PATIENCE):
            seen = await visible(storm, room)
        lost, made_up = acked[room] - seen, seen - book.sent
        assert not lost, f"{where}: {len(lost)} acknowledged marks lost in {room}"
        assert not made_up, f"{where}: {sorted(made_up)[:5]} were never sent in {room}"


async def _judge(storm: Storm, running: Sequence[asyncio.Task[None]], where: str) -> None:
    """Heal, let everybody finish, and look whether everything is there."""
    for leg in storm.proxy.legs:
        leg.slow = False
    for writer in storm.writers:
        writer.stop()
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*running)
    for room, book in storm.books.items():
        assert await visible(storm, room) == book.sent, f"{where}: {room} differs"


async def visible(storm: Storm, room: str) -> set[str]:
    """The marks that a fresh stock client sees, straight from the server, once it lets it in."""
    reader = type(storm.writers[0])(storm.target, room, "reader", Book(), 2**31 + 1)
    while True:
        try:
            client = await reader.connect()
        except Disconnected:
            await asyncio.sleep(0.02)  # as often as a provider in a great hurry would try
            continue
        try:
            await client.synced()
            return marks_in(client.doc)
        except Disconnected:
            continue
        finally:
            await client.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.storm", description=__doc__)
    parser.add_argument("--command", required=True, help="starts the server")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dialect", choices=list(DIALECTS), default="yjs")
    parser.add_argument("--room", default="plain/storm")
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    target = Command(options.command, options.port)
    try:
        storm = asyncio.run(
            rage(
                target,
                rooms=[options.room],
                dialects=[options.dialect] * 3,
                faults=options.faults,
                seed=options.seed,
            )
        )
    except AssertionError as broken:
        print(broken)
        return 1
    finally:
        target.kill()
    print(f"{dict(storm.faults)}: {storm.acked} acknowledged, none lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
