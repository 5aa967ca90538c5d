"""Whiteboards through the kit that Parvis ships: the real room, without a network."""

import pytest
from parvis_whiteboard import Whiteboard, WhiteboardSettings
from pycrdt import Array, Doc

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.protocol.messages import Ack, Changed, Refuse, Signaled
from parvis.server.testing import live_room
from parvis.storage.factory import open_store


def stroke(path: str = "M0 0 L9 9") -> bytes:
    board: Doc[Array[str]] = Doc()
    strokes = board.get("strokes", type=Array[str])
    strokes.append(path)
    return board.get_update()


GUEST = Caller("kit", "guest", "Guest")


async def test_a_stroke_is_acknowledged_and_reaches_the_others() -> None:
    async with live_room(Whiteboard(), "b1") as lobby:
        ada, guest = await lobby.join("ada"), await lobby.join(GUEST)
        line = stroke()
        await ada.update(line, ref=7)
        # The first row made her the owner.
        assert ada.received == [Ack(ada.channel, ref=7, offset=2)]
        assert guest.received == [Changed(guest.channel, line)]


async def test_a_watcher_cannot_draw() -> None:
    async with live_room(Whiteboard(), "b1") as lobby:
        ada, guest = await lobby.join("ada"), await lobby.join(GUEST)
        await guest.update(stroke(), ref=3)
        refusals = [answer for answer in guest.received if isinstance(answer, Refuse)]
        assert [(refusal.ref, refusal.code) for refusal in refusals] == [
            (3, ErrorCode.PERMISSION_DENIED)
        ]
        assert ada.received == []


async def test_long_strokes_and_garbage_are_refused() -> None:
    async with live_room(Whiteboard(WhiteboardSettings(max_stroke=100)), "b1") as lobby:
        ada = await lobby.join("ada")
        await ada.update(stroke("x" * 101), ref=1)
        await ada.update(b"\xff\xff\xff", ref=2)
        codes = [answer.code for answer in ada.received if isinstance(answer, Refuse)]
        assert codes == [ErrorCode.TOO_LARGE, ErrorCode.MALFORMED]


async def test_an_invited_person_may_draw() -> None:
    async with live_room(Whiteboard(), "b1") as lobby:
        ada = await lobby.join("ada")
        bob = await lobby.join("bob")
        assert bob.joined.access and "edit" not in bob.joined.access
        answer = await ada.command("invite", "bob")
        assert (answer.body, answer.offset) == ("bob", 2)
        bob = await lobby.join("bob")
        await bob.update(stroke(), ref=4)
        assert Ack(bob.channel, 4, 3) in bob.received


async def test_only_the_owner_invites_and_wipes() -> None:
    async with live_room(Whiteboard(), "b1") as lobby:
        ada = await lobby.join("ada")
        await ada.command("invite", "bob")
        bob = await lobby.join("bob")
        for name, body in (("invite", "eve"), ("wipe", None)):
            with pytest.raises(Refused) as refused:
                await bob.command(name, body)
            assert refused.value.code is ErrorCode.CONFLICT
        with pytest.raises(Refused, match="takes invite and wipe"):
            await ada.command("dance")


async def test_wiping_is_one_change_that_everybody_sees() -> None:
    async with live_room(Whiteboard(), "b1") as lobby:
        ada, guest = await lobby.join("ada"), await lobby.join(GUEST)
        await ada.update(stroke("one"))
        await ada.update(stroke("two"))
        answer = await ada.command("wipe")
        assert answer.body == 2
        seen: Doc[Array[str]] = Doc()
        for message in guest.received:
            if isinstance(message, Changed):
                seen.apply_update(message.update)
        assert list(seen.get("strokes", type=Array[str])) == []
        assert Signaled(guest.channel, "wiped", "ada") in guest.received


async def test_the_legend_is_a_part_of_its_own() -> None:
    async with live_room(Whiteboard(), "b1") as lobby:
        ada = await lobby.join("ada")
        legend = await lobby.join("ada", part="legend")
        await legend.update(stroke("a line means a road"), ref=1)
        assert ada.received == []


async def test_strokes_are_counted_once_also_after_a_crash() -> None:
    store, _ = open_store("memory:")
    async with live_room(Whiteboard(), "b1", store=store) as lobby:
        ada = await lobby.join("ada")
        for path in ("one", "two"):
            await ada.update(stroke(path))
        await lobby.consumed()
    async with live_room(Whiteboard(), "b1", store=store) as lobby:
        ada = await lobby.join("ada")
        await ada.update(stroke("three"))
        await lobby.consumed()
        await lobby.jobs_done()
        answer = await lobby.request("ada", "GET", "boards")
        assert answer.body == {"boards": [{"board": "b1", "strokes": 3, "lines": 3}]}
        assert (await lobby.request("eve", "GET", "boards")).body == {"boards": []}
    await store.close()
