"""Plugins' SQL on a SQLite connection: what it may touch, and how it fails.

A plugin is trusted code, so this keeps accidents in: a statement that commits, that touches the
store's own tables, or that never ends, costs its own entry and nothing else. The authorizer is
asked when a statement is compiled, and Python caches compiled statements by their text; therefore
each mode compiles its own copy, told apart by a leading comment.
"""

import enum
import re
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from parvis.storage.api import SqlValue, Statement
from parvis.storage.errors import StatementRefused
from parvis.storage.sqlite.faults import is_passing

TICK = 1_000_000
"""Steps of SQLite's machine between two looks at the limit."""

_DEFERRED = re.compile(r"\bINITIALLY\s+DEFERRED\b", re.IGNORECASE)

_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_WRITING = _READING | {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
_SHAPING = _WRITING | {
    sqlite3.SQLITE_ALTER_TABLE,
    sqlite3.SQLITE_ANALYZE,
    sqlite3.SQLITE_CREATE_INDEX,
    sqlite3.SQLITE_CREATE_TABLE,
    sqlite3.SQLITE_CREATE_TRIGGER,
    sqlite3.SQLITE_CREATE_VIEW,
    sqlite3.SQLITE_CREATE_VTABLE,
    sqlite3.SQLITE_DROP_INDEX,
    sqlite3.SQLITE_DROP_TABLE,
    sqlite3.SQLITE_DROP_TRIGGER,
    sqlite3.SQLITE_DROP_VIEW,
    sqlite3.SQLITE_DROP_VTABLE,
    sqlite3.SQLITE_REINDEX,
}


class Mode(enum.Enum):
    """On whose behalf a connection is compiling."""

    STORE = "store"
    QUERY = "query"
    STATEMENT = "statement"
    SCRIPT = "script"


_ALLOWED = {Mode.QUERY: _READING, Mode.STATEMENT: _WRITING, Mode.SCRIPT: _SHAPING}


class TransactionLost(Exception):
    """A statement made SQLite roll the whole transaction back (``OR ROLLBACK``, an interrupt).

    What ran before it in the same transaction must run again, without it.
    """


class PluginSql:
    """Runs plugins' statements on one connection; every failure of theirs is `StatementRefused`.

    Passing faults are raised as SQLite raises them, since they concern the whole transaction.
    """

    def __init__(self, connection: sqlite3.Connection, *, ticks: int = 50) -> None:
        """Guard a connection.

        Args:
            connection: In autocommit mode (``isolation_level=None``).
            ticks: Millions of steps after which a statement is refused: 50 are a few seconds.
        """
        self._connection = connection
        self._mode = Mode.STORE
        self._limit = ticks
        self._left = ticks
        connection.set_authorizer(self._authorize)
        connection.set_progress_handler(self._tick, TICK)

    def run(self, statement: Statement) -> None:
        """Run one statement that may change rows of the plugins' own tables."""
        with self._as(Mode.STATEMENT):
            self._execute(Mode.STATEMENT, statement).fetchall()

    def query(self, statement: Statement) -> list[tuple[SqlValue, ...]]:
        """Return the rows of a statement that changes nothing."""
        with self._as(Mode.QUERY):
            return self._execute(Mode.QUERY, statement).fetchall()

    def holds(self, statement: Statement) -> bool:
        """Tell whether a query's first row has a first column that is neither NULL nor 0."""
        with self._as(Mode.QUERY):
            row = self._execute(Mode.QUERY, statement).fetchone()
        return row is not None and row[0] is not None and row[0] != 0

    def script(self, sql: str) -> None:
        """Run a script that may also create, alter and drop the plugins' tables."""
        with self._as(Mode.SCRIPT):
            for statement in split_script(sql):
                # A deferred constraint fails at COMMIT, when nobody can tell any more whose
                # entry broke it, and would take everyone else's updates down with it.
                if _DEFERRED.search(statement):
                    raise StatementRefused("deferred constraints cannot be used here")
                self._execute(Mode.SCRIPT, Statement(statement)).fetchall()

    def _execute(self, mode: Mode, statement: Statement) -> sqlite3.Cursor:
        sql = f"/*{mode.value}*/ {statement.sql}"
        try:
            return self._connection.execute(sql, statement.args)
        except sqlite3.OperationalError as error:
            if not str(error).startswith("vtable constructor failed"):
                raise
        # A virtual table's first use on a connection declares it, which the mode does not allow.
        # Let the store do that: EXPLAIN compiles, and runs nothing.
        self._mode = Mode.STORE
        self._connection.execute(f"EXPLAIN {statement.sql}", statement.args).fetchall()
        self._mode = mode
        return self._connection.execute(sql, statement.args)

    @contextmanager
    def _as(self, mode: Mode) -> Generator[None]:
        inside = self._connection.in_transaction
        self._mode, self._left = mode, self._limit
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, OverflowError, TypeError, ValueError) as error:
            reason = str(error)
            if self._left < 0:
                reason = f"took more than {self._limit} million steps"
            elif is_passing(error):
                raise
            if inside and not self._connection.in_transaction:
                raise TransactionLost(reason) from error
            raise StatementRefused(reason) from error
        finally:
            self._mode = Mode.STORE

    def _tick(self) -> int:
        if self._mode is Mode.STORE:
            return 0
        self._left -= 1
        return self._left < 0

    def _authorize(
        self, action: int, first: str | None, second: str | None, db: str | None, inner: str | None
    ) -> int:
        mode = self._mode
        if mode is Mode.STORE:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_PRAGMA:  # the full-text index asks for this one by itself
            harmless = first == "data_version" and second is None
            return sqlite3.SQLITE_OK if harmless else sqlite3.SQLITE_DENY
        if action not in _ALLOWED[mode]:
            return sqlite3.SQLITE_DENY
        names = [name.lower() for name in (first, second) if name]
        if action in _WRITING:
            names = names[:1]  # the second name is a column or a function
        reserved = ("parvis_",) if mode is Mode.SCRIPT else ("parvis_", "sqlite_")
        if action != sqlite3.SQLITE_FUNCTION and any(n.startswith(reserved) for n in names):
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK


def split_script(sql: str) -> list[str]:
    """Split a script into its statements; semicolons in strings, comments, triggers do not count.

    `sqlite3.Connection.executescript` cannot be used: it commits first.
    """
    statements: list[str] = []
    begun = ""
    for piece in re.split(r"(?<=;)", sql):
        begun += piece
        if sqlite3.complete_statement(begun):
            statements.append(begun.strip())
            begun = ""
    if begun.strip():
        statements.append(begun.strip())
    return statements
