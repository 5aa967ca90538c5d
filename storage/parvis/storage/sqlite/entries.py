"""Entry by entry: the careful way into the log, for those that are known or carry statements."""

import sqlite3

from parvis.storage.api import Appended, Batch, Entry, Status
from parvis.storage.batches import repeats, wrong_key
from parvis.storage.errors import StatementRefused
from parvis.storage.sqlite.files import Database
from parvis.storage.sqlite.heads import ADVANCE, Head, new_part
from parvis.storage.sqlite.statements import TransactionLost

_INSERT = """
    INSERT INTO parvis_log (part, "offset", body, sender, time, key) VALUES (?, ?, ?, ?, ?, ?)
"""
_KNOWN = 'SELECT "offset" FROM parvis_log WHERE part = ? AND key = ?'


class EntryByEntry:
    """One batch on its way into the log."""

    def __init__(
        self, database: Database, batch: Batch, doomed: dict[tuple[int, int], str], number: int
    ) -> None:
        self.database = database
        self.batch = batch
        self.doomed = doomed
        self.number = number
        self.head = Head.of(database, batch)
        self.part = self.head.part
        self.end = self.head.end
        self.size = 0

    def run(self) -> Appended:
        """Log what is not known yet, and refuse those that fail by themselves."""
        if (refused := self.head.refuses(self.batch)) is not None:
            return refused
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
            self.database.execute(ADVANCE, (self.end, self.size, self.part))
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
            if self.part is None:
                self.part = new_part(self.database, self.head.room, self.batch)
            row = (self.part, self.end + 1, entry.update, entry.sender, entry.time, entry.key)
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
        row = self.database.execute(_KNOWN, (self.part, key)).fetchone()
        return None if row is None else int(row[0])
