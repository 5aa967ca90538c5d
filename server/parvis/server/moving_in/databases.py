"""SQLite databases of other servers: Hocuspocus' and pycrdt-store's."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, cast

from parvis.protocol.update import STORED, scan

from ..firewall.order import Order
from .compression import LARGEST, unpacked
from .sources import DocumentBroken, Found, Row, SourceError

BESIDE: Final = ("-journal", "-wal")
"""What SQLite keeps beside a database and needs to read it as it was last committed."""

WAL: Final = b"\x02\x02"
"""Bytes 18 and 19 of a database in that mode."""

TRIES: Final = 3
PATIENCE: Final = 5.0
"""Seconds to wait for somebody who has locked the database."""


def copied(path: Path, folder: Path) -> sqlite3.Connection:
    """Open a copy of a database, as its server last committed it; the original is only read.

    A copy, because SQLite would tidy the original up after a crash, or leave files beside it.

    Raises:
        SourceError: If it is locked, being written, damaged, or no database.
    """
    copy = folder / "database"
    for _ in range(TRIES):
        before = _standing(path)
        with _kept_still(path):
            for name in ("", *BESIDE):
                with suppress(FileNotFoundError):
                    Path(f"{copy}{name}").unlink()
                try:
                    shutil.copyfile(f"{path}{name}", f"{copy}{name}")
                except OSError as error:
                    if not name:
                        raise SourceError(f"{path}: {error.strerror}") from None
        if _standing(path) == before:
            return _checked(path, copy)
    raise SourceError(
        f"{path} is being written all the time", "Stop the server that writes it, and try again."
    )


def _standing(path: Path) -> list[tuple[int, int] | None]:
    """Return what changes when somebody writes."""
    found: list[tuple[int, int] | None] = []
    for name in ("", *BESIDE):
        try:
            seen = Path(f"{path}{name}").stat()
            found.append((seen.st_size, seen.st_mtime_ns))
        except OSError:
            found.append(None)
    return found


def _kept_still(path: Path) -> closing[sqlite3.Connection]:
    """Hold a reader's lock, so that nobody commits meanwhile. Raises `SourceError`."""
    try:
        with path.open("rb") as file:
            wal = file.read(20)[18:20] == WAL
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    if wal or Path(f"{path}-journal").exists():
        # To look at such a one SQLite would make files beside it, or need to repair it.
        return closing(sqlite3.connect(":memory:"))
    connection = sqlite3.connect(f"{_uri(path)}?mode=ro", uri=True, timeout=PATIENCE)
    try:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise _failed(path, error) from None
    return closing(connection)


def _checked(path: Path, copy: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(copy)
    try:
        problem = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        connection.close()
        raise _failed(path, error) from None
    if problem != "ok":
        connection.close()
        raise SourceError(
            f"{path} is damaged: {' '.join(str(problem).split())[:200]}",
            "sqlite3 FILE .recover may save what is left of it.",
        )
    return connection


def _failed(path: Path, error: sqlite3.Error) -> SourceError:
    if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return SourceError(
            f"{path} is locked by another program", "Stop the server that writes it, and try again."
        )
    if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
        return SourceError(f"{path} is no SQLite database")
    return SourceError(f"{path}: {error}", "Is it whole? It may have been cut off while copied.")


def _uri(path: Path) -> str:
    return path.resolve().as_uri()


def tables(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the columns of each table."""
    found: dict[str, set[str]] = {}
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
        sql = "SELECT name FROM pragma_table_info(?)"
        found[str(name)] = {str(column) for (column,) in connection.execute(sql, (name,))}
    return found


class Hocuspocus:
    """Table ``documents`` of @hocuspocus/extension-sqlite: one update per document."""

    kind = "hocuspocus"
    needs: Final = ("documents", frozenset({"name", "data"}))

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = str(path)
        self.notes: list[str] = []
        self._connection = connection

    def documents(self) -> Sequence[Found]:
        # Only tables made without the constraint have a name twice; the newest was served.
        sql = (
            "SELECT CAST(name AS BLOB), length(data), count(*), typeof(name) FROM documents"
            " GROUP BY name HAVING rowid = max(rowid) ORDER BY name"
        )
        return [
            _found(name, size, 1, kind) for name, size, _, kind in self._connection.execute(sql)
        ]

    def rows(self, name: str) -> Sequence[Row]:
        sql = "SELECT data FROM documents WHERE name = ? ORDER BY rowid DESC"
        (data,) = self._connection.execute(sql, (name,)).fetchone()
        if not isinstance(data, bytes) or not data:
            raise DocumentBroken("it has no content, not even that of an empty document")
        return [Row(data)]

    def notes_of(self, name: str, rows: Sequence[Row]) -> Sequence[str]:
        return ()

    def close(self) -> None:
        self._connection.close()


class PycrdtStore:
    """Tables ``yupdates`` and ``ycheckpoints`` of pycrdt-store's SQLiteYStore."""

    kind = "pycrdt-store"
    needs: Final = ("yupdates", frozenset({"path", "yupdate", "timestamp"}))

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = str(path)
        self.notes: list[str] = []
        self._connection = connection
        self._checkpoints = "ycheckpoints" in tables(connection)

    def documents(self) -> Sequence[Found]:
        sql = (
            "SELECT CAST(path AS BLOB), sum(length(yupdate)), count(*), typeof(path) FROM yupdates"
            " GROUP BY path ORDER BY path"
        )
        found = [_found(*row) for row in self._connection.execute(sql)]
        (metadata,) = self._connection.execute(
            "SELECT count(*) FROM yupdates WHERE length(metadata) > 0"
        ).fetchone()
        if metadata:
            self.notes.append(f"{metadata} updates carry metadata, for which rooms have no place")
        return found

    def rows(self, name: str) -> Sequence[Row]:
        sql = "SELECT yupdate, timestamp FROM yupdates WHERE path = ? ORDER BY rowid"
        rows: list[Row] = []
        left = LARGEST  # of all together: a thousand small bombs are a large one
        for number, (update, time) in enumerate(self._connection.execute(sql, (name,)), 1):
            if not isinstance(update, bytes):
                raise DocumentBroken(f"update {number} is missing")
            rows.append(Row(unpacked(update, f"update {number}", left), _moment(time)))
            left -= len(rows[-1].update)
        checkpoint = self._checkpoint(name)
        if checkpoint is not None and _adds(checkpoint, rows):
            rows.insert(0, checkpoint)
        return rows

    def notes_of(self, name: str, rows: Sequence[Row]) -> Sequence[str]:
        if rows and self._checkpoint(name) == rows[0]:
            return ["its checkpoint holds what its updates do not; both were taken"]
        return ()

    def close(self) -> None:
        self._connection.close()

    def _checkpoint(self, name: str) -> Row | None:
        """Return what the store keeps beside the updates to start faster.

        Usually nothing is in it that is not in them. But pycrdt-store 0.1.5 empties the updates of
        a store that squashes them without compressing them; the checkpoint is all there is then.
        """
        if not self._checkpoints:
            return None
        sql = "SELECT checkpoint, timestamp FROM ycheckpoints WHERE path = ?"
        found = self._connection.execute(sql, (name,)).fetchone()
        if found is None or not isinstance(found[0], bytes):
            return None
        return Row(unpacked(found[0], "the checkpoint"), _moment(found[1]))


def _found(name: bytes | None, size: int | None, updates: int, kind: str) -> Found:
    """Return a document by the bytes of its name, which may be anything."""
    spelled = (name or b"").decode(errors="backslashreplace")
    good = kind == "text" and spelled.encode() == name
    return Found(spelled, size or 0, updates, "" if good else "its name is no text")


def _adds(checkpoint: Row, rows: Sequence[Row]) -> bool:
    """Whether a checkpoint goes further than the updates beside it."""
    order = Order()
    for _ in order.ready(row.update for row in rows):
        pass
    reached = scan(checkpoint.update, STORED).max_clocks
    return any(clock > order.clocks.get(client, 0) for client, clock in reached.items())


def _moment(time: object) -> float | None:
    return float(time) if isinstance(time, int | float) else None


KNOWN: Final = (Hocuspocus, PycrdtStore)


def open_database(path: Path, folder: Path) -> Hocuspocus | PycrdtStore:
    """Open a database of another server. Raises `SourceError` if it is none that is known."""
    connection = copied(path, folder)
    there = tables(connection)
    for kind in KNOWN:
        table, columns = kind.needs
        if columns <= there.get(table, cast("set[str]", set())):
            return kind(path, connection)
    connection.close()
    names = ", ".join(sorted(there)) or "none"
    raise SourceError(
        f"{path} is a database of something else: its tables are {names[:200]}",
        "Hocuspocus' has the table documents (name, data), pycrdt-store's yupdates (path, …).",
    )
