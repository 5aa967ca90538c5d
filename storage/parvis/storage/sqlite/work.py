"""What follows a commit: cursors of durable consumers, and jobs."""

from parvis.storage.api import Address, Job, Lag
from parvis.storage.errors import StorageError
from parvis.storage.names import end_of_prefix
from parvis.storage.sqlite.files import Database

LARGEST_PAYLOAD = 256 * 1024
"""Bytes of a job's payload."""

_LIVING_PART = """
    FROM parvis_part AS part JOIN parvis_room AS room ON room.id = part.room
    WHERE room.deleted IS NULL AND room.name = :room AND part.name = :part
"""
_JOB = "queue, key, payload, due, id, attempts, error"


def cursor(database: Database, consumer: str, address: Address) -> int:
    """Return the offset up to which a consumer has worked through a log."""
    row = database.execute(
        'SELECT "offset" FROM parvis_cursor WHERE consumer = :consumer AND part ='
        f" (SELECT part.id {_LIVING_PART})",
        {"consumer": consumer, "room": address.room, "part": address.part},
    ).fetchone()
    return 0 if row is None else int(row[0])


def advance(database: Database, consumer: str, address: Address, offset: int) -> None:
    """Move a cursor forward, at most to the log's end."""
    database.execute(
        'INSERT INTO parvis_cursor (consumer, part, "offset")'
        f" SELECT :consumer, part.id, min(part.end_offset, :offset) {_LIVING_PART}"
        ' ON CONFLICT DO UPDATE SET "offset" = max("offset", excluded."offset")',
        {"consumer": consumer, "room": address.room, "part": address.part, "offset": offset},
    )


def lagging(
    database: Database, consumer: str, prefix: str, after: tuple[str, str], limit: int
) -> list[Lag]:
    """List logs of living rooms that a consumer has yet to read, by room and part."""
    rows = database.execute(
        'SELECT room.name, part.name, coalesce(done."offset", 0), part.end_offset'
        " FROM parvis_room AS room JOIN parvis_part AS part ON part.room = room.id"
        " LEFT JOIN parvis_cursor AS done ON done.consumer = :consumer AND done.part = part.id"
        ' WHERE room.deleted IS NULL AND part.end_offset > coalesce(done."offset", 0)'
        " AND room.name >= :prefix AND (:end IS NULL OR room.name < :end)"
        " AND room.name >= :room AND (room.name, part.name) > (:room, :part)"
        " ORDER BY room.name, part.name LIMIT :limit",
        {
            "consumer": consumer,
            "prefix": prefix,
            "end": end_of_prefix(prefix),
            "room": after[0],
            "part": after[1],
            "limit": max(0, limit),
        },
    )
    return [Lag(*row) for row in rows]


def check_payload(job: Job) -> None:
    """Raise `StorageError` if a job's payload is too large to keep."""
    if len(job.payload) > LARGEST_PAYLOAD:
        raise StorageError(
            f"a job's payload of {len(job.payload)} bytes; expected at most {LARGEST_PAYLOAD}"
        )


def enqueue(database: Database, job: Job) -> int:
    """Keep a job and return its id, or that of the unfinished one with the same key."""
    check_payload(job)
    row = database.execute(
        "SELECT id FROM parvis_job WHERE queue = ? AND key = ?", (job.queue, job.key)
    ).fetchone()
    if row is None:
        row = database.execute(
            "INSERT INTO parvis_job (queue, key, payload, due) VALUES (?, ?, ?, ?) RETURNING id",
            (job.queue, job.key, job.payload, job.due),
        ).fetchone()
    return int(row[0])


def claim(database: Database, queue: str, now: float, lease: float, limit: int) -> list[Job]:
    """Take due jobs that nobody holds, oldest first."""
    rows = database.execute(
        "UPDATE parvis_job SET held = :until, attempts = attempts + 1 WHERE id IN"
        " (SELECT id FROM parvis_job WHERE queue = :queue AND due <= :now AND held <= :now"
        f" ORDER BY due, id LIMIT :limit) RETURNING {_JOB}",
        {"until": now + lease, "queue": queue, "now": now, "limit": max(0, limit)},
    ).fetchall()
    return sorted((Job(*row) for row in rows), key=lambda job: (job.due, job.id))


def finish(database: Database, job: int) -> None:
    """Forget a job."""
    database.execute("DELETE FROM parvis_job WHERE id = ?", (job,))


def retry(database: Database, job: int, due: float, error: str) -> None:
    """Give a job back, to be claimed again after `due`."""
    database.execute(
        "UPDATE parvis_job SET held = 0, due = ?, error = ? WHERE id = ?", (due, error, job)
    )
