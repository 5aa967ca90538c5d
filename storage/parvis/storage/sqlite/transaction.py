"""A transaction on a connection that begins and ends them by hand."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN") -> Generator[None]:
    """Run a block in one transaction: committed at its end, or undone with whatever it raised."""
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # some faults make SQLite roll back by itself
            connection.execute("ROLLBACK")
        raise
