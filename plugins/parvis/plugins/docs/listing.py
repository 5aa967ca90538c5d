"""Documents as they are listed: one query over all that a person may see, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from parvis.plugins import Caller, SqlValue

from .office import Office, malformed
from .rights import LIVE, Standing
from .roles import OWN, ROLES, access_of

PAGE: Final = 100
"""Documents in one answer, at most."""

REACH: Final = """
WITH RECURSIVE me (person, anyone, now) AS (SELECT ?, ?, ?),
reach (space, rank) AS (
    SELECT id, 4 FROM docs_space WHERE (SELECT anyone FROM me)
    UNION
    SELECT id, 4 FROM docs_space WHERE owner = (SELECT person FROM me)
    UNION
    SELECT s.id, m.rank FROM docs_member m JOIN docs_space s ON s.id = m.place
        WHERE m.person = (SELECT person FROM me)
    UNION
    SELECT child.id, reach.rank FROM reach JOIN docs_space child ON child.parent = reach.space
),
open_space (space) AS (
    SELECT s.id FROM docs_space s WHERE EXISTS (SELECT 1 FROM docs_member WHERE place = s.id)
        OR EXISTS (SELECT 1 FROM docs_invited WHERE place = s.id)
    UNION
    SELECT child.id FROM open_space JOIN docs_space child ON child.parent = open_space.space
)"""
"""The spaces that a person reaches, with their rank in each; those that several people share."""

MAY: Final = (
    REACH
    + f""",
claim (document, rank) AS (
    SELECT key, 4 FROM docs_document WHERE (SELECT anyone FROM me)
    UNION ALL
    SELECT key, 4 FROM docs_document WHERE owner = (SELECT person FROM me)
    UNION ALL
    SELECT m.place, m.rank FROM docs_member m WHERE m.person = (SELECT person FROM me)
    UNION ALL
    SELECT l.document, l.rank FROM me JOIN docs_follower f ON f.person = me.person
        JOIN docs_link l ON l.id = f.link WHERE {LIVE}
    UNION ALL
    SELECT d.key, reach.rank FROM reach JOIN docs_document d ON d.space = reach.space
),
may (document, rank) AS (SELECT document, max(rank) FROM claim GROUP BY document)"""
)
"""Every document that a person may see, with their rank in it."""

ONE: Final = (
    REACH
    + """,
may (document, rank) AS (SELECT ?, ?)"""
)
"""A single document, whose rank is known."""

COLUMNS: Final = f"""
    d.key, d.title, may.rank, d.owner,
    CASE WHEN d.space IN (SELECT space FROM reach) THEN d.space END,
    d.editors_share, d.created, d.updated, d.updated_by, opened.time, d.deleted, d.excerpt,
    EXISTS (SELECT 1 FROM docs_member WHERE place = d.key)
        OR EXISTS (SELECT 1 FROM docs_invited WHERE place = d.key)
        OR EXISTS (SELECT 1 FROM docs_link, me WHERE document = d.key AND {LIVE})
        OR coalesce(d.space IN (SELECT space FROM open_space), FALSE)
        OR EXISTS (SELECT 1 FROM docs_space WHERE id = d.space AND owner <> d.owner)"""

FROM: Final = """
FROM may JOIN docs_document d ON d.key = may.document
    LEFT JOIN docs_opened opened ON opened.document = d.key
        AND opened.person = (SELECT person FROM me)"""


@dataclass(frozen=True, slots=True)
class View:
    """A way to list documents: which ones, and by what they are sorted, newest first."""

    where: str
    by: str


THERE: Final = "d.deleted IS NULL"

VIEWS: Final[Mapping[str, View]] = {
    "recent": View(
        f"{THERE} AND (opened.time IS NOT NULL OR (SELECT anyone FROM me))",
        "coalesce(opened.time, d.updated)",
    ),
    "mine": View(
        f"{THERE} AND (d.owner = (SELECT person FROM me) OR (SELECT anyone FROM me))", "d.updated"
    ),
    "shared": View(
        f"{THERE} AND d.owner <> (SELECT person FROM me) AND NOT (SELECT anyone FROM me)",
        "d.updated",
    ),
    "bin": View(f"d.deleted IS NOT NULL AND may.rank = {OWN}", "d.deleted"),
    "space": View(f"{THERE} AND d.space = ?", "d.updated"),
}


class Listing:
    """Makes documents as the HTTP API shows them."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def page(
        self, caller: Caller, person: str, view: str, space: str, after: str, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return some of the documents of a view, and the cursor of the next page, if any.

        A cursor names a place in the order, so what is added or taken away meanwhile neither
        repeats nor hides what stays where it is.
        """
        shape = VIEWS[view]
        where = shape.where
        args: list[SqlValue] = [space] if view == "space" else []
        if after:
            time, key = _place(after)
            where += f" AND ({shape.by}, d.key) < (?, ?)"
            args = [*args, time, key]
        limit = max(1, min(limit, PAGE))
        sql = (
            f"{MAY} SELECT {COLUMNS}, {shape.by} {FROM} WHERE {where}"
            f" ORDER BY {shape.by} DESC, d.key DESC LIMIT ?"
        )
        rows = await self._rows(caller, person, sql, *args, limit + 1)
        following = None
        if len(rows) > limit:
            rows = rows[:limit]
            following = _cursor(rows[-1][-1], rows[-1][0])
        return await self.shown(caller.tenant, rows), following

    async def one(self, caller: Caller, person: str, standing: Standing) -> dict[str, Any]:
        """Return a document whose standing has just been asked."""
        sql = f"{ONE} SELECT {COLUMNS} {FROM}"
        rows = await self._rows(caller, person, sql, standing.key, standing.rank)
        document = (await self.shown(caller.tenant, rows))[0]
        # A room token may allow less, or more, than the person's own role.
        document["capabilities"] = sorted(standing.access.capabilities)
        document["role"] = standing.role
        return document

    async def _rows(
        self, caller: Caller, person: str, sql: str, *args: SqlValue
    ) -> Sequence[tuple[SqlValue, ...]]:
        node = self._office.node
        return await node.query(caller.tenant, sql, person, caller.anyone, node.now(), *args)

    async def shown(self, tenant: str, rows: Sequence[Sequence[SqlValue]]) -> list[dict[str, Any]]:
        """Return rows of `COLUMNS` as the HTTP API shows documents."""
        ids = {str(row[at]) for row in rows for at in (3, 8) if row[at]}
        names = await self._office.names(tenant, ids)
        return [_document(row, names) for row in rows]


def _document(row: Sequence[SqlValue], names: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    (key, title, rank, owner, space, editors_share, created, updated, by, opened, deleted) = row[
        :11
    ]
    assert isinstance(rank, int)
    access = access_of(rank, editors_share=bool(editors_share), in_bin=deleted is not None)
    return {
        "key": key,
        "title": title,
        "role": ROLES[rank],
        "capabilities": sorted(access.capabilities),
        "owner": names[str(owner)],
        "space": space,
        "created": created,
        "updated": updated,
        "updated_by": names[str(by)] if by else None,
        "opened": opened,
        "deleted": deleted,
        "shared": bool(row[12]),
        "excerpt": row[11],
    }


def _cursor(time: SqlValue, key: SqlValue) -> str:
    return base64.urlsafe_b64encode(json.dumps([time, key]).encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[float, str]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        time, key = cast("list[object]", json.loads(base64.urlsafe_b64decode(padded)))
        if isinstance(time, int | float) and isinstance(key, str) and key.isascii():
            return float(time), key
    except (ValueError, TypeError, OverflowError, RecursionError, binascii.Error):
        pass
    raise malformed("that is no cursor of this list")
