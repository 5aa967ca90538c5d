"""Plugins' SQL in a transaction: in a role that sees only their tables, and bounded in time.

A plugin is trusted code, so this keeps accidents in: a statement that commits, that touches the
store's own tables, or that never ends, costs its own entry and nothing else.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal

from asyncpg import Connection, PostgresError

from parvis.storage.api import SqlValue, Statement
from parvis.storage.errors import StatementRefused
from parvis.storage.postgres.faults import is_passing
from parvis.storage.postgres.sql import READING, WRITING, translate, values

SECONDS = 5
"""After which a statement is refused."""

AS_PLUGIN = f"SET LOCAL ROLE parvis_plugin; SET LOCAL statement_timeout TO '{SECONDS}s'"
AS_STORE = "SET LOCAL ROLE NONE; SET LOCAL statement_timeout TO DEFAULT"

_TOO_LONG = "57014"


async def run(connection: Connection, statement: Statement) -> None:
    """Run one statement that may change rows of the plugins' own tables."""
    await _fetch(connection, statement, WRITING)


async def query(connection: Connection, statement: Statement) -> list[tuple[SqlValue, ...]]:
    """Return the rows of a statement that changes nothing."""
    rows = await _fetch(connection, statement, READING)
    return [tuple(_value(value) for value in row) for row in rows]


async def holds(connection: Connection, statement: Statement) -> bool:
    """Tell whether a query's first row has a first column that is neither NULL nor 0."""
    rows = await query(connection, statement)
    return bool(rows) and bool(rows[0]) and rows[0][0] is not None and rows[0][0] != 0


@asynccontextmanager
async def as_plugin(connection: Connection) -> AsyncGenerator[None]:
    """Run a block in a savepoint and in the plugins' role; a refusal in it undoes it whole."""
    await connection.execute(f"SAVEPOINT entry; {AS_PLUGIN}")
    try:
        yield
    except StatementRefused:
        await connection.execute("ROLLBACK TO SAVEPOINT entry; RELEASE SAVEPOINT entry")
        raise
    await connection.execute(f"{AS_STORE}; RELEASE SAVEPOINT entry")


@asynccontextmanager
async def reading(connection: Connection) -> AsyncGenerator[None]:
    """Run a block that cannot change anything, inside of one that may."""
    await connection.execute("SAVEPOINT condition; SET LOCAL transaction_read_only TO on")
    yield  # a refusal is undone with the entry's savepoint
    await connection.execute("ROLLBACK TO SAVEPOINT condition; RELEASE SAVEPOINT condition")


async def _fetch(
    connection: Connection, statement: Statement, allowed: frozenset[str]
) -> Sequence[Sequence[object]]:
    sql = translate(statement.sql, tuple(map(type, statement.args)), allowed)
    try:
        return [tuple(row) for row in await connection.fetch(sql, *values(statement.args))]
    except PostgresError as error:
        if error.sqlstate == _TOO_LONG:
            raise StatementRefused(f"took longer than {SECONDS} s") from error
        if error.sqlstate == "25006" and allowed is READING:
            raise StatementRefused(str(error)) from error
        if is_passing(error):
            raise
        raise StatementRefused(str(error)) from error
    except (OverflowError, TypeError, ValueError) as error:  # a value that no column can hold
        raise StatementRefused(str(error)) from error


def _value(value: object) -> SqlValue:
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, int | float | str | bytes):
        return value
    if isinstance(value, Decimal):  # of sum() over integers
        return int(value) if value == value.to_integral_value() else float(value)
    raise StatementRefused(f"a column of {type(value).__name__}; expected numbers, text or bytes")
