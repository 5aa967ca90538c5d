"""Search by title and text: every word begins a word of the document; rights are in the query."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from parvis.plugins import Caller, SqlValue

from .listing import COLUMNS, FROM, MAY, THERE, Listing
from .office import Office
from .rights import Rights

MOST: Final = 50
WORDS: Final = 12
"""Words of a question that count."""

OPEN, CLOSE = "\x02", "\x03"
"""What marks a hit in the highlighted text; no document holds them, see `cleaned`."""

SEARCH: Final = (
    MAY
    + f""" SELECT {COLUMNS},
    highlight(docs_search, 0, char(2), char(3)),
    snippet(docs_search, 1, char(2), char(3), '…', 24)
    {FROM} JOIN docs_search ON docs_search.rowid = d.id
    WHERE docs_search MATCH ? AND {THERE}
    ORDER BY bm25(docs_search, 8.0, 1.0), d.updated DESC LIMIT ?"""
)


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
        # Quoted, a word is nothing but a word: AND, NEAR and columns are no commands here.
        match = " ".join(f'"{word}"*' for word in words)
        person = await self._rights.identity(caller)
        node = self._office.node
        args: Sequence[SqlValue] = (person, caller.anyone, node.now(), match)
        rows = await node.query(caller.tenant, SEARCH, *args, max(1, min(limit, MOST)))
        shown = await self._listing.shown(caller.tenant, rows)
        return [
            {"document": document, "title": pieces(str(row[-2])), "text": pieces(str(row[-1]))}
            for document, row in zip(shown, rows, strict=True)
        ]


def cleaned(text: str) -> str:
    """Return text in which nothing looks like the mark of a hit."""
    return text.replace(OPEN, " ").replace(CLOSE, " ")


def pieces(marked: str) -> list[dict[str, Any]]:
    """Split highlighted text into pieces, each a hit or not."""
    found: list[dict[str, Any]] = []
    for part in re.split(f"({OPEN}[^{CLOSE}]*{CLOSE})", marked):
        if part:
            hit = part.startswith(OPEN)
            found.append({"text": part.strip(OPEN + CLOSE) if hit else part, "hit": hit})
    return found
