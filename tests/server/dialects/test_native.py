"""The native dialect: how a session begins and ends, and what it may do in between."""

import asyncio
from typing import Any, cast

import msgpack
import pytest

from parvis.plugins import (
    EDITOR,
    NOTHING,
    VIEWER,
    Access,
    Answer,
    Caller,
    Peer,
    Refused,
    Request,
    Room,
    YDoc,
)
from parvis.protocol import CloseCode, ErrorCode, decode_from_server, encode, messages as m
from parvis.protocol.messages import ClientMessage, ServerMessage, Value
from parvis.server.dialects.native import NativeSession
from parvis.server.identity import Identified, Unauthenticated
from parvis.server.identity.proof import Proof
from parvis.server.limits import Limits
from parvis.server.testing import KeptTransport
from tests.server.dialects.stock_people import payload
from tests.server.rooms.lab import Board, Draft, Lab, Mail, lab, read


class Client:
    """A socket that has said nothing yet. A ticket is the name of its user."""

    def __init__(self, it: Lab, expires: float | None = None) -> None:
        self._tenant = it.lobby.tenant
        self.expires = expires
        self.transport = KeptTransport()
        self.session = NativeSession(it.core, self.transport, self._identify)
        it.sessions.append(self.session)

    async def _identify(self, ticket: str) -> Identified:
        if ticket.startswith("wrong"):
            raise Unauthenticated("this ticket is not valid")
        if ticket == "bug":
            raise ZeroDivisionError
        user, _, tenant = ticket.partition("@")
        caller = Caller(tenant or self._tenant, user, user.title(), "#123456", member=True)
        return Identified(caller, self.expires, Proof("access", ticket, user))

    def say(self, *messages: ClientMessage) -> None:
        for message in messages:
            self.session.received(encode(message))

    @property
    def heard(self) -> list[ServerMessage]:
        return [decode_from_server(payload(frame)) for frame in self.transport.frames]

    @property
    def last(self) -> ServerMessage:
        return self.heard[-1]

    @property
    def code(self) -> int:
        """The close code; 0 while the socket is open."""
        return self.transport.closed[0] if self.transport.closed else 0


async def test_hello_is_answered_by_welcome_with_limits_and_life() -> None:
    async with lab() as it:
        client = Client(it, expires=it.clock.time() + 60)
        client.say(m.Hello(1, "ada"))
        await it.turns()
        assert client.heard == [
            m.Welcome(
                client.session.id,
                {"id": "ada", "name": "Ada", "color": "#123456"},
                60.0,
                {"frame": 8 * 2**20, "rooms": 200, "silence": 37.5},
                "parvis/0.1.0",
            )
        ]


async def test_a_client_need_not_wait_for_the_welcome() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"), m.Join(3, it.lobby.name))
        await it.turns()
        assert [type(message) for message in client.heard] == [m.Welcome, m.Joined]


async def test_no_more_is_read_between_hello_and_welcome() -> None:
    async with lab() as it:
        client = Client(it)
        assert not client.session.busy
        client.say(m.Hello(1, "ada"))
        assert client.session.busy
        await client.session.rested()
        assert isinstance(client.last, m.Welcome)
        assert not client.session.busy


async def test_little_is_kept_for_who_is_not_known_yet() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"))
        for _ in range(300):
            client.say(m.Signal(1, 1, "much", "a" * 1000))
        assert client.code == CloseCode.TRY_LATER
        await client.session.rested()


@pytest.mark.parametrize(
    ("ticket", "code"), [("wrong", CloseCode.UNAUTHENTICATED), ("bug", CloseCode.TRY_LATER)]
)
async def test_who_cannot_be_identified_is_closed_and_nothing_else_is_looked_at(
    ticket: str, code: CloseCode
) -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, ticket), m.Join(3, it.lobby.name))
        await it.turns()
        assert [type(message) for message in client.heard] == [m.Error]
        assert client.code == code
        assert not it.is_live


async def test_another_version_is_not_spoken() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(2, "ada"))
        assert client.code == CloseCode.UNSUPPORTED_VERSION


async def test_nothing_but_a_ping_may_come_before_hello() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Ping(5))
        assert client.heard == [m.Pong(5)]
        client.say(m.Join(1, it.lobby.name))
        assert client.code == CloseCode.MALFORMED


async def test_there_is_one_hello() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"))
        await it.turns()
        client.say(m.Hello(1, "ada"))
        assert client.code == CloseCode.MALFORMED


async def test_who_says_no_hello_in_time_is_closed_whatever_else_it_says() -> None:
    async with lab() as it:
        client = Client(it)
        await it.pass_time(9)
        client.say(m.Ping(1))
        assert client.code == 0
        await it.pass_time(2)
        assert client.code == CloseCode.NO_HELLO
        assert CloseCode.NO_HELLO.comes_back


async def test_a_session_ends_with_its_token() -> None:
    async with lab() as it:
        client = Client(it, expires=it.clock.time() + 60)
        client.say(m.Hello(1, "ada"), m.Join(1, it.lobby.name))
        await it.turns()
        await it.pass_time(59)
        assert client.code == 0
        await it.pass_time(2)
        assert client.code == 3002
        assert client.last == m.Error(3002, "the token has expired")


async def test_refresh_prolongs_a_session() -> None:
    async with lab() as it:
        client = Client(it, expires=it.clock.time() + 60)
        client.say(m.Hello(1, "ada"))
        await it.turns()
        await it.pass_time(50)
        client.expires = it.clock.time() + 60
        client.say(m.Refresh(4, "ada"))
        await it.turns()
        assert client.last == m.Refreshed(4, 60.0)
        await it.pass_time(59)
        assert client.code == 0
        await it.pass_time(2)
        assert client.code == CloseCode.TOKEN_EXPIRED


@pytest.mark.parametrize(
    ("ticket", "code"),
    [
        ("wrong", ErrorCode.UNAUTHENTICATED),
        ("eve", ErrorCode.UNAUTHENTICATED),
        ("ada@elsewhere", ErrorCode.UNAUTHENTICATED),
        ("bug", ErrorCode.TRY_AGAIN),
    ],
)
async def test_a_refresh_that_fails_is_refused_and_the_session_goes_on(
    ticket: str, code: ErrorCode
) -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"))
        await it.turns()
        client.say(m.Refresh(4, ticket))
        await it.turns()
        assert isinstance(client.last, m.Refuse)
        assert (client.last.ref, client.last.code) == (4, code)
        assert client.code == 0
        assert client.session.caller.user == "ada"
        assert client.session.caller.tenant == it.lobby.tenant


class Fickle(Board):
    """Gives what it is told to give."""

    access = EDITOR

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return self.access


async def test_a_refresh_asks_anew_what_the_peer_may_do() -> None:
    kind = Fickle()
    async with lab(kind) as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"), m.Join(1, it.lobby.name))
        await it.turns()
        channel = it.part.channel
        kind.access = VIEWER
        client.say(m.Refresh(2, "ada"))
        await it.turns()
        assert client.last == m.AccessChanged(channel, ["view"])
        client.say(m.Update(channel, 3, Draft(7).write("a")))
        assert isinstance(client.last, m.Refuse)
        kind.access = EDITOR
        client.say(m.Refresh(4, "ada"))
        await it.turns()
        assert client.heard[-2:] == [
            m.AccessChanged(channel, ["comment", "edit", "history", "suggest", "view"]),
            m.Resync(channel, b"\x00"),
        ]
        kind.access = NOTHING
        client.say(m.Refresh(5, "ada"))
        await it.turns()
        assert client.last == m.Left(channel, ErrorCode.PERMISSION_DENIED, "you may not open this")
        assert it.room.peers == []


async def test_a_person_is_told_on_every_native_session_of_theirs() -> None:
    async with lab() as it:
        phone, desk, other, elsewhere = (Client(it) for _ in range(4))
        for client, ticket in (
            (phone, "ada"),
            (desk, "ada"),
            (other, "bob"),
            (elsewhere, "ada@far"),
        ):
            client.say(m.Hello(1, ticket))
        await it.turns()
        it.core.sessions.signal("kit", "ada", "notice", {"id": 1})
        told = m.Signaled(0, "notice", {"id": 1})
        assert phone.last == desk.last == told
        assert [type(client.last) for client in (other, elsewhere)] == [m.Welcome, m.Welcome]
        phone.session.disconnected()
        desk.session.close(CloseCode.KICKED, "out")
        heard = list(desk.heard)
        it.core.sessions.signal("kit", "ada", "notice", {"id": 2})
        assert (phone.last, desk.heard) == (told, heard)


async def test_nobody_is_listed_who_is_not_here() -> None:
    async with lab() as it:
        client, late = Client(it), Client(it)
        client.say(m.Hello(1, "ada"))
        late.say(m.Hello(1, "bob"))
        late.session.disconnected()
        await it.turns()
        assert len(it.core.sessions) == 1
        client.say(m.Refresh(5, "ada"))
        await it.turns()
        assert len(it.core.sessions) == 1
        client.session.disconnected()
        assert len(it.core.sessions) == 0
        it.core.sessions.signal("kit", "ada", "notice")


async def test_joined_tells_the_schema_of_the_room_type() -> None:
    class Schemed(Board):
        schema = 3

    for kind, schema in ((Schemed(), 3), (Board(), 0)):
        async with lab(kind) as it:
            assert (await it.join("ada", schema=3)).joined.schema == schema
            assert (await it.join("ada", "notes", schema=3)).joined.schema == schema


async def test_malformed_messages_close_the_session() -> None:
    async with lab() as it:
        for frame in (b"", b"\xc1", b"\x91\xcc\xff", msgpack.packb([4, "channel", 1, b""])):
            client = Client(it)
            client.say(m.Hello(1, "ada"))
            await it.turns()
            client.session.received(frame)
            assert client.code == CloseCode.MALFORMED
            assert isinstance(client.last, m.Error)


async def test_a_text_frame_closes_the_session() -> None:
    async with lab() as it:
        client = Client(it)
        client.session.received_text()
        assert client.code == CloseCode.MALFORMED


@pytest.mark.parametrize(
    ("room", "code"),
    [
        ("nonsense", ErrorCode.INVALID_NAME),
        ("Board/x", ErrorCode.INVALID_NAME),
        ("other/x", ErrorCode.UNKNOWN_ROOM_TYPE),
        ("board/", ErrorCode.INVALID_NAME),
        ("board/" + "x" * 513, ErrorCode.INVALID_NAME),
        ("board/r:nothing", ErrorCode.INVALID_NAME),
        ("board/\x00", ErrorCode.INVALID_NAME),
    ],
)
async def test_a_name_that_is_none_is_refused(room: str, code: ErrorCode) -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"), m.Join(7, room))
        await it.turns()
        assert isinstance(client.last, m.Refuse)
        assert (client.last.ref, client.last.code) == (7, code)
        assert client.code == 0


async def test_a_part_is_joined_once_and_again_after_leaving() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"), m.Join(1, it.lobby.name), m.Join(2, it.lobby.name))
        await it.turns()
        assert [type(message) for message in client.heard[1:]] == [m.Refuse, m.Joined]
        client.say(m.Leave(it.part.channel), m.Join(3, it.lobby.name))
        await it.turns()
        assert isinstance(client.last, m.Joined)
        assert client.last.ref == 3
        assert len(it.room.peers) == 1


async def test_too_many_rooms_are_refused_for_now() -> None:
    async with lab(limits=Limits(rooms=2)) as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"), *[m.Join(ref, f"board/{ref}") for ref in (1, 2, 3)])
        await it.turns()
        refusals = [each for each in client.heard if isinstance(each, m.Refuse)]
        assert [(each.ref, each.code) for each in refusals] == [(3, ErrorCode.TOO_MANY_ROOMS)]


async def test_a_stale_incarnation_is_told_to_start_over() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"), m.Join(1, it.lobby.name, b"\x01\x07\x01", 99))
        await it.turns()
        assert isinstance(client.last, m.Refuse)
        assert client.last.code == ErrorCode.STALE_INCARNATION
        client.say(m.Join(2, it.lobby.name, b"", 1))
        await it.turns()
        assert isinstance(client.last, m.Joined)


async def test_a_malformed_state_is_refused() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"), m.Join(1, it.lobby.name, b"\x09\x01"))
        await it.turns()
        assert isinstance(client.last, m.Refuse)
        assert client.last.code == ErrorCode.MALFORMED
        assert it.room.peers == []


async def test_what_is_said_to_a_part_that_was_not_joined_is_refused() -> None:
    async with lab() as it:
        client = Client(it)
        client.say(m.Hello(1, "ada"))
        await it.turns()
        for message in (m.Update(9, 1, b""), m.Sync(9, 1, b""), m.Signal(9, 1, "x")):
            client.say(message)
            assert client.last == m.Refuse(9, 1, ErrorCode.NOT_JOINED, "you are not in this part")
        client.say(m.Leave(9))
        assert client.code == 0


async def test_sync_brings_what_the_client_lacks() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        bob = await it.join("bob")
        ada.update(draft.write("a"))
        await it.turns()
        bob.say(m.Sync(bob.channel, 8, b"\x00"))
        await it.turns()
        synced = bob.of(m.Synced)[0]
        assert (synced.ref, synced.state) == (8, draft.doc.get_state())
        assert read(*synced.updates) == "a"


def letter(row: bytes) -> tuple[int, str, float, bytes]:
    """Read an item of an ordered part: offset, sender, time, update."""
    offset, sender, time, update = cast("list[Any]", msgpack.unpackb(row))
    return offset, sender, time, update


async def test_an_ordered_part_is_paged_through_with_sync() -> None:
    async with lab(Mail()) as it:
        ada = await it.join("ada")
        for number in range(1200):
            ada.update(b"letter %d" % number, ref=number + 1)
        await it.turns(200)
        assert ada.acked[-1] == (1200, 1200)
        bob = await it.join("bob")
        letters = [letter(row) for row in bob.joined.updates]
        assert len(letters) == 500
        assert int.from_bytes(bob.joined.state, "big") == 1200
        while letters[-1][0] < 1200:
            bob.visitor.received.clear()
            bob.say(m.Sync(bob.channel, 1, letters[-1][0].to_bytes(8, "big")))
            await it.turns()
            letters += [letter(row) for row in bob.of(m.Synced)[0].updates]
        assert [offset for offset, *_ in letters] == list(range(1, 1201))
        assert letters[7] == (8, "ada", it.clock.time(), b"letter 7")


class Talkative(Board):
    """Answers signals and commands."""

    async def on_signal(self, room: Room[YDoc], peer: Peer, signal: Request) -> Value:
        return {"you": peer.caller.user, "said": signal.body}

    async def on_command(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        if command.name == "refuse":
            raise Refused(ErrorCode.CONFLICT, "taken")
        if command.name == "bug":
            raise ZeroDivisionError
        return Answer([caller.user, command.name, command.body], 5)


async def test_signals_and_commands_are_answered_by_their_ref() -> None:
    async with lab(Talkative()) as it:
        ada = await it.join("ada")
        ada.say(m.Signal(ada.channel, 3, "hi", 1))
        ada.say(m.Command(ada.channel, 4, "do", None))
        ada.say(m.Command(ada.channel, 5, "refuse"))
        ada.say(m.Command(ada.channel, 6, "bug"))
        ada.say(m.Signal(ada.channel, 0, "no answer wanted"))
        await it.turns()
        assert ada.heard == [
            m.Answer(ada.channel, 3, {"you": "ada", "said": 1}, 0),
            m.Answer(ada.channel, 4, ["ada", "do", None], 5),
            m.Refuse(ada.channel, 5, ErrorCode.CONFLICT, "taken"),
            m.Refuse(ada.channel, 6, ErrorCode.INTERNAL, "internal error"),
        ]


async def test_a_room_type_without_words_refuses_signals_and_commands() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.say(m.Signal(ada.channel, 1, "hi"))
        ada.say(m.Command(ada.channel, 2, "do"))
        await it.turns()
        codes = [(refuse.ref, refuse.code) for refuse in ada.of(m.Refuse)]
        assert codes == [(1, ErrorCode.UNKNOWN_COMMAND), (2, ErrorCode.UNKNOWN_COMMAND)]


async def test_a_draining_node_says_so_and_goes_on_working() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.visitor.session.drain(20.0)
        assert ada.of(m.Drain) == [m.Drain(20.0, "the node restarts")]
        ada.update(Draft(7).write("a"), ref=1)
        await it.turns()
        assert ada.acked == [(1, 1)]


async def test_a_session_that_ends_while_it_joins_leaves_no_seat() -> None:
    async with lab() as it:
        await it.join("bob")
        client = Client(it)
        client.say(m.Hello(1, "ada"), m.Join(1, it.lobby.name))
        client.session.disconnected()
        it.sessions.clear()
        await it.turns()
        assert [peer.caller.user for peer in it.room.peers] == ["bob"]


async def test_a_session_identified_after_its_end_leaves_no_timer() -> None:
    async with lab() as it:
        client = Client(it, expires=it.clock.time() + 1e6)
        client.say(m.Hello(1, "ada"))
        client.session.disconnected()
        it.sessions.clear()
        await it.turns()
        assert it.clock.waiting == 0


async def test_a_peer_that_does_not_read_is_given_one_difference_however_often_it_asks() -> None:
    async with lab(limits=Limits(outbox=1000)) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.update(Draft(7).write("x"))
        await it.turns()
        bob.heard_all()
        bob.transport.stuck = 1001
        for ref in range(1, 51):
            bob.say(m.Sync(bob.channel, ref, b"\x00"))
        await it.turns()
        assert [synced.ref for synced in bob.of(m.Synced)] == [1]
        bob.transport.stuck = 0
        await it.pass_time(0.1)
        await it.turns()
        assert [synced.ref for synced in bob.of(m.Synced)] == list(range(1, 51))


async def test_only_so_many_questions_wait_for_their_answer() -> None:
    async with lab(limits=Limits(outbox=1000, rooms=3)) as it:
        ada = await it.join("ada")
        ada.transport.stuck = 1001
        for ref in range(1, 6):
            ada.say(m.Sync(ada.channel, ref, b"\x00"))
        refused = [(each.ref, each.code) for each in ada.of(m.Refuse)]
        assert refused == [(4, ErrorCode.TRY_AGAIN), (5, ErrorCode.TRY_AGAIN)]


async def test_a_session_that_ends_leaves_no_question_waiting() -> None:
    async with lab(limits=Limits(outbox=1000)) as it:
        ada = await it.join("ada")
        ada.transport.stuck = 1001
        for ref in range(1, 4):
            ada.say(m.Sync(ada.channel, ref, b"\x00"))
        await it.turns()
        ada.disconnect()
        it.people.clear()
        await it.turns()
        assert not it.core.working


async def test_nothing_is_read_from_a_peer_for_whom_too_much_is_under_way() -> None:
    async with lab(limits=Limits(errands=3)) as it:
        ada = await it.join("ada")
        await it.turns()
        session = ada.visitor.session
        async with it.room.turn:  # a hook takes its time
            for ref in range(1, 3):
                ada.say(m.Command(ada.channel, ref, "book"))
            assert not session.busy
            ada.say(m.Command(ada.channel, 3, "book"))
            assert session.busy
            resting = asyncio.ensure_future(session.rested())
            await it.turns()
            assert not resting.done()
        await resting
        await it.turns()
        assert [each.ref for each in ada.of(m.Refuse)] == [1, 2, 3]


async def test_a_session_that_ends_keeps_nobody_waiting_for_its_requests() -> None:
    async with lab(limits=Limits(errands=1)) as it:
        ada = await it.join("ada")
        await it.turns()
        async with it.room.turn:
            ada.say(m.Command(ada.channel, 1, "book"))
            resting = asyncio.ensure_future(ada.visitor.session.rested())
            await it.turns()
            ada.visitor.session.close(CloseCode.KICKED, "go")
            await resting


async def test_after_much_work_for_one_peer_the_others_have_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with lab() as it:
        session = (await it.join("ada")).visitor.session

        def work(frame: bytes) -> None:
            it.clock.pass_time(0.006)

        monkeypatch.setattr(session, "take", work)
        session.received(b"")
        assert not session.busy
        session.received(b"")
        assert session.busy
        resting = asyncio.ensure_future(session.rested())
        await asyncio.sleep(0)
        assert not resting.done()
        await it.pass_time(0.001)
        await resting
        assert not session.busy


async def test_whoever_was_told_to_start_over_joins_again_without_leaving() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(b"\xff\xff", ref=1)
        await it.turns()
        assert len(ada.of(m.Reset)) == 1
        ada.say(m.Join(7, "board/r"))
        await it.turns()
        again = ada.of(m.Joined)[-1]
        assert again.ref == 7
        ada.say(m.Update(again.channel, 8, Draft(7).write("a")))
        await it.turns()
        assert (8, 1) in ada.acked
