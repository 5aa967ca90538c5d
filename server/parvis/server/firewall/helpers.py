"""A pool of helper processes, and the shadow that tries a room's updates before the worker does."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from parvis.server.firewall.process import Confinement, HelperProcess
from parvis.server.ports import (
    Clock,
    HelperDied,
    HelperMissing,
    HelperPanicked,
    HelperStopped,
    HelperTimeout,
    Timer,
)

TRIES: Final = 3
"""Helpers that may be lost while idle before the work is given up."""

DEFAULT: Final = Confinement()

Watcher = Callable[[str], None]


def _nobody(loss: str) -> None:
    pass


class HelperPool:
    """The `Helpers` port on real processes, started when they are needed.

    Args:
        size: Most helpers at a time; more work waits.
        clock: Measures timeouts and idleness.
        confinement: What each may take.
        idle: A helper that had nothing to do for so many seconds is ended.
        on_loss: Told ``died``, ``timeout``, ``panicked`` or ``missing``, for a metric.
    """

    def __init__(
        self,
        size: int,
        clock: Clock,
        *,
        confinement: Confinement = DEFAULT,
        idle: float = 60.0,
        on_loss: Watcher = _nobody,
    ) -> None:
        self._clock = clock
        self._confinement = confinement
        self._idle = idle
        self._on_loss = on_loss
        self._slots = asyncio.Semaphore(size)
        self._free: list[tuple[HelperProcess, Timer]] = []
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def idle_helpers(self) -> int:
        """How many helpers wait for work."""
        return len(self._free)

    async def run(self, task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109  by our clock
        """Do a task in a helper; see `parvis.server.ports.Helpers.run`."""
        async with self._slots:
            for left in reversed(range(TRIES)):
                try:
                    return await self._run(task, args, timeout)
                except HelperMissing as error:
                    if not left or self._closed:
                        self._on_loss(_loss(error))
                        raise
                except HelperStopped as error:
                    if loss := _loss(error):
                        self._on_loss(loss)
                    raise

    async def close(self) -> None:
        """End all helpers; work under way ends as if they had died."""
        self._closed = True
        for helper, timer in self._free:
            timer.cancel()
            self._end(helper)
        self._free.clear()
        while self._ending:
            await asyncio.gather(*self._ending)

    async def _run(self, task: str, args: Sequence[Any], within: float) -> Any:
        if self._closed:
            raise HelperMissing("the helpers have been closed")
        helper = self._take() or await self._start()
        try:
            return await helper.call(task, args, within)
        finally:
            if helper.usable and not self._closed:
                timer = self._clock.call_later(self._idle, lambda: self._retire(helper))
                self._free.append((helper, timer))
            else:
                self._end(helper)

    async def _start(self) -> HelperProcess:
        starting = asyncio.create_task(HelperProcess.start(self._clock, self._confinement))
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Called off half-way, a process that is being made would be nobody's.
            ending = asyncio.create_task(_reap_when_started(starting))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise

    def _take(self) -> HelperProcess | None:
        # The one that worked last, so that the others grow old and end.
        while self._free:
            helper, timer = self._free.pop()
            timer.cancel()
            if helper.alive:
                return helper
            self._end(helper)
        return None

    def _retire(self, helper: HelperProcess) -> None:
        self._free = [free for free in self._free if free[0] is not helper]
        self._end(helper)

    def _end(self, helper: HelperProcess) -> None:
        helper.kill()
        ending = asyncio.create_task(_reap(helper))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


class Shadow:
    """A helper of a room's own that holds a replica, and takes every update first.

    For a room over which workers have died repeatedly. Once it has died, panicked or been late it
    is not open any more; `open` starts it anew.
    """

    def __init__(self, clock: Clock, confinement: Confinement = DEFAULT) -> None:
        self._clock = clock
        self._confinement = confinement
        self._turn = asyncio.Lock()
        self._helper: HelperProcess | None = None

    @property
    def is_open(self) -> bool:
        return self._helper is not None

    async def open(self, base: Sequence[bytes], within: float = 60.0) -> None:
        """Start with a replica made of these updates.

        Raises:
            HelperStopped: With the index of the update it stopped at as its step.
        """
        async with self._turn:
            await self._close()
            self._helper = await HelperProcess.start(self._clock, self._confinement)
            await self._call("shadow_open", list(base), within)

    async def apply(self, update: bytes, within: float = 10.0) -> None:
        """Apply an update; when this returns, it is safe to do the same in the worker.

        Raises:
            HelperDied, HelperTimeout, HelperPanicked: It is poison for this room.
            HelperFailed: It raised an ordinary error, and the shadow is as it was.
            HelperMissing: The shadow is not open; nothing is known about the update.
        """
        async with self._turn:
            await self._call("shadow_apply", update, within)

    async def close(self) -> None:
        """End the helper."""
        async with self._turn:
            await self._close()

    async def _call(self, task: str, argument: Any, within: float) -> None:
        helper = self._helper
        if helper is None:
            raise HelperMissing(f"{task}: the shadow is not open")
        try:
            await helper.call(task, [argument], within)
        finally:
            if not helper.usable:
                await self._close()

    async def _close(self) -> None:
        helper, self._helper = self._helper, None
        if helper is not None:
            await _reap(helper)


def _loss(error: HelperStopped) -> str:
    for kind, loss in LOSSES.items():
        if isinstance(error, kind):
            return loss
    return ""


LOSSES: Final[dict[type[HelperStopped], str]] = {
    HelperDied: "died",
    HelperTimeout: "timeout",
    HelperPanicked: "panicked",
    HelperMissing: "missing",
}


async def _reap_when_started(starting: asyncio.Task[HelperProcess]) -> None:
    with contextlib.suppress(HelperMissing):
        await _reap(await starting)


async def _reap(helper: HelperProcess) -> None:
    await helper.end()
    helper.release()
