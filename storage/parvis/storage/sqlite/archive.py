"""SqliteArchive: reads a data folder whole, also while a node serves it, or fills an empty one."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import TypeVar

from parvis.storage.api import Migration
from parvis.storage.archive import Cut, Layout, Load
from parvis.storage.errors import PlaceTaken, StorageError, Unfinished
from parvis.storage.sqlite.cut import COPY_FROM, connect, cut
from parvis.storage.sqlite.faults import translated
from parvis.storage.sqlite.files import DataFile, DataFolder
from parvis.storage.sqlite.load import load

T = TypeVar("T")

UNFINISHED = "unfinished"
"""The file in a data folder that says what is being loaded into it."""


class SqliteArchive:
    """Implements `parvis.storage.archive.Archive` on a data folder.

    To fill one, hold it (`parvis.storage.folder.hold_data_folder`).
    """

    kind = "sqlite"

    def __init__(self, path: Path, *, copy_from: int = COPY_FROM) -> None:
        """Open a data folder, which need not exist.

        Args:
            copy_from: Bytes of a file from which it is copied before it is read.
        """
        self._folder = DataFolder(path)
        self._copy_from = copy_from

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def tenants(self) -> Sequence[str]:
        return await self._run(self._tenants)

    def cut(self, tenant: str | None) -> AbstractAsyncContextManager[Cut]:
        return cut(self._file(tenant), self._folder.path, copy_from=self._copy_from)

    async def begin(self, origin: str) -> None:
        await self._run(self._begin, origin)

    @asynccontextmanager
    async def load(
        self,
        tenant: str | None,
        layout: Layout,
        plugins: Mapping[str, Sequence[Migration]],
    ) -> AsyncGenerator[Load]:
        file = self._file(tenant)
        if not self._mark.exists():
            raise StorageError(f"nothing is being loaded into {self._folder.path}")
        if file.path.exists():
            raise PlaceTaken(f"{file.name} is there already")
        async with load(file, layout, plugins) as loading:
            yield loading

    async def loaded(self) -> Sequence[str | None]:
        accounts: list[str | None] = [None] if self._folder.control.path.exists() else []
        return [*await self.tenants(), *accounts]

    async def end(self) -> None:
        def end() -> None:
            self._mark.unlink()
            _sync(self._folder.path)

        await self._run(end)

    @property
    def _mark(self) -> Path:
        return self._folder.path / UNFINISHED

    def _file(self, tenant: str | None) -> DataFile:
        return self._folder.control if tenant is None else self._folder.tenant(tenant)

    def _tenants(self) -> list[str]:
        try:
            return self._folder.tenants()
        except FileNotFoundError:
            return []

    def _begin(self, origin: str) -> None:
        path = self._folder.path
        if (found := unfinished(path)) is not None:
            if found != origin:
                raise PlaceTaken(
                    f"{path} is being filled from {found}",
                    hint="Finish that, or name an empty folder.",
                )
            return
        self._check_empty()
        self._folder.create()
        for suffix in ("", "-wal", "-shm"):
            control = self._folder.control
            control.path.with_name(control.name + suffix).unlink(missing_ok=True)
        written = self._mark.with_suffix(".new")
        written.write_text(origin)
        _sync(written)
        os.rename(written, self._mark)
        _sync(path)

    def _check_empty(self) -> None:
        hint = "Name an empty folder."
        if tenants := self._tenants():
            raise PlaceTaken(
                f"{self._folder.path} is not empty: it holds the tenant {tenants[0]}", hint=hint
            )
        control = self._folder.control.path
        if not control.exists():
            return
        with closing(connect(control)) as connection:
            for table, what in (("parvis_user", "accounts"), ("parvis_secret", "secrets")):
                known = connection.execute(
                    "SELECT 1 FROM sqlite_schema WHERE name = ?", (table,)
                ).fetchone()
                if known and connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
                    raise PlaceTaken(
                        f"{self._folder.path} is not empty: it holds {what}", hint=hint
                    )

    async def _run(self, call: Callable[..., T], *arguments: object) -> T:
        try:
            return await asyncio.to_thread(call, *arguments)
        except (sqlite3.Error, OSError) as error:
            raise translated(error, str(self._folder.path)) from error


def unfinished(path: Path) -> str | None:
    """Return what is being loaded into a data folder; None if nothing is."""
    try:
        return (path / UNFINISHED).read_text()
    except (FileNotFoundError, NotADirectoryError):
        return None


def check_finished(path: Path) -> None:
    """Raise `Unfinished` if something is being loaded into a data folder."""
    origin = unfinished(path)
    if origin is not None:
        raise Unfinished(
            f"{path} is being filled from {origin}, and not all of it is there yet",
            hint="Run the same command again to finish it, or name another folder.",
        )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
