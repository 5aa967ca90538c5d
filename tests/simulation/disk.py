"""A store as nodes see one over time: late, failing, losing answers, losing its unsynced tail.

`Disk` is what survives: the memory store behind a delay. A call travels there, waits in the *tail*
until it is synced, is done, and its answer travels back. What was answered is durable; a power cut
drops what is still in the tail. Several nodes may use one disk, as they use one PostgreSQL; an
embedded disk loses a node's own tail with that node, as SQLite does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar, cast

from parvis.storage import (
    Address,
    Appended,
    Batch,
    LoggedUpdate,
    Opened,
    Quarantined,
    Snapshot,
    Status,
    Store,
    StoreUnavailable,
)
from parvis.storage.faulty import FaultyStore
from parvis.storage.memory import MemoryStore
from tests.simulation.history import History
from tests.simulation.ledger import Ledger
from tests.simulation.loop import Life
from tests.simulation.network import NOBODY

T = TypeVar("T")


@dataclass(slots=True)
class StoreWeather:
    """How the store behaves.

    Attributes:
        delay: Mean seconds of each leg: there, until it is synced, and back.
        fail: How probably a call fails without doing anything.
        lose: How probably a call is done and its answer lost.
        down: Every call fails.
        stalled: No call gets there.
    """

    delay: float = 0.002
    fail: float = 0.0
    lose: float = 0.0
    down: bool = False
    stalled: bool = False


@dataclass(slots=True, eq=False)
class Call:
    """One call on its way; `batches` are those of an append."""

    life: Life
    name: str
    work: Callable[[], Coroutine[Any, Any, Any]]
    answer: asyncio.Future[Any]
    batches: Sequence[Batch] = ()
    dropped: bool = False


class Disk:
    """What survives deaths and power cuts.

    Attributes:
        memory: Everything that is durable.
        embedded: It dies with the node that uses it.
    """

    def __init__(
        self, random: Random, weather: StoreWeather, ledger: Ledger, history: History
    ) -> None:
        self.memory = MemoryStore()
        self.embedded = False
        self._random = random
        self._weather = weather
        self._ledger = ledger
        self._history = history
        self._tail: list[Call] = []

    def call(
        self,
        life: Life,
        name: str,
        work: Callable[[], Coroutine[Any, Any, T]],
        batches: Sequence[Batch] = (),
    ) -> asyncio.Future[T]:
        """Begin a call for a life; the future is done when its answer is back."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._later(self._arrive, Call(life, name, work, answer, batches))
        return answer

    def power_cut(self) -> None:
        """Lose the tail."""
        self._history.note("disk", f"loses its tail of {len(self._tail)}")
        for call in self._tail:
            self._drop(call)
        self._tail.clear()

    def died(self, life: Life) -> None:
        """A node is gone; if the store lived in it, so is some of what it had begun to write."""
        if self.embedded:
            for call in [each for each in self._tail if each.life is life]:
                if self._random.random() < 0.5:
                    self._drop(call)

    def _drop(self, call: Call) -> None:
        call.dropped = True
        self._fail(call, "the power was cut")

    def _fail(self, call: Call, why: str) -> None:
        if not call.answer.done():
            call.answer.set_exception(StoreUnavailable(why))

    def _later(self, step: Callable[[Call], None], call: Call) -> None:
        delay = self._random.expovariate(1 / self._weather.delay)
        asyncio.get_running_loop().call_later(delay, step, call, context=NOBODY)

    def _arrive(self, call: Call) -> None:
        weather = self._weather
        if weather.stalled:
            self._later(self._arrive, call)
        elif self.embedded and not call.life.alive:
            return
        elif weather.down or self._random.random() < weather.fail:
            self._history.note(call.life.name, f"{call.name}: the store fails")
            self._fail(call, "the store is told to fail")
        else:
            self._tail.append(call)
            self._later(self._sync, call)

    def _sync(self, call: Call) -> None:
        if call.dropped:
            return
        self._tail.remove(call)
        answer = drive(call.work())
        if not isinstance(answer, Exception) and self._random.random() < self._weather.lose:
            self._history.note(call.life.name, f"{call.name}: the answer is lost")
            answer = StoreUnavailable("the answer was lost")
        self._later(lambda _: self._answer(call, answer), call)

    def _answer(self, call: Call, answer: object) -> None:
        if call.answer.done():
            return
        if isinstance(answer, Exception):
            call.answer.set_exception(answer)
        else:
            call.answer.set_result(answer)

    # What is looked at while it is done

    async def append(self, life: Life, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        answers: list[Appended] = []
        for batch in batches:
            (answer,) = await self.memory.append(tenant, [batch])
            answers.append(answer)
            self._history.note(
                life.name,
                f"append {batch.room}:{batch.part} fence {batch.fence} after {batch.expected}"
                f" +{len(batch.entries)}: {answer.status.value} {answer.end}",
            )
            address = Address(tenant, batch.room, batch.part)
            if answer.status is Status.LOGGED:
                self._ledger.appended(address, batch, answer, await self.rows(address))
        return answers

    async def rows(self, address: Address) -> Sequence[LoggedUpdate]:
        """Return the rows that the ledger does not know yet."""
        return await self.memory.read(address, after=self._ledger.length(address), limit=10_000)

    async def open_room(
        self, life: Life, tenant: str, room: str, creator: str | None, now: float
    ) -> Opened:
        opened = await self.memory.open_room(tenant, room, creator=creator, now=now)
        self._history.note(life.name, f"opens {room} with fence {opened.fence}")
        self._ledger.opened(room, opened.fence)
        return opened

    async def save_snapshot(
        self, life: Life, address: Address, fence: int, snapshot: Snapshot
    ) -> bool:
        kept = await self.memory.save_snapshot(address, fence, snapshot)
        self._history.note(life.name, f"snapshot of {address} at {snapshot.offset}: {kept}")
        if kept:
            self._ledger.snapshotted(address, snapshot)
        return kept

    async def compact(
        self, life: Life, address: Address, fence: int, through: int, base: bytes
    ) -> bool:
        done = await self.memory.compact(address, fence, through=through, base=base)
        self._history.note(life.name, f"compaction of {address} through {through}: {done}")
        if done:
            self._ledger.compacted(address, through, base)
        return done

    async def quarantine(self, life: Life, tenant: str, poison: Quarantined) -> None:
        self._history.note(life.name, f"sets aside row {poison.offset} of {poison.room}")
        await self.memory.quarantine(tenant, poison)
        self._ledger.set_aside(Address(tenant, poison.room, poison.part), poison.offset)


class View(FaultyStore):
    """The disk as one life of a node has it; implements `parvis.storage.Store`."""

    def __init__(self, disk: Disk, life: Life) -> None:
        super().__init__(cast(Store, disk.memory))
        self._disk = disk
        self._life = life

    async def _call(self, name: str, call: Callable[[], Any]) -> Any:
        return await self._disk.call(self._life, name, call)

    async def close(self) -> None:
        """The disk stays."""

    async def append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        try:
            return await self._disk.call(
                self._life,
                "append",
                lambda: self._disk.append(self._life, tenant, batches),
                batches,
            )
        except StoreUnavailable as error:
            return [Appended(Status.FAILED, detail=str(error)) for _ in batches]

    async def open_room(self, tenant: str, room: str, *, creator: str | None, now: float) -> Opened:
        return await self._disk.call(
            self._life,
            "open_room",
            lambda: self._disk.open_room(self._life, tenant, room, creator, now),
        )

    async def save_snapshot(self, address: Address, fence: int, snapshot: Snapshot) -> bool:
        return await self._disk.call(
            self._life,
            "save_snapshot",
            lambda: self._disk.save_snapshot(self._life, address, fence, snapshot),
        )

    async def compact(self, address: Address, fence: int, *, through: int, base: bytes) -> bool:
        return await self._disk.call(
            self._life,
            "compact",
            lambda: self._disk.compact(self._life, address, fence, through, base),
        )

    async def quarantine(self, tenant: str, poison: Quarantined) -> None:
        await self._disk.call(
            self._life,
            "quarantine",
            lambda: self._disk.quarantine(self._life, tenant, poison),
        )


def drive(work: Coroutine[Any, Any, T]) -> T | Exception:
    """Do what never waits; return its exception instead of raising it."""
    try:
        work.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    except Exception as problem:
        return problem
    raise RuntimeError("expected that the memory store never waits")
