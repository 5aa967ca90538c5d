"""An event loop without an outside: virtual time, a shuffled queue, and lives that end at once.

Time jumps to the next timer as soon as nothing is ready, so a minute costs what happens in it.
Whatever is ready at the same moment runs in an order drawn from the seed.

A *life* is everything that one process would hold: a node between its start and its death, or the
browser of one person. What belongs to it is known by its context, which tasks, futures and timers
pass on. When it is killed nothing of it runs any more, no `finally` either, as after SIGKILL.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Executor
from contextlib import suppress
from random import Random
from typing import Any, NoReturn, TypeVar, TypeVarTuple, Unpack, cast

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_life: contextvars.ContextVar[Life | None] = contextvars.ContextVar("life", default=None)


class Stuck(Exception):
    """Nothing is ready and no timer is set: whoever waits would wait for ever."""


class Life:
    """One process of the simulation.

    Attributes:
        alive: False once it was killed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self._context = contextvars.Context()
        self._context.run(_life.set, self)

    def run(self, work: Callable[..., T], *args: Any) -> T:
        """Call something as this life."""
        return self._context.copy().run(work, *args)

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task of this life."""
        return asyncio.get_running_loop().create_task(work, context=self._context.copy())

    def kill(self) -> None:
        """End it between two steps."""
        self.alive = False


class Shuffled(deque[asyncio.Handle]):
    """What is ready. The next one is the oldest, or with some probability any other."""

    def __init__(self, random: Random, chaos: float) -> None:
        super().__init__()
        self._random = random
        self._chaos = chaos

    def popleft(self) -> asyncio.Handle:
        count = len(self)
        if count > 1 and self._random.random() < self._chaos:
            at = self._random.randrange(count)
            self.rotate(-at)
            handle = super().popleft()
            self.rotate(at)
        else:
            handle = super().popleft()
        life = _context_of(handle).get(_life)
        if life is not None and not life.alive:
            handle.cancel()  # so that the loop passes over it
        return handle


def _context_of(handle: asyncio.Handle) -> contextvars.Context:
    return cast(contextvars.Context, getattr(handle, "_context"))  # noqa: B009  typeshed has none


class _Nowhere:
    """The selector's place: nothing ever comes from outside; waiting moves the time."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[NoReturn]:
        if timeout is None:
            raise Stuck("nothing is ready and no timer is set")
        self._loop.now += timeout
        return []


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs everything of one simulated world.

    Args:
        random: Decides the order of what is ready.
        chaos: How probably the next one is not the oldest, 0 to 1.

    Attributes:
        now: Virtual seconds since the start.
    """

    def __init__(self, random: Random, chaos: float) -> None:
        super().__init__()
        self.now = 0.0
        self._ready = Shuffled(random, chaos)
        self._selector = _Nowhere(self)
        self._clock_resolution = 1e-9
        self._tasks: list[asyncio.Task[Any]] = []

    def time(self) -> float:
        return self.now

    def create_task(
        self, coro: Coroutine[Any, Any, T] | Generator[Any, None, T], **kwargs: Any
    ) -> asyncio.Task[T]:
        task: asyncio.Task[T] = super().create_task(coro, **kwargs)
        self._tasks.append(task)
        return task

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[Unpack[Ts]], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        raise RuntimeError("a thread would not be under virtual time")

    def bury(self) -> None:
        """Take apart what was killed or never ended, without a word; to be called at the end."""
        for task in self._tasks:
            if not task.done():
                setattr(task, "_log_destroy_pending", False)  # noqa: B010  typeshed has none
                # Its cleanup finds no running loop, and needs none: nobody sees what it does.
                with suppress(BaseException):
                    cast(Coroutine[Any, Any, Any], task.get_coro()).close()
            elif not task.cancelled():
                task.exception()
        self._tasks.clear()

    # What the base class asks of those that have a selector

    def _process_events(self, event_list: list[NoReturn]) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """There is no other thread to wake it."""
