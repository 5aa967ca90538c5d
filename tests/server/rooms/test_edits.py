"""Edits of the server: atomic with rows, on the same road as everybody's updates."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest
from pycrdt import Doc, Text, XmlElement, XmlFragment, XmlText

from parvis.plugins import Answer, Caller, Migration, Refused, Request, Room, YDoc
from parvis.protocol import ErrorCode, messages as m
from parvis.protocol.update import Scan, scan
from parvis.server.firewall.helpers import HelperPool
from parvis.server.limits import Limits
from parvis.server.rooms import screening
from tests.faults.poison import NESTED_ARRAYS, PANIC
from tests.server.rooms.lab import EDITOR_CALLER, Board, Draft, Lab, Mail, lab, read
from tests.server.rooms.test_hostile import crowd


class Titled(YDoc):
    """A document with a readable name."""

    @property
    def text(self) -> Text:
        text: Text = self.doc.get("text", type=Text)
        return text


class Noted(Board):
    """A board with a table of its own."""

    replica = Titled
    migrations: ClassVar[Sequence[Migration]] = (
        Migration(1, "notes", {"sqlite": "CREATE TABLE notes (line TEXT PRIMARY KEY)"}),
    )

    async def on_command(self, room: Room[Any], caller: Caller, command: Request) -> Answer:
        async with room.edit(caller) as edit:
            edit.document(Titled).text.__iadd__(f"{command.body} ")
            edit.execute("INSERT INTO notes VALUES (?)", str(command.body))
            if command.name == "careful":
                edit.require("SELECT count(*) = 1 FROM notes WHERE line = ?", "first")
            if command.name == "bug":
                raise ZeroDivisionError
        return Answer(None, edit.offset)


async def notes(it: Lab) -> list[object]:
    return [row[0] for row in await it.room.query("SELECT line FROM notes ORDER BY line")]


async def test_an_edit_is_one_update_and_its_rows_are_there_with_it() -> None:
    async with lab(Noted()) as it:
        ada, guest = await it.join("ada"), await it.join("guest")
        ada.say(m.Command(ada.channel, 1, "note", "first"))
        await it.turns()
        assert ada.of(m.Answer) == [m.Answer(ada.channel, 1, None, 1)]
        assert ada.text == guest.text == "first "
        assert await notes(it) == ["first"]
        assert [row.sender for row in await it.log()] == ["ada"]


async def test_nobody_sees_an_edit_before_it_is_durable() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        it.store.stall()
        ada.say(m.Command(ada.channel, 1, "note", "first"))
        await it.store.reached()
        await it.turns()
        assert ada.heard == []
        assert read(it.part.replica.doc.get_update()) == ""
        it.store.resume()
        await it.turns()
        assert [type(each) for each in ada.heard] == [m.Changed, m.Answer]


async def test_a_refused_precondition_applies_nothing() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        ada.say(m.Command(ada.channel, 1, "careful", "second"))
        await it.turns()
        assert [(each.ref, each.code) for each in ada.of(m.Refuse)] == [(1, ErrorCode.CONFLICT)]
        assert ada.text == ""
        assert await notes(it) == []
        assert await it.log() == []
        ada.say(m.Command(ada.channel, 2, "note", "first"))
        ada.say(m.Command(ada.channel, 3, "careful", "second"))
        await it.turns()
        assert [each.ref for each in ada.of(m.Answer)] == [2, 3]
        assert ada.text == "first second "


async def test_a_broken_constraint_applies_nothing() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        ada.say(m.Command(ada.channel, 1, "note", "first"))
        ada.say(m.Command(ada.channel, 2, "note", "first"))
        await it.turns()
        assert [each.ref for each in ada.of(m.Refuse)] == [2]
        assert ada.text == "first "
        assert len(await it.log()) == 1


async def test_an_exception_in_the_block_changes_nothing() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        ada.say(m.Command(ada.channel, 1, "bug", "first"))
        await it.turns()
        assert [each.code for each in ada.of(m.Refuse)] == [ErrorCode.INTERNAL]
        assert await it.log() == []
        assert await notes(it) == []
        assert ada.text == ""


async def test_edits_and_updates_at_the_same_time_all_stand() -> None:
    async with lab(Noted()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        draft = Draft(7)
        async with it.room.edit(EDITOR_CALLER) as one, it.room.edit(EDITOR_CALLER) as two:
            one.document(Titled).text.__iadd__("one ")
            two.document(Titled).text.__iadd__("two ")
            ada.update(draft.write("three "), ref=1)
            await it.turns()
        assert sorted(bob.text.split()) == ["one", "three", "two"]
        assert {one.offset, two.offset} == {2, 3}
        draft.take(*[change.update for change in ada.of(m.Changed)])
        assert str(draft) == bob.text == await it.logged_text()


async def test_an_edit_sees_what_is_in_the_document_and_keeps_its_kind() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("before"))
        await it.turns()
        async with it.room.edit(EDITOR_CALLER) as edit:
            assert str(edit.document(Titled).text) == "before"
            assert edit.document(Titled) is edit.document(Titled)
            edit.document(Titled).text.clear()
        assert ada.text == ""
        assert (await it.join("bob")).text == ""


async def test_an_edit_that_changes_nothing_logs_nothing() -> None:
    async with lab(Noted()) as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("abc"))
        ada.update(draft.erase(0, 2))
        await it.turns()
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.document(Titled)
        assert edit.offset == 2
        assert len(await it.log()) == 2


async def test_an_edit_logs_its_own_change_and_not_all_deletions_of_the_document() -> None:
    async with lab(Noted()) as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("x" * 400))
        for at in range(100):
            ada.update(draft.erase(at, at + 1))
        await it.turns()
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.document(Titled).text.__iadd__("!")
        assert len((await it.log())[-1].update) < 50


async def test_rows_without_a_change_commit_too() -> None:
    async with lab(Noted()) as it:
        ada, guest = await it.join("ada"), await it.join("guest")
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.execute("INSERT INTO notes VALUES (?)", "quiet")
        assert edit.offset == 1
        assert await notes(it) == ["quiet"]
        assert ada.heard == guest.heard == []


async def test_an_edit_takes_ready_updates_and_refuses_what_is_none() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.append(Draft(7).write("a"))
            edit.append(Draft(8).write("b"))
        assert sorted(ada.text) == ["a", "b"]
        assert len(await it.log()) == 1
        for updates in ([b"\xff"], [Draft(9).write("c"), b"\xff\xff"]):
            with pytest.raises(Refused) as refused:
                async with it.room.edit(EDITOR_CALLER) as edit:
                    for update in updates:
                        edit.append(update)
            assert refused.value.code is ErrorCode.INVALID_UPDATE
        assert len(await it.log()) == 1


async def test_an_edit_waits_for_a_store_that_fails_and_then_stands() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        it.store.fail()
        ada.say(m.Command(ada.channel, 1, "note", "first"))
        await it.turns()
        assert ada.of(m.Answer) == []
        it.store.resume()
        await it.pass_time(2)
        assert ada.of(m.Answer) == [m.Answer(ada.channel, 1, None, 1)]
        assert await notes(it) == ["first"]


async def test_an_edit_of_a_room_that_is_lost_meanwhile_may_be_tried_again() -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        room = it.room
        await it.store.inner.open_room(it.lobby.tenant, room.id, creator=None, now=1.0)
        with pytest.raises(Refused) as refused:
            async with room.edit(EDITOR_CALLER) as edit:
                edit.document(Titled).text.__iadd__("late")
        assert refused.value.code is ErrorCode.TRY_AGAIN
        with pytest.raises(Refused) as refused:
            async with room.edit(EDITOR_CALLER) as edit:
                edit.append(Draft(7).write("later"))
        assert refused.value.code is ErrorCode.TRY_AGAIN
        assert ada.text == ""
        assert await it.log() == []


async def test_an_edit_of_a_named_part_loads_it() -> None:
    async with lab(Noted()) as it:
        await it.join("ada")
        async with it.room.edit(EDITOR_CALLER, "notes") as edit:
            edit.append(Draft(7).write("a"))
        assert (await it.join("bob", "notes")).text == "a"
        assert it.room.heads == {"": 0, "notes": 1}


async def test_an_ordered_part_takes_one_update_per_edit() -> None:
    async with lab(Mail()) as it:
        ada = await it.join("ada")
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.append(b"sealed")
            with pytest.raises(ValueError, match="one update"):
                edit.append(b"another")
            with pytest.raises(TypeError, match="no document"):
                edit.document(Titled)
        assert ada.of(m.Changed) == [
            m.Changed(ada.channel, b"sealed", 1, "server", it.clock.time())
        ]


# Large edits


def large(client: int = 7, paragraphs: int = 3000) -> bytes:
    """What a room type might have computed elsewhere: many blocks, some with an emoji."""
    doc: Doc[Any] = Doc(client_id=client)
    root = doc.get("default", type=XmlFragment)
    with doc.transaction():
        for number in range(paragraphs):
            words = f"paragraph {number} 😀" if number % 7 else "plain"
            root.children.append(XmlElement("paragraph", {}, [XmlText(words)]))
    return doc.get_update()


@pytest.fixture
def quick_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails the test if the worker itself reads a large update."""

    def scan_small(update: bytes) -> Scan:
        assert len(update) <= Limits().quick_update
        return scan(update)

    monkeypatch.setattr(screening, "scan", scan_small)


@pytest.mark.usefixtures("quick_only")
async def test_a_large_edit_is_read_by_a_helper_and_reaches_everybody() -> None:
    async with lab(Noted()) as it:
        ada, guest = await it.join("ada"), await it.join("guest")
        update = large()
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.append(update)
        for peer in (ada, guest):
            assert [change.update for change in peer.of(m.Changed)] == [update]
        assert [row.update for row in await it.log()] == [update]
        assert scan(it.part.replica.doc.get_update()).structs == scan(update).structs
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.append(large(8))
            edit.append(Draft(9).write("and more"))
        both = scan((await it.log())[-1].update)
        assert (set(both.structs), both.roots) == ({8, 9}, {"default", "text"})


@pytest.mark.usefixtures("quick_only")
async def test_an_emoji_of_a_large_edit_can_be_cut_later() -> None:
    async with lab() as it:
        await it.join("ada")
        doc: Doc[Any] = Doc(client_id=7)
        doc.get("text", type=Text).insert(0, "😀" * 20_000)
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.append(doc.get_update())
        async with it.room.edit(EDITOR_CALLER) as edit:
            edit.append(bytes.fromhex("00 01 07 01 01 01"))  # deletes the second half of the first
        await it.until(lambda: not it.part.recovery.working)
        assert str(it.part.replica.doc.get("text", type=Text))[:2] == "\ufffd😀"


@pytest.mark.parametrize("update", [b"\xff" * 100_000, NESTED_ARRAYS, PANIC])
async def test_an_edit_that_would_break_documents_is_refused(update: bytes) -> None:
    async with lab(Noted()) as it:
        ada = await it.join("ada")
        with pytest.raises(Refused) as refused:
            async with it.room.edit(EDITOR_CALLER) as edit:
                edit.append(update)
                edit.execute("INSERT INTO notes VALUES (?)", "never")
        assert refused.value.code is ErrorCode.INVALID_UPDATE
        assert (ada.heard, await it.log(), await notes(it)) == ([], [], [])


async def test_an_edit_that_nobody_can_look_at_may_be_tried_again() -> None:
    async with lab(Noted()) as it:
        await it.join("ada")
        assert isinstance(it.core.helpers, HelperPool)
        await it.core.helpers.close()
        with pytest.raises(Refused) as refused:
            async with it.room.edit(EDITOR_CALLER) as edit:
                edit.append(large())
        assert refused.value.code is ErrorCode.TRY_AGAIN
        assert await it.log() == []


async def test_an_edit_that_takes_too_long_to_take_in_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with lab() as it:
        await it.join("ada")
        begun: list[str] = []
        run = it.core.helpers.run

        async def watched(task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109
            begun.append(task)
            return await run(task, *args, timeout=timeout)

        monkeypatch.setattr(it.core.helpers, "run", watched)
        edit = asyncio.ensure_future(append(it, crowd(30_000)))
        await it.until(lambda: "trial" in begun)
        it.clock.pass_time(11)
        with pytest.raises(Refused) as refused:
            await edit
        assert refused.value.code is ErrorCode.TOO_LARGE
        assert await it.log() == []


async def append(it: Lab, update: bytes) -> None:
    async with it.room.edit(EDITOR_CALLER) as edit:
        edit.append(update)
