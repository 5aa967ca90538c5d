"""A room held in memory by its home: its parts, its hooks, its life.

The path of an update is in `fast.py`; here is what surrounds it.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from parvis.plugins import Caller, Edit, Part, Peer, Refused, Replica, RoomType, overrides
from parvis.protocol import ErrorCode
from parvis.protocol.messages import Value
from parvis.storage import Head, SqlValue, Statement, Status

from .committer import Committer
from .compaction import compact
from .edit import RoomEdit
from .fast import FastPart
from .joining import leave
from .loading import loading_refused
from .ordered import OrderedPart
from .part import LivePart
from .seat import Seat
from .snapshots import save_snapshot

if TYPE_CHECKING:
    from ..core import Core

logger = logging.getLogger(__name__)

ReplicaT = TypeVar("ReplicaT", bound=Replica)

NEW = Head(incarnation=1, offset=0)


class RoomState(enum.Enum):
    """Where a live room is in its life; a join during FLUSHING makes it LIVE again."""

    LOADING = "loading"
    LIVE = "live"
    FLUSHING = "flushing"
    CLOSED = "closed"


class LiveRoom:
    """Implements `parvis.plugins.Room`.

    Attributes:
        turn: Held while a hook of this room runs: hooks run one at a time.
        lost: The room must not be written any more: another home, a deletion, or a failure.
        inspects: The room type looks at each update.
        guarded: A worker died over this room twice; a shadow takes each update first.
    """

    def __init__(self, node: Core, kind: RoomType[Any], tenant: str, id: str) -> None:
        self.node = node
        self.settings = node.registry.settings(kind.name)
        self.kind = kind
        self.tenant = tenant
        self.id = id
        self.key = id.removeprefix(f"{kind.name}/")
        self.life = RoomState.LOADING
        self.fence = 0
        self.lost = False
        self.holders = 0
        self.turn = asyncio.Lock()
        self.inspects = overrides(kind, "on_update")
        self.guarded = node.quarantine.needs_shadow(tenant, id)
        self.parts: dict[str, LivePart] = {}
        self._loading: dict[str, asyncio.Task[LivePart]] = {}
        self._heads: Mapping[str, Head] = {}
        self._keys = node.random.bytes(8)
        self._key_count = 0
        self._snapshots: dict[LivePart, asyncio.Task[None]] = {}

    @property
    def committer(self) -> Committer:
        return self.node.committer(self.tenant)

    # Life

    async def load(self, creator: str | None) -> None:
        """Take the room over and load its main part.

        Raises:
            RoomNotFound, RoomDeleted, StoreUnavailable: See `Store.open_room`.
        """
        quarantine = self.node.quarantine
        if quarantine.is_barred(self.tenant, self.id):
            raise Refused(ErrorCode.INTERNAL, "this room ends whoever loads it")
        opened = await self.node.store.open_room(
            self.tenant, self.id, creator=creator, now=self.node.clock.time()
        )
        self.fence, self._heads = opened.fence, opened.parts
        await quarantine.learn(self.tenant, self.id)
        await self.open_part("")
        if overrides(self.kind, "on_open"):
            async with self.turn:
                await self.kind.on_open(self)
        self.life = RoomState.LIVE

    async def open_part(self, name: str) -> LivePart:
        """Return a part, loaded; whoever asks meanwhile waits for the same load."""
        if (part := self.parts.get(name)) is not None:
            return part
        if self.lost:
            raise Refused(ErrorCode.TRY_AGAIN, "the room was closed meanwhile")
        if (task := self._loading.get(name)) is None:
            task = asyncio.get_running_loop().create_task(self._load_part(name))
            self._loading[name] = task
            task.add_done_callback(lambda _: self._loading.pop(name, None))
        with loading_refused(f"{self.id}:{name}" if name else self.id):
            return await asyncio.shield(task)

    async def _load_part(self, name: str) -> LivePart:
        rules = self.rules(name)
        head = self._heads.get(name, NEW)
        live = FastPart if rules.replica.delivery == "fast" else OrderedPart
        part: LivePart = live(self, name, rules, head)
        began = self.node.clock.monotonic()
        await part.load()
        self.node.metrics.load_seconds.observe(self.node.clock.monotonic() - began)
        self.parts[name] = part
        return part

    def rules(self, name: str) -> Part:
        if not name:
            kind = self.kind
            return Part(kind.replica, kind.read, kind.write, kind.history)
        return self.kind.parts[name]

    def new_replica(self, kind: type[Replica], base: type[ReplicaT]) -> ReplicaT:
        """Make an empty replica; its document, if it has one, writes under a random client id."""
        if not issubclass(kind, base):
            raise TypeError(f"{self.kind.name}: {kind.__name__} is no {base.__name__}")
        return kind(self.node.random.below(2**32))  # type: ignore[call-arg]  # both bases take it

    @property
    def busy(self) -> bool:
        """Whether somebody needs the room live."""
        return self.holders > 0 or any(part.seats for part in self.parts.values())

    async def flush(self) -> bool:
        """Get ready to close: wait for the log, snapshot, run `on_close`.

        Returns:
            False if somebody came meanwhile; the room is then live as if nothing had been.
        """
        self.life = RoomState.FLUSHING
        await self.settled()
        if not self.lost:
            for part in tuple(self.parts.values()):  # a join may open another one meanwhile
                if isinstance(part, FastPart) and not self.busy:
                    if part.logged_since_snapshot:
                        await save_snapshot(part)
                    await compact(part)
        if not self.busy and overrides(self.kind, "on_close"):
            async with self.turn:
                await self.call("on_close", self.kind.on_close(self))
            if self.busy:
                async with self.turn:
                    await self.call("on_open", self.kind.on_open(self))
        if self.busy or any(part.unsettled for part in self.parts.values()):
            self.life = RoomState.LIVE
            return False
        self.close()
        return True

    @property
    def working(self) -> bool:
        """Whether an update is on its way through the room."""
        return not self.lost and any(part.working for part in self.parts.values())

    @property
    def unlogged(self) -> int:
        """How many updates wait for the store."""
        return sum(len(part.unlogged) for part in self.parts.values())

    async def settled(self) -> None:
        """Wait until nothing of this room is on its way to the log any more, or it is lost."""
        while not self.lost and any(part.unsettled for part in self.parts.values()):
            await self.node.committed.wait()

    def close(self) -> None:
        """Let go of everything in memory."""
        self.life = RoomState.CLOSED
        self.lost = True
        for task in self._snapshots.values():
            task.cancel()
        for part in self.parts.values():
            part.abandon()

    def lose(self, status: Status, detail: str) -> None:
        """The store says that this room is no longer ours to write."""
        if status is Status.GONE:
            self.end(ErrorCode.ROOM_DELETED, "the room was deleted")
        else:
            logger.warning("%s: lost (%s: %s)", self.id, status.value, detail)
            self.end(ErrorCode.TRY_AGAIN, "the room has moved")

    def fail(self, reason: str) -> None:
        """A fault made the room unusable; whoever comes next loads it anew."""
        self.end(ErrorCode.TRY_AGAIN, reason)

    def end(self, code: ErrorCode, reason: str) -> None:
        if not self.lost:
            self.lost = True
            self.node.directory.forget(self)
            for part in self.parts.values():
                part.expel_all(code, reason)
            self.close()
            self.node.committed.announce()

    async def call(self, hook: str, awaitable: Any) -> None:
        """Run a hook that has nobody to answer to; its bug is logged and goes no further."""
        try:
            await awaitable
        except Exception:
            logger.exception("%s: %s failed", self.id, hook)

    # The log

    def next_key(self) -> bytes:
        """Make an idempotency key that no other entry has."""
        self._key_count += 1
        return self._keys + self._key_count.to_bytes(8, "big")

    def committed(self, part: LivePart) -> None:
        """A part's log has grown."""
        self.node.committed.announce()
        self.node.consumers.wake(self.kind.name, self.tenant)

    def snapshot_soon(self, part: LivePart) -> None:
        """Snapshot a part beside the work, unless that is being done already."""
        if isinstance(part, FastPart) and part not in self._snapshots:
            part.snapshot_saved()
            task = self._snapshots[part] = self.node.spawn(_tidy(part))
            task.add_done_callback(lambda _: self._snapshots.pop(part, None))

    # What hooks see

    @property
    def replica(self) -> Any:
        return self.parts[""].replica

    @property
    def peers(self) -> Sequence[Peer]:
        return [seat for part in self.parts.values() for seat in part.seats]

    @property
    def heads(self) -> Mapping[str, int]:
        return {name: part.durable for name, part in self.parts.items()}

    async def part(self, name: str) -> Replica:
        return (await self.open_part(name)).replica

    async def state(self, part: str = "") -> Sequence[bytes]:
        live = await self.open_part(part)
        if not isinstance(live, FastPart):
            raise TypeError(f"{live.address} holds no document")
        await live.recovery.done()
        return live.present()

    def edit(self, author: Caller, part: str = "") -> AbstractAsyncContextManager[Edit]:
        return RoomEdit(self, author, part)

    def signal(self, peer: Peer, name: str, body: Value = None) -> None:
        assert isinstance(peer, Seat)
        frame = peer.encoder.signaled(name, body, "")
        if frame is not None and not peer.left:
            peer.session.outbox.write(frame)

    def broadcast(
        self, name: str, body: Value = None, *, part: str = "", skip: Peer | None = None
    ) -> None:
        live = self.parts.get(part)
        if live is not None:
            live.send_all(
                lambda encoder: encoder.signaled(name, body, ""),
                [seat for seat in live.seats if seat is not skip],
            )

    def dismiss(self, peer: Peer, code: ErrorCode, reason: str) -> None:
        assert isinstance(peer, Seat)
        if not peer.left:
            leave(self.node, peer)
            peer.expelled(code, reason)

    async def query(self, sql: str, *args: SqlValue) -> Sequence[tuple[SqlValue, ...]]:
        return await self.node.store.query(self.tenant, Statement(sql, args))


async def _tidy(part: FastPart) -> None:
    await save_snapshot(part)
    await compact(part)
