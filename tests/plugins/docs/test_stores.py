"""Documents on a store that lasts: what was written is there after a new start."""

from collections.abc import Callable
from pathlib import Path

import pytest

from parvis.plugins.docs import DocsSettings
from parvis.storage import Store
from parvis.storage.factory import open_store
from parvis.storage.postgres import open_postgres
from tests.databases import Database
from tests.plugins.docs.house import Json, house
from tests.plugins.docs.test_search import titles
from tests.plugins.docs.writing import Pen, texts

AT_ONCE = DocsSettings(index_pause=0)
Open = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same store again and again."""
    if request.param == "sqlite":
        return lambda: open_store(f"sqlite:///{tmp_path}")[0]
    database: Database = request.getfixturevalue("database")
    return lambda: open_postgres(database.node, owner=database.owner)[0]


async def test_everything_is_there_after_a_new_start(opened: Open) -> None:
    store = opened()
    async with house(settings=AT_ONCE, store=store) as docs:
        key = await docs.make("ada", "Été")
        await docs.share("ada", key, "bob", "commenter")
        docs.move(key)
        pen = Pen(await docs.lobby.join("ada"))
        await pen.write("remember me")
        comment: Json = {"thread": "t1", "message": "m1", "anchor": {}, "body": ["?"]}
        await pen.visitor.command("comment.add", comment)
        await pen.visitor.command("version.add", {"id": "v1", "name": "First"})
        await docs.settled()
        assert await titles(docs, "bob", "ete remem") == ["Été"]
    await store.close()
    store = opened()
    async with house(settings=AT_ONCE, store=store) as docs:
        docs.move(key)
        assert texts(Pen(await docs.lobby.join("bob"))) == ["", "remember me"]
        assert (await docs.lobby.join("bob", "comments")).joined.offset == 1
        assert await titles(docs, "bob", "ete remem") == ["Été"]
        assert (await docs.show("bob", key))["role"] == "commenter"
        await docs.ask("ada", "POST", f"documents/{key}/bin")
        await docs.answer("ada", "DELETE", f"documents/{key}")
        await docs.settled()
        assert await titles(docs, "ada", "remem") == []
    await store.close()


async def test_what_a_node_did_not_get_to_is_found_by_the_next(opened: Open) -> None:
    store = opened()
    late = DocsSettings(index_pause=1.0)
    async with house(settings=late, store=store) as docs:
        key = await docs.make("ada", "Plan")
        docs.move(key)
        await Pen(await docs.lobby.join("ada")).write("unseen")
        await docs.lobby.consumed()
    await store.close()
    store = opened()
    async with house(settings=AT_ONCE, store=store) as docs:
        docs.move(key)
        await Pen(await docs.lobby.join("ada")).write("seen")
        await docs.settled()
        assert await titles(docs, "ada", "unseen seen") == ["Plan"]
    await store.close()
