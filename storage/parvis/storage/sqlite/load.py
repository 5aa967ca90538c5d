"""Takes rows of an archive into a file beside its place; `finish` moves it there, whole."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from parvis.storage.api import Migration
from parvis.storage.archive import Layout, Mark, Row, Table
from parvis.storage.errors import SchemaTooNew, StatementRefused, StorageError
from parvis.storage.sqlite.faults import is_passing, translated
from parvis.storage.sqlite.files import PAGE, Database, DataFile
from parvis.storage.sqlite.layout import quoted, refilled, tables_of
from parvis.storage.sqlite.migrations import bring_up, steps
from parvis.storage.sqlite.tables import Migrate, checked
from parvis.storage.sqlite.transaction import transaction

T = TypeVar("T")

LOADING = ".loading"
"""How the name of a file ends that is not all there yet."""

_UPGRADE = "Install what wrote the data, or a later version of it."


class SqliteLoad:
    """Implements `parvis.storage.archive.Load` for one file."""

    def __init__(
        self, file: DataFile, layout: Layout, plugins: Mapping[str, Sequence[Migration]]
    ) -> None:
        self._file = file
        self._path = file.path.with_name(file.name + LOADING)
        self._layout = layout
        self._plugins = plugins
        self._connection: sqlite3.Connection | None = None
        self._inserts: dict[str, str] = {}
        self.marks: dict[str, Mark] = {}

    async def add(self, table: str, rows: Sequence[Row], mark: Mark) -> None:
        await self._run(self._add, table, rows, mark)
        self.marks[table] = mark

    async def restart(self) -> None:
        def restart() -> None:
            self.close()
            _unlink(self._path)
            self.open()

        await self._run(restart)

    async def finish(self) -> None:
        await self._run(self._finish)

    def open(self) -> None:
        """Open the file, or make it with the tables that the layout is about."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._connection is None:
            self._connection = _connect(self._path)
        if not _has(self._connection, "parvis_loading"):
            self._make(self._connection)
        self.marks = {
            name: Mark(rows, digest)
            for name, rows, digest in self._connection.execute(
                "SELECT name, rows, digest FROM parvis_loading"
            )
        }
        self._inserts = {table.name: _insert(table) for table in self._layout.tables}

    def close(self) -> None:
        """Close the file; what was added stays."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _make(self, connection: sqlite3.Connection) -> None:
        own = steps(self._file.kind)
        if self._layout.kind == "sqlite":
            if self._layout.schema > own[-1].number:
                raise SchemaTooNew(
                    f"the data has schema {self._layout.schema}, and this version of Parvis"
                    f" knows {own[-1].number}",
                    hint=_UPGRADE,
                )
            own = tuple(step for step in own if step.number <= self._layout.schema) or own
        bring_up(connection, own, self._path.name)
        with transaction(connection):
            self._make_tables(connection)

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        guarded = Database(self._file, connection, ticks=500)
        try:
            for plugin, number in self._layout.plugins.items():
                Migrate(plugin, self._known(plugin, number))(guarded)
        finally:
            connection.set_authorizer(None)
            connection.set_progress_handler(None, 0)
        self._check_columns(connection)
        # Rows that a migration put there are in the archive, if they are still wanted.
        for table in reversed(self._layout.tables):
            connection.execute(f"DELETE FROM {quoted(table.name)}")
        connection.execute("CREATE TABLE parvis_loading_trigger (sql TEXT NOT NULL) STRICT")
        connection.execute(
            "INSERT INTO parvis_loading_trigger"
            " SELECT sql FROM sqlite_schema WHERE type = 'trigger'"
        )
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {quoted(name)}")
        connection.execute(
            "CREATE TABLE parvis_loading"
            " (name TEXT PRIMARY KEY, rows INTEGER NOT NULL, digest BLOB NOT NULL) STRICT"
        )

    def _known(self, plugin: str, number: int) -> list[Migration]:
        migrations = self._plugins.get(plugin)
        if migrations is None:
            raise SchemaTooNew(
                f"the data holds tables of {plugin}, which is not installed",
                hint=f"Install {plugin}, in version {number} of its tables or later.",
            )
        newest = max((each.number for each in migrations), default=0)
        if number > newest:
            raise SchemaTooNew(
                f"the data has number {number} of the tables of {plugin}, and the installed"
                f" {plugin} knows {newest}",
                hint=_UPGRADE,
            )
        checked(plugin, migrations, ["sqlite"])
        return [each for each in migrations if each.number <= number]

    def _check_columns(self, connection: sqlite3.Connection) -> None:
        own = {table.name: table.columns for table in tables_of(connection)}
        for table in self._layout.tables:
            if table.name not in own:
                raise SchemaTooNew(f"there is no table {table.name} here", hint=_UPGRADE)
            unknown = set(table.columns) - set(own[table.name])
            if unknown:
                names = ", ".join(sorted(unknown))
                raise SchemaTooNew(f"{table.name} has no {names} here", hint=_UPGRADE)

    def _add(self, table: str, rows: Sequence[Row], mark: Mark) -> None:
        connection = self._open_connection()
        try:
            with transaction(connection):
                connection.executemany(self._inserts[table], rows)
                connection.execute(
                    "INSERT INTO parvis_loading VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE"
                    " SET rows = excluded.rows, digest = excluded.digest",
                    (table, mark.rows, mark.digest),
                )
        except sqlite3.Error as error:
            if is_passing(error):
                raise
            raise StatementRefused(f"{table}: {error}") from error

    def _finish(self) -> None:
        connection = self._open_connection()
        for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
            raise StatementRefused(f"a row of {table} refers to one of {parent} that is not there")
        for name in refilled(connection):
            connection.execute(f"INSERT INTO {quoted(name)} ({quoted(name)}) VALUES ('rebuild')")
        if _has(connection, "parvis_loading"):
            with transaction(connection):
                triggers = connection.execute("SELECT sql FROM parvis_loading_trigger").fetchall()
                for (sql,) in triggers:
                    connection.execute(sql)
                connection.execute("DROP TABLE parvis_loading_trigger")
                connection.execute("DROP TABLE parvis_loading")
        # Without this the rows would be in the write-ahead log, which has another name.
        connection.execute("PRAGMA journal_mode = DELETE")
        self.close()
        _sync(self._path)
        os.rename(self._path, self._file.path)
        _sync(self._path.parent)

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError(f"{self._file.name} is not being loaded any more")
        return self._connection

    async def _run(self, call: Callable[..., T], *arguments: object) -> T:
        try:
            return await asyncio.to_thread(call, *arguments)
        except (sqlite3.Error, OSError, MemoryError) as error:
            raise translated(error, self._path.name) from error


@asynccontextmanager
async def load(
    file: DataFile, layout: Layout, plugins: Mapping[str, Sequence[Migration]]
) -> AsyncGenerator[SqliteLoad]:
    """Take a file in; arguments as for `parvis.storage.archive.Archive.load`."""
    loading = SqliteLoad(file, layout, plugins)
    try:
        try:
            await asyncio.to_thread(loading.open)
        except (sqlite3.Error, OSError, MemoryError) as error:
            raise translated(error, file.name) from error
        yield loading
    finally:
        await asyncio.to_thread(loading.close)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rwc",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        # Marks and rows stay together; whether the last of them survive a loss of power does not
        # matter, since the next attempt goes on from where they end.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = OFF")  # checked at the end
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -32000")
    except BaseException:
        connection.close()
        raise
    return connection


def _insert(table: Table) -> str:
    columns = ", ".join(map(quoted, table.columns))
    values = ", ".join("?" * len(table.columns))
    return f"INSERT INTO {quoted(table.name)} ({columns}) VALUES ({values})"


def _has(connection: sqlite3.Connection, table: str) -> bool:
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (table,))
    return found.fetchone() is not None


def _unlink(path: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
