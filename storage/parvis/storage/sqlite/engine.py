"""What the store and the accounts share: the data folder, its writers and its readers."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar, cast

from parvis.storage.api import Migration
from parvis.storage.errors import StorageError, StoreUnavailable
from parvis.storage.sqlite.archive import check_finished
from parvis.storage.sqlite.commit import commit_together
from parvis.storage.sqlite.compaction import sweep
from parvis.storage.sqlite.faults import translated
from parvis.storage.sqlite.files import Database, DataFile, DataFolder, connect_writer
from parvis.storage.sqlite.readers import Readers
from parvis.storage.sqlite.rooms import purge
from parvis.storage.sqlite.tables import Migrate
from parvis.storage.sqlite.writers import Writers

T = TypeVar("T")


OLDEST = (3, 37, 0)
"""The first SQLite with strict tables."""


class Engine:
    """Runs work on the files of one data folder."""

    def __init__(self, path: Path, *, writers: int, readers: int, open_files: int) -> None:
        """Open the folder, and make what is missing.

        Raises:
            SchemaTooNew: If a later version of Parvis has used the folder.
            Unfinished: If the folder is being filled from a backup or another store.
            StoreUnavailable: If it cannot be made or written.
        """
        if sqlite3.sqlite_version_info < OLDEST:
            raise StorageError(
                f"Python was built with SQLite {sqlite3.sqlite_version}; expected 3.37 or later"
            )
        check_finished(path)
        self.folder = DataFolder(path)
        self.plugins: dict[str, Sequence[Migration]] = {}
        try:
            self.folder.create()
            connect_writer(self.folder.control, create=True).close()
        except Exception as error:
            raise translated(error, str(path)) from error
        self._ready: set[DataFile] = set()
        self._closed = False
        self._readers = Readers(threads=readers, idle=open_files)
        self._writers = Writers(
            threads=writers,
            open_files=open_files,
            prepare=self._prepare,
            forget=self._readers.forget,
        )

    async def write(
        self, file: DataFile, work: Callable[[Database], T], *, create: bool = True
    ) -> T:
        """Return a work's answer when it is durable.

        Raises:
            FileNotFoundError: If the file is missing and not to be created.
            StorageError: What the work raised, or what happened to the file.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        return cast(T, await self._writers.run(file, work, create=create))

    async def read(
        self, file: DataFile, work: Callable[[Database], T], *, create: bool = False
    ) -> T:
        """Return what a read sees.

        Raises:
            FileNotFoundError: If the file is missing and not to be created.
            StorageError: If it cannot be read.
        """
        if file not in self._ready:
            # Its writer brings the schema up to date before anyone reads.
            await self.write(file, _nothing, create=create)
            self._ready.add(file)
        if self._closed:
            raise StoreUnavailable("the store is closed")
        try:
            return await self._readers.run(file, work)
        except StorageError:
            raise
        except Exception as error:
            raise translated(error, file.name) from error

    async def tenants(self) -> list[str]:
        """Name the tenants that have a file."""
        try:
            return await asyncio.to_thread(self.folder.tenants)
        except OSError as error:
            raise translated(error, "tenants") from error

    async def close(self) -> None:
        """Finish what is under way and close all files."""
        if not self._closed:
            self._closed = True
            await self._readers.close()
            await self._writers.close()

    def _prepare(self, database: Database) -> None:
        """Finish what a kill may have interrupted, and bring plugins' tables up to date."""
        if database.file.kind != "tenant":
            return
        while _must(database, purge) or _must(database, sweep):
            pass
        for plugin, migrations in list(self.plugins.items()):
            _must(database, Migrate(plugin, migrations))


def _must(database: Database, work: Callable[[Database], T]) -> T:
    """Commit one work and return its answer, or raise what it raised."""
    (answer,) = commit_together(database, [work])
    if isinstance(answer, BaseException):
        raise answer
    return cast(T, answer)


def _nothing(database: Database) -> None:
    """Change nothing; the file was opened, which is all that was wanted."""
