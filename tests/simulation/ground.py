"""The room type that is simulated: a document, an ordered part, and rights that can be taken."""

from __future__ import annotations

from typing import Final

from parvis.plugins import EDITOR, NOTHING, VIEWER, Access, Caller, OpaqueLog, Part, RoomType, YDoc

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

    def __init__(self, roles: dict[str, str]) -> None:
        super().__init__()
        self.roles = roles

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return ACCESS[self.roles.get(caller.user, "stranger")]
