"""The log of a part: pages of it, its snapshot, and what was set aside from it."""

from asyncpg import Connection

from parvis.storage.api import Address, LoggedUpdate, Quarantined, Snapshot
from parvis.storage.errors import StorageError
from parvis.storage.packing import PackedSnapshot, unpack

PART = """
    FROM parvis.parvis_part AS part
    JOIN parvis.parvis_room AS room ON room.tenant = part.tenant AND room.id = part.room
    WHERE part.tenant = $1 AND room.name = $2 AND part.name = $3 AND room.deleted IS NULL
"""
_ID = f"(SELECT part.id {PART})"


_WHICH = f"SELECT part.id, part.first {PART}"


def _page(beyond: str, order: str) -> str:
    # Sizes are added up before any body is fetched, so a page costs what it holds.
    return f"""
        SELECT "offset", body, sender, time, key, packing FROM (
            SELECT *, row_number() OVER page AS number, sum(octet_length(body)) OVER page AS total
            FROM (
                SELECT * FROM parvis.parvis_log
                WHERE tenant = $1 AND part = $2 AND {beyond} AND "offset" >= $4
                ORDER BY "offset" {order} LIMIT $5
            ) AS rows WINDOW page AS (ORDER BY "offset" {order})
        ) AS counted WHERE number = 1 OR total <= $6 ORDER BY "offset" {order}
    """


_FORWARD = _page('"offset" > $3', "ASC")
_BACK = _page('"offset" < $3', "DESC")
_LAST = 2**63 - 1
_SNAPSHOT = f"""
    SELECT kept.incarnation, kept."offset", kept.packing, kept.state, kept.side, kept.digest
    FROM parvis.parvis_snapshot AS kept
    JOIN parvis.parvis_part AS life ON life.tenant = kept.tenant AND life.id = kept.part
    WHERE kept.tenant = $1 AND kept.part = {_ID} AND life.incarnation = kept.incarnation
"""
# The room is locked as appends lock it: a take-over comes before or after, not in between.
_MINE = f"SELECT part.id {PART} AND room.fence = $4 AND part.incarnation = $5" + (
    " AND part.end_offset >= $6 FOR NO KEY UPDATE OF room"
)
_SAVE = """
    INSERT INTO parvis.parvis_snapshot AS kept
    (tenant, part, incarnation, "offset", packing, state, side, digest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, part) DO UPDATE SET
    incarnation = excluded.incarnation, "offset" = excluded."offset",
    packing = excluded.packing, state = excluded.state, side = excluded.side,
    digest = excluded.digest
    WHERE (kept.incarnation, kept."offset") <= (excluded.incarnation, excluded."offset")
    RETURNING part
"""
_POISON = 'room, part, "offset", body, digest, sender, time, reason'
_SET_ASIDE = f"""
    INSERT INTO parvis.parvis_quarantine (tenant, {_POISON})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING
"""
_ROW = f"""
    SELECT part, body, packing FROM parvis.parvis_log
    WHERE tenant = $1 AND part = {_ID} AND "offset" = $4 FOR UPDATE
"""
_EMPTY = """
    UPDATE parvis.parvis_log SET body = '', packing = 0
    WHERE tenant = $1 AND part = $2 AND "offset" = $3
"""
_SHRINK = "UPDATE parvis.parvis_part SET size = size - $3 WHERE tenant = $1 AND id = $2"
_SET_ASIDE_SO_FAR = f"""
    SELECT {_POISON} FROM parvis.parvis_quarantine
    WHERE tenant = $1 AND ($2::text IS NULL OR room = $2) ORDER BY time, id
"""

_RELEASE = """
    DELETE FROM parvis.parvis_quarantine
    WHERE tenant = $1 AND room = $2 AND part = $3 AND "offset" = $4 AND digest = $5
    RETURNING id
"""


async def read(
    connection: Connection, address: Address, after: int, limit: int, max_bytes: int
) -> list[LoggedUpdate]:
    """Return the rows after an offset, in order: at least one if there is one."""
    return await _rows(connection, _FORWARD, address, after, limit, max_bytes)


async def read_back(
    connection: Connection, address: Address, before: int | None, limit: int, max_bytes: int
) -> list[LoggedUpdate]:
    """Return the rows before an offset, newest first: at least one if there is one."""
    place = _LAST if before is None else before
    return await _rows(connection, _BACK, address, place, limit, max_bytes)


async def _rows(
    connection: Connection, sql: str, address: Address, place: int, limit: int, max_bytes: int
) -> list[LoggedUpdate]:
    which = await connection.fetchrow(_WHICH, address.tenant, address.room, address.part)
    if which is None:
        return []
    part, first = which
    rows: list[LoggedUpdate] = []
    size = 0
    for offset, body, sender, time, key, packing in await connection.fetch(
        sql, address.tenant, part, place, first, max(1, limit), max_bytes
    ):
        try:
            update = unpack(packing, body)
        except ValueError as damage:
            raise StorageError(
                f"{address}: row {offset} cannot be read: {damage}",
                hint="Restore it from a backup.",
            ) from damage
        size += len(update)
        if rows and size > max_bytes:
            break
        rows.append(LoggedUpdate(offset, update, sender, time, key))
    return rows


async def snapshot(connection: Connection, address: Address) -> Snapshot | None:
    """Return the snapshot of the part's current incarnation."""
    kept = await packed(connection, address)
    return None if kept is None else kept.unpacked(address)


async def packed(connection: Connection, address: Address) -> PackedSnapshot | None:
    """Return that snapshot as it lies on disk."""
    row = await connection.fetchrow(_SNAPSHOT, address.tenant, address.room, address.part)
    return None if row is None else PackedSnapshot(*row)


async def save_snapshot(
    connection: Connection, address: Address, fence: int, new: PackedSnapshot
) -> bool:
    """Keep a snapshot; False if fenced, older than the present one, or not of this log."""
    key = (address.tenant, address.room, address.part)
    part = await connection.fetchval(_MINE, *key, fence, new.incarnation, new.offset)
    if part is None:
        return False
    values = (new.incarnation, new.offset, new.packing, new.kept, new.index, new.mark)
    return await connection.fetchval(_SAVE, address.tenant, part, *values) is not None


async def quarantine(connection: Connection, tenant: str, poison: Quarantined) -> None:
    """Keep a poison update, and empty the row where it stands."""
    place = (poison.room, poison.part, poison.offset, poison.update)
    await connection.execute(
        _SET_ASIDE, tenant, *place, poison.digest, poison.sender, poison.time, poison.reason
    )
    row = await connection.fetchrow(_ROW, tenant, *place[:3])
    if row is None:
        return
    part, body, packing = row
    if unpack(packing, body) == poison.update:
        await connection.execute(_EMPTY, tenant, part, poison.offset)
        await connection.execute(_SHRINK, tenant, part, len(body))


async def quarantined(connection: Connection, tenant: str, room: str | None) -> list[Quarantined]:
    """List what was set aside, oldest first."""
    return [Quarantined(*row) for row in await connection.fetch(_SET_ASIDE_SO_FAR, tenant, room)]


async def release(connection: Connection, tenant: str, poison: Quarantined) -> bool:
    """Forget an update that was set aside; False if it was not there."""
    place = (poison.room, poison.part, poison.offset, poison.digest)
    return await connection.fetchval(_RELEASE, tenant, *place) is not None
