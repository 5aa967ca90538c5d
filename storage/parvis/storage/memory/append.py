"""Append in memory: a batch is staged beside the log, and joins it when its tables commit."""

from dataclasses import dataclass, field

from parvis.storage.api import Appended, Batch, Entry, LoggedUpdate, Status
from parvis.storage.batches import repeats, wrong_key
from parvis.storage.errors import StatementRefused
from parvis.storage.memory.tenant import Part, Tables, Tenant
from parvis.storage.sqlite.statements import TransactionLost


@dataclass(slots=True)
class _Staged:
    """What a batch adds, if nothing comes in between."""

    rows: list[LoggedUpdate] = field(default_factory=list[LoggedUpdate])
    offsets: list[int] = field(default_factory=list[int])
    refusals: dict[int, str] = field(default_factory=dict[int, str])


def append(tenant: Tenant, batch: Batch) -> Appended:
    """Log one batch; `parvis.storage.Store.append` says what the answer means."""
    room = tenant.rooms.get(batch.room)
    if room is None:
        return Appended(Status.GONE, detail="no such room")
    if room.deleted is not None:
        return Appended(Status.GONE, detail="the room was deleted")
    part = room.parts.get(batch.part) or Part()
    end = len(part.rows)
    if room.fence != batch.fence:
        detail = f"the room's fence is {room.fence}, the caller's {batch.fence}"
        return Appended(Status.FENCED, end=end, detail=detail)
    known = [part.keys.get(key) for key in dict.fromkeys(entry.key for entry in batch.entries)]
    if batch.expected != end and not repeats(known, batch.expected, end):
        detail = f"the log ends at {end}, the caller expected {batch.expected}"
        return Appended(Status.CONFLICT, end=end, detail=detail)
    staged = _stage(tenant.tables, part, batch)
    if staged.rows:
        room.parts[batch.part] = part
        part.rows += staged.rows
        part.keys.update((row.key, row.offset) for row in staged.rows)
    end = len(part.rows)
    return Appended(Status.LOGGED, tuple(staged.offsets), end, staged.refusals)


def _stage(tables: Tables, part: Part, batch: Batch) -> _Staged:
    doomed: dict[int, str] = {}
    while True:
        try:
            with tables.transaction():
                return _attempt(tables, part, batch, doomed)
        except TransactionLost:
            continue  # the entry that caused it is doomed now; the others run again without it


def _attempt(tables: Tables, part: Part, batch: Batch, doomed: dict[int, str]) -> _Staged:
    staged = _Staged()
    keys: dict[bytes, int] = {}
    for index, entry in enumerate(batch.entries):
        offset = part.keys.get(entry.key) or keys.get(entry.key)
        if offset is None:
            reason = wrong_key(entry) or doomed.get(index) or _refusal(tables, index, entry, doomed)
            if reason:
                staged.refusals[index] = reason
            else:
                offset = keys[entry.key] = len(part.rows) + len(staged.rows) + 1
                staged.rows.append(
                    LoggedUpdate(offset, entry.update, entry.sender, entry.time, entry.key)
                )
        staged.offsets.append(offset or 0)
    return staged


def _refusal(tables: Tables, index: int, entry: Entry, doomed: dict[int, str]) -> str:
    """Run an entry's statements; return why it is refused, or an empty string."""
    if not entry.preconditions and not entry.statements:
        return ""
    tables.execute("SAVEPOINT entry")
    try:
        for place, precondition in enumerate(entry.preconditions):
            if not tables.sql.holds(precondition):
                raise StatementRefused(f"precondition {place} does not hold")
        for statement in entry.statements:
            tables.sql.run(statement)
    except TransactionLost as lost:
        doomed[index] = str(lost)
        raise
    except StatementRefused as refused:
        tables.execute("ROLLBACK TO entry")
        tables.execute("RELEASE entry")
        return str(refused)
    tables.execute("RELEASE entry")
    return ""
