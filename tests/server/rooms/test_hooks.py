"""Hooks: in the order of a room's life, one at a time, and a bug costs only its own update."""

import asyncio
from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from parvis.plugins import (
    EDITOR,
    VIEWER,
    Access,
    Answer,
    Caller,
    Commit,
    Peer,
    Refused,
    Request,
    Room,
    Submission,
    YDoc,
)
from parvis.protocol import ErrorCode, messages as m
from tests.server.rooms.lab import Board, Draft, Mail, lab, read


class Reading(Board):
    """Keeps what it is shown of updates."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Submission] = []

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        self.seen.append(submission)


@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_hook_sees_which_names_an_update_brings(size: int) -> None:
    """A small update is read in the worker, a large one by a helper."""
    kind = Reading()
    async with lab(kind) as it:
        ada = await it.join("ada")
        doc: Doc[Any] = Doc()
        words = XmlText("w" * size)
        doc.get("default", type=XmlFragment).children.append(XmlElement("note", {}, [words]))
        words.format(0, 4, {"bold": True})
        ada.update(update := doc.get_update())
        await it.until(lambda: ada.acked)
        names = (frozenset({"default"}), frozenset({"note"}), frozenset({"bold"}))
        assert kind.seen == [Submission("", update, *names)]


class Counted(Board):
    """Looks at updates for a while; its command says how long the text is."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        await self.gate.wait()

    async def on_command(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        return Answer(len(read(*await room.state())))


async def test_a_command_comes_after_the_updates_that_its_peer_sent_before_it() -> None:
    kind = Counted()
    async with lab(kind) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        notes = await it.join("ada", "notes")
        draft = Draft(7)
        for word in ("some ", "words"):
            ada.update(draft.write(word))
        ada.say(m.Command(ada.channel, 9, "count"))
        await it.turns()
        assert ada.of(m.Answer) == []
        kind.gate.set()
        await it.turns()
        assert ada.of(m.Answer) == [m.Answer(ada.channel, 9, len("some words"))]
        assert (bob.text, notes.text) == ("some words", "")


class Diary(Board):
    """Writes down what is called."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[str] = []

    async def on_open(self, room: Room[YDoc]) -> None:
        self.pages.append(f"open {room.key}")

    async def on_join(self, room: Room[YDoc], peer: Peer) -> None:
        self.pages.append(f"join {peer.caller.user} {peer.part}".rstrip())
        if peer.caller.user == "unwelcome":
            raise Refused(ErrorCode.REFUSED, "not you")
        if peer.caller.user == "bug":
            raise ZeroDivisionError

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        self.pages.append(f"update {peer.caller.user}")
        if b"bug" in submission.update:
            raise ZeroDivisionError
        if b"panic" in submission.update:
            raise SystemError("as bad as a panic")
        if b"no" in submission.update:
            raise Refused(ErrorCode.REFUSED, "not this")

    async def on_commit(self, commit: Commit) -> None:
        self.pages.append(f"commit {[row.offset for row in commit.updates]}")

    async def on_leave(self, room: Room[YDoc], peer: Peer) -> None:
        self.pages.append(f"leave {peer.caller.user}")

    async def on_close(self, room: Room[YDoc]) -> None:
        self.pages.append("close")


async def test_hooks_are_called_in_the_order_of_a_rooms_life() -> None:
    kind = Diary()
    async with lab(kind, settings={"idle": 0.0}) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"))
        await it.turns()
        ada.disconnect()
        await it.pass_time(1)
        await it.until(lambda: not it.is_live)
    assert kind.pages == ["open r", "join ada", "update ada", "commit [1]", "leave ada", "close"]


async def test_a_hook_is_told_of_every_part() -> None:
    kind = Diary()
    async with lab(kind) as it:
        await it.join("ada", "notes")
        assert kind.pages == ["open r", "join ada notes"]


@pytest.mark.parametrize(
    ("who", "code"), [("unwelcome", ErrorCode.REFUSED), ("bug", ErrorCode.INTERNAL)]
)
async def test_who_is_refused_at_the_door_leaves_no_seat(who: str, code: ErrorCode) -> None:
    kind = Diary()
    async with lab(kind) as it:
        await it.join("ada")
        with pytest.raises(Refused) as refused:
            await it.join(who)
        assert refused.value.code is code
        assert [peer.caller.user for peer in it.room.peers] == ["ada"]


async def test_a_join_that_fails_after_the_door_is_a_leave_too() -> None:
    kind = Diary()
    async with lab(kind) as it:
        with pytest.raises(Refused):
            await it.join("ada", state=b"\x09\x01")
        await it.turns()
        assert kind.pages == ["open r", "join ada", "leave ada"]


async def test_a_bug_in_a_hook_costs_only_its_own_update() -> None:
    async with lab(Diary()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.update(Draft(7).write("bug"), ref=1)
        bob.update(Draft(8).write("fine"), ref=2)
        await it.turns()
        assert [(each.ref, each.code) for each in ada.of(m.Refuse)] == [(1, ErrorCode.INTERNAL)]
        assert len(ada.of(m.Reset)) == 1
        assert bob.acked == [(2, 1)]
        ada.update(Draft(9).write("goes on"), ref=3)
        await it.turns()
        assert ada.acked == [(3, 2)]


async def test_a_refused_update_is_answered_with_a_reset_and_nobody_sees_it() -> None:
    async with lab(Diary()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.update(Draft(7).write("no"), ref=1)
        await it.turns()
        assert ada.heard == [
            m.Refuse(ada.channel, 1, ErrorCode.REFUSED, "not this"),
            m.Reset(ada.channel, 1, ErrorCode.REFUSED, "not this"),
        ]
        assert bob.heard == []
        assert await it.log() == []


async def test_a_peers_updates_keep_their_order_while_a_hook_looks_at_them() -> None:
    async with lab(Diary()) as it:
        ada, draft = await it.join("ada"), Draft(7)
        for ref in range(1, 20):
            ada.update(draft.write(str(ref % 10)), ref=ref)
        await it.turns(200)
        assert [ref for ref, _ in ada.acked] == list(range(1, 20))
        assert await it.logged_text() == str(draft)


class Slow(Board):
    """Counts how many of its hooks run at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.running = self.most = 0

    async def _work(self) -> None:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.running -= 1

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        await self._work()

    async def on_command(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        await self._work()
        return Answer()

    async def on_join(self, room: Room[YDoc], peer: Peer) -> None:
        await self._work()


async def test_hooks_of_a_room_run_one_at_a_time() -> None:
    kind = Slow()
    async with lab(kind) as it:
        people = await asyncio.gather(*[it.join(f"user{number}") for number in range(4)])
        for number, person in enumerate(people):
            person.update(Draft(number + 1).write("x"), ref=1)
            person.say(m.Command(person.channel, 2, "do"))
        await it.turns(200)
        assert all(person.acked for person in people)
        assert kind.most == 1


class Lingering(Diary):
    """Takes its time to close."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = asyncio.Event()
        self.go_on = asyncio.Event()

    async def on_close(self, room: Room[YDoc]) -> None:
        self.closing.set()
        await self.go_on.wait()
        self.pages.append("close")


async def test_a_join_while_on_close_runs_opens_the_room_again() -> None:
    kind = Lingering()
    async with lab(kind, settings={"idle": 0.0}) as it:
        ada = await it.join("ada")
        room = it.room
        ada.disconnect()
        await it.pass_time(1)
        await kind.closing.wait()
        joining = it.core.spawn(it.join("bob"))
        await it.turns()
        kind.go_on.set()
        bob = await joining
        await it.turns()
        assert it.room is room
        # The joiner waits for its turn, which comes between the two or after both.
        assert set(kind.pages[3:]) == {"close", "open r", "join bob"}
        assert kind.pages.index("close") < kind.pages.index("open r", 1)
        bob.update(Draft(7).write("x"), ref=1)
        await it.turns()
        assert bob.acked == [(1, 1)]


class Moderated(Board):
    """Lets people be sent out, and hears of it."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[str] = []

    async def on_command(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        for peer in room.peers:
            if peer.caller.user == command.body:
                room.dismiss(peer, ErrorCode.PERMISSION_DENIED, "sent out")
        return Answer()

    async def on_leave(self, room: Room[YDoc], peer: Peer) -> None:
        self.left.append(peer.caller.user)


async def test_a_dismissed_peer_leaves_once_and_may_come_back_on_the_same_session() -> None:
    kind = Moderated()
    async with lab(kind) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.say(m.Command(ada.channel, 1, "out", "bob"))
        await it.turns()
        assert bob.heard == [m.Left(bob.channel, ErrorCode.PERMISSION_DENIED, "sent out")]
        bob.say(m.Join(5, it.lobby.name))
        await it.turns()
        assert isinstance(bob.heard[-1], m.Joined)
        bob.disconnect()
        await it.turns()
        assert kind.left == ["bob", "bob"]


async def test_a_room_whose_last_peer_was_dismissed_is_let_go() -> None:
    async with lab(Moderated(), settings={"idle": 1.0}) as it:
        ada = await it.join("ada")
        ada.say(m.Command(ada.channel, 1, "out", "ada"))
        await it.turns()
        await it.pass_time(2)
        await it.until(lambda: not it.is_live)


class Signalling(Board):
    """Tells others and one."""

    async def on_signal(self, room: Room[YDoc], peer: Peer, signal: Request) -> Any:
        room.broadcast("all", signal.body, skip=peer)
        room.signal(peer, "you", signal.body)
        return None


async def test_signals_reach_all_or_one() -> None:
    async with lab(Signalling()) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.say(m.Signal(ada.channel, 0, "x", 5))
        await it.turns()
        assert ada.heard == [m.Signaled(ada.channel, "you", 5)]
        assert bob.heard == [m.Signaled(bob.channel, "all", 5)]


class Versioned(Board):
    """Content with a schema."""

    schema = 3


async def test_who_shows_another_schema_may_only_look() -> None:
    async with lab(Versioned()) as it:
        ada = await it.join("ada", schema=3)
        for schema in (0, 2, 4):
            other = await it.join("bob", schema=schema)
            assert other.joined.access == ["view"]
            other.update(Draft(7).write("x"), ref=1)
            await it.turns()
            assert [each.code for each in other.of(m.Refuse)] == [ErrorCode.PERMISSION_DENIED]
        ada.update(Draft(8).write("y"), ref=1)
        await it.turns()
        assert ada.acked == [(1, 1)]


class Broken(Board):
    """Cannot say who may enter."""

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        raise ZeroDivisionError


async def test_a_bug_in_authorize_lets_nobody_in() -> None:
    async with lab(Broken()) as it:
        with pytest.raises(Refused) as refused:
            await it.join("ada")
        assert refused.value.code is ErrorCode.INTERNAL
        assert "open_room" not in it.store.calls


class Partial(Mail):
    """Says no to letters of some."""

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return VIEWER if caller.user == "guest" else EDITOR

    async def on_update(self, room: Room[Any], peer: Peer, submission: Submission) -> None:
        if submission.update == b"spam":
            raise Refused(ErrorCode.REFUSED, "no spam")


async def test_a_refused_letter_does_not_reset_an_ordered_part() -> None:
    async with lab(Partial()) as it:
        ada = await it.join("ada")
        ada.update(b"spam", ref=1)
        ada.update(b"letter", ref=2)
        await it.turns()
        assert ada.heard == [
            m.Refuse(ada.channel, 1, ErrorCode.REFUSED, "no spam"),
            m.Changed(ada.channel, b"letter", 1, "ada", it.clock.time()),
            m.Ack(ada.channel, 2, 1),
        ]
