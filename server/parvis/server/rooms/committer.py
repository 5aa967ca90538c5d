"""Group commit: one call to the store for all that waits, while the next group gathers.

There is one committer per tenant. A quiet tenant's update is handed to the store in the same turn.
A busy one's wait for company: a call begins `Limits.flush_pause` after the one before it began, or
as soon as that is over if it took longer, or at once when `Limits.flush_full` updates wait.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from parvis.storage import Appended, Batch, Status, StorageError, Store

from ..limits import Limits
from ..metrics import Metrics
from ..ports import Clock, Random

logger = logging.getLogger(__name__)

FIRST_RETRY: Final = 0.05
LAST_RETRY: Final = 2.0


class Logs(Protocol):
    """A part that has something to log."""

    def next_batch(self) -> Batch | None:
        """Return what is at the head of the queue, which stays there; None if it is empty."""
        ...

    def settle(self, batch: Batch, appended: Appended) -> None:
        """Take in what became of the batch that `next_batch` returned last."""
        ...


class Committer:
    """Logs what the parts of one tenant's rooms have to log, each strictly in order."""

    def __init__(
        self,
        store: Store,
        tenant: str,
        clock: Clock,
        random: Random,
        metrics: Metrics,
        limits: Limits,
    ) -> None:
        self.store = store
        self.tenant = tenant
        self.clock = clock
        self.random = random
        self.metrics = metrics
        self.limits = limits
        self._dirty: dict[Logs, None] = {}
        self._resting: set[Logs] = set()
        self._retry = FIRST_RETRY
        self._running: asyncio.Task[None] | None = None
        self._began = float("-inf")
        self._waiting = 0
        self._full = asyncio.Event()

    def wake(self, part: Logs) -> None:
        """A part has one more update to log."""
        if part in self._resting:
            return
        self._dirty[part] = None
        self._waiting += 1
        if self._waiting == self.limits.flush_full:
            self._full.set()
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._dirty:
                await self._gather()
                parts, self._dirty = list(self._dirty), {}
                self._waiting = 0
                pairs = [(part, batch) for part in parts if (batch := part.next_batch())]
                if not pairs:
                    continue
                self._began = self.clock.monotonic()
                answers = await self._append([batch for _, batch in pairs])
                self.metrics.flush_seconds.observe(self.clock.monotonic() - self._began)
                self._settle(pairs, answers)
        finally:
            self._running = None

    async def _gather(self) -> None:
        """Wait for company, if the last call is recent."""
        wait = self._began + self.limits.flush_pause - self.clock.monotonic()
        if wait > 0 and self._waiting < self.limits.flush_full:
            self._full.clear()
            timer = self.clock.call_later(wait, self._full.set)
            await self._full.wait()
            timer.cancel()

    async def _append(self, batches: Sequence[Batch]) -> Sequence[Appended]:
        try:
            return await self.store.append(self.tenant, batches)
        except StorageError as problem:
            logger.warning("%s: the store raised instead of answering: %s", self.tenant, problem)
            return [Appended(Status.FAILED, detail=str(problem))] * len(batches)
        except Exception as problem:
            logger.exception("%s: the store failed", self.tenant)
            return [Appended(Status.FAILED, detail=repr(problem))] * len(batches)

    def _settle(self, pairs: Sequence[tuple[Logs, Batch]], answers: Sequence[Appended]) -> None:
        failed: list[Logs] = []
        for (part, batch), answer in zip(pairs, answers, strict=True):
            if answer.status is Status.LOGGED:
                self.metrics.logged.inc(sum(map(bool, answer.offsets)))
                self.metrics.flush_size.observe(len(batch.entries))
            elif answer.status is Status.FAILED:
                failed.append(part)
                self.metrics.append_failures.inc()
            try:
                part.settle(batch, answer)
            except Exception:  # one part's bug must not stop the others' log
                logger.exception("%s: %s could not take its answer in", self.tenant, batch.room)
        if failed:
            self._rest(failed, next(a.detail for a in answers if a.status is Status.FAILED))
        else:
            self._retry = FIRST_RETRY

    def _rest(self, failed: Sequence[Logs], detail: str) -> None:
        """Leave failing logs alone for a while; the others go on."""
        if not self._resting:
            logger.warning("%s: %d logs cannot be written: %s", self.tenant, len(failed), detail)
        self._resting.update(failed)

        def again() -> None:
            self._resting.difference_update(failed)
            for part in failed:
                self.wake(part)

        self.clock.call_later(self._retry * self.random.uniform(0.5, 1.0), again)
        self._retry = min(self._retry * 2, LAST_RETRY)
