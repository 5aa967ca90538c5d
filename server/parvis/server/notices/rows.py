"""The rows of notices, in the tables of each tenant."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parvis.plugins import Notice, Words, migrations_in
from parvis.storage import SqlValue, Statement, Store

PLUGIN: Final = "parvis.notices"
"""Whose tables these are; no room type's name has a dot."""

MOST: Final = 500
"""Notices that are kept of one person; the oldest go first."""

_KEPT: Final = 'number, id, "user", key, kind, words, path, actor, time, mail, mailed, read'


@dataclass(frozen=True, slots=True)
class Kept:
    """A notice as it is kept.

    Attributes:
        number: Grows with each notice of the tenant.
        mailed: Seconds since 1970 when a letter about it went out; None: none did.
        read: Seconds since 1970 when the person read it; None: not yet.
    """

    number: int
    id: str
    user: str
    key: str
    kind: str
    words: Mapping[str, Words]
    path: str
    actor: str
    time: float
    mail: bool
    mailed: float | None
    read: float | None

    def said(self, language: str) -> Words:
        """Return its words in a language, or in English."""
        return self.words.get(language) or self.words["en"]


class Rows:
    """Reads and writes notices."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def prepare(self) -> None:
        """Bring the tables up to date, in every tenant."""
        await self._store.migrate(PLUGIN, migrations_in("parvis.server.notices"))

    async def add(self, tenant: str, id: str, notice: Notice, now: float) -> Kept | None:
        """Keep a notice, unless there is one of the same user and key; return what is kept now.

        None: it is one of those that went, because there are so many newer ones.
        """
        words = {
            language: {"subject": each.subject, "text": each.text}
            for language, each in notice.words.items()
        }
        values = (id, notice.user, notice.key, notice.kind, json.dumps(words, ensure_ascii=False),
                  notice.path, notice.actor, now, int(notice.mail))  # fmt: skip
        await self._store.execute(
            tenant,
            (
                Statement(
                    "INSERT INTO core_notice"
                    ' (id, "user", key, kind, words, path, actor, time, mail)'
                    ' VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ("user", key) DO NOTHING',
                    values,
                ),
                Statement(
                    'DELETE FROM core_notice WHERE "user" = ? AND number <= (SELECT number FROM'
                    ' core_notice WHERE "user" = ? ORDER BY number DESC LIMIT 1 OFFSET ?)',
                    (notice.user, notice.user, MOST),
                ),
            ),
        )
        found = await self._find(tenant, '"user" = ? AND key = ?', notice.user, notice.key)
        return found[0] if found else None

    async def get(self, tenant: str, id: str) -> Kept | None:
        """Return a notice by its id."""
        found = await self._find(tenant, "id = ?", id)
        return found[0] if found else None

    async def page(self, tenant: str, user: str, *, before: int, limit: int) -> list[Kept]:
        """Return a person's notices below a number, newest first."""
        return await self._find(
            tenant, '"user" = ? AND number < ? ORDER BY number DESC LIMIT ?', user, before, limit
        )

    async def unread(self, tenant: str, user: str) -> int:
        """Count what a person has not read."""
        sql = 'SELECT count(*) FROM core_notice WHERE "user" = ? AND read IS NULL'
        found = await self._store.query(tenant, Statement(sql, (user,)))
        count = found[0][0]
        assert isinstance(count, int)
        return count

    async def unsent(self, tenant: str, user: str) -> list[Kept]:
        """Return what a person has neither read nor been sent a letter about, oldest first."""
        return await self._find(
            tenant,
            '"user" = ? AND mail = 1 AND mailed IS NULL AND read IS NULL ORDER BY number',
            user,
        )

    async def read(self, tenant: str, user: str, ids: Sequence[str] | None, now: float) -> None:
        """Note that a person has read some notices, or all if none are named."""
        where, names = "", tuple[str, ...]()
        if ids is not None:
            where, names = f" AND id IN ({', '.join('?' for _ in ids)})", tuple(ids)
        sql = f'UPDATE core_notice SET read = ? WHERE "user" = ? AND read IS NULL{where}'
        await self._store.execute(tenant, (Statement(sql, (now, user, *names)),))

    async def recall(self, tenant: str, kind: str, path: str) -> list[tuple[str, str]]:
        """Delete what leads to a page; return user and id of what had not been read."""
        # A place on a page: /docs/k#comment=c, /docs/k?at=3; never /docs/k2.
        where = (
            "substr(kind, 1, length(?1)) = ?1 AND"
            " (path = ?2 OR substr(path, 1, length(?2) + 1) IN (?2 || '#', ?2 || '?'))"
        )
        args = (f"{kind}.", path)
        sql = f'SELECT "user", id FROM core_notice WHERE {where} AND read IS NULL'
        unread = await self._store.query(tenant, Statement(sql, args))
        await self._store.execute(
            tenant, (Statement(f"DELETE FROM core_notice WHERE {where}", args),)
        )
        return [(str(user), str(id)) for user, id in unread]

    async def mailed(self, tenant: str, ids: Sequence[str], now: float) -> None:
        """Note that a letter about some notices went out."""
        marks = ", ".join("?" for _ in ids)
        sql = f"UPDATE core_notice SET mailed = ? WHERE id IN ({marks})"
        await self._store.execute(tenant, (Statement(sql, (now, *ids)),))

    async def _find(self, tenant: str, where: str, *values: SqlValue) -> list[Kept]:
        sql = f"SELECT {_KEPT} FROM core_notice WHERE {where}"
        return [_kept(row) for row in await self._store.query(tenant, Statement(sql, values))]


def _kept(row: Sequence[Any]) -> Kept:
    number, id, user, key, kind, words, path, actor, time, mail, mailed, read = row
    by_language = {
        language: Words(each["subject"], each["text"])
        for language, each in json.loads(words).items()
    }
    return Kept(
        number, id, user, key, kind, by_language, path, actor, time, bool(mail), mailed, read
    )
