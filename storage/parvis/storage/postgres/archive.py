"""PostgresArchive: reads a database whole, also while nodes serve it, or fills an empty one."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from asyncpg import Connection

from parvis.storage.api import Migration, SqlValue
from parvis.storage.archive import PAGE_BYTES, PAGE_ROWS, Cut, Layout, Load, Mark, Row
from parvis.storage.errors import PlaceTaken, SchemaTooNew, StatementRefused, StorageError
from parvis.storage.postgres import rooms, tables
from parvis.storage.postgres.faults import FAULTS, is_passing, translated
from parvis.storage.postgres.layout import Place, layout_of, quoted
from parvis.storage.postgres.opening import connected, look, unfinished
from parvis.storage.postgres.transaction import enter, transaction

FETCH = 64
"""Rows that are asked for at once: each may be as large as an update."""

_TENANTS = "SELECT name FROM parvis.parvis_tenant ORDER BY name"
_TAKEN = """
    SELECT CASE
        WHEN EXISTS (SELECT FROM parvis.parvis_tenant) THEN 'tenants'
        WHEN EXISTS (SELECT FROM parvis.parvis_user) THEN 'accounts'
        WHEN EXISTS (SELECT FROM parvis.parvis_secret) THEN 'secrets'
        ELSE ''
    END
"""
_ALONE = "LOCK TABLE parvis.parvis_loading IN EXCLUSIVE MODE"
_BEGIN = "INSERT INTO parvis.parvis_loading (scope, name) VALUES ('', $1)"
_END = "DELETE FROM parvis.parvis_loading"
_LOADED = "SELECT scope FROM parvis.parvis_loading WHERE scope <> '' AND name = '' ORDER BY scope"
_MARKS = "SELECT name, rows, digest FROM parvis.parvis_loading WHERE scope = $1 AND name <> ''"
_MARK = """
    INSERT INTO parvis.parvis_loading (scope, name, rows, digest) VALUES ($1, $2, $3, $4)
    ON CONFLICT (scope, name) DO UPDATE SET rows = excluded.rows, digest = excluded.digest
"""
_FORGET = "DELETE FROM parvis.parvis_loading WHERE scope = $1"
_SIZE = """
    SELECT coalesce(sum(size), 0)::bigint FROM parvis.parvis_part
"""
_ADVANCE = """
    SELECT setval($1::text::regclass, greatest(max({column}), nextval($1::text::regclass)))
    FROM {path} HAVING count(*) > 0
"""


class PostgresArchive:
    """Implements `parvis.storage.archive.Archive` on a database.

    All tenants share their tables here, so data of an earlier version is refused: bring it up to
    date where it is first.
    """

    kind = "postgres"

    def __init__(self, url: str, *, owner: str = "") -> None:
        """Open a database, without a connection yet.

        Args:
            url: With the role of the node.
            owner: As for `open_postgres`: then a load makes plugins' tables that are missing.
        """
        self._url = url
        self._owner = owner

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def tenants(self) -> Sequence[str]:
        async with self._transaction(None) as connection:
            return [row[0] for row in await connection.fetch(_TENANTS)]

    @asynccontextmanager
    async def cut(self, tenant: str | None) -> AsyncGenerator[Cut]:
        if tenant is not None and tenant not in await self.tenants():
            raise StorageError(f"there is no tenant {tenant}")
        async with self._transaction(tenant, "ISOLATION LEVEL REPEATABLE READ READ ONLY") as to:
            layout, places = await layout_of(to, accounts=tenant is None)
            size: int = 0 if tenant is None else await to.fetchval(_SIZE)
            yield _Cut(to, layout, places, size)

    async def begin(self, origin: str) -> None:
        async with self._transaction(None) as to:
            await to.execute(_ALONE)
            found = await unfinished(to)
            if found == origin:
                return
            if found is not None:
                raise PlaceTaken(
                    f"the database is being filled from {found}",
                    hint="Finish that, or name an empty database.",
                )
            if taken := await to.fetchval(_TAKEN):
                raise PlaceTaken(
                    f"the database is not empty: it holds {taken}",
                    hint="Name an empty database, in which no node has been started either.",
                )
            await to.execute(_BEGIN, origin)

    @asynccontextmanager
    async def load(
        self,
        tenant: str | None,
        layout: Layout,
        plugins: Mapping[str, Sequence[Migration]],
    ) -> AsyncGenerator[Load]:
        if tenant in await self.loaded():
            raise PlaceTaken(f"{tenant or 'the accounts'} are there already")
        if tenant is not None:
            await self._require(layout, plugins)
        async with self._connection() as to:
            if await unfinished(to) is None:
                raise StorageError("nothing is being loaded into the database")
            own, places = await layout_of(to, accounts=tenant is None)
            _check_columns(layout, own, places)
            scope = _scope(tenant)
            marks = {row[0]: Mark(row[1], row[2]) for row in await to.fetch(_MARKS, scope)}
            yield _Load(to, tenant, layout, places, marks)

    async def loaded(self) -> Sequence[str | None]:
        async with self._transaction(None) as to:
            scopes = [row[0] for row in await to.fetch(_LOADED)]
        return [scope[1:] if scope[0] == "t" else None for scope in scopes]

    async def end(self) -> None:
        async with self._transaction(None) as to:
            await to.execute(_END)

    async def _require(self, layout: Layout, plugins: Mapping[str, Sequence[Migration]]) -> None:
        """See to it that plugins' tables have the numbers that the layout names."""
        for plugin, number in layout.plugins.items():
            migrations = plugins.get(plugin)
            newest = max((each.number for each in migrations or ()), default=0)
            if migrations is None or number > newest:
                has = "is not installed" if migrations is None else f"knows {newest}"
                raise SchemaTooNew(
                    f"the data has number {number} of the tables of {plugin}, which {has}",
                    hint=f"Install the version of {plugin} that wrote the data, or a later one.",
                )
            if number < newest:
                raise StorageError(
                    f"the data has number {number} of the tables of {plugin}, and the database"
                    f" {newest}",
                    hint="Start this version of Parvis where the data is, and try again; a backup"
                    " is restored into a data folder for that.",
                )
            scripts = tables.scripts_of(plugin, migrations)
            if self._owner:
                await tables.migrate(self._owner, plugin, scripts)
            async with self._transaction(None) as to:
                await tables.require(to, plugin, scripts)

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[Connection]:
        await look(self._url, to_fill=True)
        connection = await connected(self._url, patience=None)
        try:
            yield connection
        except FAULTS as error:
            raise translated(error) from error
        finally:
            connection.terminate()

    @asynccontextmanager
    async def _transaction(self, tenant: str | None, mode: str = "") -> AsyncGenerator[Connection]:
        begin = enter(tenant or "", mode)
        async with self._connection() as connection, transaction(connection, begin):
            yield connection


class _Cut:
    """One open transaction; `parvis.storage.archive.Cut` says what it gives."""

    def __init__(
        self, connection: Connection, layout: Layout, places: Mapping[str, Place], size: int
    ) -> None:
        self.layout = layout
        self.size = size
        self._connection = connection
        self._places = places

    async def pages(self, table: str) -> AsyncIterator[Sequence[Row]]:
        place = self._places[table]
        columns = ", ".join(map(quoted, place.table.columns))
        order = ", ".join(_ordered(place, column) for column in place.table.key)
        page: list[Row] = []
        size = 0
        try:
            cursor = await self._connection.cursor(
                f"SELECT {columns} FROM {place.path} ORDER BY {order}"
            )
            while found := await cursor.fetch(FETCH):
                for each in found:
                    row = tuple(map(_value, each))
                    page.append(row)
                    size += sum(len(value) for value in row if isinstance(value, str | bytes))
                    if len(page) >= PAGE_ROWS or size >= PAGE_BYTES:
                        yield page
                        page, size = [], 0
        except FAULTS as error:
            raise translated(error) from error
        if page:
            yield page


class _Load:
    """Implements `parvis.storage.archive.Load` for one scope."""

    def __init__(
        self,
        connection: Connection,
        tenant: str | None,
        layout: Layout,
        places: Mapping[str, Place],
        marks: dict[str, Mark],
    ) -> None:
        self._connection = connection
        self._tenant = tenant
        self._layout = layout
        self._places = places
        self._inserts = {
            table.name: _insert(places[table.name], table.columns) for table in layout.tables
        }
        self.marks = marks

    async def add(self, table: str, rows: Sequence[Row], mark: Mark) -> None:
        try:
            async with self._changing():
                columns = [list(column) for column in zip(*rows, strict=True)]
                await self._connection.execute(self._inserts[table], *columns)
                scope = _scope(self._tenant)
                await self._connection.execute(_MARK, scope, table, mark.rows, mark.digest)
        except FAULTS as error:
            if is_passing(error):
                raise translated(error) from error
            raise StatementRefused(f"{table}: {error}") from error
        self.marks[table] = mark

    async def restart(self) -> None:
        async with self._changing():
            for table in reversed(self._layout.tables):
                await self._connection.execute(f"DELETE FROM {self._places[table.name].path}")
            await self._connection.execute(_FORGET, _scope(self._tenant))
        self.marks.clear()

    async def finish(self) -> None:
        async with self._changing():
            for table in self._layout.tables:
                place = self._places[table.name]
                if place.identity:
                    await self._advance(place)
            if self._tenant is not None:
                await self._connection.execute(rooms.REGISTER, self._tenant)
            scope = _scope(self._tenant)
            await self._connection.execute(_FORGET, scope)
            await self._connection.execute(_MARK, scope, "", 0, b"")

    async def _advance(self, place: Place) -> None:
        """Let the server give numbers beyond those that came."""
        sequence: str = await self._connection.fetchval(
            "SELECT pg_get_serial_sequence($1, $2)", place.path, place.identity
        )
        sql = _ADVANCE.format(column=quoted(place.identity), path=place.path)
        await self._connection.execute(sql, sequence)

    def _changing(self) -> AbstractAsyncContextManager[None]:
        return transaction(self._connection, enter(self._tenant or ""))


def _check_columns(layout: Layout, own: Layout, places: Mapping[str, Place]) -> None:
    hint = "Install what wrote the data, or a later version of it."
    if layout.kind == own.kind and layout.schema > own.schema:
        raise SchemaTooNew(
            f"the data has schema {layout.schema}, and the database {own.schema}", hint=hint
        )
    for table in layout.tables:
        if table.name not in places:
            raise SchemaTooNew(f"there is no table {table.name} here", hint=hint)
        unknown = set(table.columns) - set(places[table.name].table.columns)
        if unknown:
            raise SchemaTooNew(f"{table.name} has no {', '.join(sorted(unknown))} here", hint=hint)


def _insert(place: Place, columns: Sequence[str]) -> str:
    names = ", ".join(map(quoted, columns))
    arrays = ", ".join(
        f"${number}::{place.types[column]}[]" for number, column in enumerate(columns, 1)
    )
    return f"INSERT INTO {place.path} ({names}) SELECT * FROM unnest({arrays})"


def _ordered(place: Place, column: str) -> str:
    collated = ' COLLATE "C"' if place.types[column] == "text" else ""
    return f"{quoted(column)}{collated} NULLS FIRST"


def _scope(tenant: str | None) -> str:
    return "a" if tenant is None else f"t{tenant}"


def _value(value: SqlValue) -> SqlValue:
    return int(value) if isinstance(value, bool) else value
