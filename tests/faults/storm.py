"""Faults without end against a server whose writers keep book: `acked ⊆ visible ⊆ sent`.

Each lane is a room with its writers. When its room is full, the writers finish, what the room shows
is compared with the book, and the lane goes on in a new room; so rooms stay small however long a
storm lasts. After a fault that ends the server, nobody is let in until a fresh client has looked at
every lane's room and at one of the full ones: no writer has repaired anything by then.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from parvis.client import Disconnected, Refused
from tests.faults.kinds import KINDS, Scene, kinds_for
from tests.faults.proxy import FaultProxy
from tests.faults.target import DIALECTS, Target
from tests.faults.writers import Book, StockWriter, marks_in

PATIENCE: Final = 120.0
"""Seconds after which a storm is stuck; never waited for when all is well."""

LATE: Final = 1.0
"""Seconds in which another server may still load what it has said to be in sync with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a storm is to be.

    Attributes:
        lanes: Rooms at a time.
        dialects: One writer of each in every room.
        faults: How many are played.
        apart: Acknowledgements between two faults, at most.
        acks: The storm goes on until there were so many.
        window: Updates that a writer has on their way.
        full: Acknowledgements after which a lane takes a new room.
        room: How the rooms' names begin.
        path: Where the server has its dialect, if not where Parvis has it.
        forgiving: Count what was lost instead of failing.
    """

    seed: int
    lanes: int = 2
    dialects: Sequence[str] = ("yjs", "hocuspocus")
    faults: int = 40
    apart: int = 100
    acks: int = 0
    window: int = 8
    full: int = 1_500
    room: str = "plain/storm"
    path: str | None = None
    forgiving: bool = False


@dataclass
class Storm:
    """One run.

    Attributes:
        faults: How often each was played.
        full: The marks of each room that is full.
        gone: Acknowledged marks that were not there when the server was back, with their room.
        lossy: After how many faults some were.
        outages: Seconds from the beginning of a fault to the first acknowledgement after it, by
            fault.
    """

    plan: Plan
    target: Target
    proxy: FaultProxy
    chance: random.Random
    told: Callable[[Storm], None] = lambda storm: None
    faults: Counter[str] = field(default_factory=Counter[str])
    full: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    lanes: list[Lane] = field(default_factory=list["Lane"])
    acked_before: int = 0
    gone: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    lossy: int = 0
    outages: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    over: bool = False
    moment: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def lost(self) -> int:
        return len(self.gone)

    @property
    def acked(self) -> int:
        return self.acked_before + sum(len(lane.book.acked) for lane in self.lanes)

    def judge(self, room: str, seen: Set[str], acked: Set[str], sent: Set[str], what: str) -> None:
        """Compare what a room shows with what it must show, and with what it may."""
        lost, made_up = acked - seen, seen - sent
        where = f"seed {self.plan.seed}, after fault {self.faults.total()} ({what}), {room}"
        assert not made_up, f"{where}: {sorted(made_up)[:5]} were never sent"
        if not self.plan.forgiving:
            assert not lost, f"{where}: {len(lost)} acknowledged marks lost: {sorted(lost)[:5]}"
        self.gone |= {(room, mark) for mark in lost}


class Lane:
    """One room after the other, with its writers.

    Attributes:
        room: The one they are in.
        book: What they did there.
    """

    def __init__(self, storm: Storm, number: int) -> None:
        self._storm = storm
        self._number = number
        self._enough = asyncio.Event()
        self.room = ""
        self.book = Book()

    async def run(self) -> None:
        rooms = 0
        while not self._storm.over:
            rooms += 1
            await self._fill(f"{self._storm.plan.room}/{self._number}/{rooms}")

    async def _fill(self, room: str) -> None:
        storm, plan = self._storm, self._storm.plan
        self._enough.clear()
        self.room, self.book = room, Book()
        self.book.on_ack = self._acked
        writers = [self._writer(dialect) for dialect in plan.dialects]
        async with asyncio.TaskGroup() as group:
            for writer in writers:
                group.create_task(writer.run())
            await self._enough.wait()
            for writer in writers:
                writer.stop()
        book = self.book
        async with asyncio.timeout(PATIENCE):
            seen = await visible(storm, room)
        storm.judge(room, seen, book.sent, book.sent, "all quiet")
        storm.full[room] = frozenset(book.sent)
        storm.acked_before += len(book.acked)
        self.book = Book()

    def _writer(self, dialect: str) -> StockWriter:
        storm, plan = self._storm, self._storm.plan
        client_id = storm.chance.randrange(1, 2**31)
        writer = DIALECTS[dialect](storm.proxy, self.room, dialect, self.book, client_id)
        writer.window = plan.window
        writer.tries_again = True
        if plan.path is not None:
            writer.path = plan.path
        return writer

    def _acked(self) -> None:
        self._storm.moment.set()
        if len(self.book.acked) >= self._storm.plan.full or self._storm.over:
            self._enough.set()

    def end(self) -> None:
        """The storm is over."""
        self._enough.set()


async def rage(
    target: Target, plan: Plan, told: Callable[[Storm], None] = lambda storm: None
) -> Storm:
    """Play faults and judge.

    Args:
        told: Called after each fault.

    Raises:
        AssertionError: If something acknowledged was lost, or something was made up.
    """
    async with FaultProxy(lambda: target.port) as proxy:
        storm = Storm(plan, target, proxy, random.Random(plan.seed), told)
        storm.lanes = [Lane(storm, number) for number in range(plan.lanes)]
        try:
            async with asyncio.TaskGroup() as group:
                for lane in storm.lanes:
                    group.create_task(lane.run())
                await _rage(storm)
                storm.over = True
                for lane in storm.lanes:
                    lane.end()
        except* AssertionError as broken:
            raise broken.exceptions[0] from None
        await asyncio.to_thread(target.tend)
        await asyncio.to_thread(target.kill)
        await asyncio.to_thread(target.start)
        for room in storm.full:
            await _look(storm, room, storm.full[room], storm.full[room], "at the end")
    return storm


async def _rage(storm: Storm) -> None:
    plan, scene = storm.plan, Scene(storm.target, storm.proxy, storm.chance)
    names = kinds_for(storm.target, storm.chance)
    while storm.faults.total() < plan.faults:
        await _acks(storm, storm.acked + storm.chance.randrange(1, plan.apart))
        name = next(names)
        storm.faults[name] += 1
        began = time.monotonic()
        if KINDS[name].deadly:
            await _end(storm, scene, name)
        else:
            await KINDS[name].play(scene)
        await asyncio.to_thread(storm.target.tend)
        await _acks(storm, storm.acked + 1)
        storm.outages.setdefault(name, []).append(time.monotonic() - began)
        storm.told(storm)
    for leg in storm.proxy.legs:
        leg.slow = False
    while storm.acked < plan.acks:
        await _acks(storm, min(storm.acked + 10_000, plan.acks))
        storm.told(storm)


async def _acks(storm: Storm, goal: int) -> None:
    """Return when there were so many; more must come, as long as the storm lasts."""
    while storm.acked < goal:
        storm.moment.clear()
        async with asyncio.timeout(PATIENCE):
            await storm.moment.wait()


async def _end(storm: Storm, scene: Scene, name: str) -> None:
    """Play a fault that ends the server, and compare before any writer is back."""
    before = storm.lost
    storm.proxy.shut = True
    try:
        # Read while it dies: what is acknowledged until its sockets close counts.
        books = {lane.room: lane.book for lane in storm.lanes if lane.book.sent}
        await KINDS[name].play(scene)
        storm.proxy.cut()
        for room, book in books.items():
            await _look(storm, room, set(book.acked), book.sent, name)
        if storm.full:
            room = storm.chance.choice(list(storm.full))
            await _look(storm, room, storm.full[room], storm.full[room], name)
    finally:
        storm.proxy.shut = False
    storm.lossy += storm.lost > before


async def _look(storm: Storm, room: str, acked: Set[str], sent: Set[str], what: str) -> None:
    async with asyncio.timeout(PATIENCE):
        seen = await visible(storm, room)
    storm.judge(room, seen, acked, sent, what)


async def visible(storm: Storm, room: str) -> set[str]:
    """The marks that a fresh stock client sees, straight from the server, once it lets it in."""
    reader = DIALECTS[storm.plan.dialects[0]](storm.target, room, "reader", Book(), 2**31 + 1)
    if storm.plan.path is not None:
        reader.path = storm.plan.path
    while True:
        with suppress(Disconnected, Refused):
            client = await reader.connect()
            try:
                await client.synced()
                if storm.plan.forgiving:
                    await asyncio.sleep(LATE)
                return marks_in(client.doc)
            finally:
                await client.close()
        await asyncio.sleep(0.02)  # as often as a provider in a great hurry would try
