"""Connections to PostgreSQL, and transactions in the name of a tenant on them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import asyncpg
from asyncpg import Connection, Pool

from parvis.storage.errors import StoreUnavailable
from parvis.storage.postgres.faults import FAULTS, is_contention, is_lost, is_passing, translated
from parvis.storage.postgres.transaction import enter, transaction

T = TypeVar("T")

CONNECT_SECONDS = 10.0
CALL_SECONDS = 30.0
"""After which a call is given up: the server hangs, or the network is gone without a word."""

CLOSE_SECONDS = 10.0
"""After which connections are closed without a farewell."""

ATTEMPTS = 8
"""Of a transaction that others were in the way of."""

PREPARED = 200
"""Statements that a connection keeps prepared on the server, where that is possible."""

IDLE_SECONDS = 300.0
"""After which a connection that nobody needs is closed."""


class Engine:
    """A pool of connections to one database.

    Args:
        url: With the role of the node.
        pooled: A pooler such as PgBouncer stands between, in transaction mode perhaps: nothing
            outlives a transaction, prepared statements neither.
        connections: Most of them at a time.
    """

    def __init__(self, url: str, *, pooled: bool, connections: int) -> None:
        self._url = url
        self.pooled = pooled
        self._connections = connections
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()
        self._closed = False

    async def close(self) -> None:
        """Let calls under way finish, and close all connections."""
        self._closed = True
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await pool.close()
        except TimeoutError:
            pool.terminate()

    @asynccontextmanager
    async def transaction(
        self, tenant: str, *, reads: bool = False, setup: str = ""
    ) -> AsyncGenerator[Connection]:
        """Run a block in one transaction, which sees and changes one tenant's rows.

        Args:
            tenant: Empty: nobody's rows, only tables that no tenant leads.
            reads: Refuse every change.
            setup: More to say at its beginning.

        Raises:
            StorageError: What became of it, in our words.
        """
        async with self._connection() as connection:
            begin = enter(tenant, "READ ONLY" if reads else "")
            async with transaction(connection, f"{begin}; {setup}"):
                yield connection

    async def run(
        self, tenant: str, work: Callable[[Connection], Awaitable[T]], *, reads: bool = False
    ) -> T:
        """Return what work answers, run in a transaction, again if others were in its way."""
        for attempt in range(ATTEMPTS):
            try:
                async with self.transaction(tenant, reads=reads) as connection:
                    return await work(connection)
            except StoreUnavailable as fault:
                cause = fault.__cause__
                if cause is None or not is_contention(cause) or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    async def call(self, tenant: str, sql: str, *args: object) -> asyncpg.Record:
        """Return the row of a function that enters the tenant by itself, in one round trip."""
        if self.pooled:
            async with self.transaction(tenant) as connection:
                row = await connection.fetchrow(sql, *args)
        else:
            async with self._connection() as connection:
                row = await connection.fetchrow(sql, *args)
        assert row is not None  # functions answer
        return row

    async def ask(self, sql: str) -> Sequence[asyncpg.Record]:
        """Return the rows of a question about the server, asked in nobody's name."""
        async with self._connection() as connection:
            return await connection.fetch(sql)

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        connection: Connection | None = None
        pool: Pool | None = None
        try:
            pool = await self._opened()
            connection = await pool.acquire()
            yield connection
        except FAULTS as error:
            if connection is not None and is_lost(error):
                _drop(connection)
            raise translated(error) from error
        except asyncio.CancelledError:
            # In the middle of a question nobody knows where the connection stands.
            if connection is not None:
                _drop(connection)
            raise
        finally:
            if connection is not None and pool is not None:
                await self._give_back(pool, connection)

    @staticmethod
    async def _give_back(pool: Pool, connection: Connection) -> None:
        try:
            await pool.release(connection)
        except FAULTS as error:
            # Nothing of the call depends on it: it has committed, or its own error is on its way.
            if not is_passing(error):
                raise translated(error) from error

    async def _opened(self) -> Pool:
        async with self._opening:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            pool = self._pool
            if pool is None:
                pool = self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=0,
                    max_size=self._connections,
                    max_inactive_connection_lifetime=IDLE_SECONDS,
                    reset=_nothing,
                    timeout=CONNECT_SECONDS,
                    command_timeout=CALL_SECONDS,
                    statement_cache_size=0 if self.pooled else PREPARED,
                )
            return pool


def _drop(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # the pool may have taken it back when it was lost
        connection.terminate()


async def _nothing(connection: Connection) -> None:
    """Reset nothing: all that a call sets ends with its transaction.

    The default would ask for session locks and listeners, which a pooler in transaction mode
    cannot answer for.
    """
