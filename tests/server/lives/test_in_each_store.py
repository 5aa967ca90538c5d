"""Lives and rescues are kept by SQLite and PostgreSQL as by a store in memory."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from parvis.protocol import messages as m, yjs as y
from parvis.storage import Statement, Store
from parvis.storage.factory import open_store
from parvis.storage.postgres import open_postgres
from tests.databases import Database
from tests.server.dialects.stock_people import YPerson
from tests.server.lives.pad import Pad, away, bloated, rebuild, said_no
from tests.server.rooms.lab import Draft, lab, read


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Database | Path:
    """Where the store is: a database, or a folder."""
    if request.param == "sqlite":
        return tmp_path
    database: Database = request.getfixturevalue("database")
    return database


@pytest.fixture
async def kept(place: Database | Path) -> AsyncGenerator[Store]:
    """A store that outlives its nodes."""
    store: Store
    if isinstance(place, Path):
        store, _ = open_store(f"sqlite:///{place}")
    else:
        store, _ = open_postgres(place.node, owner=place.owner)
    yield store
    await store.close()


async def test_a_life_and_what_came_too_late_for_it_are_there_after_a_restart(kept: Store) -> None:
    async with bloated(kept) as (it, draft):
        done = await rebuild(it)
        assert (done.offset, done.retired) == (42, 1)
    async with lab(Pad(), store=kept, life=2) as it:
        mine = Draft(99, draft.doc.get_update())
        for _ in range(2):
            mine.write("!")
            cy = away(it, mine)
            await it.until(asked(cy))
            cy.say(y.encode_sync_step2(mine.doc.get_update(y.encode_state_vector({7: 84}))))
            await it.until(said_no(cy))
        rows, address = it.core.lives.rows, it.address()
        (rescue,) = await rows.rescues(address)
        found = await rows.rescued(address, rescue.id)
        assert found is not None
        assert read(await rows.state(address, 1), found[1]) == "kept!!"
        assert (await it.join("bob")).text == "kept"
        assert await tables(kept, it.lobby.tenant) == (1, 1)
        await rows.drop(address, rescue.id)
        assert await rows.rescues(address) == []
        await rows.delete(address.tenant, address.room)
        assert await tables(kept, it.lobby.tenant) == (0, 0)


async def test_edits_that_come_too_late_right_behind_each_other_are_all_put_aside(
    kept: Store,
) -> None:
    async with bloated(kept) as (it, draft):
        await rebuild(it)
        bob = await it.join("bob")
        mine = Draft(99, draft.doc.get_update())
        for ref, text in enumerate("abc", 1):
            before = mine.doc.get_state()
            mine.write(text)
            mine.erase(0, 1)  # names the earlier life
            bob.update(mine.doc.get_update(before), ref=ref)
        await it.until(lambda: len(bob.of(m.Refuse)) == 3 and not it.core.working)
        rows, address = it.core.lives.rows, it.address()
        (rescue,) = await rows.rescues(address)
        found = await rows.rescued(address, rescue.id)
        assert found is not None
        assert read(await rows.state(address, 1), found[1]) == str(mine.text)


def asked(person: YPerson) -> Callable[[], bool]:
    return lambda: any(isinstance(each, y.SyncStep1) for each in person.heard)


async def tables(store: Store, tenant: str) -> tuple[Any, ...]:

    return tuple(
        [
            (await store.query(tenant, Statement(f"SELECT count(*) FROM {table}")))[0][0]
            for table in ("core_life", "core_rescue")
        ]
    )
