"""What an error of SQLite means for the caller: a passing fault, a damaged file, or bad SQL."""

import sqlite3

from parvis.storage.errors import StorageError, StoreUnavailable

PASSING: dict[int, str] = {
    sqlite3.SQLITE_FULL: "Free some space on the data folder's volume.",
    sqlite3.SQLITE_IOERR: "Look at the data folder's volume: is it full or faulty?",
    sqlite3.SQLITE_CANTOPEN: "Check permissions, the volume's space, and the limit of open files.",
    sqlite3.SQLITE_READONLY: "Make the data folder writable for this user.",
    sqlite3.SQLITE_BUSY: "Another program holds a lock on the file, perhaps a backup.",
    sqlite3.SQLITE_LOCKED: "Another program holds a lock on the file, perhaps a backup.",
    sqlite3.SQLITE_PROTOCOL: "Another program holds a lock on the file, perhaps a backup.",
    sqlite3.SQLITE_NOMEM: "The machine is out of memory.",
    sqlite3.SQLITE_INTERRUPT: "",
}
"""Primary result codes after which the same call may succeed → what the operator may do."""

DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

MARRED = frozenset(
    {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL, *DAMAGED}
)
"""After these a connection is not trusted again: it is closed, and the file opened anew."""


class DiskFull(StoreUnavailable):
    """No room for this change; a smaller one may still fit."""


def primary_code(error: BaseException) -> int:
    """Return the primary result code of an error, 0 if it did not come from SQLite."""
    if isinstance(error, MemoryError):
        return sqlite3.SQLITE_NOMEM
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF
    return 0


def is_passing(error: BaseException) -> bool:
    """Tell whether the same call may succeed later."""
    return primary_code(error) in PASSING or isinstance(error, OSError)


def mars_connection(error: BaseException) -> bool:
    """Tell whether the connection that raised this must not be used again."""
    return primary_code(error) in MARRED


def translated(error: BaseException, name: str) -> StorageError:
    """Return the error of ours that says what happened to the file of this name."""
    if isinstance(error, StorageError):
        return error
    code = primary_code(error)
    if code in DAMAGED:
        return StorageError(f"{name} is damaged: {error}", hint="Restore it from a backup.")
    if is_passing(error):
        kind = DiskFull if code == sqlite3.SQLITE_FULL else StoreUnavailable
        return kind(f"{name}: {error}", hint=PASSING.get(code, ""))
    return StorageError(f"{name}: {type(error).__name__}: {error}")
