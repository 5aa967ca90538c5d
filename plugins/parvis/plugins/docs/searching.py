"""Search by title and text: every word begins a word of the document; rights are in the query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from parvis.plugins import Caller, SqlValue

from .listing import COLUMNS, FROM, MAY, THERE, Listing
from .office import Office
from .rights import Rights
from .snippets import folded, found, pieces, snippet

MOST: Final = 50
WORDS: Final = 12
"""Words of a question that count."""

NEAR: Final = 20_000
"""Characters at the beginning of each text that are looked through for the hits to show."""

FAR: Final = 3
"""Texts of one answer that are looked through to their end, if there is no hit near."""

HITS: Final = (
    MAY
    + f""" SELECT {COLUMNS}, substr(docs_search.body, 1, {NEAR}), d.id
    {FROM} JOIN docs_search ON docs_search.rowid = d.id"""
)

SEARCH: Final = f"""{HITS}
    WHERE docs_search MATCH ? AND {THERE}
    ORDER BY bm25(docs_search, 8.0, 1.0), d.updated DESC LIMIT ?"""

SEARCH_POSTGRES: Final = f"""{HITS}, docs_question(?) AS question
    WHERE docs_search.words @@ question AND {THERE}
    ORDER BY ts_rank('{{0.125, 0, 0, 1}}', docs_search.words, question) DESC,
    d.updated DESC LIMIT ?"""


class Searching:
    """Finds documents."""

    def __init__(self, office: Office, rights: Rights, listing: Listing) -> None:
        self._office = office
        self._rights = rights
        self._listing = listing

    async def find(self, caller: Caller, question: str, limit: int) -> list[dict[str, Any]]:
        """Return what a caller may see that fits, the best first, with the hits told apart."""
        words = re.findall(r"\w+", question[:500])[:WORDS]
        if not words or not (caller.member or caller.anyone):
            return []
        person = await self._rights.identity(caller)
        node = self._office.node
        sql, match = _asked(words, node.store)
        args: Sequence[SqlValue] = (person, caller.anyone, node.now(), match)
        rows = await node.query(caller.tenant, sql, *args, max(1, min(limit, MOST)))
        shown = await self._listing.shown(caller.tenant, rows)
        results: list[dict[str, Any]] = []
        far = FAR
        for document, row in zip(shown, rows, strict=True):
            title, body = str(row[1]), str(row[-2])
            if far and len(body) == NEAR and not found(folded(body), words):
                far -= 1
                sql = "SELECT body FROM docs_search WHERE rowid = ?"
                body = str((await node.query(caller.tenant, sql, row[-1]))[0][0])
            results.append(
                {
                    "document": document,
                    "title": pieces(title, folded(title), words),
                    "text": snippet(body, words),
                }
            )
        return results


def _asked(words: Sequence[str], store: str) -> tuple[str, str]:
    """Return the query that finds all words, and what it is asked.

    Quoted, a word is nothing but a word: AND, NEAR and columns are no commands here.
    """
    if store == "postgres":
        return SEARCH_POSTGRES, " ".join(words)
    return SEARCH, " ".join(f'"{word}"*' for word in words)
