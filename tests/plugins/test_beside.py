"""Commands that run beside the other hooks of their room."""

import asyncio

from pycrdt import Doc, Text

from parvis.plugins import (
    EDITOR,
    Access,
    Answer,
    Caller,
    Peer,
    Request,
    Room,
    RoomType,
    Submission,
    YDoc,
)
from parvis.protocol.messages import Ack
from parvis.server.testing import live_room


class Slow(RoomType[YDoc]):
    """Its command ``ponder`` ends when somebody has written."""

    name = "slow"
    replica = YDoc
    beside = frozenset({"ponder"})

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return EDITOR

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        self.written.set()

    async def on_command(self, room: Room[YDoc], caller: Caller, command: Request) -> Answer:
        async with asyncio.timeout(10):
            await self.written.wait()
        return Answer("pondered")


async def test_a_command_that_takes_long_keeps_nobody_from_writing() -> None:
    async with live_room(Slow(), "s1") as lobby:
        ada, bob = await lobby.join("ada"), await lobby.join("bob")
        asked = asyncio.ensure_future(ada.command("ponder"))
        await asyncio.sleep(0)
        doc: Doc[Text] = Doc()
        doc.get("text", type=Text).insert(0, "x")
        await bob.update(doc.get_update(), ref=3)
        assert [each.ref for each in bob.received if isinstance(each, Ack)] == [3]
        assert (await asked).body == "pondered"
