"""What follows from changes of the content: search, excerpt, mentions, the check of the schema."""

from __future__ import annotations

import logging
import math
from typing import Any

from parvis.plugins import Commit, ErrorCode, Refused, Statement

from .contents import PATIENCE, TASKS
from .notices import Notices
from .office import Office

logger = logging.getLogger(__name__)


class Upkeep:
    """Keeps rows about documents in step with their content, by durable jobs."""

    def __init__(self, office: Office, notices: Notices) -> None:
        self._office = office
        self._notices = notices

    async def committed(self, commit: Commit) -> None:
        """Note who changed a document when, and have it looked at once the pause is over."""
        changes = [row for row in commit.updates if row.update]
        if commit.part or not changes:
            return
        key, last = commit.room.partition("/")[2], changes[-1]
        node, pause = self._office.node, self._office.settings.index_pause
        # Rows of a log may be seen again after a crash, never in another order.
        sql = (
            "UPDATE docs_document SET committed = ?, updated = max(updated, ?), updated_by = ?"
            " WHERE key = ? AND committed < ?"
        )
        args = (last.offset, last.time, last.sender, key, last.offset)
        await node.execute(commit.tenant, Statement(sql, args))
        # One job for all changes of a pause. It is due when the pause is over, so that whatever
        # falls into it is there when the job begins; a later change makes another job.
        if pause > 0:
            turn = math.floor(node.now() / pause) + 1
            name, due = f"index:{key}:{turn}", turn * pause
        else:
            name, due = f"index:{key}:{last.offset}", 0.0
        await node.enqueue(commit.tenant, name, key.encode(), due=due)

    async def look(self, tenant: str, key: str) -> None:
        """Bring search, excerpt and mentions up to date, and check the content."""
        node = self._office.node
        sql = (
            "SELECT title, committed, indexed, updated_by, invalid FROM docs_document WHERE key = ?"
        )
        rows = await node.query(tenant, sql, key)
        if not rows:
            return
        title, committed, indexed, author, invalid = rows[0]
        if committed == indexed:
            return
        try:
            async with node.open(node.caller(tenant), key, vouched=True) as room:
                state = list(await room.state())
        except Refused as refusal:
            if refusal.code in (ErrorCode.ROOM_DELETED, ErrorCode.ROOM_NOT_FOUND):
                return
            raise
        said: dict[str, Any] = await node.compute(f"{TASKS}:describe", state, timeout=PATIENCE)
        problem = "; ".join(said["problems"])[:500]
        await node.execute(
            tenant,
            Statement(
                "UPDATE docs_document SET indexed = ?, excerpt = ?, invalid = ? WHERE key = ?",
                (committed, said["excerpt"], problem, key),
            ),
            Statement(
                "UPDATE docs_search SET body = ?"
                " WHERE rowid = (SELECT id FROM docs_document WHERE key = ?)",
                (said["text"], key),
            ),
        )
        await self._tell(tenant, key, str(title), str(author), said, problem, bool(invalid))

    async def _tell(
        self,
        tenant: str,
        key: str,
        title: str,
        author: str,
        said: dict[str, Any],
        problem: str,
        known: bool,
    ) -> None:
        if problem and not known:
            logger.warning("docs/%s: does not fit the schema: %s", key, problem)
            await self._notices.invalid(tenant, key, title, author, problem)
        if mentioned := frozenset(map(str, said["mentions"])) - {author}:
            person = await self._office.person(tenant, author)
            await self._notices.mentioned(tenant, key, title, person, mentioned)
