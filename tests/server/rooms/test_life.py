"""A room's life: loaded once whoever asks, let go when nobody is left, never served wrongly."""

import asyncio
from collections.abc import Awaitable

import pytest

from parvis.plugins import Caller, Grant, Peer, Refused, Room, YDoc
from parvis.plugins.access import EDITOR
from parvis.protocol import ErrorCode, messages as m
from parvis.server.rooms.joining import authorize
from parvis.server.rooms.room import RoomState
from parvis.storage.factory import open_store
from tests.server.rooms.lab import Board, Draft, Lab, lab, read


async def test_twenty_joiners_load_a_room_once_and_all_of_them_get_it() -> None:
    async with lab() as it:
        people = await asyncio.gather(*[it.join(f"user{number}") for number in range(20)])
        assert it.store.calls.count("open_room") == 1
        people[0].update(Draft(7).write("a"))
        await it.turns()
        assert all(person.text == "a" for person in people[1:])


async def test_a_room_that_fails_to_load_is_not_served_empty_and_the_next_join_tries_again() -> (
    None
):
    store, _ = open_store("memory:")
    async with lab(store=store) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("kept"))
        await it.turns()
        await it.empty()
    async with lab(store=store, life=2) as it:
        it.store.fail()
        for _ in range(2):
            with pytest.raises(Refused) as refused:
                await it.join("ada")
            assert refused.value.code is ErrorCode.STORE_UNAVAILABLE
            assert not it.is_live
        it.store.resume()
        assert (await it.join("ada")).text == "kept"
    await store.close()


async def test_all_who_wait_for_a_load_that_fails_are_told() -> None:
    async with lab() as it:
        it.store.fail(1)
        joins = [it.core.spawn(refusal_of(it.join(f"user{number}"))) for number in range(5)]
        assert set(await asyncio.gather(*joins)) == {ErrorCode.STORE_UNAVAILABLE}
        assert it.store.calls.count("open_room") == 1


async def refusal_of(join: Awaitable[object]) -> ErrorCode | None:
    try:
        await join
    except Refused as refused:
        return refused.code
    return None


async def test_a_part_that_fails_to_load_refuses_its_joiners_and_leaves_the_others_alone() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        it.store.fail()
        with pytest.raises(Refused) as refused:
            await it.join("bob", "notes")
        assert refused.value.code is ErrorCode.STORE_UNAVAILABLE
        it.store.resume()
        notes = await it.join("bob", "notes")
        notes.update(Draft(7).write("a"), ref=1)
        ada.update(Draft(8).write("b"), ref=2)
        await it.turns()
        assert notes.acked == [(1, 1)]
        assert ada.acked == [(2, 1)]


async def test_an_empty_room_is_let_go_after_its_idle_time() -> None:
    async with lab(settings={"idle": 30.0}) as it:
        ada = await it.join("ada")
        ada.disconnect()
        await it.pass_time(29)
        assert it.is_live
        await it.pass_time(2)
        assert not it.is_live


async def test_a_room_that_was_let_go_comes_back_as_it_was() -> None:
    async with lab(settings={"idle": 1.0}) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("kept"))
        await it.turns()
        ada.disconnect()
        await it.pass_time(2)
        await it.until(lambda: not it.is_live)
        snapshot = await it.store.inner.snapshot(it.address())
        assert snapshot is not None
        assert (snapshot.offset, read(snapshot.state)) == (1, "kept")
        assert (await it.join("bob")).text == "kept"


async def test_a_join_while_the_room_is_being_let_go_keeps_it() -> None:
    async with lab(settings={"idle": 1.0}) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"))
        await it.turns()
        room = it.room
        it.store.stall()
        ada.disconnect()
        await it.pass_time(1)
        assert room.life is RoomState.FLUSHING
        bob = await it.join("bob")
        it.store.resume()
        await it.until(lambda: room.life is RoomState.LIVE)
        assert it.room is room
        bob.update(Draft(8).write("b"), ref=2)
        await it.turns()
        assert bob.acked == [(2, 2)]
        assert it.store.calls.count("open_room") == 1


async def test_a_room_is_not_let_go_before_its_log_is_durable() -> None:
    async with lab(settings={"idle": 1.0}) as it:
        ada = await it.join("ada")
        it.store.fail()
        ada.update(Draft(7).write("a"))
        await it.turns()
        ada.disconnect()
        await it.pass_time(100)
        assert it.is_live
        it.store.resume()
        for _ in range(3):
            await it.pass_time(2)
        await it.until(lambda: not it.is_live)
        assert await it.logged_text() == "a"


async def test_an_update_sent_just_before_the_last_one_leaves_is_not_forgotten() -> None:
    async with lab(settings={"idle": 0.0}) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("last words"))
        ada.disconnect()
        await it.pass_time(1)
        await it.until(lambda: not it.is_live)
        assert await it.logged_text() == "last words"


class Thoughtful(Board):
    """Looks at each update until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: object) -> None:
        await self.go_on.wait()


async def test_a_room_is_not_let_go_while_a_hook_looks_at_an_update() -> None:
    kind = Thoughtful()
    async with lab(kind, settings={"idle": 0.0}) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("slowly judged"))
        await it.turns()
        ada.disconnect()
        await it.pass_time(1)
        assert it.is_live
        kind.go_on.set()
        await it.until(lambda: not it.is_live)
        assert await it.logged_text() == "slowly judged"


async def test_a_home_that_is_fenced_tells_its_peers_and_the_room_is_loaded_anew() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"), ref=1)
        await it.turns()
        old = it.room
        await it.store.inner.open_room(
            it.lobby.tenant, it.lobby.name, creator=None, now=it.clock.time()
        )
        ada.update(Draft(8).write("b"), ref=2)
        await it.turns()
        assert ada.of(m.Left) == [m.Left(ada.channel, ErrorCode.TRY_AGAIN, "the room has moved")]
        assert ada.acked == [(1, 1)]
        assert ada.transport.closed is None
        ada.say(m.Join(7, it.lobby.name))
        await it.turns()
        assert [joined.ref for joined in ada.of(m.Joined)] == [7]
        assert it.room is not old
        assert read(*ada.of(m.Joined)[0].updates) == "a"


async def test_a_deleted_room_sends_everybody_out_and_cannot_be_brought_back() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("gone"))
        await it.turns()
        await it.core.directory.delete(it.lobby.tenant, it.lobby.name)
        assert ada.of(m.Left) == [
            m.Left(ada.channel, ErrorCode.ROOM_DELETED, "the room was deleted")
        ]
        ada.update(draft.write("!"), ref=9)
        await it.turns()
        assert [refuse.code for refuse in ada.of(m.Refuse)] == [ErrorCode.NOT_JOINED]
        with pytest.raises(Refused) as refused:
            await it.join("bob", state=draft.doc.get_state())
        assert refused.value.code is ErrorCode.ROOM_DELETED
        assert not it.is_live


async def test_a_room_deleted_behind_its_homes_back_ends_at_the_next_append() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        await it.store.inner.delete_room(it.lobby.tenant, it.lobby.name, now=1.0)
        ada.update(Draft(7).write("a"), ref=1)
        await it.turns()
        assert [left.code for left in ada.of(m.Left)] == [ErrorCode.ROOM_DELETED]
        assert ada.acked == []


async def test_a_room_deleted_while_it_is_loaded_is_not_served_empty() -> None:
    store, _ = open_store("memory:")
    async with lab(store=store) as it:
        (await it.join("ada")).update(Draft(7).write("gone"))
        await it.turns()
        await it.empty()
    async with lab(store=store, life=2) as it:
        await it.store.inner.open_room(it.lobby.tenant, it.lobby.name, creator=None, now=1.0)
        joining = it.core.spawn(refusal_of(it.join("ada")))
        while it.store.calls.count("open_room") == 0:  # noqa: ASYNC110  the load begins soon
            await asyncio.sleep(0)
        it.store.stall()
        await it.store.reached()
        deleting = it.core.spawn(it.core.directory.delete(it.lobby.tenant, it.lobby.name))
        await it.turns()
        it.store.resume()
        await deleting
        await joining
        await it.turns()
        assert not it.is_live
        assert await refusal_of(it.join("bob")) is ErrorCode.ROOM_DELETED
    await store.close()


async def test_ten_thousand_joins_that_are_refused_do_not_even_ask_the_store() -> None:
    async with lab() as it:
        await asyncio.gather(*[knock(it, f"stranger{number}") for number in range(100)])
        door = await it.join("ada")
        before = list(it.store.calls)
        stranger = Caller(it.lobby.tenant, "stranger")
        for number in range(10_000):
            name = it.core.registry.parse(f"board/{number}")
            with pytest.raises(Refused):
                await authorize(it.core, stranger, name)
        assert it.store.calls == before
        assert len(it.core.directory) == 1
        assert door.transport.closed is None


async def test_ten_thousand_joins_of_rooms_that_do_not_exist_load_nothing() -> None:
    async with lab(settings={"create": "nobody"}) as it:
        caller = Caller(it.lobby.tenant, "ada")
        kind = it.lobby.kind
        for number in range(10_000):
            with pytest.raises(Refused, match="there is no room"):
                async with it.core.directory.hold(kind, "kit", f"board/{number}", None):
                    raise AssertionError("it does not exist")
        assert await refusal_of(it.join(caller)) is ErrorCode.ROOM_NOT_FOUND
        assert set(it.store.calls) <= {"migrate", "tenants", "open_room"}
        assert len(it.core.directory) == 0


async def knock(it: Lab, who: str) -> None:
    assert await refusal_of(it.join(who)) is ErrorCode.PERMISSION_DENIED


async def test_who_may_create_is_not_refused_because_another_may_not() -> None:
    async with lab(settings={"create": "members"}) as it:
        guest = Caller(it.lobby.tenant, "guest", member=True)
        joins = [it.core.spawn(refusal_of(it.join(who))) for who in (guest, "ada")]
        assert await asyncio.gather(*joins) == [ErrorCode.ROOM_NOT_FOUND, None]


@pytest.mark.parametrize(
    ("create", "who", "code"),
    [
        ("anyone", Caller("kit", "ada"), None),
        ("members", Caller("kit", "ada", member=True), None),
        ("members", Caller("kit", "ada"), ErrorCode.ROOM_NOT_FOUND),
        ("members", Caller("kit", "ada", grants=(Grant("board/*", EDITOR),)), None),
        ("members", Caller("kit", "guest", member=True), ErrorCode.ROOM_NOT_FOUND),
        ("admins", Caller("kit", "ada", member=True), ErrorCode.ROOM_NOT_FOUND),
        ("admins", Caller("kit", "ada", member=True, admin=True), None),
        ("nobody", Caller("kit", "ada", member=True, admin=True), ErrorCode.ROOM_NOT_FOUND),
        ("nobody", Caller("kit", "ada", anyone=True), None),
    ],
)
async def test_a_setting_says_who_creates_rooms(
    create: str, who: Caller, code: ErrorCode | None
) -> None:
    async with lab(settings={"create": create}) as it:
        assert await refusal_of(it.join(who)) is code


async def test_a_room_of_another_tenant_is_another_room() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("ours"))
        await it.turns()
        other = await it.join(Caller("elsewhere", "eve", member=True))
        assert other.text == ""
        other.update(Draft(8).write("theirs"))
        await it.turns()
        assert ada.of(m.Changed) == []
        assert await it.logged_text() == "ours"


async def test_a_part_that_is_opened_while_the_room_is_let_go_keeps_it_live() -> None:
    async with lab(Board()) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"))
        await it.turns()
        room = it.room
        ada.disconnect()
        it.store.stall()
        await it.pass_time(room.settings.idle + 1)
        await it.store.reached()
        assert room.life is RoomState.FLUSHING
        joining = it.core.spawn(it.join("bob", "notes"))
        await it.turns()
        it.store.resume()
        await joining
        await it.until(lambda: room.life is not RoomState.FLUSHING)
        await it.turns()
        assert (it.room, it.room.life) == (room, RoomState.LIVE)
