"""Rooms: take over, describe, list, delete."""

from parvis.storage.api import Head, Opened, RoomInfo
from parvis.storage.errors import RoomDeleted, RoomNotFound
from parvis.storage.names import end_of_prefix
from parvis.storage.sqlite.files import Database

PURGE_ROWS = 2000
"""Log rows that one step of a deletion removes, so that other rooms' appends come in between."""

_SIZE = """
    SELECT coalesce(sum(part.size + coalesce(
        (SELECT length(state) + length(side) FROM parvis_snapshot WHERE part = part.id), 0)), 0)
    FROM parvis_part AS part WHERE part.room = ?
"""
_DOOMED_PARTS = "SELECT part.id FROM parvis_part AS part WHERE part.room = :room"


def open_room(database: Database, room: str, creator: str | None, now: float) -> Opened:
    """Issue the next fence of a room, creating it in the name of `creator` if it is missing."""
    row = database.execute(
        "UPDATE parvis_room SET fence = fence + 1 WHERE name = ? AND deleted IS NULL"
        " RETURNING id, fence",
        (room,),
    ).fetchone()
    if row is not None:
        return Opened(fence=row[1], created=False, parts=_heads(database, row[0]))
    if database.execute("SELECT 1 FROM parvis_room WHERE name = ?", (room,)).fetchone():
        raise RoomDeleted(f"{room} was deleted")
    if creator is None:
        raise RoomNotFound(f"there is no room {room}")
    database.execute(
        "INSERT INTO parvis_room (name, creator, created, fence) VALUES (?, ?, ?, 1)",
        (room, creator, now),
    )
    return Opened(fence=1, created=True, parts={})


def describe(database: Database, room: str) -> RoomInfo | None:
    """Describe a room, also a deleted one; None if it never existed."""
    row = database.execute(
        "SELECT id, name, created, creator, deleted FROM parvis_room WHERE name = ?", (room,)
    ).fetchone()
    return None if row is None else _info(database, *row)


def list_rooms(database: Database, prefix: str, after: str, limit: int) -> list[RoomInfo]:
    """List living rooms whose name starts with `prefix` and sorts after `after`, by name."""
    rows = database.execute(
        "SELECT id, name, created, creator, deleted FROM parvis_room"
        " WHERE deleted IS NULL AND name > :after AND name >= :prefix"
        " AND (:end IS NULL OR name < :end) ORDER BY name LIMIT :limit",
        {
            "after": after,
            "prefix": prefix,
            "end": end_of_prefix(prefix),
            "limit": max(0, limit),
        },
    ).fetchall()
    return [_info(database, *row) for row in rows]


def delete_room(database: Database, room: str, now: float) -> None:
    """Turn a room into a tombstone; `purge` removes its logs afterwards, step by step."""
    changed = database.execute(
        "UPDATE parvis_room SET deleted = ?, fence = fence + 1"
        " WHERE name = ? AND deleted IS NULL RETURNING id",
        (now, room),
    ).fetchone()
    if changed is None:
        if database.execute("SELECT 1 FROM parvis_room WHERE name = ?", (room,)).fetchone():
            return
        raise RoomNotFound(f"there is no room {room}")
    key = {"room": changed[0]}
    database.execute(f"DELETE FROM parvis_snapshot WHERE part IN ({_DOOMED_PARTS})", key)
    database.execute(f"DELETE FROM parvis_cursor WHERE part IN ({_DOOMED_PARTS})", key)
    database.execute("DELETE FROM parvis_quarantine WHERE room = ?", (room,))


def purge(database: Database) -> bool:
    """Remove some log rows of deleted rooms; True if there may be more."""
    part = database.execute(
        "SELECT part.id FROM parvis_part AS part JOIN parvis_room AS room ON room.id = part.room"
        " WHERE room.deleted IS NOT NULL LIMIT 1"
    ).fetchone()
    if part is None:
        return False
    gone = database.execute(
        'DELETE FROM parvis_log WHERE part = :part AND "offset" IN'
        ' (SELECT "offset" FROM parvis_log WHERE part = :part LIMIT :rows)',
        {"part": part[0], "rows": PURGE_ROWS},
    ).rowcount
    if gone < PURGE_ROWS:
        database.execute("DELETE FROM parvis_part WHERE id = ?", part)
    return True


def _heads(database: Database, room: int) -> dict[str, Head]:
    return {
        name: Head(incarnation, offset, since, first)
        for name, incarnation, offset, since, first in database.execute(
            "SELECT name, incarnation, end_offset, since, first FROM parvis_part"
            " WHERE room = ? ORDER BY name",
            (room,),
        )
    }


def _info(
    database: Database, id: int, name: str, created: float, creator: str, deleted: float | None
) -> RoomInfo:
    gone = deleted is not None
    return RoomInfo(
        room=name,
        created=created,
        creator=creator,
        deleted=deleted,
        parts={} if gone else _heads(database, id),
        size=0 if gone else int(database.execute(_SIZE, (id,)).fetchone()[0]),
    )
