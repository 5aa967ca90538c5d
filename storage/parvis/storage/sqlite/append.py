"""Append: batches of entries become rows of the log, each batch all or nothing."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from parvis.storage.api import Appended, Batch, Entry, Status
from parvis.storage.errors import StatementRefused
from parvis.storage.sqlite.files import Database
from parvis.storage.sqlite.statements import TransactionLost

LONGEST_KEY = 64
"""Bytes of an idempotency key."""

_HEAD = """
    SELECT room.id, room.fence, room.deleted IS NOT NULL, part.id, coalesce(part.end_offset, 0)
    FROM parvis_room AS room
    LEFT JOIN parvis_part AS part ON part.room = room.id AND part.name = ?
    WHERE room.name = ?
"""
_INSERT = """
    INSERT INTO parvis_log (part, "offset", body, sender, time, key) VALUES (?, ?, ?, ?, ?, ?)
"""
_ADVANCE = "UPDATE parvis_part SET end_offset = ?, size = size + ? WHERE id = ?"


def wrong_key(entry: Entry) -> str:
    """Return what is wrong with an entry's key, or an empty string."""
    size = len(entry.key)
    return "" if 0 < size <= LONGEST_KEY else f"a key of {size} bytes; expected 1 to {LONGEST_KEY}"


def repeats(known: Sequence[int | None], expected: int, end: int) -> bool:
    """Tell whether a batch whose `expected` is not the log's end may be answered all the same.

    It may if nothing in it is new, or if all that was logged beyond `expected` came from it: then
    it is a repeated call whose answer got lost, perhaps with more entries than the first time.

    Args:
        known: The offset that each distinct key of the batch has in the log already.
    """
    if None not in known:
        return True
    beyond = sum(offset is not None and offset > expected for offset in known)
    return 0 < beyond == end - expected


@dataclass(slots=True)
class Append:
    """One call of `Store.append`, run in the writer of its tenant's file.

    Attributes:
        doomed: Entries, by batch and index, that made SQLite drop the whole transaction → why.
            They are refused when the work runs again.
    """

    batches: Sequence[Batch]
    doomed: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    def __call__(self, database: Database) -> list[Appended]:
        return [
            _Appending(database, batch, self.doomed, number).run()
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


class _Appending:
    """One batch on its way into the log."""

    def __init__(
        self, database: Database, batch: Batch, doomed: dict[tuple[int, int], str], number: int
    ) -> None:
        self.database = database
        self.batch = batch
        self.doomed = doomed
        self.number = number
        self.room = 0
        self.part: int | None = None
        self.end = 0
        self.size = 0

    def run(self) -> Appended:
        batch = self.batch
        head = self.database.execute(_HEAD, (batch.part, batch.room)).fetchone()
        if head is None:
            return Appended(Status.GONE, detail="no such room")
        self.room, fence, deleted, self.part, self.end = head
        if deleted:
            return Appended(Status.GONE, detail="the room was deleted")
        if fence != batch.fence:
            detail = f"the room's fence is {fence}, the caller's {batch.fence}"
            return Appended(Status.FENCED, end=self.end, detail=detail)
        if batch.expected == self.end and self._is_plain():
            appended = self._append_plain()
            if appended is not None:
                return appended
        return self._append_carefully()

    def _is_plain(self) -> bool:
        return all(
            not entry.statements and not entry.preconditions and 0 < len(entry.key) <= LONGEST_KEY
            for entry in self.batch.entries
        )

    def _append_plain(self) -> Appended | None:
        """Log entries that carry nothing else; None if one of them is known or cannot be bound."""
        execute, entries = self.database.execute, self.batch.entries
        if not entries:
            return Appended(Status.LOGGED, end=self.end)
        before = self.part
        execute("SAVEPOINT batch")
        try:
            part = self._part()
            self.database.executemany(
                _INSERT,
                [
                    (part, offset, entry.update, entry.sender, entry.time, entry.key)
                    for offset, entry in enumerate(entries, self.end + 1)
                ],
            )
        except (sqlite3.IntegrityError, ValueError):
            execute("ROLLBACK TO batch")
            execute("RELEASE batch")
            self.part = before
            return None
        end = self.end + len(entries)
        execute(_ADVANCE, (end, sum(len(entry.update) for entry in entries), part))
        execute("RELEASE batch")
        return Appended(Status.LOGGED, tuple(range(self.end + 1, end + 1)), end)

    def _append_carefully(self) -> Appended:
        """Log entry by entry, skipping known ones, and refuse those that fail by themselves."""
        keys = dict.fromkeys(entry.key for entry in self.batch.entries)
        known = {key: self._offset_of(key) for key in keys}
        if self.batch.expected != self.end and not repeats(
            list(known.values()), self.batch.expected, self.end
        ):
            detail = f"the log ends at {self.end}, the caller expected {self.batch.expected}"
            return Appended(Status.CONFLICT, end=self.end, detail=detail)
        offsets: list[int] = []
        refusals: dict[int, str] = {}
        before = self.end
        self.database.execute("SAVEPOINT batch")
        for index, entry in enumerate(self.batch.entries):
            offset = known[entry.key]
            if offset is None:
                refusal = self._refusal(index, entry)
                if refusal:
                    refusals[index] = refusal
                else:
                    offset = known[entry.key] = self.end
            offsets.append(offset or 0)
        if self.end > before:
            self.database.execute(_ADVANCE, (self.end, self.size, self.part))
        self.database.execute("RELEASE batch")
        return Appended(Status.LOGGED, tuple(offsets), self.end, refusals)

    def _refusal(self, index: int, entry: Entry) -> str:
        """Log one entry with its statements; return why not, or an empty string."""
        reason = wrong_key(entry) or self.doomed.get((self.number, index), "")
        if reason:
            return reason
        before = self.part
        plugins = self.database.plugins
        self.database.execute("SAVEPOINT entry")
        try:
            for place, precondition in enumerate(entry.preconditions):
                if not plugins.holds(precondition):
                    raise StatementRefused(f"precondition {place} does not hold")
            for statement in entry.statements:
                plugins.run(statement)
            row = (self._part(), self.end + 1, entry.update, entry.sender, entry.time, entry.key)
            self.database.execute(_INSERT, row)
        except TransactionLost as lost:
            self.doomed[self.number, index] = str(lost)
            raise
        except (StatementRefused, ValueError, sqlite3.IntegrityError) as refused:
            self.database.execute("ROLLBACK TO entry")
            self.database.execute("RELEASE entry")
            self.part = before
            return str(refused)
        self.database.execute("RELEASE entry")
        self.end += 1
        self.size += len(entry.update)
        return ""

    def _offset_of(self, key: bytes) -> int | None:
        row = self.database.execute(
            'SELECT "offset" FROM parvis_log WHERE part = ? AND key = ?', (self.part, key)
        ).fetchone()
        return None if row is None else int(row[0])

    def _part(self) -> int:
        """Return the part's id, giving it one with its first entry."""
        if self.part is None:
            self.part = self.database.execute(
                "INSERT INTO parvis_part (room, name) VALUES (?, ?)", (self.room, self.batch.part)
            ).lastrowid
            assert self.part is not None
        return self.part
