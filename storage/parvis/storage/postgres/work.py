"""What follows a commit: cursors of durable consumers, and jobs."""

from asyncpg import Connection

from parvis.storage.api import Address, Job, Lag
from parvis.storage.names import end_of_prefix
from parvis.storage.postgres.log import PART
from parvis.storage.sqlite.work import check_payload

_CURSOR = f"""
    SELECT "offset" FROM parvis.parvis_cursor
    WHERE tenant = $1 AND consumer = $4 AND part = (SELECT part.id {PART})
"""
_ADVANCE = f"""
    INSERT INTO parvis.parvis_cursor AS kept (tenant, consumer, part, "offset")
    SELECT $1, $4, part.id, least(part.end_offset, $5::bigint) {PART}
    ON CONFLICT (tenant, consumer, part) DO UPDATE
    SET "offset" = greatest(kept."offset", excluded."offset")
"""
_LAGGING = """
    SELECT room.name, part.name, coalesce(done."offset", 0), part.end_offset
    FROM parvis.parvis_room AS room
    JOIN parvis.parvis_part AS part ON part.tenant = room.tenant AND part.room = room.id
    LEFT JOIN parvis.parvis_cursor AS done
        ON done.tenant = part.tenant AND done.consumer = $2 AND done.part = part.id
    WHERE room.tenant = $1 AND room.deleted IS NULL
        AND part.end_offset > coalesce(done."offset", 0)
        AND room.name >= $3 AND ($4::text IS NULL OR room.name < $4)
        AND room.name >= $5 AND (room.name, part.name) > ($5, $6)
    ORDER BY room.name, part.name LIMIT $7
"""
_UNFINISHED = "SELECT id FROM parvis.parvis_job WHERE tenant = $1 AND queue = $2 AND key = $3"
_ENQUEUE = """
    INSERT INTO parvis.parvis_job (tenant, queue, key, payload, due) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant, queue, key) DO NOTHING RETURNING id
"""
# MATERIALIZED: asked once, or a join that asks again finds, and locks, more than the limit.
_CLAIM = """
    WITH free AS MATERIALIZED (
        SELECT id FROM parvis.parvis_job
        WHERE tenant = $1 AND queue = $2 AND due <= $3 AND held <= $3
        ORDER BY due, id LIMIT $5 FOR UPDATE SKIP LOCKED
    )
    UPDATE parvis.parvis_job AS job SET held = $4, attempts = attempts + 1 FROM free
    WHERE job.tenant = $1 AND job.id = free.id
    RETURNING job.queue, job.key, job.payload, job.due, job.id, job.attempts, job.error
"""
_FINISH = "DELETE FROM parvis.parvis_job WHERE tenant = $1 AND id = $2"
_RETRY = "UPDATE parvis.parvis_job SET held = 0, due = $3, error = $4 WHERE tenant = $1 AND id = $2"


async def cursor(connection: Connection, consumer: str, address: Address) -> int:
    """Return the offset up to which a consumer has worked through a log."""
    key = (address.tenant, address.room, address.part)
    return await connection.fetchval(_CURSOR, *key, consumer) or 0


async def advance(connection: Connection, consumer: str, address: Address, offset: int) -> None:
    """Move a cursor forward, at most to the log's end."""
    key = (address.tenant, address.room, address.part)
    await connection.execute(_ADVANCE, *key, consumer, offset)


async def lagging(
    connection: Connection,
    consumer: str,
    tenant: str,
    prefix: str,
    after: tuple[str, str],
    limit: int,
) -> list[Lag]:
    """List logs of living rooms that a consumer has yet to read, by room and part."""
    bounds = (prefix, end_of_prefix(prefix), *after, max(0, limit))
    return [Lag(*row) for row in await connection.fetch(_LAGGING, tenant, consumer, *bounds)]


async def enqueue(connection: Connection, tenant: str, job: Job) -> int:
    """Keep a job and return its id, or that of the unfinished one with the same key."""
    check_payload(job)
    key = (tenant, job.queue, job.key)
    while True:
        id: int | None = await connection.fetchval(_UNFINISHED, *key)
        if id is None:
            id = await connection.fetchval(_ENQUEUE, *key, job.payload, job.due)
        if id is not None:
            return id
        # Somebody enqueued it in between, and has committed.


async def claim(
    connection: Connection, tenant: str, queue: str, now: float, lease: float, limit: int
) -> list[Job]:
    """Take due jobs that nobody holds, oldest first."""
    bounds = (queue, now, now + lease, max(0, limit))
    jobs = [Job(*row) for row in await connection.fetch(_CLAIM, tenant, *bounds)]
    return sorted(jobs, key=lambda job: (job.due, job.id))


async def finish(connection: Connection, tenant: str, job: int) -> None:
    """Forget a job."""
    await connection.execute(_FINISH, tenant, job)


async def retry(connection: Connection, tenant: str, job: int, due: float, error: str) -> None:
    """Give a job back, to be claimed again after `due`."""
    await connection.execute(_RETRY, tenant, job, due, error)
