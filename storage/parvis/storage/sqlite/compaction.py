"""Compaction of a log: its older rows give way to one that is worth them all."""

from parvis.storage.api import Address
from parvis.storage.sqlite.files import Database
from parvis.storage.sqlite.rooms import PURGE_ROWS

_ROW = """
    SELECT part.id, length(log.body)
    FROM parvis_part AS part
    JOIN parvis_room AS room ON room.id = part.room
    JOIN parvis_log AS log ON log.part = part.id AND log."offset" = :through
    WHERE room.name = :room AND part.name = :part
        AND room.deleted IS NULL AND room.fence = :fence AND part.first <= :through
"""


def compact(
    database: Database, address: Address, fence: int, through: int, packing: int, base: bytes
) -> bool:
    """Let a log begin at one of its rows; False if fenced, gone, or there is no such row.

    Args:
        base: What the row holds from now on, packed.
    """
    row = database.execute(
        _ROW,
        {"room": address.room, "part": address.part, "fence": fence, "through": through},
    ).fetchone()
    if row is None:
        return False
    part, size = row
    database.execute(
        "UPDATE parvis_log SET body = ?, packing = ?, sender = ''"
        ' WHERE part = ? AND "offset" = ?',
        (base, packing, part, through),
    )
    database.execute(
        "UPDATE parvis_part SET first = ?, size = size + ? WHERE id = ?",
        (through, len(base) - size, part),
    )
    return True


def sweep(database: Database) -> bool:
    """Remove some rows that no log counts any more; True if there may be more.

    They are removed in steps, so that others' appends come in between. What a kill interrupted goes
    on when the file is opened again.
    """
    part = database.execute(
        "SELECT part.id FROM parvis_part AS part WHERE part.first > 1 AND EXISTS"
        ' (SELECT 1 FROM parvis_log WHERE part = part.id AND "offset" < part.first) LIMIT 1'
    ).fetchone()
    if part is None:
        return False
    gone = database.execute(
        'DELETE FROM parvis_log WHERE part = :part AND "offset" IN'
        ' (SELECT "offset" FROM parvis_log WHERE part = :part'
        ' AND "offset" < (SELECT first FROM parvis_part WHERE id = :part) LIMIT :rows)'
        " RETURNING length(body)",
        {"part": part[0], "rows": PURGE_ROWS},
    ).fetchall()
    database.execute(
        "UPDATE parvis_part SET size = size - ? WHERE id = ?",
        (sum(size for (size,) in gone), part[0]),
    )
    return True
