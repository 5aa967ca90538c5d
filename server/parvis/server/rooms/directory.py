"""From a room's name to the room: loaded once, whoever asks, and let go when nobody is left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from parvis.plugins import Refused
from parvis.protocol import ErrorCode
from parvis.storage import RoomDeleted, RoomNotFound, StorageError

from ..hosting.registry import AnyType
from .loading import loading_refused
from .room import LiveRoom, RoomState

if TYPE_CHECKING:
    from ..core import Core

logger = logging.getLogger(__name__)

Key = tuple[str, str]


class Directory:
    """The live rooms of a node."""

    def __init__(self, node: Core) -> None:
        self._node = node
        self._rooms: dict[Key, LiveRoom] = {}
        self._loading: dict[Key, asyncio.Task[LiveRoom]] = {}
        self._flushing: dict[Key, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[LiveRoom]:
        return iter(self._rooms.values())

    def live(self, tenant: str, id: str) -> LiveRoom | None:
        """Return a room if it is in memory."""
        return self._rooms.get((tenant, id))

    @asynccontextmanager
    async def hold(
        self, kind: AnyType, tenant: str, id: str, creator: str | None
    ) -> AsyncGenerator[LiveRoom]:
        """Keep a room live while the block runs, loading it if need be.

        Args:
            creator: Id of the user for whom a missing room is created; None: none is.

        Raises:
            Refused: If it does not exist, was deleted, or cannot be loaded now.
        """
        room = await self._get(kind, tenant, id, creator)
        room.holders += 1
        try:
            yield room
        finally:
            room.holders -= 1
            self.left(room)

    async def _get(self, kind: AnyType, tenant: str, id: str, creator: str | None) -> LiveRoom:
        key = (tenant, id)
        with loading_refused(id):
            while (room := self._rooms.get(key)) is None:
                task = self._loading.get(key)
                own = task is None
                if task is None:
                    room = LiveRoom(self._node, kind, tenant, id)
                    task = asyncio.get_running_loop().create_task(self._load(room, creator))
                    self._loading[key] = task
                    task.add_done_callback(lambda _: self._loading.pop(key, None))
                try:
                    return await asyncio.shield(task)
                except RoomNotFound:
                    # It was loaded for somebody who may not create it; who asks now perhaps may.
                    if own or creator is None:
                        raise
        return room

    async def _load(self, room: LiveRoom, creator: str | None) -> LiveRoom:
        try:
            await room.load(creator)
        except (RoomNotFound, RoomDeleted):
            raise
        except Exception as problem:
            self._node.metrics.load_failures.inc()
            if not isinstance(problem, StorageError | Refused):
                logger.exception("%s: cannot be loaded", room.id)
            room.close()
            raise
        self._rooms[room.tenant, room.id] = room
        self._node.metrics.rooms.inc()
        return room

    def left(self, room: LiveRoom) -> None:
        """Somebody has left; if nobody is here after the idle time, the room is let go."""
        if not room.busy and self._rooms.get((room.tenant, room.id)) is room:
            self._node.clock.call_later(room.settings.idle, lambda: self._flush(room))

    def _flush(self, room: LiveRoom) -> None:
        key = (room.tenant, room.id)
        if self._rooms.get(key) is room and room.life is RoomState.LIVE and not room.busy:
            task = asyncio.get_running_loop().create_task(self._let_go(room))
            self._flushing[key] = task
            task.add_done_callback(lambda _: self._flushing.pop(key, None))

    async def _let_go(self, room: LiveRoom) -> None:
        try:
            gone = await room.flush()
        except Exception:
            logger.exception("%s: could not be let go", room.id)
            room.fail("internal error")
            return
        if gone:
            self.forget(room)
        else:
            self.left(room)

    def forget(self, room: LiveRoom) -> None:
        """The room is no longer to be handed out."""
        if self._rooms.get((room.tenant, room.id)) is room:
            del self._rooms[room.tenant, room.id]
            self._node.metrics.rooms.dec()

    async def delete(self, tenant: str, id: str) -> None:
        """Delete a room for good; whoever is in it is told, and then its room type.

        Raises:
            RoomNotFound: If it never existed.
        """
        await self._node.deletions.delete(tenant, id)
        if (loading := self._loading.get((tenant, id))) is not None:
            await asyncio.wait([loading])
        if (room := self._rooms.get((tenant, id))) is not None:
            room.end(ErrorCode.ROOM_DELETED, "the room was deleted")
        if self._node.history is not None:
            self._node.spawn(self._node.history.deleted(tenant, id))
            self._node.spawn(self._node.lives.rows.delete(tenant, id))
        await self._node.deletions.tell(tenant, id)

    async def close(self) -> None:
        """Make everything durable, snapshot and let go of all rooms, as far as the store lets us.

        To be called when no session is left.
        """
        rooms = list(self._rooms.values())
        await asyncio.gather(*[self._close(room) for room in rooms])
        for task in self._loading.values():
            task.cancel()
        await asyncio.gather(
            *self._loading.values(), *self._flushing.values(), return_exceptions=True
        )

    async def _close(self, room: LiveRoom) -> None:
        if (task := self._flushing.get((room.tenant, room.id))) is not None:
            await asyncio.shield(task)
        if room.life is not RoomState.CLOSED:
            room.holders = 0
            if await room.flush():
                self.forget(room)
