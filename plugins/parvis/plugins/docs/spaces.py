"""Spaces: folders in a tree, whose members are members of everything in them."""

from __future__ import annotations

from typing import Any, Final

from parvis.plugins import Caller, ErrorCode, Refused, Statement, straight

from .changes import Changes
from .listing import REACH
from .office import Office, malformed
from .rights import BELOW, Rights
from .roles import EDIT, OWN, ROLES

NAME: Final = 100
"""Characters of a name, at most."""

DEPTH: Final = 16
"""Levels of spaces in each other, at most."""

SPACES: Final = (
    REACH
    + """,
best (space, rank) AS (SELECT space, max(rank) FROM reach GROUP BY space)
SELECT s.id, s.name, CASE WHEN s.parent IN (SELECT space FROM reach) THEN s.parent END,
    best.rank, s.owner,
    (SELECT count(*) FROM docs_document WHERE space = s.id AND deleted IS NULL),
    s.id IN (SELECT space FROM open_space)
FROM best JOIN docs_space s ON s.id = best.space
"""
)


class Spaces:
    """What happens to spaces."""

    def __init__(self, office: Office, rights: Rights, changes: Changes) -> None:
        self._office = office
        self._rights = rights
        self._changes = changes

    async def seen(self, caller: Caller) -> list[dict[str, Any]]:
        """Return the spaces that a caller may see, by name."""
        if not (caller.member or caller.anyone):
            return []
        return await self._shown(caller, SPACES + "ORDER BY lower(s.name), s.id")

    async def show(self, caller: Caller, id: str) -> dict[str, Any]:
        """Return a space that the caller may see."""
        return (await self._shown(caller, SPACES + "WHERE s.id = ?", id))[0]

    async def _shown(self, caller: Caller, sql: str, *args: str) -> list[dict[str, Any]]:
        node = self._office.node
        person = await self._rights.identity(caller)
        rows = await node.query(caller.tenant, sql, person, caller.anyone, node.now(), *args)
        names = await self._office.names(caller.tenant, {str(row[4]) for row in rows})
        return [
            {
                "id": id,
                "name": name,
                "parent": parent,
                "role": ROLES[int(rank)] if isinstance(rank, int) else "",
                "owner": names[str(owner)],
                "documents": documents,
                "shared": bool(shared) or owner != person,
            }
            for id, name, parent, rank, owner, documents, shared in rows
        ]

    async def create(self, caller: Caller, name: str, parent: str | None) -> dict[str, Any]:
        """Make a space, inside another one or at the top."""
        if not (caller.member or caller.anyone):
            raise Refused(ErrorCode.PERMISSION_DENIED, "only people with an account make spaces")
        name, id, node = _name(name), self._office.new_key(), self._office.node
        async with self._office.lock(caller.tenant, "spaces"):
            if parent is not None:
                await self._rights.space(caller, parent, EDIT)
                await self._require_room(caller, id, parent)
            sql = "INSERT INTO docs_space VALUES (?, ?, ?, ?, ?)"
            row = (id, name, parent, caller.user, node.now())
            await node.execute(caller.tenant, Statement(sql, row))
        return await self.show(caller, id)

    async def change(
        self,
        caller: Caller,
        id: str,
        *,
        name: str | None = None,
        parent: str | None = None,
        moves: bool = False,
    ) -> dict[str, Any]:
        """Rename a space, or move it with all that is in it; None as `parent`: to the top."""
        node = self._office.node
        async with self._office.lock(caller.tenant, "spaces"):
            await self._rights.space(caller, id, OWN if moves else EDIT)
            if moves and parent is not None:
                await self._rights.space(caller, parent, EDIT)
                await self._require_room(caller, id, parent)
            statements: list[Statement] = []
            if name is not None:
                sql = "UPDATE docs_space SET name = ? WHERE id = ?"
                statements.append(Statement(sql, (_name(name), id)))
            if moves:
                sql = "UPDATE docs_space SET parent = ? WHERE id = ?"
                statements.append(Statement(sql, (parent, id)))
            if statements:
                await node.execute(caller.tenant, *statements)
        if moves:
            await self._changes.below(caller.tenant, id)
        return await self.show(caller, id)

    async def delete(self, caller: Caller, id: str) -> None:
        """Delete a space that holds nothing; what is in the bin belongs to no space then."""
        await self._rights.space(caller, id, OWN)
        node = self._office.node
        async with self._office.lock(caller.tenant, "spaces"):
            held = (
                "SELECT EXISTS (SELECT 1 FROM docs_document WHERE space = ? AND deleted IS NULL)"
                " OR EXISTS (SELECT 1 FROM docs_space WHERE parent = ?)"
            )
            if (await node.query(caller.tenant, held, id, id))[0][0]:
                raise Refused(
                    ErrorCode.CONFLICT, "there is something in this space; move or bin it first"
                )
            binned = await node.query(caller.tenant, BELOW, id)
            await node.execute(
                caller.tenant,
                Statement("UPDATE docs_document SET space = NULL WHERE space = ?", (id,)),
                Statement("DELETE FROM docs_member WHERE place = ?", (id,)),
                Statement("DELETE FROM docs_invited WHERE place = ?", (id,)),
                Statement("DELETE FROM docs_space WHERE id = ?", (id,)),
            )
        for (key,) in binned:
            await self._changes.of(caller.tenant, str(key))

    async def _require_room(self, caller: Caller, id: str, parent: str) -> None:
        """Raise `Refused` if a space cannot go there: into itself, or too deep."""
        above = (
            "WITH RECURSIVE above (space, level) AS (SELECT ?, 1 UNION"
            " SELECT s.parent, level + 1 FROM above JOIN docs_space s ON s.id = above.space"
            " WHERE s.parent IS NOT NULL AND level < 100) SELECT space FROM above"
        )
        below = (
            "WITH RECURSIVE below (space, level) AS (SELECT ?, 1 UNION"
            " SELECT s.id, level + 1 FROM below JOIN docs_space s ON s.parent = below.space"
            " WHERE level < 100) SELECT max(level) FROM below"
        )
        node = self._office.node
        parents = [row[0] for row in await node.query(caller.tenant, above, parent)]
        if id in parents:
            raise Refused(ErrorCode.CONFLICT, "a space cannot be moved into itself")
        levels = (await node.query(caller.tenant, below, id))[0][0]
        if len(parents) + (levels if isinstance(levels, int) else 1) > DEPTH:
            raise Refused(ErrorCode.CONFLICT, f"spaces go {DEPTH} levels deep at most")


def _name(text: str) -> str:
    name = " ".join(straight(text).split())
    if not 0 < len(name) <= NAME:
        raise malformed(f"a space's name has 1 to {NAME} characters")
    return name
