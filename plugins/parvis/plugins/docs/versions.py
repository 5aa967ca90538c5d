"""Named versions of a document as its page shows them, and going back as one more change.

The core keeps the versions; the part ``meta`` shows them to everybody who is in the document.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pycrdt import Doc, Map

from parvis.plugins import Caller, ErrorCode, Refused, Room, Version, YDoc
from parvis.protocol.messages import Value

from .office import Office, malformed
from .rights import Rights


class Versions:
    """Does the commands about versions; whoever calls has found that the caller may edit."""

    def __init__(self, office: Office, rights: Rights) -> None:
        self._office = office
        self._rights = rights

    async def add(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Name the present state, or that of an offset, and keep it."""
        given = _mapping(body)
        id, name, offset = _text(given, "id"), _text(given, "name"), given.get("offset")
        if offset is not None and not isinstance(offset, int):
            raise malformed("expected an offset of the log")
        async with self._office.work(caller):
            version = await self._office.node.history.name(
                caller,
                room.key,
                id=id,
                name=name,
                offset=offset,
                still=lambda: self._still(room, caller),
            )
        return {"id": version.id, "offset": version.offset}, room.heads["meta"]

    async def rename(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Give a version another name."""
        given = _mapping(body)
        id, name = _text(given, "id"), _text(given, "name")
        await self._office.node.history.rename(caller, room.key, id=id, name=name)
        return {"id": id}, room.heads["meta"]

    async def delete(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Forget a version; the moment it named stays in the history."""
        id = _text(_mapping(body), "id")
        await self._office.node.history.forget(caller, room.key, id=id)
        return {"id": id}, room.heads["meta"]

    async def revert(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Change the content back to what it was after an offset; nothing is taken out of the log.

        Blocks that are the same then and now keep their identity, and with it their comments and
        cursors. What others write meanwhile is merged, as with any change.
        """
        offset = _mapping(body).get("offset")
        if not isinstance(offset, int) or offset < 1:
            raise malformed("expected an offset of the log")
        async with self._office.work(caller):
            done = await self._office.node.history.restore(
                caller, room.key, offset=offset, still=lambda: self._still(room, caller)
            )
        return {"from": offset}, done.offset

    async def _still(self, room: Room[YDoc], caller: Caller) -> None:
        # Rights may have gone meanwhile, or the document into the bin.
        await self._rights.require(caller, room.key, "edit")

    async def show(
        self, room: Room[YDoc], caller: Caller, id: str, version: Version | None
    ) -> None:
        """Show a version that was named or renamed, or that it is not there any more."""
        async with (
            self._office.lock(room.tenant, room.key),
            room.edit(caller, "meta") as edit,
        ):
            versions = _versions(edit.document(YDoc).doc)
            old = cast("Mapping[str, Any] | None", versions.get(id))
            if version is None:
                if old is not None:
                    del versions[id]
            elif old is None:
                versions[id] = {
                    "name": version.name,
                    "time": version.time,
                    "by": caller.user,
                    "name_by": caller.name,
                    "offset": version.offset,
                } | ({"guest": True} if caller.guest else {})
            elif old["name"] != version.name:
                versions[id] = {**old, "name": version.name}


def _versions(doc: Doc[Any]) -> Map[Any]:
    found: Map[Any] = doc.get("versions", type=Map[Any])
    return found


def _mapping(body: Value) -> Mapping[str, Value]:
    if not isinstance(body, Mapping):
        raise malformed("expected an object")
    return body


def _text(given: Mapping[str, Value], name: str) -> str:
    text = given.get(name)
    if not isinstance(text, str):
        raise Refused(ErrorCode.MALFORMED, f"expected {name}")
    return text
