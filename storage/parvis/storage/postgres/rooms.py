"""Rooms: taken over with a new fence, described, listed, and deleted for good."""

from collections.abc import Sequence

from asyncpg import Connection, Record

from parvis.storage.api import Head, Opened, RoomInfo
from parvis.storage.errors import RoomDeleted, RoomNotFound
from parvis.storage.names import end_of_prefix

PURGE_ROWS = 10_000
"""Log rows of a deleted room that one transaction removes."""

_KNOWN = "SELECT 1 FROM parvis.parvis_room WHERE tenant = $1 AND name = $2"
_TAKE = """
    UPDATE parvis.parvis_room SET fence = fence + 1
    WHERE tenant = $1 AND name = $2 AND deleted IS NULL RETURNING id, fence
"""
_CREATE = """
    INSERT INTO parvis.parvis_room (tenant, name, creator, created, fence)
    VALUES ($1, $2, $3, $4, 1) ON CONFLICT (tenant, name) DO NOTHING RETURNING id
"""
_HEADS = """
    SELECT room, name, incarnation, end_offset, since, first FROM parvis.parvis_part
    WHERE tenant = $1 AND room = ANY ($2) ORDER BY name
"""
_INFO = """
    SELECT id, name, created, creator, deleted,
        coalesce((
            SELECT sum(part.size + coalesce((
                SELECT octet_length(kept.state) + octet_length(kept.side)
                FROM parvis.parvis_snapshot AS kept
                WHERE kept.tenant = part.tenant AND kept.part = part.id
            ), 0))
            FROM parvis.parvis_part AS part
            WHERE part.tenant = room.tenant AND part.room = room.id
        ), 0)::bigint AS size
    FROM parvis.parvis_room AS room WHERE tenant = $1
"""
_ONE = f"{_INFO} AND name = $2"
_LIST = f"""
    {_INFO} AND deleted IS NULL AND name > $2 AND name >= $3 AND ($4::text IS NULL OR name < $4)
    ORDER BY name LIMIT $5
"""
_BURY = """
    UPDATE parvis.parvis_room SET deleted = $3, fence = fence + 1
    WHERE tenant = $1 AND name = $2 AND deleted IS NULL RETURNING id
"""
_PARTS = "SELECT id FROM parvis.parvis_part WHERE tenant = $1 AND room = $2"
_LEFT = (
    f"DELETE FROM parvis.parvis_snapshot WHERE tenant = $1 AND part IN ({_PARTS})",
    f"DELETE FROM parvis.parvis_cursor WHERE tenant = $1 AND part IN ({_PARTS})",
)
_LEFT_ASIDE = "DELETE FROM parvis.parvis_quarantine WHERE tenant = $1 AND room = $2"
_DOOMED = """
    SELECT part.id FROM parvis.parvis_part AS part
    JOIN parvis.parvis_room AS room ON room.tenant = part.tenant AND room.id = part.room
    WHERE part.tenant = $1 AND room.name = $2 AND room.deleted IS NOT NULL
    ORDER BY part.id LIMIT 1 FOR UPDATE OF part
"""
_PURGE = """
    DELETE FROM parvis.parvis_log WHERE tenant = $1 AND part = $2 AND "offset" IN (
        SELECT "offset" FROM parvis.parvis_log WHERE tenant = $1 AND part = $2
        ORDER BY "offset" LIMIT $3
    )
"""
_FORGET = "DELETE FROM parvis.parvis_part WHERE tenant = $1 AND id = $2"
REGISTER = "INSERT INTO parvis.parvis_tenant (name) VALUES ($1) ON CONFLICT DO NOTHING"
TENANTS = "SELECT name FROM parvis.parvis_tenant ORDER BY name"


async def open_room(
    connection: Connection, tenant: str, room: str, creator: str | None, now: float
) -> Opened:
    """Issue the next fence of a room, creating it in the name of `creator` if it is missing."""
    while True:
        row = await connection.fetchrow(_TAKE, tenant, room)
        if row is not None:
            parts = await _heads(connection, tenant, [row["id"]])
            return Opened(fence=row["fence"], created=False, parts=parts.get(row["id"], {}))
        if await connection.fetchval(_KNOWN, tenant, room):
            raise RoomDeleted(f"{room} was deleted")
        if creator is None:
            raise RoomNotFound(f"there is no room {room}")
        if await connection.fetchval(_CREATE, tenant, room, creator, now) is not None:
            return Opened(fence=1, created=True, parts={})
        # Somebody else created it meanwhile: take it over from them.


async def describe(connection: Connection, tenant: str, room: str) -> RoomInfo | None:
    """Describe a room, also a deleted one; None if it never existed."""
    found = await _infos(connection, tenant, await connection.fetch(_ONE, tenant, room))
    return found[0] if found else None


async def list_rooms(
    connection: Connection, tenant: str, prefix: str, after: str, limit: int
) -> list[RoomInfo]:
    """List living rooms whose name starts with `prefix` and sorts after `after`, by name."""
    bounds = (after, prefix, end_of_prefix(prefix), max(0, limit))
    return await _infos(connection, tenant, await connection.fetch(_LIST, tenant, *bounds))


async def delete_room(connection: Connection, tenant: str, room: str, now: float) -> None:
    """Turn a room into a tombstone; `purge` removes its logs afterwards, step by step."""
    id = await connection.fetchval(_BURY, tenant, room, now)
    if id is None:
        if await connection.fetchval(_KNOWN, tenant, room):
            return
        raise RoomNotFound(f"there is no room {room}")
    for statement in _LEFT:
        await connection.execute(statement, tenant, id)
    await connection.execute(_LEFT_ASIDE, tenant, room)


async def purge(connection: Connection, tenant: str, room: str) -> bool:
    """Remove some log rows of a deleted room; True if there may be more."""
    part = await connection.fetchval(_DOOMED, tenant, room)
    if part is None:
        return False
    done = await connection.execute(_PURGE, tenant, part, PURGE_ROWS)
    if int(done.rpartition(" ")[2]) < PURGE_ROWS:
        await connection.execute(_FORGET, tenant, part)
    return True


async def _heads(
    connection: Connection, tenant: str, rooms: Sequence[int]
) -> dict[int, dict[str, Head]]:
    heads: dict[int, dict[str, Head]] = {}
    for room, name, *head in await connection.fetch(_HEADS, tenant, rooms):
        heads.setdefault(room, {})[name] = Head(*head)
    return heads


async def _infos(connection: Connection, tenant: str, rows: Sequence[Record]) -> list[RoomInfo]:
    heads = await _heads(connection, tenant, [row["id"] for row in rows])
    return [
        RoomInfo(
            room=row["name"],
            created=row["created"],
            creator=row["creator"],
            deleted=row["deleted"],
            parts={} if row["deleted"] is not None else heads.get(row["id"], {}),
            size=0 if row["deleted"] is not None else row["size"],
        )
        for row in rows
    ]
