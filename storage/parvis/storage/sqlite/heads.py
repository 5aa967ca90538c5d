"""Where a log ends, as an append finds it and leaves it."""

from dataclasses import dataclass

from parvis.storage.api import Appended, Batch, Status
from parvis.storage.sqlite.files import Database

ADVANCE = "UPDATE parvis_part SET end_offset = ?, size = size + ? WHERE id = ?"

_HEAD = """
    SELECT room.id, room.fence, room.deleted IS NOT NULL, part.id, coalesce(part.end_offset, 0)
    FROM parvis_room AS room
    LEFT JOIN parvis_part AS part ON part.room = room.id AND part.name = ?
    WHERE room.name = ?
"""
_NEW_PART = "INSERT INTO parvis_part (room, name) VALUES (?, ?)"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a batch would go; `room` is 0 if there is none."""

    room: int = 0
    fence: int = 0
    deleted: bool = False
    part: int | None = None
    end: int = 0

    @classmethod
    def of(cls, database: Database, batch: Batch) -> "Head":
        row = database.execute(_HEAD, (batch.part, batch.room)).fetchone()
        return cls() if row is None else cls(*row)

    def refuses(self, batch: Batch) -> Appended | None:
        """Return the answer to a batch that has no place here; None if it has."""
        if not self.room:
            return Appended(Status.GONE, detail="no such room")
        if self.deleted:
            return Appended(Status.GONE, detail="the room was deleted")
        if self.fence != batch.fence:
            detail = f"the room's fence is {self.fence}, the caller's {batch.fence}"
            return Appended(Status.FENCED, end=self.end, detail=detail)
        return None


def new_part(database: Database, room: int, batch: Batch) -> int:
    """Give a part its id, with its first entry."""
    part = database.execute(_NEW_PART, (room, batch.part)).lastrowid
    assert part is not None
    return part
