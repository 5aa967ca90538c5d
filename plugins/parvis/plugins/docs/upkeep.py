"""What follows from changes of the content: search, excerpt, mentions, the check of the schema."""

from __future__ import annotations

import logging
import math
from typing import Any, Final

from parvis.plugins import Commit, ErrorCode, Refused, Statement

from .contents import TASKS
from .notices import Notices
from .office import Office

LONGEST: Final = 30.0
"""Seconds that looking at a document may take; a job's lease is twice as long."""

SLOW: Final = 5.0
"""Seconds after which a document is looked at less often; to start a helper takes one."""

SHARE: Final = 20
"""A slow document may take so small a part of the time of the queue: a twentieth."""

KEPT: Final = 1_000
"""Documents whose slowness is remembered."""

logger = logging.getLogger(__name__)


class Upkeep:
    """Keeps rows about documents in step with their content, by durable jobs."""

    def __init__(self, office: Office, notices: Notices) -> None:
        self._office = office
        self._notices = notices
        self._slow: dict[tuple[str, str], float] = {}

    async def committed(self, commit: Commit) -> None:
        """Note who changed a document when, and have it looked at once the pause is over."""
        changes = [row for row in commit.updates if row.update]
        if commit.part or not changes:
            return
        key, last = commit.room.partition("/")[2], changes[-1]
        node = self._office.node
        pause = max(self._office.settings.index_pause, self._slow.get((commit.tenant, key), 0.0))
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

    def _note(self, tenant: str, key: str, took: float) -> None:
        """Look the more rarely at a document the longer that takes: all wait in one queue."""
        self._slow.pop((tenant, key), None)
        if took > SLOW:
            if len(self._slow) >= KEPT:
                self._slow.clear()
            self._slow[tenant, key] = took * SHARE

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
        begun = node.now()
        try:
            said: dict[str, Any] = await node.compute(
                f"{TASKS}:describe", state, timeout=LONGEST, upkeep=True
            )
        except Refused as refusal:
            if refusal.code is not ErrorCode.TOO_LARGE:
                raise
            # Again would take as long; until it changes, the search knows it as it was.
            logger.warning("docs/%s: too large for the search", key)
            sql = "UPDATE docs_document SET indexed = ? WHERE key = ?"
            await node.execute(tenant, Statement(sql, (committed, key)))
            return
        finally:
            self._note(tenant, key, node.now() - begun)
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
