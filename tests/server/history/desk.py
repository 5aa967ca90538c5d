"""Room types whose past is looked into, and people who type in their rooms."""

from __future__ import annotations

from typing import Any

from pycrdt import Doc, Text

from parvis.plugins import (
    EDITOR,
    VIEWER,
    Access,
    Caller,
    OpaqueLog,
    Part,
    RoomType,
    YDoc,
)
from parvis.protocol.messages import Changed
from parvis.server.testing import Lobby, Visitor

SECRET = "desk.secret"


class Desk(RoomType[YDoc]):
    """Ada and bob may write; cy may read; dan may read and look back; eve may nothing."""

    name = "desk"
    replica = YDoc
    parts = {  # noqa: RUF012  as the base class has it
        "notes": Part(YDoc, history=SECRET),
        "sealed": Part(OpaqueLog),
    }

    def __init__(self, settings: object = None) -> None:
        super().__init__(settings)
        self.rights = {
            "ada": EDITOR,
            "bob": EDITOR,
            "cy": VIEWER,
            "dan": VIEWER | Access.of(["history"]),
        }

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return self.rights.get(caller.user, Access())


class Typist:
    """Somebody who types into the text of a document, and sees what others type."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.doc: Doc[Any] = Doc()
        self.text: Text = self.doc.get("text", type=Text)
        for update in visitor.joined.updates:
            self.doc.apply_update(update)

    def read(self) -> str:
        """Take in what came, and return the text."""
        for message in [m for m in self.visitor.received if isinstance(m, Changed)]:
            self.visitor.received.remove(message)
            self.doc.apply_update(message.update)
        return str(self.text)

    async def type(self, text: str, at: int | None = None) -> None:
        self.read()
        before = self.doc.get_state()
        self.text.insert(len(str(self.text).encode()) if at is None else at, text)
        await self.visitor.update(self.doc.get_update(before))

    async def erase(self, start: int, end: int) -> None:
        self.read()
        made: list[bytes] = []
        observed = self.doc.observe(lambda event: made.append(event.update))
        del self.text[start:end]
        self.doc.unobserve(observed)
        await self.visitor.update(made[0])


async def typist(lobby: Lobby, who: str) -> Typist:
    return Typist(await lobby.join(who))


def text_of(update: bytes) -> str:
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    return str(doc.get("text", type=Text))
