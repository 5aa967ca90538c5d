"""Search, and what else follows from changes of the content."""

from typing import Any

import pytest
from pycrdt import XmlElement, XmlText

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.plugins.docs import DocsSettings
from parvis.server.hosting.host import Host
from tests.plugins.docs.house import House, Json, house
from tests.plugins.docs.writing import Pen

AT_ONCE = DocsSettings(index_pause=0)


async def find(docs: House, who: str | Caller, question: str) -> list[Json]:
    found: list[Json] = (await docs.ask(who, "GET", "search", b"", q=question))["results"]
    return found


async def titles(docs: House, who: str | Caller, question: str) -> list[str]:
    return [result["document"]["title"] for result in await find(docs, who, question)]


async def write(docs: House, who: str, key: str, *lines: str) -> None:
    docs.move(key)
    pen = Pen(await docs.lobby.join(who))
    for line in lines:
        await pen.write(line)
    await docs.settled()
    await pen.visitor.leave()


async def test_words_are_found_by_their_beginnings_whatever_their_accents() -> None:
    async with house(settings=AT_ONCE) as docs:
        key = await docs.make("ada", "Réunion d’été")
        await write(docs, "ada", key, "Nous parlerons des cœurs brisés.")
        for question in ("reunion", "REUN ete", "brises", "parler bris"):
            assert await titles(docs, "ada", question) == ["Réunion d’été"]
        for question in ("hiver", "reunion hiver", '"', "title:été", "NEAR(a b)", "   "):
            assert await titles(docs, "ada", question) == []


async def test_hits_are_told_apart_in_title_and_text() -> None:
    async with house(settings=AT_ONCE) as docs:
        key = await docs.make("ada", "Big plan")
        await write(docs, "ada", key, "The <b>plan</b> is simple")
        (result,) = await find(docs, "ada", "plan")
        assert result["title"] == [{"text": "Big ", "hit": False}, {"text": "plan", "hit": True}]
        assert [piece["text"] for piece in result["text"] if piece["hit"]] == ["plan"]
        assert "".join(piece["text"] for piece in result["text"]) == "The <b>plan</b> is simple"


async def test_a_long_text_shows_its_first_hit_wherever_it_is() -> None:
    async with house(settings=AT_ONCE) as docs:
        key = await docs.make("ada", "Long")
        await write(docs, "ada", key, "hay " * 30_000 + "nadel im Heuhaufen", "needle " * 20_000)
        (result,) = await find(docs, "ada", "NÉEDLE")
        assert "".join(piece["text"] for piece in result["text"]).startswith("…")
        assert {piece["text"] for piece in result["text"] if piece["hit"]} == {"needle"}


async def test_search_finds_nothing_that_one_may_not_see() -> None:
    async with house(settings=AT_ONCE) as docs:
        key = await docs.make("ada", "Salaries")
        await write(docs, "ada", key, "confidential")
        for who in ("bob", Caller("kit", "root", member=True, admin=True), Caller("kit", "gus")):
            assert await find(docs, who, "confidential") == []
        await docs.share("ada", key, "bob", "viewer")
        assert await titles(docs, "bob", "confid") == ["Salaries"]
        await docs.ask("ada", "POST", f"documents/{key}/bin")
        assert await titles(docs, "ada", "confid") == []


async def test_the_title_weighs_more_than_the_text_and_follows_a_renaming() -> None:
    async with house(settings=AT_ONCE) as docs:
        told = await docs.make("ada", "Other")
        await write(docs, "ada", told, "apples and pears")
        named = await docs.make("ada", "Apples")
        assert await titles(docs, "ada", "apples") == ["Apples", "Other"]
        await docs.ask("ada", "PATCH", f"documents/{named}", {"title": "Plums"})
        assert await titles(docs, "ada", "apples") == ["Other"]


async def test_listings_say_who_changed_a_document_and_what_it_begins_with() -> None:
    async with house(settings=AT_ONCE) as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "editor")
        before = await docs.show("ada", key)
        await write(docs, "bob", key, "First line", "Second line")
        after = await docs.show("ada", key)
        assert after["updated"] > before["updated"]
        assert after["updated_by"]["name"] == "Bob"
        assert after["excerpt"].startswith("First line Second line")


async def test_whoever_is_mentioned_in_the_text_is_told_once() -> None:
    async with house(settings=AT_ONCE) as docs:
        key = await docs.make("ada", "Plan")
        await docs.share("ada", key, "bob", "viewer")
        docs.lobby.folk.notices.clear()
        docs.move(key)
        pen = Pen(await docs.lobby.join("ada"))
        for _ in range(2):
            for id in ("bob", "eve", "ada"):
                with pen.doc.transaction():
                    block = XmlElement("paragraph")
                    pen.fragment.children.append(block)
                    block.children.append(XmlElement("mention", {"id": id, "label": id}))
            await pen.send()
            await docs.settled()
        (told,) = docs.lobby.folk.notices
        assert (told.user, told.kind, told.actor) == ("bob", "docs.mention", "ada")


async def test_content_that_does_not_fit_the_schema_is_marked_and_its_writer_told() -> None:
    async with house(settings=AT_ONCE) as docs:
        key = await docs.make("ada", "Plan")
        docs.move(key)
        pen = Pen(await docs.lobby.join("ada"))
        with pen.doc.transaction():
            row = XmlElement("tableRow")  # known, and not at the top
            pen.fragment.children.append(row)
            row.children.append(XmlText())
        await pen.send()
        await docs.settled()
        rows = await docs.lobby.node.query("kit", "SELECT invalid FROM docs_document")
        assert isinstance(rows[0][0], str) and "tableRow" in rows[0][0]
        (told,) = docs.lobby.folk.notices
        assert (told.user, told.kind) == ("ada", "docs.invalid")


async def test_a_document_too_large_for_the_search_keeps_nobody_else_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compute, asked = Host.compute, list[str]()

    async def refusing(node: Host, task: str, *args: Any, **options: Any) -> Any:
        asked.append(task)
        if task.endswith(":describe") and len(asked) == 1:
            raise Refused(ErrorCode.TOO_LARGE, "it takes too long")
        return await compute(node, task, *args, **options)

    async with house(settings=AT_ONCE) as docs:
        large, small = await docs.make("ada", "Large"), await docs.make("ada", "Small")
        monkeypatch.setattr(Host, "compute", refusing)
        await docs.settled()
        await write(docs, "ada", small, "apples")
        assert await titles(docs, "ada", "apples") == ["Small"]
        assert (await docs.show("ada", large))["title"] == "Large"
