"""A room that may be rebuilt, and clients that were away meanwhile."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from parvis.protocol import yjs as y
from parvis.server.lives.rebuilding import Rebuilt
from parvis.storage import Head, Store
from tests.server.dialects.stock_people import YPerson
from tests.server.rooms.lab import Board, Draft, Lab, lab


class Pad(Board):
    """May be rebuilt, except for the notes."""

    rebuilds = frozenset([""])


async def rebuild(it: Lab, part: str = "", *, at_once: bool = False) -> Rebuilt:
    assert it.core.rebuilding is not None
    return await it.core.rebuilding.rebuild(it.lobby.kind, it.address(part), at_once=at_once)


async def head(it: Lab) -> Head:
    info = await it.store.inner.room(it.lobby.tenant, it.lobby.name)
    assert info is not None
    return info.parts[""]


@asynccontextmanager
async def bloated(store: Store | None = None) -> AsyncGenerator[tuple[Lab, Draft]]:
    """A room in which Ada has written and erased a lot, and a copy of hers."""
    async with lab(Pad(), store=store) as it:
        ada = await it.join("ada")
        draft = Draft(7)
        ada.update(draft.write("kept"))
        for _ in range(20):
            ada.update(draft.write("gone"))
            ada.update(draft.erase(4, 8))
        await it.until(lambda: len(ada.acked) == 41)
        await it.empty()
        yield it, draft


def away(it: Lab, draft: Draft) -> YPerson:
    """Return a y-websocket client that comes back with a copy."""
    person = YPerson(it, "cy")
    person.say(y.encode_sync_step1(draft.doc.get_state()))
    return person


def said_no(person: YPerson) -> Callable[[], bool]:
    return lambda: any(isinstance(each, y.PermissionDenied) for each in person.heard)
