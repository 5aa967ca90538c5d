"""The past of a document: who wrote when, how it was, named versions, and going back."""

from typing import Any

import pytest
from pycrdt import Doc, Map, XmlFragment

from parvis.plugins import Access, Caller, ErrorCode, Grant, Refused
from parvis.plugins.docs import history
from parvis.plugins.docs.history import grouped
from parvis.protocol.messages import Changed
from parvis.server.hosting.host import Host
from parvis.server.testing import Visitor
from parvis.storage import LoggedUpdate
from tests.clocks import SetClock
from tests.plugins.docs.house import House, Json, house
from tests.plugins.docs.writing import Pen, lines, texts


def row(offset: int, time: float, sender: str, update: bytes = b"u") -> LoggedUpdate:
    return LoggedUpdate(offset, update, sender, time, b"k%d" % offset)


def spans(*rows: LoggedUpdate) -> list[tuple[int, int, list[str], int]]:
    return [(each.first, each.last, each.authors, each.updates) for each in grouped(rows, 300)]


def test_changes_without_a_long_pause_belong_together() -> None:
    rows = [row(n, n * 10.0, "ada") for n in range(1, 4)]
    assert spans(*rows, row(4, 331, "ada")) == [(1, 3, ["ada"], 3), (4, 4, ["ada"], 1)]


def test_people_who_write_at_the_same_time_share_an_entry() -> None:
    rows = [row(n, n * 5.0, "ada" if n % 2 else "bob") for n in range(1, 7)]
    assert spans(*rows) == [(1, 6, ["ada", "bob"], 6)]


def test_somebody_who_comes_a_little_later_begins_an_entry() -> None:
    assert spans(row(1, 0, "ada"), row(2, 61, "bob")) == [
        (1, 1, ["ada"], 1),
        (2, 2, ["bob"], 1),
    ]


def test_rows_that_change_nothing_do_not_count() -> None:
    assert spans(row(1, 0, "ada"), row(2, 1, "bob", b"")) == [(1, 1, ["ada"], 1)]


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
    monkeypatch.setattr(history, "ROWS", 20)
    monkeypatch.setattr(history, "CHUNK", 7)
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
        rows = await docs.lobby.node.query("kit", "SELECT id, name FROM docs_version")
        assert rows == [("v2", "Early")]


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
    compute = Host.compute
    async with house() as docs:
        key, pen = await written(docs, SetClock())
        bob = await docs.lobby.join("bob")
        before = texts(pen)

        async def late(node: Host, task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109  as in `Node`
            await docs.share("ada", key, "bob", "viewer")
            return await compute(node, task, *args, timeout=timeout)

        monkeypatch.setattr(Host, "compute", late)
        with pytest.raises(Refused) as refusal:
            if way == "append":
                body = {"format": "text", "content": "more"}
                await docs.ask("bob", "POST", f"documents/{key}/append", body)
            else:
                await bob.command(way, {"id": "v", "name": "V", "offset": 2})
        assert refusal.value.code == ErrorCode.PERMISSION_DENIED
        assert texts(pen) == before
