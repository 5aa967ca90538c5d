"""The data folder: which file a tenant has, and how a connection to it is set up."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from parvis.storage.errors import StorageError
from parvis.storage.sqlite.migrations import bring_up, steps
from parvis.storage.sqlite.resync import resync
from parvis.storage.sqlite.statements import PluginSql
from parvis.storage.tenants import safe_name, tenant_of

PAGE = 4096
"""Bytes of a page."""

CHECKPOINT_PAGES = 4096
"""Pages in the write-ahead log after which a commit moves them into the file: 16 MiB.

Larger than SQLite's 1000, because a flush of many rooms touches as many pages each time, and a
page that was written in several flushes is moved once.
"""

BUSY_SECONDS = 5.0
"""How long a writer waits for another program's lock, such as a backup's."""

_SUFFIX = ".db"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One SQLite file of the data folder.

    Attributes:
        kind: Which migrations it has: ``tenant`` or ``control``.
        tenant: Whose it is; empty for the control file.
    """

    path: Path
    kind: str
    tenant: str = ""

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return self.path.name


class Database:
    """An open connection to one file, with the guard for plugins' statements."""

    def __init__(self, file: DataFile, connection: sqlite3.Connection, *, ticks: int) -> None:
        self.file = file
        self.connection = connection
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.plugins = PluginSql(connection, ticks=ticks)

    def close(self) -> None:
        """Close the connection; the last one of a file folds its write-ahead log in."""
        self.connection.close()


class DataFolder:
    """``DATA/control.db`` and ``DATA/tenants/<safe name>.db``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.control = DataFile(path / "control.db", "control")
        self._tenants = path / "tenants"

    def create(self) -> None:
        """Make the folders, readable by this user only, if they are missing."""
        self._tenants.mkdir(parents=True, exist_ok=True, mode=0o700)

    def tenant(self, tenant: str) -> DataFile:
        """Return the file of a tenant, which need not exist.

        Raises:
            StorageError: If the name is empty or too long for a file.
        """
        return DataFile(self._tenants / (safe_name(tenant) + _SUFFIX), "tenant", tenant)

    def tenants(self) -> list[str]:
        """Name the tenants that have a file, in order."""
        names = [entry.name for entry in os.scandir(self._tenants) if entry.name.endswith(_SUFFIX)]
        tenants = [tenant_of(name.removesuffix(_SUFFIX)) for name in names]
        return sorted(tenant for tenant in tenants if tenant is not None)


def connect_writer(file: DataFile, *, create: bool) -> Database:
    """Open a file for its writer and bring its schema up to date.

    Raises:
        FileNotFoundError: If it is missing and not to be created.
        SchemaTooNew: If it belongs to a later version of Parvis.
        OSError: If what an earlier process left behind cannot be made durable.
    """
    new = not file.path.exists()
    if new and not create:
        raise FileNotFoundError(file.path)
    resync(file.path.with_name(file.name + "-wal"))
    connection = _connect(file, "rwc" if create else "rw")
    try:
        if new:
            connection.execute(f"PRAGMA page_size = {PAGE}")
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StorageError(
                f"{file.name}: no write-ahead log here ({mode})",
                hint="Put the data folder on a local disk; network file systems do not do.",
            )
        # A commit is durable only when the write-ahead log was synced; NORMAL does not.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS syncs to the disk's cache otherwise
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {2 * CHECKPOINT_PAGES * PAGE}")
        # Undo journals of single statements must not need the disk that may be full.
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -4000")
        bring_up(connection, steps(file.kind), file.name)
        if new:
            _sync_folder(file.path.parent)
        return Database(file, connection, ticks=50)
    except BaseException:
        connection.close()
        raise


def connect_reader(file: DataFile) -> Database:
    """Open a file, which its writer has brought up to date before, for reading only."""
    connection = _connect(file, "rw")
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        return Database(file, connection, ticks=500)
    except BaseException:
        connection.close()
        raise


def _connect(file: DataFile, mode: str) -> sqlite3.Connection:
    # Transactions are begun and ended by hand. A connection moves between threads, but is used by
    # one at a time.
    return sqlite3.connect(
        f"file:{quote(str(file.path))}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_SECONDS,
    )


def _sync_folder(path: Path) -> None:
    """Make a new file's name durable, not only its content."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
