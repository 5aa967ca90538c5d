"""A consistent read of one file while it is being written.

A reader that stands on one transaction keeps the write-ahead log from being folded in, so a large
file is copied first, which takes seconds, and read from the copy; see `COPY_FROM`.
"""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from parvis.storage.archive import PAGE_BYTES, PAGE_ROWS, Layout, Row
from parvis.storage.errors import SchemaTooNew, StorageError
from parvis.storage.scratch import Scratch
from parvis.storage.sqlite.faults import translated
from parvis.storage.sqlite.files import BUSY_SECONDS, DataFile
from parvis.storage.sqlite.layout import layout_of, quoted
from parvis.storage.sqlite.migrations import steps

T = TypeVar("T")

COPY_FROM = 64 * 1024 * 1024
"""Bytes of a file from which it is copied before it is read, if there is room for the copy."""

COPIES = ".cut-"
"""How the name of a folder begins that holds a copy; the next cut removes what a kill left."""


class SqliteCut:
    """One open read transaction; `parvis.storage.archive.Cut` says what it gives."""

    def __init__(
        self, connection: sqlite3.Connection, layout: Layout, size: int, thread: "_Thread"
    ) -> None:
        self.layout = layout
        self.size = size
        self._connection = connection
        self._thread = thread

    async def pages(self, table: str) -> AsyncIterator[Sequence[Row]]:
        (about,) = (each for each in self.layout.tables if each.name == table)
        columns = ", ".join(map(quoted, about.columns))
        order = ", ".join(f"{quoted(column)} COLLATE BINARY" for column in about.key)
        sql = f"SELECT {columns} FROM {quoted(table)} ORDER BY {order}"
        cursor = await self._thread.run(self._connection.execute, sql)
        while page := await self._thread.run(_page, cursor):
            yield page


@asynccontextmanager
async def cut(file: DataFile, data: Path, *, copy_from: int) -> AsyncGenerator[SqliteCut]:
    """Read a file as it is now. Arguments as for `parvis.storage.archive.Archive.cut`.

    Args:
        data: Where a copy goes.
        copy_from: As `COPY_FROM`.
    """
    thread = _Thread(file.name)
    try:
        connection, copy = await thread.run(_open, file, data, copy_from)
        try:
            layout = await thread.run(layout_of, connection, file.kind)
            pages, size = await thread.run(_size, connection)
            yield SqliteCut(connection, layout, pages * size, thread)
        finally:
            await thread.run(connection.close)
            if copy is not None:
                await thread.run(copy.remove)
    finally:
        thread.close()


class _Thread:
    """A thread of its own for one connection."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="parvis-cut")

    async def run(self, call: Callable[..., T], *arguments: object) -> T:
        """Return what a call returns; errors of SQLite and the disk become the store's."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call, *arguments)
        except (sqlite3.Error, OSError, MemoryError) as error:
            raise translated(error, self._name) from error

    def close(self) -> None:
        """End the thread; nothing runs in it any more."""
        self._pool.shutdown(wait=False)


def _open(file: DataFile, data: Path, copy_from: int) -> tuple[sqlite3.Connection, Scratch | None]:
    if not file.path.exists():
        raise StorageError(f"there is no {file.name}")
    size = file.path.stat().st_size
    connection = connect(file.path)
    try:
        _check_version(connection, file)
        if size < copy_from or shutil.disk_usage(data).free < 2 * size:
            connection.execute("BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # pins the moment
            return connection, None
        copy = Scratch(data, COPIES)
        try:
            target = sqlite3.connect(
                copy.path / "copy.db", isolation_level=None, check_same_thread=False
            )
            target.execute("PRAGMA synchronous = OFF")
            connection.backup(target)
        except BaseException:
            copy.remove()
            raise
    except BaseException:
        connection.close()
        raise
    connection.close()
    target.execute("PRAGMA journal_mode = OFF")
    return target, copy


def connect(path: Path) -> sqlite3.Connection:
    """Open a file for reading beside the process that writes it."""
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_SECONDS,
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _check_version(connection: sqlite3.Connection, file: DataFile) -> None:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    newest = steps(file.kind)[-1].number
    if version <= newest:
        return
    if int(connection.execute("SELECT number FROM parvis_compat").fetchone()[0]) > newest:
        raise SchemaTooNew(
            f"{file.name} has schema {version}, and this version of Parvis knows {newest}",
            hint="Use the later version of Parvis that has served it.",
        )


def _size(connection: sqlite3.Connection) -> tuple[int, int]:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages), int(size)


def _page(cursor: sqlite3.Cursor) -> list[Row]:
    """Return the next rows: some, unless there are no more."""
    rows: list[Row] = []
    size = 0
    while len(rows) < PAGE_ROWS and size < PAGE_BYTES:
        row: Row | None = cursor.fetchone()
        if row is None:
            break
        rows.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
    return rows
