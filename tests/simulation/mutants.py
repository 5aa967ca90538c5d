"""Known bugs, to be planted while a world runs: what the judge must be able to find.

Each is a context manager; `MUTANTS` says in which scenario it must come to light, as what, and
within how many seeds.
"""

# pyright: reportPrivateUsage=false
# A planted bug reaches where no caller could.

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from parvis.server.rooms.fast import FastPart
from parvis.server.rooms.part import LivePart
from parvis.server.rooms.put_off import PutOff
from parvis.server.rooms.seat import OVERHEAD, Submission
from parvis.storage import Appended, Batch, Entry, Opened, Status, StorageError
from parvis.storage.memory import MemoryStore
from parvis.storage.memory.tenant import Tenant
from tests.simulation.disk import Call, Disk
from tests.simulation.ports import VirtualHelpers

fast: Any = importlib.import_module("parvis.server.rooms.fast")
integration: Any = importlib.import_module("parvis.server.rooms.integration")
memory_store: Any = importlib.import_module("parvis.storage.memory.store")


@contextmanager
def _planted(place: Any, name: str, bug: Any) -> Generator[None]:
    kept = getattr(place, name)
    setattr(place, name, bug)
    try:
        yield
    finally:
        setattr(place, name, kept)


def ack_before_append() -> AbstractContextManager[None]:
    """Updates are acknowledged when they are queued for the log."""
    honest = LivePart.enqueue

    def enqueue(self: LivePart, submission: Submission, entry: Entry | None) -> None:
        honest(self, submission, entry)
        if entry is not None:
            submission.offset = self.durable + len(self.unlogged)
            self._ack([submission])

    return _planted(LivePart, "enqueue", enqueue)


def answer_before_sync() -> AbstractContextManager[None]:
    """The store answers an append that it has not synced; a power cut takes it away."""
    honest = Disk._arrive

    def arrive(self: Disk, call: Call) -> None:
        honest(self, call)
        if call.batches and call in self._tail:
            self._answer(call, [_as_if_logged(batch) for batch in call.batches])

    return _planted(Disk, "_arrive", arrive)


def _as_if_logged(batch: Batch) -> Appended:
    end = batch.expected + len(batch.entries)
    return Appended(Status.LOGGED, tuple(range(batch.expected + 1, end + 1)), end)


def drop_the_head_on_failure() -> AbstractContextManager[None]:
    """What could not be appended is forgotten instead of kept at the head of the queue."""
    honest = LivePart.settle

    def settle(self: LivePart, batch: Batch, appended: Appended) -> None:
        if appended.status is Status.FAILED:
            for _ in self._in_flight:
                self.unlogged_bytes -= len(self.unlogged.popleft().update) + OVERHEAD
            self.settled += len(self._in_flight)
            self.settle_acks()
        honest(self, batch, appended)

    return _planted(LivePart, "settle", settle)


def forget_the_fence() -> AbstractContextManager[None]:
    """The store takes appends from whoever was home once."""
    honest = memory_store.append

    def append(tenant: Tenant, batch: Batch) -> Appended:
        room = tenant.rooms.get(batch.room)
        newest = room.fence if room is not None else batch.fence
        answer: Appended = honest(tenant, dataclasses.replace(batch, fence=newest))
        return answer

    return _planted(memory_store, "append", append)


def serve_empty_on_a_failed_load() -> AbstractContextManager[None]:
    """A document that could not be read is taken for an empty one."""
    honest = fast.load_document

    async def load_document(live: FastPart) -> None:
        try:
            await honest(live)
        except StorageError:
            live.document.renew()

    return _planted(fast, "load_document", load_document)


def reuse_an_offset() -> AbstractContextManager[None]:
    """A store that is opened anew has forgotten the newest row, and gives its offset again."""
    honest = MemoryStore.open_room

    async def open_room(
        self: MemoryStore, tenant: str, room: str, *, creator: str | None, now: float
    ) -> Opened:
        kept = self._tenants.get(tenant)
        for held in kept.rooms[room].parts.values() if kept is not None else ():
            if held.rows and (held.snapshot is None or held.snapshot.offset < len(held.rows)):
                del held.keys[held.rows.pop().key]
        return await honest(self, tenant, room, creator=creator, now=now)

    return _planted(MemoryStore, "open_room", open_room)


def lose_gap_rows_in_snapshots() -> AbstractContextManager[None]:
    """Rows that wait for a predecessor are left out of snapshots without a word."""
    honest = VirtualHelpers.run

    async def run(self: VirtualHelpers, task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109  the port's word
        answer = await honest(self, task, *args, timeout=timeout)
        return {**answer, "waiting": []} if task == "squash" else answer

    return _planted(VirtualHelpers, "run", run)


def forget_the_clients_key() -> AbstractContextManager[None]:
    """What a client sends again after a break is logged again."""
    honest = LivePart.entry

    def entry(self: LivePart, submission: Submission) -> Entry:
        submission.key = b""
        return honest(self, submission)

    return _planted(LivePart, "entry", entry)


def let_viewers_write() -> AbstractContextManager[None]:
    """Rights are looked at when somebody joins, and never again."""

    def admit(self: LivePart, submission: Submission) -> bool:
        return True

    return _planted(LivePart, "admit", admit)


def never_ask_again() -> AbstractContextManager[None]:
    """Who was refused for the moment is not asked for what is missing."""

    def add(self: PutOff, seat: object) -> None:
        return

    return _planted(PutOff, "add", add)


def ack_what_was_freed() -> AbstractContextManager[None]:
    """An update that waited is acknowledged when what it waited for is applied."""

    def put_behind(self: FastPart, submission: Submission) -> None:
        submission.gapped = False
        if submission.watermark <= self.settled:
            self._ack([submission])

    return _planted(FastPart, "put_behind", put_behind)


def skip_a_peer() -> AbstractContextManager[None]:
    """A broadcast goes to all but the one who came last."""
    honest = integration.send_on

    def send_on(live: FastPart, batch: Any, merged: bytes) -> None:
        seats = live.seats
        if len(seats) > 3:
            live.seats = dict(list(seats.items())[:-1])
        try:
            honest(live, batch, merged)
        finally:
            live.seats = seats

    return _planted(integration, "send_on", send_on)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A planted bug, and how it must be found.

    Attributes:
        plant: Makes the context in which the code has the bug.
        found_as: Any of these invariants may be the first that is broken.
        seeds: How many there are to find it in.
    """

    plant: Callable[[], AbstractContextManager[None]]
    scenario: str
    found_as: frozenset[str]
    seeds: int


def _mutant(
    plant: Callable[[], AbstractContextManager[None]], scenario: str, found_as: str, seeds: int
) -> Mutant:
    return Mutant(plant, scenario, frozenset(found_as.split()), seeds)


MUTANTS: Final[Mapping[str, Mutant]] = {
    mutant.plant.__name__: mutant
    for mutant in (
        _mutant(ack_before_append, "crashes", "I1 I11", 5),
        _mutant(answer_before_sync, "crashes", "I1 I11", 20),
        _mutant(drop_the_head_on_failure, "store", "I1 I2 L1", 20),
        _mutant(forget_the_fence, "homes", "I10", 20),
        _mutant(serve_empty_on_a_failed_load, "loading", "I8", 60),
        _mutant(reuse_an_offset, "crashes", "I11 I1 I2", 20),
        _mutant(lose_gap_rows_in_snapshots, "gaps", "I12 I1 I2", 40),
        _mutant(forget_the_clients_key, "network", "I13", 60),
        _mutant(let_viewers_write, "rights", "I3", 20),
        _mutant(never_ask_again, "store", "I1 L1 I2", 60),
        _mutant(ack_what_was_freed, "gaps", "I1", 40),
        _mutant(skip_a_peer, "calm", "I2 L1", 5),
    )
}
