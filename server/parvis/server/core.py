"""What all rooms and sessions of a node share; no sockets, no HTTP, no drivers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from parvis.storage import Address, Store

from .announcement import Announcement
from .firewall.helpers import Shadow
from .firewall.quarantine import Quarantine
from .firewall.watch import Kind
from .hosting.consumers import Consumers
from .hosting.deletions import Deletions
from .hosting.registry import Registry
from .limits import Limits
from .lives.rescuing import Rescuing
from .metrics import Metrics
from .outbox import SlowWatch
from .ports import Clock, Helpers, Random
from .rooms.committer import Committer
from .rooms.directory import Directory
from .sessions import Sessions

if TYPE_CHECKING:
    from .history.past import Past
    from .lives.rebuilding import Rebuilding

logger = logging.getLogger(__name__)


class Watching(Protocol):
    """Notes what is about to be done, for whoever survives it."""

    def enter(
        self, kind: Kind, address: Address, updates: Sequence[tuple[bytes, str]] = ()
    ) -> None: ...

    def leave(self) -> None: ...


class Core:
    """The node as rooms and sessions know it: the ports, and what stands on them.

    Attributes:
        rights_changed: How often a room type said that rights in a room have changed.
        history: The past of documents; None until room types are hosted.
        lives: Keeps what is known of earlier lives of documents.
        rebuilding: Begins new ones; None until room types are hosted.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        store: Store,
        helpers: Helpers,
        watch: Watching,
        quarantine: Quarantine,
        registry: Registry,
        metrics: Metrics,
        limits: Limits,
    ) -> None:
        self.clock = clock
        self.random = random
        self.store = store
        self.helpers = helpers
        self.watch = watch
        self.quarantine = quarantine
        self.registry = registry
        self.metrics = metrics
        self.limits = limits
        self.committed = Announcement()
        self.rights_changed = 0
        self.history: Past | None = None
        self.rebuilding: Rebuilding | None = None
        self.snapshotting = asyncio.Semaphore(1)
        self.slow = SlowWatch(clock, limits)
        self.sessions = Sessions()
        self.directory = Directory(self)
        self.lives = Rescuing(self)
        # Asked when somebody looks, so that it costs an update nothing and is never off.
        metrics.unlogged.set_function(lambda: sum(room.unlogged for room in self.directory))
        self.consumers = Consumers(registry, store, clock)
        self.deletions = Deletions(registry, store, clock)
        self._committers: dict[str, Committer] = {}
        self._channel = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    def committer(self, tenant: str) -> Committer:
        if (committer := self._committers.get(tenant)) is None:
            committer = self._committers[tenant] = Committer(
                self.store, tenant, self.clock, self.random, self.metrics, self.limits
            )
        return committer

    def next_channel(self) -> int:
        """Return a number that no other part of this node has or had."""
        self._channel += 1
        return self._channel

    def make_shadow(self) -> Shadow:
        return Shadow(self.clock)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something beside; its exception is logged, and it ends with the node."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    @property
    def working(self) -> bool:
        """Whether something runs beside, e.g. a join."""
        return bool(self._tasks)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            logger.error("a task failed", exc_info=problem)

    async def close(self) -> None:
        """Let go of all rooms, once everything is durable; no session is left by now."""
        await self.directory.close()
        await self.consumers.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
