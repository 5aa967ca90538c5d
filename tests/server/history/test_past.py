"""The past of real rooms, as their type and people with the native protocol get it."""

from __future__ import annotations

from typing import Any

import pytest
from pycrdt import Array, Doc, Text

from parvis.plugins import Access, Caller, ErrorCode, Refused
from parvis.plugins.plain import Plain
from parvis.protocol import encode, messages as m
from parvis.server.history import checkpoints, reading, rows
from parvis.server.testing import Lobby, Visitor, live_room
from parvis.storage import Address, Entry
from parvis.storage.faulty import FaultyStore
from parvis.storage.memory import MemoryStore
from tests.clocks import SetClock
from tests.server.history.desk import Desk, Typist, text_of, typist

Json = dict[str, Any]


async def asked(visitor: Visitor, question: str, **body: Any) -> Any:
    """Ask as a native client does. Raises `Refused`."""
    await visitor.say(m.History(visitor.channel, 9, question, body or None))
    answer = await visitor.expect(m.Answer, m.Refuse)
    if isinstance(answer, m.Refuse):
        raise Refused(ErrorCode(answer.code), answer.reason)
    assert isinstance(answer, m.Answer)
    return answer.body


async def refused(visitor: Visitor, question: str, **body: Any) -> tuple[ErrorCode, str]:
    with pytest.raises(Refused) as refusal:
        await asked(visitor, question, **body)
    return refusal.value.code, refusal.value.reason


def caller(user: str) -> Caller:
    return Caller("kit", user, user.title(), member=True)


async def two(lobby: Lobby, clock: SetClock | None = None) -> tuple[Typist, Typist]:
    """Return ada and bob, who have typed: "one ", and an hour later "two "."""
    ada, bob = await typist(lobby, "ada"), await typist(lobby, "bob")
    await ada.type("one ")
    if clock is not None:
        clock.pass_time(3600)
    await bob.type("two ")
    return ada, bob


# --- looking -------------------------------------------------------------------------------------


async def test_plain_documents_have_a_past_as_all_documents_have() -> None:
    async with live_room(Plain(), "p1") as lobby:
        ada, _ = await two(lobby)
        assert text_of((await asked(ada.visitor, "at", offset=1))["state"]) == "one "


async def test_the_timeline_says_who_wrote_when_newest_first() -> None:
    clock = SetClock()
    began = clock.time()
    async with live_room(Desk(), "d1", clock=clock) as lobby:
        ada, _ = await two(lobby, clock)
        assert await asked(ada.visitor, "timeline") == {
            "entries": [
                {
                    **{"first": 2, "last": 2, "updates": 1, "authors": ["bob"]},
                    **{"start": began + 3600, "end": began + 3600},
                },
                {
                    **{"first": 1, "last": 1, "updates": 1, "authors": ["ada"]},
                    **{"start": began, "end": began},
                },
            ],
            "next": None,
            "since": 0,
        }


async def test_a_moment_is_an_offset_or_a_time_or_a_version() -> None:
    clock = SetClock()
    began = clock.time()
    async with live_room(Desk(), "d1", clock=clock) as lobby:
        ada, _ = await two(lobby, clock)
        await asked(ada.visitor, "version.add", name="First", offset=1, id="v1")
        for moment in ({"offset": 1}, {"time": began + 1800}, {"version": "v1"}):
            found = await asked(ada.visitor, "at", **moment)
            assert (found["offset"], text_of(found["state"])) == (1, "one ")
        assert (await asked(ada.visitor, "at", time=began - 1))["offset"] == 0
        assert (await asked(ada.visitor, "at", time=began + 9e9))["offset"] == 2


async def test_blame_tells_whose_each_part_is_now_and_then() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, bob = await two(lobby)
        await bob.type("zero ", 0)

        def short(found: Any) -> list[tuple[int, int, str]]:
            (text,) = found["types"]
            return [(run["from"], run["to"], run["author"]) for run in text["runs"]]

        now = await asked(ada.visitor, "blame")
        assert short(now) == [(0, 5, "bob"), (5, 9, "ada"), (9, 13, "bob")]
        assert short(await asked(ada.visitor, "blame", offset=1)) == [(0, 4, "ada")]


async def test_a_long_log_is_gone_through_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 7)
    monkeypatch.setattr(checkpoints, "ROWS", 7)
    monkeypatch.setattr(checkpoints, "FAR", 10)
    monkeypatch.setattr(reading, "PAGE", 3)
    async with live_room(Desk(), "d1") as lobby:
        ada = await typist(lobby, "ada")
        for n in range(30):
            await ada.type(chr(97 + n % 26))
        text = ada.read()
        history = lobby.node.history
        await history.name(caller("ada"), "d1", name="Here", offset=11)
        for offset in (30, 3, 29, 11, 12, 28, 1, 14, 22, 7, 0):
            assert text_of(await history.at("kit", "d1", offset=offset)) == text[:offset]


async def test_memory_for_checkpoints_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 2)
    monkeypatch.setattr(checkpoints, "ROWS", 2)
    monkeypatch.setattr(checkpoints, "KEPT", 0)
    async with live_room(Desk(), "d1") as lobby:
        ada = await typist(lobby, "ada")
        for n in range(9):
            await ada.type(str(n))
        for offset in (9, 3, 6):
            found = await lobby.node.history.at("kit", "d1", offset=offset)
            assert text_of(found) == "012345678"[:offset]


async def test_moments_that_never_were_are_refused() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, _ = await two(lobby)
        for body in ({"offset": 3}, {"offset": -1}, {"offset": "1"}, {"time": "now"}, {}):
            assert (await refused(ada.visitor, "at", **body))[0] is ErrorCode.MALFORMED
        both = await refused(ada.visitor, "at", offset=1, version="v1")
        assert both == (ErrorCode.MALFORMED, "expected one moment: offset, time or version")
        code, _ = await refused(ada.visitor, "at", version="v9")
        assert code is ErrorCode.CONFLICT
        assert (await refused(ada.visitor, "rewind"))[0] is ErrorCode.UNKNOWN_COMMAND


async def test_a_question_is_an_object() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada = await lobby.join("ada")
        await ada.say(m.History(ada.channel, 9, "at", [1]))
        answer = await ada.expect(m.Refuse)
        assert isinstance(answer, m.Refuse)
        assert answer.code == ErrorCode.MALFORMED


async def test_a_question_about_a_part_that_was_not_joined_is_refused() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada = await lobby.join("ada")
        await ada.say(m.History(ada.channel + 99, 9, "at", {"offset": 0}))
        answer = await ada.expect(m.Refuse)
        assert isinstance(answer, m.Refuse)
        assert answer.code == ErrorCode.NOT_JOINED


# --- rights --------------------------------------------------------------------------------------


async def test_without_the_right_to_the_past_a_room_is_as_unknown() -> None:
    async with live_room(Desk(), "d1") as lobby:
        await two(lobby)
        cy = await lobby.join("cy")
        reason = "there is no room desk/d1, or you may not see its history"
        for question in ("timeline", "at", "blame", "versions", "restore", "rollback"):
            assert await refused(cy, question, offset=1) == (ErrorCode.ROOM_NOT_FOUND, reason)
        with pytest.raises(Refused) as unknown:
            await lobby.node.history.timeline("kit", "d2")
        assert unknown.value.code is ErrorCode.ROOM_NOT_FOUND
        assert unknown.value.reason == reason.replace("d1", "d2")


async def test_who_may_look_back_may_change_nothing_without_the_right_to_write() -> None:
    async with live_room(Desk(), "d1") as lobby:
        await two(lobby)
        dan = await lobby.join("dan")
        assert (await asked(dan, "at", offset=1))["offset"] == 1
        for question in ("restore", "version.add", "version.rename", "version.delete", "rollback"):
            code, _ = await refused(dan, question, offset=1, name="x", id="v1", author="ada")
            assert code is ErrorCode.PERMISSION_DENIED


async def test_a_part_may_ask_for_another_right_to_its_past() -> None:
    desk = Desk()
    async with live_room(desk, "d1") as lobby:
        ada = await lobby.join("ada", "notes")
        assert (await refused(ada, "timeline"))[0] is ErrorCode.ROOM_NOT_FOUND
        desk.rights["ada"] |= Access.of(["desk.secret"])
        await lobby.node.reauthorize("kit", "d1")
        assert (await asked(ada, "timeline"))["entries"] == []


async def test_what_the_server_cannot_read_has_no_past_to_show() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada = await lobby.join("ada", "sealed")
        assert (await refused(ada, "timeline"))[0] is ErrorCode.REFUSED


async def test_a_right_that_goes_while_a_helper_works_is_missed_in_time() -> None:
    desk = Desk()
    async with live_room(desk, "d1") as lobby:
        ada, bob = await two(lobby)
        past = lobby.core.history
        assert past is not None
        async with past.turn(caller("ada")):
            ada.visitor.session.received(  # it waits for its turn
                encode(m.History(ada.visitor.channel, 9, "restore", {"offset": 1}))
            )
            desk.rights["ada"] = Access.of(["view", "history"])
        answer = await ada.visitor.expect(m.Answer, m.Refuse)
        assert isinstance(answer, m.Refuse)
        assert answer.code == ErrorCode.PERMISSION_DENIED
        assert bob.read() == "one two "


# --- versions ------------------------------------------------------------------------------------


async def test_versions_are_named_renamed_listed_and_forgotten() -> None:
    clock = SetClock()
    async with live_room(Desk(), "d1", clock=clock) as lobby:
        ada, bob = await two(lobby)
        made = (await asked(ada.visitor, "version.add", name="  Draft   one "))["version"]
        assert made == {
            **{"id": made["id"], "name": "Draft one", "author": "ada"},
            **{"time": clock.time(), "offset": 2},
        }
        older = await asked(bob.visitor, "version.add", name="Before", offset=1, id="v1")
        await asked(bob.visitor, "version.rename", id="v1", name="At first")
        listed = (await asked(ada.visitor, "versions"))["versions"]
        assert [(each["id"], each["name"]) for each in listed] == [
            (made["id"], "Draft one"),
            ("v1", "At first"),
        ]
        # Asked once more after a lost connection, it is the same one.
        again = await asked(bob.visitor, "version.add", name="Other", offset=2, id="v1")
        assert again["version"] == {**older["version"], "name": "At first"}
        await asked(ada.visitor, "version.delete", id="v1")
        await asked(ada.visitor, "version.delete", id="v1")
        assert len((await asked(ada.visitor, "versions"))["versions"]) == 1
        assert (await refused(ada.visitor, "version.rename", id="v1", name="x"))[0] is (
            ErrorCode.CONFLICT
        )


async def test_a_version_of_now_holds_what_was_sent_before_it() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada = await typist(lobby, "ada")
        before = ada.doc.get_state()
        ada.text.insert(0, "just now")
        ada.visitor.session.received(_update(ada, before))
        made = (await asked(ada.visitor, "version.add", name="Now"))["version"]
        assert made["offset"] == 1


def _update(who: Typist, before: bytes) -> bytes:
    return encode(m.Update(who.visitor.channel, 1, who.doc.get_update(before)))


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": " "}, {"name": "x" * 201}, {"name": "x", "id": "a b"}]
)
async def test_versions_without_a_proper_name_are_refused(body: Json) -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, _ = await two(lobby)
        assert (await refused(ada.visitor, "version.add", **body))[0] is ErrorCode.MALFORMED


async def test_a_document_has_so_many_versions_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "VERSIONS", 2)
    async with live_room(Desk(), "d1") as lobby:
        ada, _ = await two(lobby)
        for name in ("one", "two"):
            await asked(ada.visitor, "version.add", name=name)
        assert (await refused(ada.visitor, "version.add", name="three"))[0] is ErrorCode.REFUSED


async def test_versions_go_with_their_room() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, _ = await two(lobby)
        await asked(ada.visitor, "version.add", name="x", id="v1")
        await lobby.core.directory.delete("kit", "desk/d1")
        await lobby.rest()
        for table in ("version", "client"):
            assert await lobby.node.query("kit", f"SELECT * FROM core_history_{table}") == []


# --- going back ----------------------------------------------------------------------------------


async def test_everybody_who_is_connected_sees_the_old_text_again() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, bob = await two(lobby)
        await bob.erase(0, 3)
        done = await asked(ada.visitor, "restore", offset=1)
        assert (done["offset"], done["restored"], done["removed"]) == (4, 3, 4)
        assert (ada.read(), bob.read()) == ("one ", "one ")
        await bob.type("more")
        assert ada.read() == "one more"
        assert (await typist(lobby, "dan")).read() == "one more"


async def test_who_was_away_merges_what_they_wrote() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, bob = await two(lobby)
        ada.read()
        bob.read()
        bob.text.insert(0, "away ")
        await asked(ada.visitor, "restore", offset=1)
        await bob.visitor.update(bob.doc.get_update())
        assert (ada.read(), bob.read()) == ("away one ", "away one ")


async def test_going_back_is_the_work_of_who_asked_for_it() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, bob = await two(lobby)
        await ada.erase(0, 4)
        await asked(bob.visitor, "restore", offset=1)
        (log,) = [row for row in await lobby.node.log("kit", "d1", after=3)]
        assert log.sender == "bob"
        (text,) = (await asked(ada.visitor, "blame"))["types"]
        assert [(run["author"], run["relayed"]) for run in text["runs"]] == [("bob", False)]


async def test_going_back_to_now_adds_nothing_to_the_log() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, _ = await two(lobby)
        assert (await asked(ada.visitor, "restore", offset=2))["offset"] == 2
        assert lobby.room.heads[""] == 2


async def test_one_authors_changes_are_taken_back_and_nobody_elses() -> None:
    clock = SetClock()
    async with live_room(Desk(), "d1", clock=clock) as lobby:
        ada, bob = await two(lobby, clock)
        clock.pass_time(3600)
        await bob.erase(0, 4)
        await ada.type("three")
        start = clock.time() - 4000
        done = await asked(ada.visitor, "rollback", author="bob", start=start, end=clock.time() + 1)
        assert (done["restored"], done["removed"]) == (4, 4)
        assert (ada.read(), bob.read()) == ("one three", "one three")


@pytest.mark.parametrize(
    "body",
    [
        {"author": "bob"},
        {"author": "bob", "first": 1},
        {"author": "bob", "first": 2, "last": 1},
        {"author": "bob", "first": 0, "last": 1},
        {"first": 1, "last": 2},
    ],
)
async def test_a_rollback_names_an_author_and_a_period(body: Json) -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, _ = await two(lobby)
        assert (await refused(ada.visitor, "rollback", **body))[0] is ErrorCode.MALFORMED


async def test_any_root_goes_back() -> None:
    async with live_room(Plain(), "p1") as lobby:
        ada = await lobby.join("ada")
        doc: Doc[Any] = Doc()
        items: Array[Any] = doc.get("anything", type=Array)
        items.extend([1, "two", {"three": 3}])
        await ada.update(doc.get_update())
        made: list[bytes] = []
        observed = doc.observe(lambda event: made.append(event.update))
        items.clear()
        doc.unobserve(observed)
        await ada.update(made[0])
        await asked(ada, "restore", offset=1)
        (back,) = [each for each in ada.received if isinstance(each, m.Changed)]
        doc.apply_update(back.update)
        assert items.to_py() == [1, "two", {"three": 3}]


# --- lives, faults, bindings ---------------------------------------------------------------------


async def rebuilt(lobby: Lobby) -> None:
    """Begin a new life of the document with the text "new"."""
    await lobby.forget()
    doc: Doc[Any] = Doc()
    doc.get("text", type=Text).insert(0, "new")
    opened = await lobby.core.store.open_room("kit", "desk/d1", creator=None, now=0)
    entry = Entry(doc.get_update(), "server", lobby.core.clock.time(), b"life")
    address, end = Address("kit", "desk/d1"), opened.parts[""].offset
    await lobby.core.store.rebuild(address, opened.fence, expected=end, entry=entry)


async def test_earlier_lives_are_told_of_and_their_versions_can_be_seen() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada, _ = await two(lobby)
        await asked(ada.visitor, "version.add", name="Old", id="v1")
        await rebuilt(lobby)
        ada = await typist(lobby, "ada")
        assert ada.read() == "new"
        page = await asked(ada.visitor, "timeline")
        assert (page["since"], [entry["first"] for entry in page["entries"]]) == (2, [3])
        code, reason = await refused(ada.visitor, "at", offset=1)
        assert code is ErrorCode.STALE_INCARNATION
        assert "rebuilt after offset 2" in reason
        assert text_of((await asked(ada.visitor, "at", version="v1"))["state"]) == "one two "
        assert text_of((await asked(ada.visitor, "at", offset=3))["state"]) == "new"
        assert (await refused(ada.visitor, "restore", version="v1"))[0] is (
            ErrorCode.STALE_INCARNATION
        )


async def test_while_the_store_does_not_answer_nor_does_the_history() -> None:
    store = FaultyStore(MemoryStore())
    async with live_room(Desk(), "d1", store=store) as lobby:
        ada, _ = await two(lobby)
        store.fail(1)
        assert (await refused(ada.visitor, "at", offset=1))[0] is ErrorCode.STORE_UNAVAILABLE
        assert (await asked(ada.visitor, "at", offset=1))["offset"] == 1


# --- what a compaction has left ------------------------------------------------------------------


async def compacted(store: MemoryStore, through: int, base: bytes) -> None:
    """Let the log begin at one of its rows."""
    opened = await store.open_room("kit", "desk/d1", creator=None, now=0)
    address = Address("kit", "desk/d1")
    assert await store.compact(address, opened.fence, through=through, base=base)


async def test_a_log_that_was_compacted_is_shown_from_there_on() -> None:
    store = MemoryStore()
    async with live_room(Desk(), "d1", store=store) as lobby:
        ada, bob = await two(lobby)
        await ada.erase(0, 4)
        await bob.type("three ")
        third = (await asked(ada.visitor, "at", offset=3))["state"]
    await compacted(store, 3, third)
    async with live_room(Desk(), "d1", store=store) as lobby:
        ada = await typist(lobby, "ada")
        page = await asked(ada.visitor, "timeline")
        assert (page["since"], [entry["first"] for entry in page["entries"]]) == (3, [4])
        code, reason = await refused(ada.visitor, "at", offset=2)
        assert (code, "not kept any more" in reason) == (ErrorCode.REFUSED, True)
        assert text_of((await asked(ada.visitor, "at", offset=3))["state"]) == "two "
        assert text_of((await asked(ada.visitor, "at", offset=4))["state"]) == "two three "
        (text,) = (await asked(ada.visitor, "blame"))["types"]
        runs = [(run["author"], run["relayed"]) for run in text["runs"]]
        assert runs == [("", True), ("bob", False)]


async def test_a_version_from_before_a_compaction_can_be_gone_back_to() -> None:
    store = MemoryStore()
    async with live_room(Desk(), "d1", store=store) as lobby:
        ada, _ = await two(lobby)
        await ada.erase(0, 4)
        await asked(ada.visitor, "version.add", name="Both", offset=2, id="v1")
        third = (await asked(ada.visitor, "at", offset=3))["state"]
    await compacted(store, 3, third)
    async with live_room(Desk(), "d1", store=store) as lobby:
        ada = await typist(lobby, "ada")
        assert ada.read() == "two "
        assert text_of((await asked(ada.visitor, "at", version="v1"))["state"]) == "one two "
        done = await asked(ada.visitor, "restore", version="v1")
        assert (done["restored"], done["left"]["lost"]) == (4, 0)
        assert ada.read() == "one two "


async def test_a_node_that_knew_the_rows_goes_on_without_them() -> None:
    store = MemoryStore()
    async with live_room(Desk(), "d1", store=store) as lobby:
        ada, bob = await two(lobby)
        await asked(ada.visitor, "blame")
        await asked(ada.visitor, "at", offset=2)
        await bob.type("three ")
        await ada.type("four")
        third = (await asked(ada.visitor, "at", offset=3))["state"]
        await lobby.forget()
        await compacted(store, 3, third)
        ada = await typist(lobby, "ada")
        assert text_of((await asked(ada.visitor, "at", offset=4))["state"]) == ada.read()
        (text,) = (await asked(ada.visitor, "blame"))["types"]
        runs = [(run["author"], run["relayed"]) for run in text["runs"]]
        assert runs == [("ada", False), ("bob", False), ("", True), ("ada", False)]
