"""The session without a connection: what it sends when it is told what came."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgpack
import pytest
from pycrdt import Doc, Map, Text

from parvis.client import Closed, Disconnected, DocumentPart, Refused, Rescue, Session, SetAside
from parvis.client.log_part import LogPart
from parvis.protocol import ErrorCode, awareness as wire
from parvis.protocol.messages import (
    AccessChanged,
    Ack,
    Answer,
    Awareness,
    Changed,
    ClientMessage,
    Command,
    Join,
    Joined,
    Leave,
    Left,
    Refuse,
    Reset,
    Resync,
    Signal,
    Signaled,
    Sync,
    Synced,
    Unsaved,
    Update,
    Welcome,
)
from tests.client.stand_ins import Dice, HandClock

ROOM = "plain/notes"
NOTHING = b"\x00"
M = TypeVar("M")


def marks(doc: Doc[Any]) -> Map[Any]:
    found: Map[Any] = doc.get("marks", type=Map)
    return found


@dataclass
class Played:
    """A session, and the test as its server."""

    clock: HandClock = field(default_factory=HandClock)
    sent: list[ClientMessage] = field(default_factory=list[ClientMessage])
    session: Session = field(init=False)

    def __post_init__(self) -> None:
        self.session = Session(self.clock, Dice())

    def connect(self) -> None:
        welcome = Welcome("s1", {"id": "u1"}, 0, {}, "test")
        self.session.opened(welcome, self.sent.append)

    def take(self, kind: type[M]) -> M:
        """The oldest message that was sent, which must be of this kind."""
        message = self.sent.pop(0)
        assert isinstance(message, kind), message
        return message

    def accept(self, join: Join, **changes: Any) -> None:
        said: dict[str, Any] = {
            "ref": join.ref,
            "channel": 7,
            "room": join.room,
            "incarnation": 1,
            "offset": 0,
            "access": ["edit", "view"],
            "updates": [],
            "state": NOTHING,
        }
        self.session.received(Joined(**(said | changes)))

    async def document(self, doc: Doc[Any] | None = None, **changes: Any) -> DocumentPart:
        joining = asyncio.create_task(self.session.join(ROOM, doc=doc))
        await asyncio.sleep(0)
        self.accept(self.take(Join), **changes)
        return await joining

    async def log(
        self, *rows: tuple[int, bytes], after: int = 0, end: int | None = None
    ) -> LogPart:
        joining = asyncio.create_task(self.session.join_log("chat/1", after=after))
        await asyncio.sleep(0)
        self.accept_log(self.take(Join), *rows, end=end)
        return await joining

    def accept_log(self, join: Join, *rows: tuple[int, bytes], end: int | None = None) -> None:
        last = rows[-1][0] if rows else int.from_bytes(join.state, "big")
        state = (last if end is None else end).to_bytes(8, "big")
        self.accept(join, state=state, updates=[row(*each) for each in rows])

    def break_connection(self) -> None:
        self.session.lost(Disconnected(1006))


@pytest.fixture
def played() -> Played:
    return Played()


async def test_a_part_knows_the_schema_of_its_room_type(played: Played) -> None:
    played.connect()
    part = await played.document(schema=3)
    assert part.schema == 3
    played.break_connection()
    played.connect()
    played.accept(played.take(Join), schema=4)
    assert part.schema == 4


async def test_a_signal_on_no_channel_is_for_the_user(played: Played) -> None:
    played.connect()
    part = await played.document()
    heard: list[Signaled] = []
    in_part: list[Signaled] = []
    played.session.on_signal(heard.append)
    part.on_signal(in_part.append)
    notice = Signaled(0, "notice", {"id": 1})
    played.session.received(notice)
    played.session.received(wave := Signaled(7, "wave"))
    assert (heard, in_part) == ([notice], [wave])


@pytest.fixture
async def connected(played: Played) -> Played:
    played.connect()
    return played


async def test_a_join_shows_what_the_client_has(connected: Played) -> None:
    doc: Doc[Any] = Doc()
    marks(doc)["a"] = 1
    joining = asyncio.create_task(connected.session.join(ROOM, doc=doc, schema=3))
    await asyncio.sleep(0)
    assert connected.take(Join) == Join(1, ROOM, doc.get_state(), 0, 3)
    joining.cancel()


async def test_a_joined_part_holds_what_the_server_had(connected: Played) -> None:
    theirs: Doc[Any] = Doc()
    marks(theirs)["a"] = 1
    part = await connected.document(updates=[theirs.get_update()], state=theirs.get_state())
    assert marks(part.doc).to_py() == {"a": 1}
    assert part.access == {"edit", "view"}
    assert part.unsaved == frozenset()
    assert connected.sent == []


async def test_a_refused_join_raises(connected: Played) -> None:
    joining = asyncio.create_task(connected.session.join(ROOM))
    await asyncio.sleep(0)
    ref = connected.take(Join).ref
    connected.session.received(Refuse(0, ref, ErrorCode.PERMISSION_DENIED, "no"))
    with pytest.raises(Refused, match="201 PERMISSION_DENIED: no"):
        await joining


async def test_a_join_that_is_refused_for_the_moment_is_asked_again(connected: Played) -> None:
    joining = asyncio.create_task(connected.session.join(ROOM))
    await asyncio.sleep(0)
    ref = connected.take(Join).ref
    connected.session.received(Refuse(0, ref, ErrorCode.TRY_AGAIN, "later"))
    assert connected.sent == []
    connected.clock.advance(30)
    connected.accept(connected.take(Join))
    assert (await joining).joined


async def test_a_local_edit_is_sent_and_saved_by_its_ack(connected: Played) -> None:
    part = await connected.document()
    acks: list[tuple[tuple[int, ...], int]] = []
    part.on_ack(lambda edits, offset: acks.append((edits, offset)))
    marks(part.doc)["a"] = 1
    update = connected.take(Update)
    assert part.unsaved == {1}
    saving = asyncio.create_task(part.saved())
    await asyncio.sleep(0)
    assert not saving.done()
    connected.session.received(Ack(7, update.ref, 12))
    await saving
    assert part.unsaved == frozenset()
    assert acks == [((1,), 12)]
    copy: Doc[Any] = Doc()
    copy.apply_update(update.update)
    assert marks(copy).to_py() == {"a": 1}


async def test_the_changes_of_others_are_merged_and_not_sent_back(connected: Played) -> None:
    part = await connected.document()
    theirs: Doc[Any] = Doc()
    marks(theirs)["a"] = 1
    connected.session.received(Changed(7, theirs.get_update()))
    assert marks(part.doc).to_py() == {"a": 1}
    assert connected.sent == []
    assert part.unsaved == frozenset()


async def test_edits_made_while_disconnected_go_out_with_the_next_join(connected: Played) -> None:
    part = await connected.document()
    marks(part.doc)["acked"] = 1
    acked = connected.take(Update)
    connected.session.received(Ack(7, acked.ref, 1))
    server_has = part.doc.get_state()
    marks(part.doc)["in flight"] = 1
    connected.take(Update)
    connected.break_connection()
    marks(part.doc)["offline"] = 1
    assert part.unsaved == {2, 3}
    assert not part.joined

    connected.connect()
    join = connected.take(Join)
    assert (join.state, join.incarnation) == (part.doc.get_state(), 1)
    connected.accept(join, channel=9, state=server_has)
    update = connected.take(Update)
    assert update.channel == 9
    connected.session.received(Ack(9, update.ref, 2))
    assert part.unsaved == frozenset()
    copy: Doc[Any] = Doc()
    copy.apply_update(acked.update)
    copy.apply_update(update.update)
    assert marks(copy).to_py() == {"acked": 1, "in flight": 1, "offline": 1}


async def test_an_edit_that_the_server_knows_waits_for_an_ack_all_the_same(
    connected: Played,
) -> None:
    """The server may hold it in memory only, so that knowing it is not yet keeping it."""
    part = await connected.document()
    marks(part.doc)["a"] = 1
    connected.take(Update)
    connected.break_connection()
    connected.connect()
    connected.accept(connected.take(Join), state=part.doc.get_state())
    assert part.unsaved == {1}
    update = connected.take(Update)
    connected.session.received(Ack(7, update.ref, 1))
    assert part.unsaved == frozenset()


async def test_an_ack_of_the_old_connection_means_nothing_on_the_new_one(
    connected: Played,
) -> None:
    part = await connected.document()
    marks(part.doc)["a"] = 1
    old = connected.take(Update)
    connected.break_connection()
    connected.connect()
    connected.accept(connected.take(Join))
    connected.session.received(Ack(7, old.ref, 1))
    assert part.unsaved == {1}


async def test_a_resync_is_answered_with_what_the_server_lacks(connected: Played) -> None:
    part = await connected.document()
    marks(part.doc)["a"] = 1
    dropped = connected.take(Update)
    refuse = Refuse(7, dropped.ref, ErrorCode.RATE_LIMITED, "slower")
    connected.session.received(refuse)
    assert part.unsaved == {1}
    connected.session.received(Resync(7, NOTHING))
    again = connected.take(Update)
    connected.session.received(Ack(7, again.ref, 1))
    assert part.unsaved == frozenset()


async def test_an_update_refused_for_the_moment_is_offered_again(connected: Played) -> None:
    part = await connected.document()
    marks(part.doc)["a"] = 1
    dropped = connected.take(Update)
    refuse = Refuse(7, dropped.ref, ErrorCode.STORE_UNAVAILABLE, "full")
    connected.session.received(refuse)
    assert connected.sent == []
    connected.clock.advance(1)
    again = connected.take(Update)
    connected.session.received(Ack(7, again.ref, 1))
    assert part.unsaved == frozenset()
    connected.clock.advance(10)
    assert not any(isinstance(message, Update) for message in connected.sent)


async def test_an_update_refused_for_good_is_not_called_saved(connected: Played) -> None:
    part = await connected.document()
    refused: list[tuple[int, ...]] = []
    part.on_refused(lambda edits, why: refused.append(edits))
    marks(part.doc)["a"] = 1
    saving = asyncio.create_task(part.saved())
    await asyncio.sleep(0)
    ref = connected.take(Update).ref
    connected.session.received(Refuse(7, ref, ErrorCode.PERMISSION_DENIED, "read only"))
    with pytest.raises(Refused, match="read only"):
        await saving
    with pytest.raises(Refused, match="read only"):
        await part.saved()
    assert refused == [(1,)]
    assert part.unsaved == {1}


async def test_a_reset_keeps_local_work_aside_and_starts_anew(connected: Played) -> None:
    part = await connected.document()
    rescues: list[Rescue] = []
    part.on_reset(rescues.append)
    marks(part.doc)["mine"] = 1
    connected.take(Update)
    saving = asyncio.create_task(part.saved())
    await asyncio.sleep(0)
    old = part.doc
    connected.session.received(Reset(7, 2, ErrorCode.REFUSED, "rebuilt"))
    assert part.doc is not old
    assert part.doc.client_id != old.client_id
    assert connected.take(Join) == Join(3, ROOM, NOTHING, 0, 0)
    with pytest.raises(SetAside):
        await saving
    (rescue,) = rescues
    copy: Doc[Any] = Doc()
    copy.apply_update(rescue.update)
    assert marks(copy).to_py() == {"mine": 1}
    assert rescue.unsaved == {1}
    assert rescue.reason == "rebuilt"
    marks(old)["late"] = 1
    assert connected.sent == []


async def test_a_stale_copy_is_set_aside_and_joined_anew(connected: Played) -> None:
    part = await connected.document()
    rescues: list[Rescue] = []
    part.on_reset(rescues.append)
    connected.break_connection()
    connected.connect()
    ref = connected.take(Join).ref
    connected.session.received(Refuse(0, ref, ErrorCode.STALE_INCARNATION, "rebuilt"))
    assert len(rescues) == 1
    join = connected.take(Join)
    assert (join.state, join.incarnation) == (NOTHING, 0)
    connected.accept(join, incarnation=2)
    assert part.joined


async def test_an_update_that_breaks_the_copy_costs_the_copy_only(connected: Played) -> None:
    part = await connected.document()
    broken: list[Rescue] = []
    part.on_reset(broken.append)
    connected.session.received(Changed(7, b"\x01\x01\xff"))
    assert len(broken) == 1
    assert not part.joined
    connected.clock.advance(30)
    join = connected.sent[-1]
    assert isinstance(join, Join)
    connected.accept(join)
    assert part.joined


async def test_an_observer_that_fails_does_not_cost_the_copy(
    connected: Played, caplog: pytest.LogCaptureFixture
) -> None:
    part = await connected.document()

    def fail(event: object) -> None:
        raise RuntimeError("a bug")

    part.doc.observe(fail)
    theirs: Doc[Any] = Doc()
    marks(theirs)["a"] = 1
    connected.session.received(Changed(7, theirs.get_update()))
    assert part.joined
    assert marks(part.doc).to_py() == {"a": 1}
    assert "an observer of the application failed" in caplog.text


async def test_a_part_that_was_left_for_the_moment_is_joined_again(connected: Played) -> None:
    part = await connected.document()
    connected.session.received(Left(7, ErrorCode.TRY_AGAIN, "moving"))
    assert not part.joined
    connected.clock.advance(30)
    connected.accept(connected.take(Join))
    assert part.joined


async def test_a_part_that_was_taken_away_ends(connected: Played) -> None:
    part = await connected.document()
    ends: list[Exception] = []
    part.on_end(ends.append)
    marks(part.doc)["a"] = 1
    saving = asyncio.create_task(part.saved())
    await asyncio.sleep(0)
    connected.session.received(Left(7, ErrorCode.ROOM_DELETED, "deleted"))
    with pytest.raises(Refused, match="deleted"):
        await saving
    assert [str(end) for end in ends] == ["refused with 301 ROOM_DELETED: deleted"]


async def test_leaving_tells_the_server_and_ends_the_part(connected: Played) -> None:
    part = await connected.document()
    await part.leave()
    assert connected.take(Leave) == Leave(7)
    connected.session.received(Changed(7, b"whatever"))
    again = await connected.document()
    assert again.joined


async def test_a_join_that_nobody_awaits_any_more_is_left(connected: Played) -> None:
    joining = asyncio.create_task(connected.session.join(ROOM))
    await asyncio.sleep(0)
    join = connected.take(Join)
    joining.cancel()
    await asyncio.gather(joining, return_exceptions=True)
    connected.accept(join)
    assert connected.take(Leave) == Leave(7)


async def test_one_part_is_joined_once(connected: Played) -> None:
    await connected.document()
    with pytest.raises(ValueError, match="joined already"):
        await connected.session.join(ROOM)


async def test_signals_and_commands_are_answered_by_ref(connected: Played) -> None:
    part = await connected.document()
    signal = asyncio.create_task(part.signal("knock", {"times": 2}))
    command = asyncio.create_task(part.command("book", [1, 2]))
    await asyncio.sleep(0)
    first, second = connected.take(Signal), connected.take(Command)
    assert (first.name, first.body) == ("knock", {"times": 2})
    connected.session.received(Answer(7, second.ref, "booked", 5))
    connected.session.received(Answer(7, first.ref, "come in"))
    assert await signal == "come in"
    answer = await command
    assert (answer.body, answer.offset) == ("booked", 5)


async def test_a_refused_command_raises(connected: Played) -> None:
    part = await connected.document()
    command = asyncio.create_task(part.command("book"))
    await asyncio.sleep(0)
    ref = connected.take(Command).ref
    connected.session.received(Refuse(7, ref, ErrorCode.CONFLICT, "taken"))
    with pytest.raises(Refused, match="402 CONFLICT: taken"):
        await command


async def test_a_command_under_way_fails_with_the_connection(connected: Played) -> None:
    part = await connected.document()
    command = asyncio.create_task(part.command("book"))
    await asyncio.sleep(0)
    connected.break_connection()
    with pytest.raises(Disconnected):
        await command
    with pytest.raises(Disconnected):
        await part.command("book")


async def test_signals_access_and_a_silent_store_are_passed_on(connected: Played) -> None:
    part = await connected.document()
    heard: list[Signaled] = []
    access: list[frozenset[str]] = []
    part.on_signal(heard.append)
    part.on_access(access.append)
    connected.session.received(Signaled(7, "knock", 1, "u2"))
    connected.session.received(AccessChanged(7, ["view"]))
    store: list[bool] = []
    part.on_store(store.append)
    connected.session.received(Unsaved(7, True))
    assert heard == [Signaled(7, "knock", 1, "u2")]
    assert access == [frozenset({"view"})]
    assert part.access == {"view"}
    assert part.store_waits
    assert store == [True]


async def test_a_callback_that_fails_is_logged_and_harms_nobody(
    connected: Played, caplog: pytest.LogCaptureFixture
) -> None:
    part = await connected.document()
    heard: list[Signaled] = []

    def fail(signal: Signaled) -> None:
        raise RuntimeError("a bug")

    part.on_signal(fail)
    part.on_signal(heard.append)
    connected.session.received(Signaled(7, "knock"))
    assert len(heard) == 1
    assert "a callback of the application failed" in caplog.text


async def test_everything_that_waits_fails_when_the_session_ends(connected: Played) -> None:
    part = await connected.document()
    marks(part.doc)["a"] = 1
    saving = asyncio.create_task(part.saved())
    command = asyncio.create_task(part.command("book"))
    joining = asyncio.create_task(connected.session.join("plain/other"))
    await asyncio.sleep(0)
    connected.session.ended(Closed(3505, "signed out"))
    results = await asyncio.gather(saving, command, joining, return_exceptions=True)
    assert [type(result) for result in results] == [Closed] * 3
    with pytest.raises(Closed):
        await connected.session.join("plain/third")
    with pytest.raises(Closed):
        await part.saved()


# Awareness


def entry(client: int, clock: int, state: object) -> bytes:
    text = None if state is None else json.dumps(state)
    return wire.encode_awareness([wire.AwarenessEntry(client, clock, text)])


def shown(message: Awareness) -> list[tuple[int, int, Any]]:
    entries = wire.decode_awareness(message.states)
    return [(e.client, e.clock, None if e.state is None else json.loads(e.state)) for e in entries]


async def test_a_joiner_sees_everyone_and_shows_itself(connected: Played) -> None:
    part = await connected.document(awareness=entry(5, 1, {"name": "Ada"}))
    assert part.awareness.states == {5: {"name": "Ada"}}
    part.awareness.local = {"cursor": 3}
    me = part.doc.client_id
    assert shown(connected.take(Awareness)) == [(me, 1, {"cursor": 3})]


async def test_a_state_is_renewed_every_fifteen_seconds(connected: Played) -> None:
    part = await connected.document()
    part.awareness.local = {"cursor": 3}
    connected.clock.advance(31)
    clocks = [shown(m)[0][1] for m in connected.sent if isinstance(m, Awareness)]
    assert clocks == [1, 2, 3]


async def test_older_states_are_passed_over(connected: Played) -> None:
    part = await connected.document(awareness=entry(5, 4, {"at": 4}))
    connected.session.received(Awareness(7, entry(5, 3, {"at": 3})))
    connected.session.received(Awareness(7, entry(5, 4, {"at": 5})))
    assert part.awareness.states == {5: {"at": 4}}


async def test_a_leaver_disappears_at_its_own_clock(connected: Played) -> None:
    part = await connected.document(awareness=entry(5, 4, {"at": 4}))
    changes: list[frozenset[int]] = []
    part.awareness.on_change(changes.append)
    connected.session.received(Awareness(7, entry(5, 4, None)))
    assert part.awareness.states == {}
    assert changes == [frozenset({5})]


async def test_a_state_that_nobody_renews_is_forgotten(connected: Played) -> None:
    part = await connected.document(awareness=entry(5, 4, {"at": 4}))
    connected.clock.advance(46)
    assert part.awareness.states == {}


async def test_whoever_says_that_we_are_gone_is_corrected(connected: Played) -> None:
    part = await connected.document()
    part.awareness.local = {"cursor": 3}
    connected.take(Awareness)
    me = part.doc.client_id
    connected.session.received(Awareness(7, entry(me, 1, None)))
    assert shown(connected.take(Awareness)) == [(me, 2, {"cursor": 3})]


async def test_after_a_break_others_are_unknown_and_the_own_state_is_shown_again(
    connected: Played,
) -> None:
    part = await connected.document(awareness=entry(5, 4, {"at": 4}))
    part.awareness.local = {"cursor": 3}
    connected.sent.clear()
    connected.break_connection()
    assert part.awareness.states == {}
    connected.connect()
    connected.accept(connected.take(Join), awareness=entry(5, 4, {"at": 4}))
    assert part.awareness.states == {5: {"at": 4}}
    shown_again = [m for m in connected.sent if isinstance(m, Awareness)]
    assert [shown(m) for m in shown_again] == [[(part.doc.client_id, 2, {"cursor": 3})]]


async def test_malformed_awareness_costs_nothing(connected: Played) -> None:
    part = await connected.document(awareness=entry(5, 4, {"at": 4}))
    connected.session.received(Awareness(7, b"\x09"))
    assert part.awareness.states == {5: {"at": 4}}


# Ordered parts


def row(offset: int, update: bytes) -> bytes:
    return msgpack.packb([offset, "u2", 1.5, update])


async def read(part: LogPart, count: int) -> list[tuple[int, bytes]]:
    updates = part.updates
    got = [await anext(updates) for _ in range(count)]
    return [(each.offset, each.update) for each in got]


async def test_a_reader_gets_the_log_in_order_and_each_update_once(connected: Played) -> None:
    part = await connected.log((3, b"three"), (4, b"four"), after=2)
    connected.session.received(Changed(7, b"four", 4))
    connected.session.received(Changed(7, b"five", 5, "u2", 1.5))
    assert await read(part, 3) == [(3, b"three"), (4, b"four"), (5, b"five")]
    assert part.offset == 5


async def test_a_sent_update_returns_its_offset(connected: Played) -> None:
    part = await connected.log()
    sending = asyncio.create_task(part.send(b"hello"))
    await asyncio.sleep(0)
    update = connected.take(Update)
    connected.session.received(Changed(7, b"hello", 1, "u1", 1.5))
    connected.session.received(Ack(7, update.ref, 1))
    assert await sending == 1
    assert await read(part, 1) == [(1, b"hello")]


async def test_an_update_without_an_ack_is_sent_again_with_its_key(connected: Played) -> None:
    part = await connected.log()
    lost = asyncio.create_task(part.send(b"same"))
    kept = asyncio.create_task(part.send(b"same"))
    await asyncio.sleep(0)
    before = [connected.take(Update), connected.take(Update)]
    assert before[0].key != before[1].key
    connected.break_connection()
    connected.connect()
    join = connected.take(Join)
    assert (join.state, join.incarnation) == (bytes(8), 1)
    connected.accept_log(join, (1, b"same"))
    again = [connected.take(Update), connected.take(Update)]
    assert [(each.update, each.key) for each in again] == [
        (each.update, each.key) for each in before
    ]
    connected.session.received(Ack(7, again[1].ref, 1))
    connected.session.received(Ack(7, again[0].ref, 2))
    assert await kept == 1
    assert await lost == 2
    assert await read(part, 1) == [(1, b"same")]


async def test_a_long_log_comes_page_by_page_and_in_order(connected: Played) -> None:
    part = await connected.log((1, b"one"), (2, b"two"), end=5)
    sync = connected.take(Sync)
    assert sync.state == (2).to_bytes(8, "big")
    connected.session.received(Changed(7, b"six", 6, "u2", 1.5))
    page = [row(3, b"three"), row(4, b""), row(5, b"five")]
    connected.session.received(Synced(7, sync.ref, page, (5).to_bytes(8, "big")))
    assert await read(part, 5) == [
        (1, b"one"),
        (2, b"two"),
        (3, b"three"),
        (5, b"five"),
        (6, b"six"),
    ]


async def test_an_update_larger_than_the_server_takes_is_refused_here(connected: Played) -> None:
    welcome = Welcome("s1", {"id": "u1"}, 0, {"frame": 1000}, "test")
    connected.session.opened(welcome, connected.sent.append)
    part = await connected.document()
    marks(part.doc)["large"] = "x" * 2000
    saving = asyncio.create_task(part.saved())
    await asyncio.sleep(0)
    connected.clock.advance(0)
    with pytest.raises(Refused, match="TOO_LARGE"):
        await saving
    assert connected.sent == []


async def test_a_resync_is_answered_even_if_nothing_is_lacking(connected: Played) -> None:
    part = await connected.document()
    connected.session.received(Resync(7, NOTHING))
    assert connected.take(Update).update == b"\x00\x00"
    assert part.unsaved == frozenset()


async def test_a_refused_sending_raises(connected: Played) -> None:
    part = await connected.log()
    sending = asyncio.create_task(part.send(b"hello"))
    await asyncio.sleep(0)
    ref = connected.take(Update).ref
    connected.session.received(Refuse(7, ref, ErrorCode.CONFLICT, "epoch"))
    with pytest.raises(Refused, match="epoch"):
        await sending
    assert part.unsaved == 0


async def test_the_updates_end_with_the_part(connected: Played) -> None:
    part = await connected.log((1, b"one"))
    reading = asyncio.create_task(read(part, 2))
    await asyncio.sleep(0)
    await part.leave()
    with pytest.raises(StopAsyncIteration):
        await reading


async def large(connected: Played) -> tuple[DocumentPart, list[Update]]:
    """A part with one edit of four megabytes in many blocks, and what was sent of it."""
    part = await connected.document()
    text = part.doc.get("text", type=Text)
    with part.doc.transaction():
        for _ in range(64):
            text.insert(0, "x" * 65_536)
    sent = [message for message in connected.sent if isinstance(message, Update)]
    connected.sent.clear()
    return part, sent


async def test_a_large_edit_goes_in_pieces_and_is_saved_when_all_are_acked(
    connected: Played,
) -> None:
    part, sent = await large(connected)
    assert len(sent) > 3
    assert max(len(each.update) for each in sent) < 1_200_000
    copy: Doc[Any] = Doc()
    for piece in sent:
        copy.apply_update(piece.update)
    assert str(copy.get("text", type=Text)) == "x" * (64 * 65_536)
    for piece in sent[1:]:
        connected.session.received(Ack(7, piece.ref, 1))
        assert part.unsaved == {1}
    connected.session.received(Ack(7, sent[0].ref, 1))
    assert part.unsaved == frozenset()


async def test_a_large_edit_of_which_a_piece_is_refused_is_refused(connected: Played) -> None:
    part, (first, *others) = await large(connected)
    refused: list[tuple[int, ...]] = []
    part.on_refused(lambda edits, why: refused.append(edits))
    connected.session.received(Refuse(7, first.ref, ErrorCode.INVALID_UPDATE, "no"))
    for piece in others:
        connected.session.received(Ack(7, piece.ref, 1))
    assert refused == [(1,)]
    assert part.unsaved == {1}
