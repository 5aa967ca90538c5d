"""Commands: which name leads where, and what right each needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from parvis.plugins import Answer, Caller, ErrorCode, Refused, Request, Room, YDoc
from parvis.protocol.messages import Value

from .comments import Comments, Talk
from .documents import Documents
from .office import malformed
from .rights import Rights, Standing
from .versions import Versions

SLOW: Final = frozenset({"revert", "version.add"})
"""Commands that read the history; see `parvis.plugins.RoomType.beside`."""

Told = Callable[[Room[YDoc], Caller, Standing, Value], Awaitable[Talk]]
Done = Callable[[Room[YDoc], Caller, Value], Awaitable[tuple[Value, int]]]


@dataclass(frozen=True, slots=True)
class Doing:
    """What a command needs, and who does it."""

    needs: str
    do: Done


class Commands:
    """Does what peers ask of a document."""

    def __init__(
        self, rights: Rights, documents: Documents, comments: Comments, versions: Versions
    ) -> None:
        self._rights = rights
        self._documents = documents
        self._comments = comments
        self._talking: Mapping[str, Told] = {
            "comment.add": comments.add,
            "comment.reply": comments.reply,
            "comment.edit": comments.edit,
            "comment.delete": comments.delete,
            "comment.resolve": comments.resolve,
            "comment.reopen": comments.reopen,
            "comment.anchor": comments.anchor,
        }
        self._doing: Mapping[str, Doing] = {
            "rename": Doing("edit", self._rename),
            "version.add": Doing("edit", versions.add),
            "version.rename": Doing("edit", versions.rename),
            "version.delete": Doing("edit", versions.delete),
            "revert": Doing("edit", versions.revert),
        }

    async def do(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        """Do a command, in whatever part it was sent. Raises `Refused`."""
        if (tell := self._talking.get(command.name)) is not None:
            standing = await self._rights.require(caller, room.key, "comment")
            talk = await tell(room, caller, standing, command.body)
            await self._comments.told(caller, room.key, talk)
            return Answer(talk.answer, talk.offset)
        if (doing := self._doing.get(command.name)) is not None:
            await self._rights.require(caller, room.key, doing.needs)
            body, offset = await doing.do(room, caller, command.body)
            return Answer(body, offset)
        raise Refused(ErrorCode.UNKNOWN_COMMAND, f"documents take no {command.name[:40]!r}")

    async def _rename(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        title: Any = body.get("title") if isinstance(body, Mapping) else None
        if not isinstance(title, str):
            raise malformed("expected {title}")
        return {"title": title}, await self._documents.rename(caller, room, title)
