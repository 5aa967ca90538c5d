"""SqliteInspection: looks at the files of a data folder, also while a node writes them."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from parvis.storage.api import Address, LoggedUpdate, Migration, RoomInfo
from parvis.storage.errors import SchemaTooNew, StorageError
from parvis.storage.inspection import Aside, Drift, Sizes, Soundness, StateSize, TableSize
from parvis.storage.packing import PackedSnapshot
from parvis.storage.sqlite import drift, log, rooms
from parvis.storage.sqlite.archive import check_finished
from parvis.storage.sqlite.faults import translated
from parvis.storage.sqlite.files import Database, DataFile, DataFolder
from parvis.storage.sqlite.migrations import steps

T = TypeVar("T")

STEPS = 20_000
"""Instructions of SQLite's machine between two looks at the clock: a few milliseconds."""

TICKS = 500
"""As for any reader; plugins' statements are not run here."""

ROWS = 1000
"""Of a log that are read at a time."""

WAITS = 2.0
"""Seconds to wait for the lock of somebody who changes the file's shape."""

# The rows of a table without row ids stand in all pages of its tree; of others in the leaves.
_SIZES = """
    SELECT coalesce(schema.tbl_name, tree.name), sum(tree.pgsize),
        sum(CASE WHEN tree.name <> schema.tbl_name THEN 0
            WHEN list.wr OR tree.pagetype = 'leaf' THEN tree.ncell ELSE 0 END)
    FROM dbstat AS tree
    LEFT JOIN sqlite_schema AS schema ON schema.name = tree.name
    LEFT JOIN pragma_table_list AS list ON list.schema = 'main' AND list.name = schema.tbl_name
    GROUP BY 1
"""
_STATES = """
    SELECT room.name, part.name, snapshot."offset", length(snapshot.state)
    FROM parvis_snapshot AS snapshot JOIN parvis_part AS part ON part.id = snapshot.part
    JOIN parvis_room AS room ON room.id = part.room
    WHERE room.deleted IS NULL AND part.incarnation = snapshot.incarnation
    ORDER BY length(snapshot.state) DESC, room.name, part.name LIMIT ?
"""
_SNAPSHOT = """
    SELECT snapshot.incarnation, snapshot."offset", packing, state, side, digest
    FROM parvis_snapshot AS snapshot JOIN parvis_part AS part ON part.id = snapshot.part
    JOIN parvis_room AS room ON room.id = part.room
    WHERE room.name = ? AND part.name = ? AND room.deleted IS NULL
        AND part.incarnation = snapshot.incarnation
"""
_NEWEST = """
    SELECT coalesce(max(log.time), 0) FROM parvis_part AS part
    JOIN parvis_log AS log ON log.part = part.id AND log."offset" = part.end_offset
"""
_ASIDE = "SELECT count(*), total(length(body)), max(time) FROM parvis_quarantine"
_SETTINGS = ("journal_mode", "page_size", "auto_vacuum")


class SqliteInspection:
    """Implements `parvis.storage.inspection.Inspection` on a data folder, which it never makes."""

    kind = "sqlite"

    def __init__(self, path: Path) -> None:
        self._folder = DataFolder(path)

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def check(self) -> None:
        def look(connection: sqlite3.Connection) -> None:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            newest = steps("control")[-1].number
            if version > newest:
                (compat,) = connection.execute("SELECT number FROM parvis_compat").fetchone()
                if compat > newest:
                    raise SchemaTooNew(
                        f"control.db has schema {version}, and this version of Parvis knows"
                        f" {newest}",
                        hint="Start the later version again, or restore a backup made before it.",
                    )

        def run() -> None:
            check_finished(self._folder.path)
            self._read(self._folder.control, look)

        await asyncio.to_thread(run)

    async def tenants(self) -> Sequence[str]:
        return await asyncio.to_thread(self._tenants)

    async def sizes(self, *, patience: float) -> Sizes:
        return await asyncio.to_thread(self._sizes, time.monotonic() + patience)

    async def states(self, *, most: int) -> Sequence[StateSize]:
        def of(tenant: str, connection: sqlite3.Connection) -> list[StateSize]:
            return [
                StateSize(Address(tenant, room, part), offset, size)
                for room, part, offset, size in connection.execute(_STATES, (most,))
            ]

        found = [each for states in await self._of_all(of) for each in states]
        return sorted(found, key=lambda state: -state.size)[:most]

    async def snapshot(self, address: Address) -> PackedSnapshot | None:
        def of(connection: sqlite3.Connection) -> PackedSnapshot | None:
            row = connection.execute(_SNAPSHOT, (address.room, address.part)).fetchone()
            return None if row is None else PackedSnapshot(*row)

        return await asyncio.to_thread(self._read, self._folder.tenant(address.tenant), of)

    async def rooms(self, tenant: str, *, after: str = "", limit: int = 100) -> Sequence[RoomInfo]:
        file = self._folder.tenant(tenant)

        def look(connection: sqlite3.Connection) -> Sequence[RoomInfo]:
            return rooms.list_rooms(Database(file, connection, ticks=TICKS), "", after, limit)

        return await asyncio.to_thread(self._read, file, look)

    async def read(
        self, address: Address, *, after: int, max_bytes: int = 4 * 1024 * 1024
    ) -> Sequence[LoggedUpdate]:
        file = self._folder.tenant(address.tenant)

        def look(connection: sqlite3.Connection) -> Sequence[LoggedUpdate]:
            database = Database(file, connection, ticks=TICKS)
            return log.read(database, address, after, ROWS, max_bytes)

        return await asyncio.to_thread(self._read, file, look)

    async def newest(self) -> float:
        def of(tenant: str, connection: sqlite3.Connection) -> float:
            return float(connection.execute(_NEWEST).fetchone()[0])

        return max(await self._of_all(of), default=0.0)

    async def quarantined(self) -> Sequence[Aside]:
        def of(tenant: str, connection: sqlite3.Connection) -> Aside:
            number, size, newest = connection.execute(_ASIDE).fetchone()
            return Aside(tenant, number, int(size), newest or 0.0)

        return [each for each in await self._of_all(of) if each.number]

    async def drift(self, plugins: Mapping[str, Sequence[Migration]]) -> Sequence[Drift]:
        def look() -> list[Drift]:
            found: list[Drift] = []
            known: dict[drift.Versions, drift.Shape] = {}
            for file in self._files():
                compare = partial(drift.found, plugins=plugins, known=known)
                named = partial(compare, name=self._name(file), kind=file.kind)
                found += self._read(file, named)
            return found

        return await asyncio.to_thread(look)

    async def sound(self, *, patience: float) -> Sequence[Soundness]:
        return await asyncio.to_thread(self._sound, time.monotonic() + patience)

    async def settings(self) -> Mapping[str, str]:
        def look(connection: sqlite3.Connection) -> dict[str, str]:
            return {
                name: str(connection.execute(f"PRAGMA {name}").fetchone()[0]) for name in _SETTINGS
            }

        return await asyncio.to_thread(self._read, self._folder.control, look)

    async def clock(self) -> float | None:
        return None

    # In a thread

    def _tenants(self) -> list[str]:
        try:
            return self._folder.tenants()
        except FileNotFoundError:
            return []
        except OSError as error:
            raise translated(error, "tenants") from error

    def _files(self) -> Iterator[DataFile]:
        yield self._folder.control
        for tenant in self._tenants():
            yield self._folder.tenant(tenant)

    def _name(self, file: DataFile) -> str:
        return str(file.path.relative_to(self._folder.path))

    async def _of_all(self, look: Callable[[str, sqlite3.Connection], T]) -> list[T]:
        """Ask the file of each tenant that has tables."""

        def one(tenant: str, connection: sqlite3.Connection) -> list[T]:
            begun = connection.execute("PRAGMA user_version").fetchone()[0]
            return [look(tenant, connection)] if begun else []

        def run() -> list[T]:
            found: list[T] = []
            for tenant in self._tenants():
                found += self._read(self._folder.tenant(tenant), partial(one, tenant))
            return found

        return await asyncio.to_thread(run)

    def _read(
        self,
        file: DataFile,
        look: Callable[[sqlite3.Connection], T],
        *,
        until: float | None = None,
    ) -> T:
        """Return what a look at a file sees. Raises `StorageError`, or `TimeoutError` if late."""
        if not file.path.exists():
            raise StorageError(
                f"there is no {self._name(file)} in {self._folder.path}",
                hint="Name the data folder with --data; a start makes a new one.",
            )
        try:
            # Who only reads leaves files of the write-ahead log behind that nobody takes away.
            mode = "rw" if os.access(file.path, os.W_OK) else "ro"
            url = f"file:{quote(str(file.path.resolve()))}?mode={mode}"
            with closing(sqlite3.connect(url, uri=True, timeout=WAITS)) as connection:
                connection.execute("PRAGMA query_only = ON")
                if until is not None:
                    connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
                return look(connection)
        except sqlite3.Error as error:
            if until is not None and time.monotonic() > until:
                raise TimeoutError(f"{file.name}: no time left") from error
            raise translated(error, self._name(file)) from error

    def _sizes(self, until: float) -> Sizes:
        sums: dict[str, tuple[int, int]] = {}
        total = unread = 0

        def look(connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
            return connection.execute(_SIZES).fetchall()

        for file in self._files():
            size = sum(map(_size, (file.path, file.path.with_name(file.name + "-wal"))))
            total += size
            try:
                if time.monotonic() > until:
                    raise TimeoutError
                found = self._read(file, look, until=until)
            except TimeoutError:
                unread += size
                continue
            for name, bytes, rows in found:
                before = sums.get(name, (0, 0))
                sums[name] = before[0] + rows, before[1] + bytes
        tables = [TableSize(name, rows, bytes) for name, (rows, bytes) in sums.items()]
        return Sizes(total, sorted(tables, key=lambda each: (-each.size, each.table)), unread)

    def _sound(self, until: float) -> list[Soundness]:
        def look(connection: sqlite3.Connection) -> str:
            return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])

        found: list[Soundness] = []
        for file in self._files():
            try:
                # The smallest first would find more; the control file first finds what matters.
                answer = "" if time.monotonic() > until else self._read(file, look, until=until)
            except TimeoutError:
                answer = ""
            except StorageError as error:
                answer = str(error)
            found.append(Soundness(self._name(file), _size(file.path), answer))
        return found


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
