"""Append: batches of entries become rows of the log, each batch all or nothing."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parvis.storage.api import Appended, Batch, SqlValue, Status
from parvis.storage.batches import plain
from parvis.storage.sqlite.entries import EntryByEntry
from parvis.storage.sqlite.files import Database
from parvis.storage.sqlite.heads import ADVANCE, Head, new_part

_COLUMNS = 6
_ROW = "(?, ?, ?, ?, ?, ?)"
_INSERT = 'INSERT INTO parvis_log (part, "offset", body, sender, time, key) VALUES '
_INSERTS = tuple((rows, _INSERT + ", ".join([_ROW] * rows)) for rows in (64, 8, 1))
"""A statement of many rows costs a third less than as many statements of one."""


@dataclass(slots=True)
class Append:
    """One call of `Store.append`, run in the writer of its tenant's file.

    Plain batches are written together; what that does not decide, and what carries statements, is
    looked at batch by batch, with a savepoint per entry.

    Attributes:
        doomed: Entries, by batch and index, that made SQLite drop the whole transaction → why.
            They are refused when the work runs again.
    """

    batches: Sequence[Batch]
    doomed: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    def __call__(self, database: Database) -> list[Appended]:
        answers = _together(database, {at: self.batches[at] for at in plain(self.batches)})
        return [
            answers.get(number) or EntryByEntry(database, batch, self.doomed, number).run()
            for number, batch in enumerate(self.batches)
        ]


@dataclass(slots=True)
class Rebuild:
    """One call of `Store.rebuild`, run in the writer of its tenant's file."""

    batch: Batch
    append: Append = field(init=False)

    def __post_init__(self) -> None:
        self.append = Append([self.batch])

    def __call__(self, database: Database) -> Appended:
        (answer,) = self.append(database)
        if answer.status is Status.LOGGED and answer.offsets[0]:
            since = answer.offsets[0] - 1
            begun = database.execute(
                "UPDATE parvis_part SET incarnation = incarnation + 1, since = :since"
                " WHERE room = (SELECT id FROM parvis_room WHERE name = :room)"
                " AND name = :part AND since < :since RETURNING id",
                {"since": since, "room": self.batch.room, "part": self.batch.part},
            ).fetchone()
            if begun is not None:
                database.execute("DELETE FROM parvis_snapshot WHERE part = ?", begun)
        return answer


def _together(database: Database, batches: Mapping[int, Batch]) -> dict[int, Appended]:
    """Append plain batches; those that are missing in the answer need a closer look."""
    if not batches:
        return {}
    database.execute("SAVEPOINT together")
    try:
        return _log(database, batches)
    except (sqlite3.IntegrityError, ValueError):  # a key that is known, a text that is none
        database.execute("ROLLBACK TO together")
    finally:
        if database.connection.in_transaction:
            database.execute("RELEASE together")
    answers: dict[int, Appended] = {}
    if len(batches) > 1:
        for at, batch in batches.items():
            answers |= _together(database, {at: batch})
    return answers


def _log(database: Database, batches: Mapping[int, Batch]) -> dict[int, Appended]:
    answers: dict[int, Appended] = {}
    values: list[SqlValue] = []
    ends: list[tuple[int, int, int]] = []
    for at, batch in batches.items():
        head = Head.of(database, batch)
        if (refused := head.refuses(batch)) is not None:
            answers[at] = refused
        elif batch.expected == head.end:
            part = head.part
            if part is None and batch.entries:
                part = new_part(database, head.room, batch)
            end = head.end + len(batch.entries)
            for offset, entry in enumerate(batch.entries, head.end + 1):
                values += (part, offset, entry.update, entry.sender, entry.time, entry.key)
            if part is not None:
                ends.append((end, sum(len(entry.update) for entry in batch.entries), part))
            answers[at] = Appended(Status.LOGGED, tuple(range(head.end + 1, end + 1)), end)
    done = 0
    for rows, insert in _INSERTS:
        step = rows * _COLUMNS
        while len(values) - done >= step:
            database.execute(insert, values[done : done + step])
            done += step
    database.executemany(ADVANCE, ends)
    return answers
