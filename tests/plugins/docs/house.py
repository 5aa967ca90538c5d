"""A house of documents for tests: the real room type on the kit's node, and short ways in."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from parvis.plugins import Caller, ErrorCode, HttpResponse, Refused
from parvis.plugins.docs import Docs, DocsSettings
from parvis.server.ports import Clock
from parvis.server.testing import Lobby, live_room
from parvis.storage import Store

Json = dict[str, Any]


class House:
    """People by their ids, and what they ask over HTTP."""

    def __init__(self, lobby: Lobby) -> None:
        self.lobby = lobby
        for id in ("ada", "bob", "cy", "eve"):
            lobby.folk.add(id)

    async def ask(
        self,
        who: str | Caller,
        method: str,
        path: str,
        body: bytes | Mapping[str, object] = b"",
        **query: str,
    ) -> Any:
        """Return the JSON, or the bytes, of an answer. Raises `Refused`."""
        return (await self.answer(who, method, path, body, **query)).body

    async def answer(
        self,
        who: str | Caller,
        method: str,
        path: str,
        body: bytes | Mapping[str, object] = b"",
        **query: str,
    ) -> HttpResponse:
        return await self.lobby.request(who, method, path, body, **query)

    async def make(self, who: str, title: str = "", **more: object) -> str:
        """Make a document; return its key."""
        made = await self.ask(who, "POST", "documents", {"title": title, **more})
        key = made["document"]["key"]
        assert isinstance(key, str)
        return key

    async def show(self, who: str | Caller, key: str) -> Json:
        shown: Json = (await self.ask(who, "GET", f"documents/{key}"))["document"]
        return shown

    async def titles(self, who: str, **query: str) -> list[str]:
        """Return the titles of a view."""
        found = await self.ask(who, "GET", "documents", b"", **query)
        return [document["title"] for document in found["documents"]]

    async def share(self, who: str, key: str, whom: str, role: str) -> None:
        await self.ask(who, "PUT", f"documents/{key}/people", {"user": whom, "role": role})

    async def refused(
        self,
        who: str | Caller,
        method: str,
        path: str,
        body: bytes | Mapping[str, object] = b"",
        **query: str,
    ) -> ErrorCode:
        """Return why a request is refused."""
        with pytest.raises(Refused) as refusal:
            await self.answer(who, method, path, body, **query)
        return refusal.value.code

    async def settled(self) -> None:
        """Wait until commits are seen and jobs are done."""
        await self.lobby.consumed()
        await self.lobby.jobs_done()

    def move(self, key: str) -> None:
        """Have `Lobby.join` and the like enter this document."""
        self.lobby.name = f"docs/{key}"


@asynccontextmanager
async def house(
    *,
    settings: DocsSettings | None = None,
    store: Store | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[House]:
    """Run a node with documents and four people: ada, bob, cy and eve.

    Without `settings`, the search hears of changes when the test is long over.
    """
    kind = Docs(settings or DocsSettings(index_pause=3600))
    async with live_room(kind, "none", store=store, clock=clock) as lobby:
        yield House(lobby)
