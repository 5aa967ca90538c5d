"""What is kept of earlier lives beside the log: their client ids, and what came too late."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from parvis.plugins import ErrorCode, Refused, migrations_in
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.update import read_delete_set
from parvis.protocol.yjs import decode_state_vector
from parvis.storage import Address, Statement, Store

from .retired import Life, Retired

PLUGIN: Final = "parvis.lives"
"""Whose tables these are; no room type's name has a dot."""

RESCUES: Final = 500
"""Of one part, at most."""

RESCUED: Final = 256 * 1024 * 1024
"""Bytes of them together, before they are compressed."""

LIVES: Final = 64
"""Lives that a part may have had; each keeps the ids of all its clients for ever."""

CLIENTS: Final = 1_000_000
"""Client ids that a part may have retired: each takes some hundred bytes while it is live."""

_HERE: Final = "room = ? AND part = ?"
_RESCUE: Final = "id, incarnation, origin, sender, first, last, size"


@dataclass(frozen=True, slots=True)
class Rescue:
    """Work that came too late for the life of the part that it was made in.

    Attributes:
        incarnation: The life that the content builds on; 0: it is whole.
        origin: ``offline``: a client handed it in that had been away; ``unsaved``: it was on its
            way when the life ended; ``waiting``: it waited for something that never came.
        sender: Id of the user who handed it in.
        first: When it came, and `last`, when more of it came, in seconds since the epoch.
        size: Bytes of the content.
    """

    id: str
    incarnation: int
    origin: str
    sender: str
    first: float
    last: float
    size: int


class Rows:
    """Reads and writes lives and rescues."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._prepared = False

    async def prepare(self) -> None:
        """Bring the tables up to date, in every tenant."""
        if not self._prepared:
            await self._store.migrate(PLUGIN, migrations_in("parvis.server.lives"))
            self._prepared = True

    # Lives

    async def retired(self, address: Address) -> Retired:
        """Return the client ids of all earlier lives of a part."""
        await self.prepare()
        sql = (
            f"SELECT incarnation, clocks, length(state) FROM core_life WHERE {_HERE}"
            " ORDER BY incarnation"
        )
        found = await self._query(address, sql, address.room, address.part)
        return Retired(
            [
                Life(number, decode_state_vector(zlib.decompress(clocks)), kept=size > 0)
                for number, clocks, size in found
            ]
        )

    async def require_present(self, address: Address, clients: Iterable[int]) -> None:
        """Return if what these clients wrote may be merged into the present life.

        Raises:
            Refused: If one of them wrote in an earlier life: the present one says the same already,
                in another name, and would say it twice.
        """
        if (await self.retired(address)).names(clients):
            reason = "it was written before the document was rebuilt, and cannot be merged any more"
            raise Refused(ErrorCode.STALE_INCARNATION, reason)

    async def lives(self, address: Address) -> int:
        """Count the earlier lives."""
        await self.prepare()
        sql = f"SELECT count(*) FROM core_life WHERE {_HERE}"
        found = await self._query(address, sql, address.room, address.part)
        return int(found[0][0])

    def ended(
        self, address: Address, incarnation: int, now: float, clocks: bytes, state: bytes
    ) -> Statement:
        """Make the statement that keeps a life which is about to end.

        Args:
            clocks: Its last state vector.
            state: Its last state.
        """
        # As an update of its own, so that it is read like any other.
        deletes = b"\x00" + read_delete_set(state).encode()
        packed = (_pack(clocks), _pack(deletes), _pack(state))
        return Statement(
            "INSERT INTO core_life (room, part, incarnation, ended, clocks, deletes, state)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, part, incarnation) DO NOTHING",
            (address.room, address.part, incarnation, now, *packed),
        )

    async def deletes(self, address: Address, incarnation: int) -> DeleteSet:
        """Return all that was deleted in a life, or in all of them if 0 is asked for."""
        sql = f"SELECT deletes FROM core_life WHERE {_HERE} AND (incarnation = ? OR 0 = ?)"
        found = await self._query(
            address, sql, address.room, address.part, incarnation, incarnation
        )
        return DeleteSet().union(*[read_delete_set(zlib.decompress(row[0])) for row in found])

    async def state(self, address: Address, incarnation: int) -> bytes:
        """Return the last state of a life; an update that changes nothing if it is not kept."""
        sql = f"SELECT state FROM core_life WHERE {_HERE} AND incarnation = ?"
        found = await self._query(address, sql, address.room, address.part, incarnation)
        return zlib.decompress(found[0][0]) if found and found[0][0] else b"\x00\x00"

    async def forget_states(self, address: Address) -> None:
        """Forget what earlier lives said, but for those that something was rescued of.

        Their client ids, and what was deleted in them, stay.
        """
        sql = (
            f"UPDATE core_life SET state = ? WHERE {_HERE} AND NOT EXISTS (SELECT 1 FROM"
            " core_rescue AS rescue WHERE rescue.room = core_life.room AND rescue.part ="
            " core_life.part AND rescue.incarnation = core_life.incarnation)"
        )
        args = (b"", address.room, address.part)
        await self._store.execute(address.tenant, [Statement(sql, args)])

    # Rescues

    async def rescues(self, address: Address) -> Sequence[Rescue]:
        """List what was rescued of a part, oldest first."""
        await self.prepare()
        sql = f"SELECT {_RESCUE} FROM core_rescue WHERE {_HERE} ORDER BY first, id"
        found = await self._query(address, sql, address.room, address.part)
        return [Rescue(*cast("tuple[Any, ...]", row)) for row in found]

    async def rescued(self, address: Address, id: str) -> tuple[Rescue, bytes] | None:
        """Return one of them, with its content."""
        await self.prepare()
        sql = f"SELECT {_RESCUE}, content FROM core_rescue WHERE {_HERE} AND id = ?"
        found = await self._query(address, sql, address.room, address.part, id)
        if not found:
            return None
        *facts, packed = found[0]
        return Rescue(*facts), zlib.decompress(packed)

    async def keep(self, address: Address, rescue: Rescue, content: bytes) -> None:
        """Keep a rescue, in the place of one with the same id.

        Raises:
            Refused: If too much was rescued already.
        """
        await self.prepare()
        others = [each for each in await self.rescues(address) if each.id != rescue.id]
        if len(others) >= RESCUES or sum(each.size for each in others) + len(content) > RESCUED:
            raise Refused(ErrorCode.TRY_AGAIN, "too much was put aside already")
        facts = (rescue.incarnation, rescue.origin, rescue.sender, rescue.first, rescue.last)
        sql = (
            f"INSERT INTO core_rescue (room, part, {_RESCUE}, content)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, part, id) DO UPDATE SET"
            " last = excluded.last, size = excluded.size, content = excluded.content"
        )
        args = (address.room, address.part, rescue.id, *facts, len(content), _pack(content))
        await self._store.execute(address.tenant, [Statement(sql, args)])

    async def drop(self, address: Address, id: str) -> None:
        """Forget a rescue."""
        sql = f"DELETE FROM core_rescue WHERE {_HERE} AND id = ?"
        args = (address.room, address.part, id)
        await self._store.execute(address.tenant, [Statement(sql, args)])

    async def delete(self, tenant: str, room: str) -> None:
        """Forget everything about a room."""
        await self.prepare()
        await self._store.execute(
            tenant,
            [
                Statement(f"DELETE FROM {table} WHERE room = ?", (room,))
                for table in ("core_life", "core_rescue")
            ],
        )

    async def _query(self, address: Address, sql: str, *args: Any) -> Any:
        return await self._store.query(address.tenant, Statement(sql, args))


def _pack(whole: bytes) -> bytes:
    return zlib.compress(whole, 6)
