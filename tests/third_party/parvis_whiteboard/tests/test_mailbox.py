"""Sealed mailboxes through the kit that Parvis ships."""

import pytest
from parvis_whiteboard import Mailbox, MailboxSettings

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.protocol.messages import Ack, Answer, Changed, Refuse
from parvis.server.testing import live_room


async def test_letters_come_in_one_order_to_everybody_the_sender_included() -> None:
    async with live_room(Mailbox(), "m1") as lobby:
        ada, bob = await lobby.join("ada"), await lobby.join("bob")
        await ada.update(b"sealed", ref=1)
        await bob.update(b"too", ref=2)
        letters = [
            [
                (letter.offset, letter.sender, letter.update)
                for letter in person.received
                if isinstance(letter, Changed)
            ]
            for person in (ada, bob)
        ]
        assert letters[0] == letters[1] == [(1, "ada", b"sealed"), (2, "bob", b"too")]
        assert Ack(bob.channel, 2, 2) in bob.received


async def test_a_guest_may_look_and_not_write() -> None:
    async with live_room(Mailbox(), "m1") as lobby:
        await lobby.join("ada")
        guest = await lobby.join(Caller("kit", "guest"))
        await guest.update(b"x", ref=1)
        assert [answer.code for answer in guest.received if isinstance(answer, Refuse)] == [
            ErrorCode.PERMISSION_DENIED
        ]


async def test_newest_is_answered() -> None:
    async with live_room(Mailbox(), "m1") as lobby:
        ada = await lobby.join("ada")
        await ada.signal("newest", ref=1)
        await ada.update(b"sealed", ref=2)
        await ada.signal("newest", ref=3)
        await ada.signal("oldest", ref=4)
        answers = [answer for answer in ada.received if isinstance(answer, Answer)]
        assert [(answer.ref, answer.body) for answer in answers] == [
            (1, {"end": 0, "size": 0}),
            (3, {"end": 1, "size": 6}),
        ]
        refusals = [answer for answer in ada.received if isinstance(answer, Refuse)]
        assert [refusal.ref for refusal in refusals] == [4]


async def test_topics_are_opened_up_to_the_quota_and_once() -> None:
    async with live_room(Mailbox(MailboxSettings(quota=2)), "m1") as lobby:
        ada, bob = await lobby.join("ada"), await lobby.join("bob")
        for topic in ("one", "two"):
            assert (await ada.command("open", [topic, b"sealed"])).body == topic
        for person, topic in ((ada, "three"), (bob, "one")):
            with pytest.raises(Refused) as refused:
                await person.command("open", [topic, b"sealed"])
            assert refused.value.code is ErrorCode.CONFLICT
        assert (await bob.command("open", ["four", b"sealed"])).offset == 3
        letters = [message for message in ada.received if isinstance(message, Changed)]
        assert [letter.offset for letter in letters] == [1, 2, 3]
