"""The past of a document, with the names of those who wrote it; the core reads the log."""

from __future__ import annotations

from typing import Any

from parvis.plugins import Caller

from .office import Office, malformed
from .rights import Rights


class History:
    """Shows the past to those who may see it."""

    def __init__(self, office: Office, rights: Rights) -> None:
        self._office = office
        self._rights = rights

    async def timeline(
        self, caller: Caller, key: str, before: int, limit: int
    ) -> tuple[list[dict[str, Any]], int | None]:
        """Return entries, newest first, and before which offset to go on, if there is more.

        Args:
            before: The entries before this offset; 0: all.
        """
        await self._rights.require(caller, key, "history")
        page = await self._office.node.history.timeline(
            caller.tenant,
            key,
            before=before,
            limit=limit,
            pause=self._office.settings.history_pause,
        )
        names = await self._office.names(
            caller.tenant, {author for entry in page.entries for author in entry.authors}
        )
        return [
            {
                "from": entry.first,
                "to": entry.last,
                "start": entry.start,
                "end": entry.end,
                "authors": [names[author] for author in entry.authors],
                "updates": entry.updates,
            }
            for entry in page.entries
        ], page.following

    async def content(self, caller: Caller, key: str, offset: int) -> bytes:
        """Return the content as it was after an offset, as a Yjs update."""
        await self._rights.require(caller, key, "history")
        async with self._office.work(caller):
            return (await self.at(caller, key, offset))["state"]

    async def at(self, caller: Caller, key: str, offset: int) -> dict[str, bytes]:
        """Return ``state``: the content as it was after an offset.

        Whoever calls has asked for rights, and waits for their turn: see `Office.work`.
        """
        if offset < 1:  # before its first row a document has no content
            raise malformed("there is no such moment in the history")
        return {"state": await self._office.node.history.at(caller.tenant, key, offset=offset)}
