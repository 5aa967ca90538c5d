"""Named versions of a document, and going back to an earlier state as one more change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from pycrdt import Doc, Map

from parvis.plugins import Caller, ErrorCode, Refused, Room, YDoc
from parvis.protocol.messages import Value

from .contents import PATIENCE, TASKS
from .history import History
from .office import Office, malformed
from .remarks import ID
from .rights import Rights

NAME: Final = 200
"""Characters of a version's name, at most."""

VERSIONS: Final = 200
"""Of one document, at most."""


class Versions:
    """Does the commands about versions; whoever calls has found that the caller may edit."""

    def __init__(self, office: Office, rights: Rights, history: History) -> None:
        self._office = office
        self._rights = rights
        self._history = history

    async def add(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Name the present state, or that of an offset, and keep it."""
        given = _mapping(body)
        id, name, offset = _id(given), _name(given), given.get("offset")
        if offset is None:
            # What was sent before this command is in the log when this is.
            async with room.edit(caller) as edit:
                edit.require("SELECT 1")
            offset = edit.offset
        if not isinstance(offset, int):
            raise malformed("expected an offset of the log")
        node = self._office.node
        async with self._office.work(caller):
            merged = await self._history.at(caller, room.key, offset)
            state = await node.compute(f"{TASKS}:packed", [merged["log"]], timeout=PATIENCE)
        # Rights may have gone meanwhile, or the document into the bin.
        await self._rights.require(caller, room.key, "edit")
        now = node.now()
        async with (
            self._office.lock(room.tenant, room.key),
            room.edit(caller, "meta") as edit,
        ):
            versions = _versions(edit.document(YDoc).doc)
            if id not in versions:
                if len(versions) >= VERSIONS:
                    raise Refused(ErrorCode.REFUSED, f"a document has at most {VERSIONS} versions")
                versions[id] = {
                    "name": name,
                    "time": now,
                    "by": caller.user,
                    "name_by": caller.name,
                    "offset": offset,
                } | ({"guest": True} if caller.guest else {})
                edit.execute(
                    "INSERT INTO docs_version VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    *(room.key, id, offset, name, state, caller.user, now),
                )
            offset = int(cast("Mapping[str, Any]", versions[id])["offset"])
        return {"id": id, "offset": offset}, edit.offset

    async def rename(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Give a version another name."""
        given = _mapping(body)
        id, name = _id(given), _name(given)
        async with (
            self._office.lock(room.tenant, room.key),
            room.edit(caller, "meta") as edit,
        ):
            versions = _versions(edit.document(YDoc).doc)
            if id not in versions:
                raise Refused(ErrorCode.CONFLICT, "the version is not there any more")
            old = cast("Mapping[str, Any]", versions[id])
            if old["name"] != name:
                versions[id] = {**old, "name": name}
                sql = "UPDATE docs_version SET name = ? WHERE document = ? AND id = ?"
                edit.execute(sql, name, room.key, id)
        return {"id": id}, edit.offset

    async def delete(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Forget a version; the moment it named stays in the history."""
        id = _id(_mapping(body))
        async with (
            self._office.lock(room.tenant, room.key),
            room.edit(caller, "meta") as edit,
        ):
            versions = _versions(edit.document(YDoc).doc)
            if id in versions:
                del versions[id]
                sql = "DELETE FROM docs_version WHERE document = ? AND id = ?"
                edit.execute(sql, room.key, id)
        return {"id": id}, edit.offset

    async def revert(self, room: Room[YDoc], caller: Caller, body: Value) -> tuple[Value, int]:
        """Change the content back to what it was after an offset; nothing is taken out of the log.

        Blocks that are the same then and now keep their identity, and with it their comments and
        cursors. What others write meanwhile is merged, as with any change.
        """
        offset = _mapping(body).get("offset")
        if not isinstance(offset, int):
            raise malformed("expected an offset of the log")
        async with self._office.work(caller):
            update = await self._reverting(room, caller, offset)
        await self._rights.require(caller, room.key, "edit")
        async with room.edit(caller) as edit:
            edit.append(update)
        return {"from": offset}, edit.offset

    async def _reverting(self, room: Room[YDoc], caller: Caller, offset: int) -> bytes:
        then = await self._history.at(caller, room.key, offset)
        now = list(await room.state())
        update: bytes = await self._office.node.compute(
            f"{TASKS}:reverted", now, [then["log"]], timeout=PATIENCE
        )
        return update


def _versions(doc: Doc[Any]) -> Map[Any]:
    found: Map[Any] = doc.get("versions", type=Map[Any])
    return found


def _mapping(body: Value) -> Mapping[str, Value]:
    if not isinstance(body, Mapping):
        raise malformed("expected an object")
    return body


def _id(given: Mapping[str, Value]) -> str:
    id = given.get("id")
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise malformed("expected id to have 1 to 64 letters, digits, - and _")
    return id


def _name(given: Mapping[str, Value]) -> str:
    name = given.get("name")
    if not isinstance(name, str) or not 0 < len(" ".join(name.split())) <= NAME:
        raise malformed(f"a version's name has 1 to {NAME} characters")
    return " ".join(name.split())
