"""Writes documents of other servers into rooms: into the log, or where people are, before them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.protocol import RoomName
from parvis.storage import Batch, Entry, RoomDeleted, RoomNotFound, Status

from ..core import Core
from ..hosting.registry import AnyType
from .sources import Row

ROWS: Final = 500
BYTES: Final = 4 * 1024 * 1024
"""Of what is written at a time."""

TRIES: Final = 5
"""Times that a room is taken over again because somebody else has opened it meanwhile."""


class Writing:
    """The way of rows into the rooms of a core."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def write(
        self, kind: AnyType, tenant: str, name: RoomName, author: Caller, rows: Sequence[Row]
    ) -> tuple[str, ...]:
        """Log a document's rows, with the times at which they were written.

        Written again, rows that are in the log already are passed over.

        Returns:
            Notes for people.

        Raises:
            Refused: If the room is gone, or the store did not take all of them.
            StorageError: If the store does not answer.
        """
        for _ in range(TRIES):
            if self._core.directory.live(tenant, name.room) is not None:
                return await self._edit(kind, tenant, name, author, rows)
            if await self._append(tenant, name, author, rows):
                self._core.consumers.wake(kind.name, tenant)
                return ()
        raise Refused(ErrorCode.TRY_AGAIN, "others open this room all the time; try again")

    async def _edit(
        self, kind: AnyType, tenant: str, name: RoomName, author: Caller, rows: Sequence[Row]
    ) -> tuple[str, ...]:
        """Merge into a room in which people are: they see it at once."""
        hold = self._core.directory.hold(kind, tenant, name.room, author.user)
        async with hold as room, room.edit(author) as edit:
            for row in rows:
                edit.append(row.update)
        return ("somebody was in the room: it was merged as one update, of now",)

    async def _append(
        self, tenant: str, name: RoomName, author: Caller, rows: Sequence[Row]
    ) -> bool:
        """Append to a room in which nobody is; False if somebody has opened it meanwhile."""
        store, now = self._core.store, self._core.clock.time()
        try:
            opened = await store.open_room(tenant, name.room, creator=author.user, now=now)
        except (RoomDeleted, RoomNotFound):
            raise Refused(ErrorCode.ROOM_DELETED, "the room was deleted meanwhile") from None
        head = opened.parts.get("")
        end = head.offset if head is not None else 0
        for page in _pages(rows):
            entries = tuple(
                Entry(row.update, author.user, now if row.time is None else row.time, key)
                for row, key in page
            )
            (answer,) = await store.append(
                tenant, [Batch(name.room, "", opened.fence, end, entries)]
            )
            if answer.status in (Status.FENCED, Status.CONFLICT):
                return False
            if answer.status is Status.GONE:
                raise Refused(ErrorCode.ROOM_DELETED, "the room was deleted meanwhile")
            if answer.status is Status.FAILED or answer.refusals:
                detail = answer.detail or next(iter(answer.refusals.values()), "")
                reason = f"the store did not take all of it ({detail}); import it again"
                raise Refused(ErrorCode.STORE_UNAVAILABLE, reason)
            end = answer.end
        return True


def keys_of(rows: Sequence[Row]) -> Iterator[bytes]:
    """Yield the rows' idempotency keys: the same when a document is imported again."""
    for number, row in enumerate(rows):
        digest = hashlib.blake2b(row.update, digest_size=20, person=b"parvis import")
        digest.update(number.to_bytes(8, "big"))
        yield b"import:" + digest.digest()


def _pages(rows: Sequence[Row]) -> Iterator[Sequence[tuple[Row, bytes]]]:
    page: list[tuple[Row, bytes]] = []
    size = 0
    for row, key in zip(rows, keys_of(rows), strict=True):
        if page and (len(page) == ROWS or size + len(row.update) > BYTES):
            yield page
            page, size = [], 0
        page.append((row, key))
        size += len(row.update)
    yield page
