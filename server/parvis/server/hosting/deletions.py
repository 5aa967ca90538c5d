"""Tells room types that a room of theirs was deleted: at least once, also after a crash."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from parvis.plugins import Node, Refused, overrides
from parvis.protocol import room_type
from parvis.storage import Job, Store

from ..ports import Clock
from .registry import AnyType, Registry

logger = logging.getLogger(__name__)

QUEUE: Final = "room.deleted"
"""Of the durable jobs; no room type's name has a dot."""

LATER: Final = 30.0
"""Seconds after which a node looks whether the room type was told."""


async def delete_room(
    store: Store, registry: Registry, tenant: str, room: str, *, now: float, due: float
) -> bool:
    """Delete a room in the store, and see to it that its room type is told, also after a crash.

    Args:
        due: When it will be, at the latest, if a node runs then.

    Returns:
        Whether its room type wants to be told.

    Raises:
        RoomNotFound: If it never existed.
    """
    kind = _kind(registry, room)
    wants = kind is not None and overrides(kind, "on_delete")
    if wants:
        # First: should the room be there all the same when the job is due, it does nothing.
        await store.enqueue(tenant, Job(QUEUE, room, b"", due))
    await store.delete_room(tenant, room, now=now)
    return wants


class Deletions:
    """Deletes rooms on a node that serves, and calls `RoomType.on_delete`."""

    def __init__(self, registry: Registry, store: Store, clock: Clock) -> None:
        self._registry = registry
        self._store = store
        self._clock = clock
        self._node: Callable[[AnyType], Node] | None = None

    def start(self, node: Callable[[AnyType], Node]) -> None:
        """From now on room types are told at once; before that, by the durable job."""
        self._node = node

    async def delete(self, tenant: str, room: str) -> None:
        """Delete a room for good, in the store. Raises `RoomNotFound` if it never existed."""
        now = self._clock.time()
        store, registry = self._store, self._registry
        await delete_room(store, registry, tenant, room, now=now, due=now + LATER)

    async def tell(self, tenant: str, room: str) -> None:
        """Tell the room type of a room that is deleted; what fails is done later by the job."""
        try:
            await self._tell(tenant, room)
        except Exception:
            logger.exception("%s: what is kept about this deleted room is cleared later", room)

    async def do(self, tenant: str, job: Job) -> None:
        """Do a job of `QUEUE`."""
        info = await self._store.room(tenant, job.key)
        if info is not None and info.deleted is not None:
            await self._tell(tenant, job.key)

    async def _tell(self, tenant: str, room: str) -> None:
        kind = _kind(self._registry, room)
        if kind is not None and self._node is not None and overrides(kind, "on_delete"):
            await kind.on_delete(self._node(kind), tenant, room.partition("/")[2])


def _kind(registry: Registry, room: str) -> AnyType | None:
    """Return a room's type, or None if it is not installed any more."""
    try:
        return registry.get(room_type(room))
    except Refused:
        return None
