"""Group commit: many pieces of work in one transaction, each undone alone if it fails."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from parvis.storage.errors import StorageError
from parvis.storage.sqlite.faults import is_passing, mars_connection, translated
from parvis.storage.sqlite.files import Database
from parvis.storage.sqlite.statements import TransactionLost

Work = Callable[[Database], Any]
"""Changes a file and returns the caller's answer.

It may be run several times, of which only the last counts, so it keeps nothing outside the file
but what it must remember after `TransactionLost`.
"""


class ConnectionMarred(Exception):
    """The connection must be closed; `fault` is the answer to all work of the group."""

    def __init__(self, fault: StorageError) -> None:
        super().__init__(str(fault))
        self.fault = fault


def commit_together(database: Database, works: Sequence[Work]) -> list[Any]:
    """Run works in order, in one transaction, and make them durable with one sync.

    Returns:
        For each work its answer, or the exception it raised (then it changed nothing).

    Raises:
        ConnectionMarred: If the fault is such that nothing more can be asked of the connection;
            what became of the transaction shows when the file is opened again.
    """
    while True:
        try:
            database.execute("BEGIN IMMEDIATE")
            answers = [_alone(database, work) for work in works]
            database.execute("COMMIT")
            return answers
        except TransactionLost:
            # The work that caused it remembers not to do it again; the others did nothing wrong.
            _roll_back(database)
        except (sqlite3.Error, MemoryError) as error:
            fault = translated(error, database.file.name)
            if mars_connection(error):
                raise ConnectionMarred(fault) from error
            _roll_back(database)
            if len(works) == 1:
                return [fault]
            # One big update may not fit on a full disk where many small ones still do.
            return [commit_together(database, [work])[0] for work in works]


def _alone(database: Database, work: Work) -> Any:
    database.execute("SAVEPOINT work")
    try:
        answer = work(database)
    except TransactionLost:
        raise
    except Exception as error:
        if is_passing(error) or not database.connection.in_transaction:
            raise
        database.execute("ROLLBACK TO work")
        answer = (
            translated(error, database.file.name) if isinstance(error, sqlite3.Error) else error
        )
    database.execute("RELEASE work")
    return answer


def _roll_back(database: Database) -> None:
    if database.connection.in_transaction:
        try:
            database.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise ConnectionMarred(translated(error, database.file.name)) from error
