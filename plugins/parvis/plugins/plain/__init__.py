"""Plain documents: a Yjs document with whatever roots an application defines."""

from dataclasses import dataclass
from typing import Literal

from parvis.plugins import EDITOR, NOTHING, OWNER, VIEWER, Access, Caller, RoomType, YDoc

__all__ = ["MEMBERS", "Plain", "PlainSettings"]


@dataclass(frozen=True, slots=True)
class PlainSettings:
    """``[rooms.plain]``.

    Attributes:
        members: What people with an account may do in every plain document of their tenant;
            holders of a room token may do what the token says.
    """

    members: Literal["edit", "view", "nothing"] = "edit"


MEMBERS = {"edit": EDITOR, "view": VIEWER, "nothing": NOTHING}


class Plain(RoomType[YDoc]):
    """Rooms addressed as ``plain/<key>``: any Yjs app moves here by changing a URL."""

    name = "plain"
    replica = YDoc
    rebuilds = frozenset([""])
    Settings = PlainSettings
    takes_any = True

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        if caller.anyone or caller.admin:
            return OWNER
        access = caller.granted(f"plain/{key}")
        if caller.member:
            access |= MEMBERS[self.settings.members]
        return access
