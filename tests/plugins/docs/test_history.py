"""The past of a document: who wrote when, how it was, named versions, and going back."""

from typing import Any

import pytest
from pycrdt import Doc, Map, XmlFragment

from parvis.plugins import Access, Caller, ErrorCode, Grant, Refused
from parvis.protocol.messages import Answer, Changed, History, Refuse
from parvis.server.history import timeline
from parvis.server.hosting.workshop import Workshop
from parvis.server.testing import Visitor
from tests.clocks import SetClock
from tests.plugins.docs.house import House, Json, house
from tests.plugins.docs.writing import Pen, lines, texts


async def written(docs: House, clock: SetClock) -> tuple[str, Pen]:
    """Return a document of ada's in which bob wrote an hour later, and ada's pen."""
    key = await docs.make("ada", "Plan")
    await docs.share("ada", key, "bob", "editor")
    await docs.share("ada", key, "cy", "viewer")
    docs.move(key)
    pen, bob = Pen(await docs.lobby.join("ada")), Pen(await docs.lobby.join("bob"))
    await pen.write("one", id="b1")
    clock.pass_time(3600)
    bob.read()
    await bob.write("two", id="b2")
    return key, pen


async def test_the_timeline_says_who_wrote_when_newest_first() -> None:
    clock = SetClock()
    async with house(clock=clock) as docs:
        key, _ = await written(docs, clock)
        history = await docs.ask("ada", "GET", f"documents/{key}/history")
        assert [
            (e["from"], e["to"], [a["name"] for a in e["authors"]], e["updates"])
            for e in history["entries"]
        ] == [(3, 3, ["Bob"], 1), (1, 2, ["Ada"], 2)]
        assert history["next"] is None
        newest = await docs.ask("ada", "GET", f"documents/{key}/history", b"", limit="1")
        assert (len(newest["entries"]), newest["next"]) == (1, 3)
        rest = await docs.ask("ada", "GET", f"documents/{key}/history", b"", before="3")
        assert [entry["to"] for entry in rest["entries"]] == [2]
        code = await docs.refused("cy", "GET", f"documents/{key}/history")
        assert code is ErrorCode.PERMISSION_DENIED


async def test_the_timeline_tells_a_guest_from_a_member_of_the_same_name() -> None:
    async with house() as docs:
        key = await docs.make("ada", "Plan")
        docs.move(key)
        grant = Grant(f"docs/{key}", Access.of(["view", "edit", "history"]))
        guest = Caller("kit", "guest-1", "Ada", grants=(grant,), host="ada")
        await Pen(await docs.lobby.join(guest)).write("one", id="b1")
        history = await docs.ask("ada", "GET", f"documents/{key}/history")
        authors = [each for entry in history["entries"] for each in entry["authors"]]
        assert [(each["name"], each.get("guest")) for each in authors] == [
            ("Ada", None),
            ("Ada", True),
        ]


async def test_pages_of_a_long_history_hold_every_change_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeline, "ROWS", 20)
    monkeypatch.setattr(timeline, "CHUNK", 7)
    clock = SetClock()
    async with house(clock=clock) as docs:
        key = await docs.make("ada", "Plan")
        docs.move(key)
        pen = Pen(await docs.lobby.join("ada"))
        for n in range(70):
            clock.pass_time(400 if n % 9 == 0 else 1)
            await pen.write(f"line {n}")
        seen: list[int] = []
        before = ""
        for _ in range(50):
            page = await docs.ask(
                "ada", "GET", f"documents/{key}/history", b"", before=before, limit="2"
            )
            for entry in page["entries"]:
                offsets = range(entry["to"], entry["from"] - 1, -1)
                assert entry["updates"] == len(offsets)
                seen += offsets
            if page["next"] is None:
                break
            before = str(page["next"])
        assert seen == list(range(71, 0, -1))


def blocks(update: bytes) -> list[str]:
    doc: Doc[Any] = Doc()
    doc.apply_update(update)
    fragment: XmlFragment = doc.get("default", type=XmlFragment)
    return lines(fragment)


async def test_the_document_can_be_seen_as_it_was() -> None:
    clock = SetClock()
    async with house(clock=clock) as docs:
        key, _ = await written(docs, clock)
        path = f"documents/{key}/history"
        assert blocks(await docs.ask("ada", "GET", f"{path}/3")) == ["", "one", "two"]
        assert blocks(await docs.ask("ada", "GET", f"{path}/2")) == ["", "one"]
        assert blocks(await docs.ask("ada", "GET", f"{path}/1")) == [""]
        for offset in ("0", "4", "x"):
            assert await docs.refused("ada", "GET", f"{path}/{offset}") is ErrorCode.MALFORMED
        assert await docs.refused("cy", "GET", f"{path}/1") is ErrorCode.PERMISSION_DENIED


async def test_going_back_is_one_more_change_that_leaves_equal_blocks_alone() -> None:
    clock = SetClock()
    async with house(clock=clock) as docs:
        _, pen = await written(docs, clock)
        seen = await docs.lobby.join("cy")
        with pytest.raises(Refused) as refusal:
            await seen.command("revert", {"offset": 2})
        assert refusal.value.code is ErrorCode.PERMISSION_DENIED
        answer = await pen.visitor.command("revert", {"offset": 2})
        assert answer.offset == 4
        assert texts(pen) == ["", "one"]
        (change,) = [m.update for m in seen.received if isinstance(m, Changed)]
        # Nothing but a deletion: what is equal was not written again.
        assert b"one" not in change
        await pen.visitor.command("revert", {"offset": 3})
        assert texts(pen) == ["", "one", "two"]


def versions(visitor: Visitor) -> Json:
    doc: Doc[Any] = Doc()
    for update in visitor.joined.updates:
        doc.apply_update(update)
    for message in visitor.received:
        if isinstance(message, Changed) and message.channel == visitor.channel:
            doc.apply_update(message.update)
    found: Json = doc.get("versions", type=Map[Any]).to_py() or {}
    return found


async def test_a_version_has_a_name_until_it_is_deleted() -> None:
    clock = SetClock()
    async with house(clock=clock) as docs:
        key, pen = await written(docs, clock)
        meta = await docs.lobby.join("cy", "meta")
        named: Json = {"id": "v1", "name": "First"}
        answer = await pen.visitor.command("version.add", named)
        assert (await pen.visitor.command("version.add", named)).body == answer.body
        await pen.visitor.command("version.add", {"id": "v2", "name": "Early", "offset": 2})
        kept = versions(meta)
        assert (kept["v1"]["name"], kept["v1"]["name_by"]) == ("First", "Ada")
        assert kept["v2"]["offset"] == 2
        offset = answer.body["offset"] if isinstance(answer.body, dict) else None
        assert kept["v1"]["offset"] == offset
        path = f"documents/{key}/history"
        assert blocks(await docs.ask("ada", "GET", f"{path}/{offset}")) == ["", "one", "two"]
        assert blocks(await docs.ask("ada", "GET", f"{path}/2")) == ["", "one"]
        await pen.visitor.command("version.rename", {"id": "v1", "name": "Draft"})
        assert versions(meta)["v1"]["name"] == "Draft"
        await pen.visitor.command("version.delete", {"id": "v1"})
        assert set(versions(meta)) == {"v2"}
        with pytest.raises(Refused) as refusal:
            await meta.command("version.add", {"id": "v3", "name": "Mine"})
        assert refusal.value.code is ErrorCode.PERMISSION_DENIED
        (kept_by_the_core,) = await docs.lobby.node.history.versions("kit", key)
        assert (kept_by_the_core.id, kept_by_the_core.name) == ("v2", "Early")


async def test_versions_that_were_named_by_the_core_are_shown_too() -> None:
    async with house() as docs:
        _, pen = await written(docs, SetClock())
        meta = await docs.lobby.join("cy", "meta")
        question = History(pen.visitor.channel, 9, "version.add", {"name": "Core", "offset": 2})
        await pen.visitor.say(question)
        await pen.visitor.expect(Answer)
        await docs.lobby.rest()
        assert [each["name"] for each in versions(meta).values()] == ["Core"]


@pytest.mark.parametrize("part", ["comments", "meta"])
async def test_what_was_said_beside_a_document_and_deleted_is_not_in_its_history(part: str) -> None:
    async with house() as docs:
        await written(docs, SetClock())
        ada = await docs.lobby.join("ada", part)
        await ada.say(History(ada.channel, 9, "timeline"))
        refusal = await ada.expect(Refuse)
        assert isinstance(refusal, Refuse)
        assert refusal.code == ErrorCode.ROOM_NOT_FOUND


async def test_renaming_by_a_command_changes_facts_and_listings() -> None:
    clock = SetClock()
    async with house(clock=clock) as docs:
        key, pen = await written(docs, clock)
        meta = await docs.lobby.join("cy", "meta")
        await pen.visitor.command("rename", {"title": " Final\tplan "})
        assert (await docs.show("cy", key))["title"] == "Final plan"
        doc: Doc[Any] = Doc()
        for update in [
            *meta.joined.updates,
            *(m.update for m in meta.received if isinstance(m, Changed)),
        ]:
            doc.apply_update(update)
        facts: Json = doc.get("doc", type=Map[Any]).to_py() or {}
        assert (facts["title"], facts["schema"], facts["bin"]) == ("Final plan", 1, False)


@pytest.mark.parametrize("way", ["revert", "version.add", "append"])
async def test_rights_that_go_while_something_is_worked_out_are_gone(
    monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    do = Workshop.do
    async with house() as docs:
        key, pen = await written(docs, SetClock())
        bob = await docs.lobby.join("bob")
        before = texts(pen)

        async def late(workshop: Workshop, *args: Any, **more: Any) -> Any:
            await docs.share("ada", key, "bob", "viewer")
            return await do(workshop, *args, **more)

        monkeypatch.setattr(Workshop, "do", late)
        with pytest.raises(Refused) as refusal:
            if way == "append":
                body = {"format": "text", "content": "more"}
                await docs.ask("bob", "POST", f"documents/{key}/append", body)
            else:
                await bob.command(way, {"id": "v", "name": "V", "offset": 2})
        assert refusal.value.code == ErrorCode.PERMISSION_DENIED
        assert texts(pen) == before
