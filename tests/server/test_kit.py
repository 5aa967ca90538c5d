"""The kit that tests of room types are written with: real, at rest after each call, and tidy."""

import asyncio
from dataclasses import dataclass

import pytest

from parvis.plugins import Caller, HttpRequest, HttpResponse, Refused, Route
from parvis.protocol import ErrorCode, messages as m
from parvis.server.testing import live_room
from parvis.storage.factory import open_store
from tests.clocks import SetClock
from tests.server.rooms.lab import Board, Draft, counted, read


async def test_a_call_returns_when_everything_was_said() -> None:
    async with live_room(Board(), "b1") as lobby:
        ada, guest = await lobby.join("ada"), await lobby.join("guest")
        update = Draft(7).write("a")
        await ada.update(update, ref=7)
        assert ada.received == [m.Ack(ada.channel, 7, 1)]
        assert guest.received == [m.Changed(guest.channel, update)]


async def test_received_grows_and_may_be_cleared() -> None:
    async with live_room(Board(), "b1") as lobby:
        ada, draft = await lobby.join("ada"), Draft(7)
        await ada.update(draft.write("a"), ref=1)
        ada.received.clear()
        await ada.update(draft.write("b"), ref=2)
        assert ada.received == [m.Ack(ada.channel, 2, 2)]


async def test_a_refused_join_raises() -> None:
    async with live_room(Board(), "b1") as lobby:
        with pytest.raises(Refused, match="strangers stay outside") as refused:
            await lobby.join("stranger")
        assert refused.value.code is ErrorCode.PERMISSION_DENIED


async def test_a_caller_of_any_kind_may_join() -> None:
    async with live_room(Board(), "b1") as lobby:
        ada = await lobby.join(Caller("kit", "ada", "Ada", admin=True))
        assert lobby.room.peers[0].caller.admin
        assert "edit" in ada.joined.access


async def test_awareness_is_at_rest_too() -> None:
    async with live_room(Board(), "b1") as lobby:
        ada, bob = await lobby.join("ada"), await lobby.join("bob")
        await ada.awareness(b"\x01\x07\x01\x02{}")
        assert [type(message) for message in bob.received] == [m.Awareness]


async def test_a_refused_command_raises_and_others_answer() -> None:
    async with live_room(Board(), "b1") as lobby:
        ada = await lobby.join("ada")
        with pytest.raises(Refused) as refused:
            await ada.command("dance")
        assert refused.value.code is ErrorCode.UNKNOWN_COMMAND
        await ada.signal("wave", ref=4)
        assert [type(message) for message in ada.received] == [m.Refuse]


async def test_a_peer_may_leave_and_others_see_it() -> None:
    async with live_room(Board(), "b1") as lobby:
        ada, bob = await lobby.join("ada"), await lobby.join("bob")
        await ada.awareness(b"\x01\x07\x01\x02{}")
        bob.received.clear()
        await ada.leave()
        assert [peer.caller.user for peer in lobby.room.peers] == ["bob"]
        assert [type(message) for message in bob.received] == [m.Awareness]
        await lobby.forget()
        assert counted(lobby.core.metrics.rooms) == 0


async def test_a_room_that_was_forgotten_is_loaded_from_its_log() -> None:
    async with live_room(Board(), "b1") as lobby:
        await (await lobby.join("ada")).update(Draft(7).write("kept"))
        await lobby.forget()
        assert lobby.core.directory.live("kit", "board/b1") is None
        assert read(*(await lobby.join("bob")).joined.updates) == "kept"


async def test_a_store_may_outlive_the_room() -> None:
    store, _ = open_store("memory:")
    for number in (1, 2):
        async with live_room(Board(), "b1", store=store) as lobby:
            await (await lobby.join("ada")).update(Draft(number).write("x"))
    async with live_room(Board(), "b1", store=store) as lobby:
        assert read(*(await lobby.join("bob")).joined.updates) == "xx"
    await store.close()


async def test_a_slow_peer_can_be_played() -> None:
    async with live_room(Board(), "b1", clock=SetClock()) as lobby:
        ada, bob = await lobby.join("ada"), await lobby.join("bob")
        bob.transport.stuck = 10**6
        await ada.update(Draft(7).write("a"))
        assert bob.received == []


@dataclass(frozen=True, slots=True)
class Greeting:
    """What `Served.greet` takes."""

    words: str
    loud: bool = False


class Served(Board):
    """Has routes."""

    def __init__(self) -> None:
        super().__init__()
        self.routes = (
            Route("POST", "hello", self.echo),
            Route("POST", "{board}/greetings", self.greet, body=Greeting, max_body=50),
            Route("GET", "files/{name:.+}", self.echo, public=True),
        )

    async def echo(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(
            [
                request.caller.user,
                dict(request.path),
                dict(request.query),
                request.body,
                request.content_type,
            ]
        )

    async def greet(self, request: HttpRequest) -> HttpResponse:
        greeting: Greeting = request.value
        return HttpResponse([request.path["board"], greeting.words, greeting.loud])


async def test_routes_are_called_as_somebody() -> None:
    async with live_room(Served(), "b1") as lobby:
        answer = await lobby.request("ada", "POST", "hello", b"body", page="2")
        assert answer.body == ["ada", {}, {"page": "2"}, b"body", ""]
        caller = Caller("kit", "guest-1")
        answer = await lobby.request(caller, "POST", "/hello", b"", content_type="image/png")
        assert answer.body == ["guest-1", {}, {}, b"", "image/png"]


async def test_routes_have_variables_and_strangers_call_public_ones() -> None:
    async with live_room(Served(), "b1") as lobby:
        answer = await lobby.request("", "GET", "files/a%20b/c")
        assert answer.body == ["", {"name": "a b/c"}, {}, b"", ""]
        with pytest.raises(LookupError):
            await lobby.request("ada", "GET", "hello")
        with pytest.raises(Refused) as refused:
            await lobby.request("", "POST", "hello")
        assert refused.value.code is ErrorCode.UNAUTHENTICATED


async def test_routes_get_their_body_read() -> None:
    async with live_room(Served(), "b1") as lobby:
        answer = await lobby.request("ada", "POST", "b1/greetings", {"words": "hi", "loud": True})
        assert answer.body == ["b1", "hi", True]
        for body, code in (
            ({"loud": True}, ErrorCode.MALFORMED),
            (b"no JSON", ErrorCode.MALFORMED),
            ({"words": "h" * 50}, ErrorCode.TOO_LARGE),
        ):
            with pytest.raises(Refused) as refused:
                await lobby.request("ada", "POST", "b1/greetings", body)
            assert refused.value.code is code


async def test_nothing_is_left_running_afterwards() -> None:
    before = asyncio.all_tasks()
    async with live_room(Board(), "b1") as lobby:
        ada = await lobby.join("ada")
        await ada.update(Draft(7).write("a"))
        await ada.leave()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
