"""Group commit: appends of a tenant that wait for the one under way go together in the next."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from parvis.storage.api import Appended, Batch, Status

MOST_ENTRIES = 2000
MOST_BYTES = 16 * 1024 * 1024
"""What goes together at most; a call that is larger goes alone."""

Append = Callable[[str, Sequence[Batch]], Awaitable[Sequence[Appended]]]


@dataclass(slots=True)
class _Call:
    """What one caller waits for."""

    batches: Sequence[Batch]
    answer: asyncio.Future[Sequence[Appended]]


class Queue:
    """Takes each tenant's appends in the order given, one round after the other.

    A caller that gives up does not stop its round, for others are in it.

    Args:
        append: Makes a round durable; raises nothing but bugs.
    """

    def __init__(self, append: Append) -> None:
        self._append = append
        self._waiting: dict[str, deque[_Call]] = {}
        self._rounds: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Let the rounds under way finish."""
        if self._rounds:
            await asyncio.wait(self._rounds)

    async def append(self, tenant: str, batches: Sequence[Batch]) -> Sequence[Appended]:
        """Return one answer per batch, in order."""
        call = _Call(batches, asyncio.get_running_loop().create_future())
        if tenant in self._waiting:
            self._waiting[tenant].append(call)
        else:
            self._waiting[tenant] = deque([call])
            work = asyncio.get_running_loop().create_task(self._work(tenant))
            self._rounds.add(work)
            work.add_done_callback(self._rounds.discard)
        return await call.answer

    async def _work(self, tenant: str) -> None:
        waiting = self._waiting[tenant]
        try:
            while waiting:
                await self._round(tenant, _next(waiting))
        finally:
            del self._waiting[tenant]

    async def _round(self, tenant: str, calls: Sequence[_Call]) -> None:
        batches = [batch for call in calls for batch in call.batches]
        try:
            answers = await self._append(tenant, batches)
        except Exception as bug:
            answers = [Appended(Status.FAILED, detail=f"{type(bug).__name__}: {bug}")] * len(
                batches
            )
        given = iter(answers)
        for call in calls:
            own = [next(given) for _ in call.batches]
            if not call.answer.done():
                call.answer.set_result(own)


def _next(waiting: deque[_Call]) -> list[_Call]:
    """Take the calls of the next round: no part twice, and not more than is good."""
    calls = [waiting.popleft()]
    places = {(batch.room, batch.part) for batch in calls[0].batches}
    entries, size = _weight(calls[0])
    while waiting:
        more = {(batch.room, batch.part) for batch in waiting[0].batches}
        count, length = _weight(waiting[0])
        entries, size = entries + count, size + length
        if places & more or entries > MOST_ENTRIES or size > MOST_BYTES:
            break
        places |= more
        calls.append(waiting.popleft())
    return calls


def _weight(call: _Call) -> tuple[int, int]:
    entries = [entry for batch in call.batches for entry in batch.entries]
    return len(entries), sum(len(entry.update) for entry in entries)
