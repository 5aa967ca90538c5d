"""PostgresInspection: looks at a database with the role of a node, also while nodes serve."""

from collections.abc import Mapping, Sequence

from asyncpg import Connection

from parvis.storage.api import Address, LoggedUpdate, Migration, RoomInfo
from parvis.storage.inspection import Aside, Drift, Sizes, Soundness, StateSize, TableSize
from parvis.storage.packing import PackedSnapshot
from parvis.storage.postgres import drift, log, rooms
from parvis.storage.postgres.engine import Engine
from parvis.storage.postgres.opening import look

ROWS = 1000
"""Of a log that are read at a time."""

# Estimates: to count would read everything, and only one tenant's rows can be seen at a time.
_SIZES = """
    SELECT c.relname, pg_total_relation_size(c.oid), coalesce(
        nullif(pg_stat_get_live_tuples(c.oid), 0), greatest(c.reltuples, 0)
    )::bigint
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('parvis', 'parvis_plugins') AND c.relkind IN ('r', 'p')
    ORDER BY 2 DESC, 1
"""
_TOTAL = "SELECT pg_database_size(current_database())"
_STATES = """
    SELECT room.name, part.name, kept."offset", octet_length(kept.state)
    FROM parvis.parvis_snapshot AS kept
    JOIN parvis.parvis_part AS part ON part.tenant = kept.tenant AND part.id = kept.part
    JOIN parvis.parvis_room AS room ON room.tenant = part.tenant AND room.id = part.room
    WHERE kept.tenant = $1 AND room.deleted IS NULL AND part.incarnation = kept.incarnation
    ORDER BY octet_length(kept.state) DESC, 1, 2 LIMIT $2
"""
_NEWEST = """
    SELECT coalesce(max(newest.time), 0) FROM parvis.parvis_part AS part
    CROSS JOIN LATERAL (
        SELECT row.time FROM parvis.parvis_log AS row
        WHERE row.tenant = $1 AND row.part = part.id AND row."offset" = part.end_offset
    ) AS newest
    WHERE part.tenant = $1
"""
_ASIDE = """
    SELECT count(*), coalesce(sum(octet_length(body)), 0)::bigint, coalesce(max(time), 0)
    FROM parvis.parvis_quarantine WHERE tenant = $1
"""
_SETTINGS = """
    SELECT name, setting FROM pg_settings WHERE name IN (
        'fsync', 'full_page_writes', 'synchronous_commit', 'autovacuum', 'data_checksums',
        'wal_level', 'server_version'
    )
"""
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


class PostgresInspection:
    """Implements `parvis.storage.inspection.Inspection` on a database."""

    kind = "postgres"

    def __init__(self, url: str) -> None:
        """Open a database, without a connection yet.

        Args:
            url: With the role of the node; directly or through PgBouncer.
        """
        self._url = url
        self._engine: Engine | None = None

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.close()

    async def check(self) -> None:
        await self._opened()

    async def tenants(self) -> Sequence[str]:
        engine = await self._opened()
        rows = await engine.run("", lambda to: to.fetch(rooms.TENANTS), reads=True)
        return [row[0] for row in rows]

    async def sizes(self, *, patience: float) -> Sizes:
        async def ask(connection: Connection) -> Sizes:
            total: int = await connection.fetchval(_TOTAL)
            found = await connection.fetch(_SIZES)
            return Sizes(total, [TableSize(name, rows, size) for name, size, rows in found])

        return await (await self._opened()).run("", ask, reads=True)

    async def states(self, *, most: int) -> Sequence[StateSize]:
        engine = await self._opened()
        found: list[StateSize] = []
        for tenant in await self.tenants():
            async with engine.transaction(tenant, reads=True) as connection:
                rows = await connection.fetch(_STATES, tenant, most)
            found += [
                StateSize(Address(tenant, room, part), offset, size)
                for room, part, offset, size in rows
            ]
        return sorted(found, key=lambda state: -state.size)[:most]

    async def snapshot(self, address: Address) -> PackedSnapshot | None:
        engine = await self._opened()
        return await engine.run(address.tenant, lambda to: log.packed(to, address), reads=True)

    async def rooms(self, tenant: str, *, after: str = "", limit: int = 100) -> Sequence[RoomInfo]:
        engine = await self._opened()
        async with engine.transaction(tenant, reads=True) as connection:
            return await rooms.list_rooms(connection, tenant, "", after, limit)

    async def read(
        self, address: Address, *, after: int, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        engine = await self._opened()
        async with engine.transaction(address.tenant, reads=True) as connection:
            return await log.read(connection, address, after, ROWS, max_bytes)

    async def newest(self) -> float:
        engine = await self._opened()
        times = [0.0]
        for tenant in await self.tenants():
            async with engine.transaction(tenant, reads=True) as connection:
                times.append(await connection.fetchval(_NEWEST, tenant))
        return max(times)

    async def quarantined(self) -> Sequence[Aside]:
        engine = await self._opened()
        found: list[Aside] = []
        for tenant in await self.tenants():
            async with engine.transaction(tenant, reads=True) as connection:
                row = await connection.fetchrow(_ASIDE, tenant)
            if row is not None and row[0]:
                found.append(Aside(tenant, *row))
        return found

    async def drift(self, plugins: Mapping[str, Sequence[Migration]]) -> Sequence[Drift]:
        engine = await self._opened()
        return await engine.run("", lambda to: drift.found(to, plugins), reads=True)

    async def sound(self, *, patience: float) -> Sequence[Soundness]:
        return []  # PostgreSQL looks after its pages itself

    async def settings(self) -> Mapping[str, str]:
        engine = await self._opened()
        # Not in a transaction of a tenant's, which sets synchronous_commit itself.
        rows = await engine.ask(_SETTINGS)
        return {row[0]: row[1] for row in rows}

    async def clock(self) -> float | None:
        engine = await self._opened()
        return float((await engine.ask(_CLOCK))[0][0])

    async def _opened(self) -> Engine:
        if self._engine is None:
            found = await look(self._url)
            self._engine = Engine(self._url, pooled=found.pooled, connections=1)
        return self._engine
