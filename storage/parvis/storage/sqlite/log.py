"""The log of a part: pages of it, its snapshot, and what was set aside from it."""

from parvis.storage.api import Address, LoggedUpdate, Quarantined, Snapshot
from parvis.storage.errors import StorageError
from parvis.storage.packing import PackedSnapshot, unpack
from parvis.storage.sqlite.files import Database

_PART = """
    (SELECT part.id FROM parvis_part AS part JOIN parvis_room AS room ON room.id = part.room
     WHERE room.name = ? AND part.name = ? AND room.deleted IS NULL)
"""
_WHICH = """
    SELECT part.id, part.first FROM parvis_part AS part JOIN parvis_room AS room
    ON room.id = part.room WHERE room.name = ? AND part.name = ? AND room.deleted IS NULL
"""
_FORWARD = """
    SELECT "offset", body, sender, time, key, packing FROM parvis_log
    WHERE part = ?1 AND "offset" > max(?2, ?3 - 1) ORDER BY "offset" LIMIT ?4
"""
_BACK = """
    SELECT "offset", body, sender, time, key, packing FROM parvis_log
    WHERE part = ?1 AND "offset" < ?2 AND "offset" >= ?3 ORDER BY "offset" DESC LIMIT ?4
"""
_LAST = 2**63 - 1


def read(
    database: Database, address: Address, after: int, limit: int, max_bytes: int
) -> list[LoggedUpdate]:
    """Return the rows after an offset, in order: at least one if there is one."""
    return _page(database, _FORWARD, address, after, limit, max_bytes)


def read_back(
    database: Database, address: Address, before: int | None, limit: int, max_bytes: int
) -> list[LoggedUpdate]:
    """Return the rows before an offset, newest first: at least one if there is one."""
    return _page(database, _BACK, address, _LAST if before is None else before, limit, max_bytes)


def snapshot(database: Database, address: Address) -> Snapshot | None:
    """Return the snapshot of the part's current incarnation."""
    row = database.execute(
        'SELECT snapshot.incarnation, snapshot."offset", packing, state, side, digest'
        " FROM parvis_snapshot AS snapshot JOIN parvis_part AS part ON part.id = snapshot.part"
        f" WHERE part.id = {_PART} AND part.incarnation = snapshot.incarnation",
        (address.room, address.part),
    ).fetchone()
    return None if row is None else PackedSnapshot(*row).unpacked(address)


def save_snapshot(database: Database, address: Address, fence: int, new: PackedSnapshot) -> bool:
    """Keep a snapshot; False if fenced, older than the present one, or not of this log."""
    row = database.execute(
        "SELECT part.id FROM parvis_part AS part JOIN parvis_room AS room ON room.id = part.room"
        " WHERE room.name = ? AND part.name = ? AND room.deleted IS NULL AND room.fence = ?"
        " AND part.incarnation = ? AND part.end_offset >= ?",
        (address.room, address.part, fence, new.incarnation, new.offset),
    ).fetchone()
    if row is None:
        return False
    kept = database.execute(
        'INSERT INTO parvis_snapshot (part, incarnation, "offset", packing, state, side, digest)'
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (part) DO UPDATE SET"
        ' incarnation = excluded.incarnation, "offset" = excluded."offset",'
        " packing = excluded.packing, state = excluded.state, side = excluded.side,"
        " digest = excluded.digest"
        ' WHERE (parvis_snapshot.incarnation, parvis_snapshot."offset")'
        ' <= (excluded.incarnation, excluded."offset")',
        (row[0], new.incarnation, new.offset, new.packing, new.kept, new.index, new.mark),
    ).rowcount
    return kept > 0


def quarantine(database: Database, poison: Quarantined) -> None:
    """Keep a poison update, and empty the row where it stands."""
    database.execute(
        'INSERT INTO parvis_quarantine (room, part, "offset", body, digest, sender, time, reason)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            poison.room,
            poison.part,
            poison.offset,
            poison.update,
            poison.digest,
            poison.sender,
            poison.time,
            poison.reason,
        ),
    )
    row = database.execute(
        f'SELECT part, body, packing FROM parvis_log WHERE part = {_PART} AND "offset" = ?',
        (poison.room, poison.part, poison.offset),
    ).fetchone()
    if row is not None and unpack(row[2], row[1]) == poison.update:
        database.execute(
            "UPDATE parvis_log SET body = x'', packing = 0 WHERE part = ? AND \"offset\" = ?",
            (row[0], poison.offset),
        )
        database.execute(
            "UPDATE parvis_part SET size = size - ? WHERE id = ?", (len(row[1]), row[0])
        )


def quarantined(database: Database, room: str | None) -> list[Quarantined]:
    """List what was set aside, oldest first."""
    rows = database.execute(
        'SELECT room, part, "offset", body, digest, sender, time, reason FROM parvis_quarantine'
        " WHERE ?1 IS NULL OR room = ?1 ORDER BY time, id",
        (room,),
    )
    return [Quarantined(*row) for row in rows]


def release(database: Database, poison: Quarantined) -> bool:
    """Forget an update that was set aside; False if it was not there."""
    gone = database.execute(
        'DELETE FROM parvis_quarantine WHERE room = ? AND part = ? AND "offset" = ? AND digest = ?',
        (poison.room, poison.part, poison.offset, poison.digest),
    )
    return gone.rowcount > 0


def _page(
    database: Database, sql: str, address: Address, place: int, limit: int, max_bytes: int
) -> list[LoggedUpdate]:
    part = database.execute(_WHICH, (address.room, address.part)).fetchone()
    if part is None:
        return []
    rows: list[LoggedUpdate] = []
    size = 0
    cursor = database.execute(sql, (part[0], place, part[1], max(1, limit)))
    for offset, body, sender, time, key, packing in cursor:
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
    cursor.close()
    return rows
