"""Ownership: a document is handed over to somebody else."""

from __future__ import annotations

import logging

from parvis.plugins import Caller, ErrorCode, Refused, Statement

from .changes import Changes
from .notices import Notices
from .office import Office
from .rights import Rights
from .roles import EDIT

logger = logging.getLogger(__name__)


class Ownership:
    """Hands documents over."""

    def __init__(self, office: Office, rights: Rights, changes: Changes, notices: Notices) -> None:
        self._office = office
        self._rights = rights
        self._changes = changes
        self._notices = notices

    async def hand_over(self, caller: Caller, key: str, to: str) -> None:
        """Make somebody with an account the owner of a document; the old one becomes an editor.

        Both are told, but for the caller. The document stays in its space.

        Raises:
            Refused: ``PERMISSION_DENIED`` if the caller may not: only the owner may, and the owner
                of a space it is in; ``REFUSED`` if nobody has this id; ``CONFLICT`` if they own it
                already, or it is in the bin.
        """
        node, tenant = self._office.node, caller.tenant
        async with self._office.lock(tenant, f"owner:{key}"):
            at = await self._rights.owned(caller, key)
            if at.deleted is not None:
                raise Refused(ErrorCode.CONFLICT, "the document is in the bin; restore it first")
            people = await self._office.people(tenant)  # without accounts that are disabled
            person = people.get(to)
            if person is None:
                raise Refused(ErrorCode.REFUSED, "there is nobody with this id")
            if person.id == at.owner:
                raise Refused(ErrorCode.CONFLICT, "that person is the owner already")
            await node.execute(
                tenant,
                Statement("UPDATE docs_document SET owner = ? WHERE key = ?", (person.id, key)),
                Statement(
                    "DELETE FROM docs_member WHERE place = ? AND person = ?", (key, person.id)
                ),
                Statement(
                    "INSERT INTO docs_member VALUES (?, ?, ?, ?, ?)"
                    " ON CONFLICT (place, person) DO UPDATE SET rank = excluded.rank",
                    (key, at.owner, EDIT, caller.user, node.now()),
                ),
            )
            logger.info("docs/%s: %s made %s its owner, not %s", key, caller.user, to, at.owner)
        await self._changes.of(tenant, key)
        await self._notices.handed_over(caller, at, person)
