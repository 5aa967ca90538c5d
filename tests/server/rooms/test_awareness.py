"""Awareness that can be trusted: who is here, under their own name, and gone when they are gone."""

import json

from parvis.plugins import Caller
from parvis.protocol import ErrorCode, messages as m, yjs as y
from parvis.protocol.awareness import AwarenessEntry, decode_awareness, encode_awareness
from parvis.server.limits import Limits
from tests.server.dialects.stock_people import YPerson
from tests.server.rooms.lab import Lab, Person, lab

PAUSE = 0.05


def entry(client: int, clock: int, state: object) -> AwarenessEntry:
    return AwarenessEntry(client, clock, None if state is None else json.dumps(state))


def states(*entries: AwarenessEntry) -> bytes:
    return encode_awareness(list(entries))


def tell(person: Person, *entries: AwarenessEntry) -> None:
    person.say(m.Awareness(person.channel, states(*entries)))


def shown(person: Person) -> list[tuple[int, int, object]]:
    """What a person was told: client, clock and state, in order."""
    return [
        (each.client, each.clock, None if each.state is None else json.loads(each.state))
        for message in person.of(m.Awareness)
        for each in decode_awareness(message.states)
    ]


def ada_at(x: int) -> dict[str, object]:
    return {"x": x, "user": {"id": "ada", "name": "Ada"}}


async def two(it: Lab) -> tuple[Person, Person]:
    return await it.join("ada"), await it.join("bob")


async def test_a_state_is_stamped_with_the_proven_user_and_echoed_to_its_sender() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": 1, "user": {"name": "Boss", "id": "boss", "mood": "fine"}}))
        await it.pass_time(PAUSE)
        stamped = {"x": 1, "user": {"name": "Ada", "id": "ada", "mood": "fine"}}
        assert shown(bob) == shown(ada) == [(7, 1, stamped)]


async def test_a_colour_that_the_server_knows_replaces_the_claimed_one() -> None:
    async with lab() as it:
        ada = await it.join(Caller("kit", "ada", "Ada", "#ff0000", member=True))
        tell(ada, entry(7, 1, {"user": {"color": "#00ff00"}}))
        await it.pass_time(PAUSE)
        assert shown(ada) == [(7, 1, {"user": {"color": "#ff0000", "id": "ada", "name": "Ada"}})]


async def test_a_guest_is_told_from_a_member_of_the_same_name() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        guest = await it.join(Caller("kit", "guest-1", "Ada", host="bob"))
        tell(ada, entry(7, 1, {"user": {"guest": True}}))
        tell(guest, entry(8, 1, {"user": {"guest": False}}))
        await it.pass_time(PAUSE)
        assert sorted(shown(ada), key=lambda each: each[0]) == [
            (7, 1, {"user": {"id": "ada", "name": "Ada"}}),
            (8, 1, {"user": {"id": "guest-1", "name": "Ada", "guest": True}}),
        ]


async def test_without_a_proven_name_the_state_is_left_as_it_is() -> None:
    async with lab() as it:
        ada = await it.join(Caller("kit", "guest-1", anyone=True))
        tell(ada, entry(7, 1, {"user": {"name": "Somebody"}}))
        await it.pass_time(PAUSE)
        assert shown(ada) == [(7, 1, {"user": {"name": "Somebody"}})]


async def test_entries_for_other_clients_are_ignored_without_an_error() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": 1}))
        tell(bob, entry(8, 1, {"x": 2}))
        await it.pass_time(PAUSE)
        bob.heard_all()
        tell(bob, entry(7, 5, {"x": 99}), entry(8, 2, {"x": 3}), entry(12, 1, {"x": 4}))
        await it.pass_time(PAUSE)
        assert [(client, clock) for client, clock, _ in shown(bob)] == [(8, 2)]
        assert bob.of(m.Refuse) == []


async def test_another_user_cannot_take_a_client_over() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": 1}))
        tell(bob, entry(7, 9, {"x": 2}))
        await it.pass_time(PAUSE)
        assert shown(ada) == [(7, 1, ada_at(1))]


async def test_the_client_of_somebody_who_dropped_is_kept_for_that_user_for_a_minute() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 3, {"x": 1}))
        await it.pass_time(PAUSE)
        ada.disconnect()
        await it.pass_time(59)
        tell(bob, entry(7, 9, {"x": 2}))
        await it.pass_time(PAUSE)
        assert shown(bob)[-1] == (7, 3, None)
        again = await it.join("ada")
        tell(again, entry(7, 4, {"x": 3}))
        await it.pass_time(PAUSE)
        assert shown(bob)[-1] == (7, 4, ada_at(3))
        again.disconnect()
        await it.pass_time(60)
        tell(bob, entry(7, 9, {"x": 4}))
        await it.pass_time(PAUSE)
        assert shown(bob)[-1] == (7, 9, {"x": 4, "user": {"id": "bob", "name": "Bob"}})


async def test_on_an_open_node_whoever_comes_back_is_taken_for_who_dropped() -> None:
    async with lab() as it:
        bob = await it.join("bob")
        first = await it.join(Caller("kit", "guest-1", anyone=True))
        tell(first, entry(7, 3, {"x": 1}))
        first.disconnect()
        tell(await it.join(Caller("kit", "guest-2", anyone=True)), entry(7, 4, {"x": 2}))
        await it.pass_time(PAUSE)
        assert shown(bob)[-1] == (7, 4, {"x": 2})


async def test_the_same_users_newer_socket_takes_its_client_over_from_the_old_one() -> None:
    async with lab() as it:
        old, bob = await two(it)
        tell(old, entry(7, 3, {"x": 1}))
        await it.pass_time(PAUSE)
        new = await it.join("ada")
        tell(new, entry(7, 4, {"x": 2}))
        await it.pass_time(PAUSE)
        bob.heard_all()
        old.disconnect()
        await it.pass_time(PAUSE)
        assert shown(bob) == []
        tell(new, entry(7, 5, {"x": 3}))
        await it.pass_time(PAUSE)
        assert shown(bob) == [(7, 5, ada_at(3))]
        new.disconnect()
        await it.turns()
        assert shown(bob)[-1] == (7, 5, None)


async def test_the_old_socket_cannot_speak_for_a_client_that_was_taken_over() -> None:
    async with lab() as it:
        old, bob = await two(it)
        tell(old, entry(7, 3, {"x": 1}))
        new = await it.join("ada")
        tell(new, entry(7, 4, {"x": 2}))
        await it.pass_time(PAUSE)
        bob.heard_all()
        tell(old, entry(7, 4, None))
        await it.pass_time(PAUSE)
        assert shown(bob) == []


async def test_a_joiner_sees_everybody_at_once() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": 1}))
        tell(bob, entry(8, 1, {"x": 2}))
        await it.pass_time(PAUSE)
        eve = await it.join("eve")
        here = decode_awareness(eve.joined.awareness)
        assert [each.client for each in here] == [7, 8]
        stock = YPerson(it, "dan")
        await it.turns()
        assert [type(message) for message in stock.heard] == [y.SyncStep1, y.Awareness]


async def test_a_leaver_is_gone_at_once_under_the_clock_it_had() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 41, {"x": 1}))
        await it.pass_time(PAUSE)
        bob.heard_all()
        ada.disconnect()
        assert shown(bob) == [(7, 41, None)]
        assert (await it.join("eve")).joined.awareness == b""


async def test_who_leaves_the_part_alone_is_gone_too() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": 1}))
        await it.pass_time(PAUSE)
        bob.heard_all()
        ada.say(m.Leave(ada.channel))
        assert shown(bob) == [(7, 1, None)]


async def test_a_client_may_take_its_state_back_under_an_equal_clock() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": 1}))
        await it.pass_time(PAUSE)
        bob.heard_all()
        tell(ada, entry(7, 1, None))
        await it.pass_time(PAUSE)
        assert [(client, state) for client, _, state in shown(bob)] == [(7, None)]


async def test_a_client_that_comes_back_with_the_clock_it_left_with_is_seen_again() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 5, {"x": 1}))
        await it.pass_time(PAUSE)
        ada.disconnect()
        bob.heard_all()
        again = await it.join("ada")
        tell(again, entry(7, 5, {"x": 1}))
        await it.pass_time(PAUSE)
        assert shown(bob) == [(7, 6, ada_at(1))], "peers believe only a newer clock"


async def test_an_older_clock_is_ignored() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 5, {"x": 1}))
        tell(ada, entry(7, 4, {"x": 2}))
        tell(ada, entry(7, 5, {"x": 3}))
        await it.pass_time(PAUSE)
        assert shown(bob) == [(7, 5, ada_at(1))]


async def test_what_comes_within_the_pause_is_told_once_and_in_its_newest_form() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": 0}))
        await it.pass_time(0.001)
        assert len(bob.of(m.Awareness)) == 1, "the first one travels at once"
        for clock in range(2, 50):
            tell(ada, entry(7, clock, {"x": clock}))
            await it.pass_time(0.0005)
        assert len(bob.of(m.Awareness)) == 1
        await it.pass_time(PAUSE)
        assert [(clock, state) for _, clock, state in shown(bob)] == [
            (1, ada_at(0)),
            (49, ada_at(49)),
        ]


async def test_a_renewal_that_changes_nothing_is_passed_on() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        for clock in range(1, 4):
            tell(ada, entry(7, clock, {"x": 1}))
            await it.pass_time(15)
        assert [clock for _, clock, _ in shown(bob)] == [1, 2, 3]
        assert len(ada.of(m.Awareness)) == 3


async def test_states_that_are_no_objects_are_refused_and_the_session_goes_on() -> None:
    async with lab() as it:
        ada, bob = await two(it)
        for state in ("[1]", "7", "{", '{"x": NaN}', "[" * 5000):
            ada.say(m.Awareness(ada.channel, states(AwarenessEntry(7, 1, state))))
        ada.say(m.Awareness(ada.channel, b"\xff"))
        await it.pass_time(PAUSE)
        assert {refuse.code for refuse in ada.of(m.Refuse)} == {ErrorCode.MALFORMED}
        assert len(ada.of(m.Refuse)) == 6
        assert shown(bob) == []
        tell(ada, entry(7, 1, {"x": 1}))
        await it.pass_time(PAUSE)
        assert shown(bob) == [(7, 1, ada_at(1))]


async def test_a_state_over_the_limit_is_refused() -> None:
    async with lab(limits=Limits(awareness_state=100)) as it:
        ada, bob = await two(it)
        tell(ada, entry(7, 1, {"x": "y" * 200}))
        await it.pass_time(PAUSE)
        assert len(ada.of(m.Refuse)) == 1
        assert shown(bob) == []


async def test_viewers_have_cursors_too() -> None:
    async with lab() as it:
        ada, guest = await it.join("ada"), await it.join("guest")
        tell(guest, entry(9, 1, {"x": 1}))
        await it.pass_time(PAUSE)
        assert [client for client, _, _ in shown(ada)] == [9]


async def test_each_part_has_its_own() -> None:
    async with lab() as it:
        ada, bob = await it.join("ada"), await it.join("bob", "notes")
        tell(ada, entry(7, 1, {"x": 1}))
        await it.pass_time(PAUSE)
        assert shown(bob) == []


async def test_a_stock_client_is_echoed_and_answered() -> None:
    async with lab() as it:
        await it.join("eve")
        ada = YPerson(it, "ada")
        await it.turns()
        ada.say(y.encode_awareness(states(entry(7, 1, {"x": 1}))))
        await it.pass_time(PAUSE)
        assert [type(message) for message in ada.heard] == [y.SyncStep1, y.Awareness]
        ada.say(y.encode_query_awareness())
        assert [type(message) for message in ada.heard][2:] == [y.Awareness]


async def test_a_room_that_ends_tells_nobody_of_each_leaver() -> None:
    async with lab() as it:
        people = [await it.join(f"user{number}") for number in range(10)]
        for number, person in enumerate(people):
            tell(person, entry(number + 1, 1, {"x": 1}))
        await it.pass_time(PAUSE)
        before = sum(len(person.of(m.Awareness)) for person in people)
        await it.core.directory.delete(it.lobby.tenant, it.lobby.name)
        assert sum(len(person.of(m.Awareness)) for person in people) == before
