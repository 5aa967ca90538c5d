"""The room type that is simulated: a document, an ordered part, and rights that can be taken."""

from __future__ import annotations

from typing import Final

from pycrdt import Map

from parvis.plugins import (
    EDITOR,
    NOTHING,
    VIEWER,
    Access,
    Answer,
    Caller,
    Migration,
    OpaqueLog,
    Part,
    Request,
    Room,
    RoomType,
    YDoc,
)
from tests.simulation.history import History

TENANT: Final = "t"
ROOM: Final = "ground/g"

ACCESS: Final = {"writer": EDITOR, "viewer": VIEWER, "stranger": NOTHING}
"""What each role may do."""


class Ground(RoomType[YDoc]):
    """Rooms in which everybody has a role.

    Attributes:
        roles: User id to a role of `ACCESS`; the world changes it.
    """

    name = "ground"
    replica = YDoc
    parts = {"log": Part(OpaqueLog, read="view", write="edit")}  # noqa: RUF012  as the base class has it

    migrations = (
        Migration(1, "notes", {"sqlite": "CREATE TABLE ground_notes (note TEXT NOT NULL) STRICT"}),
    )

    def __init__(self, roles: dict[str, str], history: History) -> None:
        super().__init__()
        self.roles = roles
        self._history = history

    async def on_command(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        """Note something in the document and in a table, in one transaction."""
        note = str(command.body)
        async with room.edit(caller) as edit:
            document = edit.document(YDoc).doc
            self._history.server_clients.add(document.client_id)
            notes: Map[bool] = document.get("notes", type=Map)
            notes[note] = True
            edit.execute("INSERT INTO ground_notes VALUES (?)", note)
        return Answer(None, edit.offset)

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return ACCESS[self.roles.get(caller.user, "stranger")]
