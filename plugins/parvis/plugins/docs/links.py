"""Links: whoever has one may enter a document, with an account or without."""

from __future__ import annotations

import base64
import hashlib
from typing import Any, Final

from parvis.plugins import Caller, ErrorCode, Guest, Refused, Statement

from .changes import Changes
from .office import Office, malformed, missing
from .rights import LINK, Rights
from .roles import ROLES, rank_of

MOST_LINKS: Final = 20
"""Links to one document that have not ended, at most."""

GUEST_NAME: Final = 60
"""Characters of the name that a guest chooses, at most."""

FAR: Final = 100 * 366 * 86_400.0
"""Seconds after which a link must have ended, if it ends."""


class Links:
    """Makes, changes and ends links, and lets people in by them."""

    def __init__(self, office: Office, rights: Rights, changes: Changes) -> None:
        self._office = office
        self._rights = rights
        self._changes = changes

    async def make(
        self, caller: Caller, key: str, role: str, expires: float | None
    ) -> dict[str, Any]:
        """Make a link; the secret is shown this once, the server keeps its digest."""
        await self._rights.require(caller, key, "share")
        rank = rank_of(role)
        node, id = self._office.node, self._office.new_key()
        secret = base64.urlsafe_b64encode(node.chance(24)).decode()
        now = node.now()
        _require_end(expires, now)
        if len(await self.listed(caller.tenant, key)) >= MOST_LINKS:
            raise Refused(ErrorCode.REFUSED, f"a document has at most {MOST_LINKS} links")
        row = (id, key, digest(secret), rank, expires, now, caller.user)
        sql = "INSERT INTO docs_link VALUES (?, ?, ?, ?, ?, NULL, ?, ?, NULL)"
        await node.execute(caller.tenant, Statement(sql, row))
        await self._note_end(caller.tenant, key, expires)
        return await self._link(caller.tenant, key, id) | {"secret": secret}

    async def change(
        self,
        caller: Caller,
        key: str,
        id: str,
        *,
        role: str | None,
        expires: float | None,
        sets_end: bool,
        adopt: bool,
    ) -> dict[str, Any]:
        """Change what a link grants, or until when, for everybody who came by it.

        Args:
            adopt: It is the caller's from now on: one that had stopped goes on.
        """
        await self._rights.require(caller, key, "share")
        await self._link(caller.tenant, key, id)
        statements: list[Statement] = []
        if role is not None:
            rank = rank_of(role)
            statements.append(Statement("UPDATE docs_link SET rank = ? WHERE id = ?", (rank, id)))
        if sets_end:
            _require_end(expires, self._office.node.now())
            sql = "UPDATE docs_link SET expires = ? WHERE id = ?"
            statements.append(Statement(sql, (expires, id)))
        if adopt:
            sql = "UPDATE docs_link SET by = ? WHERE id = ?"
            statements.append(Statement(sql, (caller.user, id)))
        if statements:
            await self._office.node.execute(caller.tenant, *statements)
            await self._changes.of(caller.tenant, key)
            await self._note_end(caller.tenant, key, expires)
        return await self._link(caller.tenant, key, id)

    async def _note_end(self, tenant: str, key: str, expires: float | None) -> None:
        """Have those who came by a link and are still here asked anew when it ends."""
        if expires is not None:
            name = f"ends:{key}:{expires}"
            await self._office.node.enqueue(tenant, name, key.encode(), due=expires + 0.1)

    async def revoke(self, caller: Caller, key: str, id: str) -> None:
        """End a link: whoever came by it is taken out, unless they may see the document anyway."""
        await self._rights.require(caller, key, "share")
        await self._link(caller.tenant, key, id)
        sql = "UPDATE docs_link SET revoked = ? WHERE id = ?"
        node = self._office.node
        await node.execute(caller.tenant, Statement(sql, (node.now(), id)))
        await self._changes.of(caller.tenant, key)

    async def _link(self, tenant: str, key: str, id: str) -> dict[str, Any]:
        for link in await self.listed(tenant, key):
            if link["id"] == id:
                return link
        raise Refused(ErrorCode.ROOM_NOT_FOUND, "the document has no such link")

    async def listed(self, tenant: str, key: str) -> list[dict[str, Any]]:
        """Return the links to a document that were not ended, oldest first, without secrets."""
        sql = (
            "SELECT id, rank, expires, created, by, stopped FROM docs_link"
            " WHERE document = ? AND revoked IS NULL ORDER BY created, id"
        )
        rows = await self._office.node.query(tenant, sql, key)
        names = await self._office.names(tenant, {str(row[4]) for row in rows})
        return [
            {
                "id": id,
                "role": ROLES[rank] if isinstance(rank, int) else "",
                "expires": expires,
                "created": created,
                "by": names[str(by)],
                "stopped": stopped is not None,
            }
            for id, rank, expires, created, by, stopped in rows
        ]

    async def follow(
        self, caller: Caller, key: str, secret: str, name: str
    ) -> tuple[Guest, float] | None:
        """Let somebody in who shows the secret of a link.

        Returns:
            For people without an account, their `parvis.plugins.Guest` and how many seconds it
            lasts; None for members, who keep what the link grants.

        Raises:
            Refused: ``ROOM_NOT_FOUND`` if the secret is not, or not any more, one of the document.
        """
        node = self._office.node
        now = node.now()
        sql = (
            "SELECT l.id, l.by, l.expires FROM docs_link l JOIN docs_document d"
            " ON d.key = l.document WHERE l.document = ? AND l.digest = ? AND l.revoked IS NULL"
            " AND l.stopped IS NULL"
            " AND (l.expires IS NULL OR l.expires > ?) AND d.deleted IS NULL"
        )
        rows = await node.query(caller.tenant, sql, key, digest(secret), now)
        if not rows:
            raise missing()
        link, host, expires = str(rows[0][0]), str(rows[0][1]), rows[0][2]
        if caller.anyone:
            return None
        if caller.member:
            sql = "INSERT INTO docs_follower VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
            await node.execute(caller.tenant, Statement(sql, (caller.user, link, now)))
            await self._changes.of(caller.tenant, key)
            return None
        name = " ".join(name.split())[:GUEST_NAME]
        if not name or not name.isprintable():
            raise malformed("say a name by which the others see you")
        seconds = self._office.settings.guest_hours * 3600
        if isinstance(expires, float):
            seconds = min(seconds, max(1.0, expires - now))
        guest = await node.guest(
            host, caller.tenant, name, [f"docs/{key}"], [LINK + link], seconds=seconds
        )
        await self._office.remember(guest.caller)
        return guest, guest.expires - now


def digest(secret: str) -> str:
    """Return what is kept of a link's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _require_end(expires: float | None, now: float) -> None:
    """Raise `Refused` for an end that is over, or so far that no calendar and no JSON has it."""
    if expires is not None and not now < expires < now + FAR:
        raise malformed("expected a time to come, within a hundred years")
