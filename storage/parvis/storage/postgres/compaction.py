"""Compaction of a log: its older rows give way to one that is worth them all."""

from asyncpg import Connection

from parvis.storage.api import Address
from parvis.storage.postgres.log import PART
from parvis.storage.postgres.rooms import PURGE_ROWS

# The room is locked as appends lock it: a take-over comes before or after, not in between.
_PART = f"""
    SELECT part.id {PART} AND room.fence = $4 AND part.first <= $5
    FOR NO KEY UPDATE OF room, part
"""
_SIZE = """
    SELECT octet_length(body) FROM parvis.parvis_log
    WHERE tenant = $1 AND part = $2 AND "offset" = $3
"""
_REPLACE = """
    UPDATE parvis.parvis_log SET body = $4, packing = $5, sender = ''
    WHERE tenant = $1 AND part = $2 AND "offset" = $3
"""
_BEGIN = """
    UPDATE parvis.parvis_part SET first = $3, size = size + $4 WHERE tenant = $1 AND id = $2
"""
_FIRST = f"SELECT part.id, part.first {PART}"
_SWEEP = """
    DELETE FROM parvis.parvis_log WHERE tenant = $1 AND part = $2 AND "offset" IN (
        SELECT "offset" FROM parvis.parvis_log WHERE tenant = $1 AND part = $2 AND "offset" < $3
        ORDER BY "offset" LIMIT $4
    ) RETURNING octet_length(body)
"""
_SHRINK = "UPDATE parvis.parvis_part SET size = size - $3 WHERE tenant = $1 AND id = $2"


async def compact(
    connection: Connection, address: Address, fence: int, through: int, packing: int, base: bytes
) -> bool:
    """Let a log begin at one of its rows; False if fenced, gone, or there is no such row.

    Args:
        base: What the row holds from now on, packed.
    """
    key = (address.tenant, address.room, address.part)
    part = await connection.fetchval(_PART, *key, fence, through)
    if part is None:
        return False
    row = (address.tenant, part, through)
    size: int | None = await connection.fetchval(_SIZE, *row)
    if size is None:
        return False
    await connection.execute(_REPLACE, *row, base, packing)
    await connection.execute(_BEGIN, *row, len(base) - size)
    return True


async def sweep(connection: Connection, address: Address) -> bool:
    """Remove some rows that the log counts no more; True if there may be more.

    What a kill interrupted goes on with the next compaction of the part.
    """
    key = (address.tenant, address.room, address.part)
    row = await connection.fetchrow(_FIRST, *key)
    if row is None:
        return False
    part, first = row
    gone = await connection.fetch(_SWEEP, address.tenant, part, first, PURGE_ROWS)
    if gone:
        size = sum(length for (length,) in gone)
        await connection.execute(_SHRINK, address.tenant, part, size)
    return len(gone) == PURGE_ROWS
