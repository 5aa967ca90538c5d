"""What the history keeps beside the log: named versions, and whose client ids are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from parvis.plugins import ErrorCode, Refused, Version, migrations_in
from parvis.storage import Address, Statement, Store

PLUGIN: Final = "parvis.history"
"""Whose tables these are; no room type's name has a dot."""

VERSIONS: Final = 200
"""Of one part, at most."""

_VERSION: Final = "id, name, author, time, place"
_HERE: Final = "room = ? AND part = ?"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a version keeps of its document.

    Attributes:
        log: A checkpoint, see `travelling.pack`.
    """

    offset: int
    incarnation: int
    log: bytes


class Rows:
    """Reads and writes versions and clients."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prepare(self) -> None:
        """Bring the tables up to date, in every tenant."""
        await self._store.migrate(PLUGIN, migrations_in("parvis.server.history"))

    # Versions

    async def versions(self, address: Address) -> list[Version]:
        """Return a part's versions, newest moment first."""
        sql = f"SELECT {_VERSION} FROM core_history_version WHERE {_HERE} ORDER BY place DESC, id"
        found = await self._query(address, sql, address.room, address.part)
        return [Version(*cast("tuple[Any, ...]", row)) for row in found]

    async def version(self, address: Address, id: str) -> Version | None:
        """Return a version."""
        sql = f"SELECT {_VERSION} FROM core_history_version WHERE {_HERE} AND id = ?"
        found = await self._query(address, sql, address.room, address.part, id)
        return Version(*cast("tuple[Any, ...]", found[0])) if found else None

    async def add(self, address: Address, version: Version, kept: Kept) -> Version:
        """Keep a version, unless there is one of the same id; return what is kept now.

        Raises:
            Refused: If there are too many.
        """
        # Counted in the same statement: two may be added at once.
        sql = (
            "INSERT INTO core_history_version"
            " (room, part, id, name, author, time, place, incarnation, log)"
            " SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? WHERE"
            f" (SELECT count(*) FROM core_history_version WHERE {_HERE}) < ?"
            " ON CONFLICT (room, part, id) DO NOTHING"
        )
        here = (address.room, address.part)
        facts = (version.id, version.name, version.author, version.time, kept.offset)
        args = (*here, *facts, kept.incarnation, kept.log, *here, VERSIONS)
        await self._store.execute(address.tenant, [Statement(sql, args)])
        found = await self.version(address, version.id)
        if found is None:
            raise Refused(ErrorCode.REFUSED, f"a document has at most {VERSIONS} versions")
        return found

    async def rename(self, address: Address, id: str, name: str) -> None:
        """Give a version another name, if it is there."""
        sql = f"UPDATE core_history_version SET name = ? WHERE {_HERE} AND id = ?"
        args = (name, address.room, address.part, id)
        await self._store.execute(address.tenant, [Statement(sql, args)])

    async def forget(self, address: Address, id: str) -> None:
        """Forget a version."""
        sql = f"DELETE FROM core_history_version WHERE {_HERE} AND id = ?"
        args = (address.room, address.part, id)
        await self._store.execute(address.tenant, [Statement(sql, args)])

    async def kept(self, address: Address, low: int, high: int) -> Kept | None:
        """Return the last version of these offsets, both included."""
        sql = (
            f"SELECT place, incarnation, log FROM core_history_version WHERE {_HERE}"
            " AND place >= ? AND place <= ? ORDER BY place DESC, id LIMIT 1"
        )
        found = await self._query(address, sql, address.room, address.part, low, high)
        return Kept(*cast("tuple[Any, ...]", found[0])) if found else None

    # Clients

    async def bind(self, address: Address, clients: Mapping[int, str]) -> None:
        """Note whose client ids are; what was noted before stays."""
        sql = (
            "INSERT INTO core_history_client (room, part, client, person) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (room, part, client) DO NOTHING"
        )
        here = (address.room, address.part)
        await self._store.execute(
            address.tenant, [Statement(sql, (*here, *each)) for each in sorted(clients.items())]
        )

    async def bound(self, address: Address) -> list[list[Any]]:
        """Return pairs of a client and whose it is."""
        sql = f"SELECT client, person FROM core_history_client WHERE {_HERE}"
        return [list(row) for row in await self._query(address, sql, address.room, address.part)]

    async def delete(self, tenant: str, room: str) -> None:
        """Forget everything about a room."""
        tables = ("core_history_version", "core_history_client")
        await self._store.execute(
            tenant, [Statement(f"DELETE FROM {table} WHERE room = ?", (room,)) for table in tables]
        )

    async def _query(self, address: Address, sql: str, *args: Any) -> Any:
        return await self._store.query(address.tenant, Statement(sql, args))
