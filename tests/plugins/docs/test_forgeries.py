"""What people send who may not write: mutations of real updates, at every part of a document.

None may be accepted, and nobody may lose their socket over it: a client that was an editor a moment
ago has such updates under way. `SEED` can be set to try others.
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.plugins import Caller, ErrorCode, Refused
from parvis.protocol import encode
from parvis.protocol.messages import Ack, Changed, Refuse, Update
from tests.plugins.docs.house import House, Json, house
from tests.plugins.docs.test_comments import ANCHOR
from tests.plugins.docs.writing import Pen

FORGERIES = 2_000
SEED = int(os.environ.get("SEED", "20261120"))


def real(pen: Pen) -> list[bytes]:
    """Return updates that an editor with this copy could send."""
    made: list[bytes] = []
    for kind in range(4):
        doc: Doc[Any] = Doc()
        fragment: XmlFragment = doc.get("default", type=XmlFragment)
        doc.apply_update(pen.doc.get_update())
        before = doc.get_state()
        with doc.transaction():
            match kind:
                case 0:
                    block = XmlElement("paragraph", {"id": "f"})
                    fragment.children.append(block)
                    block.children.append(XmlText("forged"))
                case 1:
                    del fragment.children[0]
                case 2:
                    doc.get("threads", type=Map[Any])["t1"] = Map({"by": "ada"})
                    doc.get("messages", type=Map[Any])["t1:0:m"] = {"by": "ada", "body": ["I"]}
                case _:
                    doc.get("doc", type=Map[Any])["title"] = "Mine now"
        made.append(doc.get_update(before))
    other: Doc[Any] = Doc()
    other.get("default", type=Text).insert(0, "x" * 100)
    other.get("list", type=Array[str]).append("y")
    return [*made, other.get_update(), b"\x00\x00"]


def forgeries(seeds: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Yield real updates and mutations of them: bytes changed, cut, doubled, put together."""
    for n in range(FORGERIES):
        update = bytearray(seeds[n % len(seeds)])
        for _ in range(chance.randrange(0, 4)):
            at = chance.randrange(len(update)) if update else 0
            match chance.randrange(4):
                case 0 if update:
                    update[at] = chance.randrange(256)
                case 1:
                    del update[at : at + chance.randrange(1, 8)]
                case 2:
                    update[at:at] = chance.randbytes(chance.randrange(1, 8))
                case _:
                    update += chance.choice(seeds)[: chance.randrange(1, 40)]
        yield bytes(update)


async def prepared(docs: House) -> tuple[str, Pen]:
    """Return a document with some text and a comment, that bob may comment on and cy may view."""
    key = await docs.make("ada", "Plan")
    await docs.share("ada", key, "bob", "commenter")
    await docs.share("ada", key, "cy", "viewer")
    docs.move(key)
    pen = Pen(await docs.lobby.join("ada"))
    for line in ("one", "two", "three"):
        await pen.write(line)
    comment: Json = {"thread": "t1", "message": "m1", "anchor": ANCHOR, "body": ["?"]}
    await pen.visitor.command("comment.add", comment)
    return key, pen


@pytest.mark.parametrize("who", ["bob", "cy"])
async def test_not_one_forged_update_is_accepted_and_the_socket_stays(who: str) -> None:
    async with house() as docs:
        _, pen = await prepared(docs)
        seeds, chance = real(pen), random.Random(f"{SEED} {who}")
        parts = ("", "comments", "meta")
        seats = [await docs.lobby.join(who, part) for part in parts]
        watchers = [await docs.lobby.join("ada", part) for part in parts]
        before = dict(docs.lobby.room.heads)
        for ref, update in enumerate(forgeries(seeds, chance), 1):
            seat = seats[ref % 3]
            seat.session.received(encode(Update(seat.channel, ref, update)))
            if ref % 100 == 0:
                await docs.lobby.rest()
        await docs.lobby.rest()
        answers = [message for seat in seats for message in seat.received]
        assert [each for each in answers if isinstance(each, Ack)] == []
        refused = [each for each in answers if isinstance(each, Refuse)]
        assert sorted(each.ref for each in refused) == list(range(1, FORGERIES + 1)), SEED
        assert {each.code for each in refused} == {ErrorCode.PERMISSION_DENIED}
        assert [seat.transport.closed for seat in seats] == [None] * 3
        assert [m for each in watchers for m in each.received if isinstance(m, Changed)] == []
        assert dict(docs.lobby.room.heads) == before
        # From somebody who may write, the same updates are taken.
        await pen.visitor.update(seeds[0], ref=1)
        assert [each.ref for each in pen.visitor.received if isinstance(each, Ack)][-1] == 1
        # They are still there: whoever may comment still can.
        last = await docs.lobby.join("ada", "comments")
        if who == "bob":
            reply = {"thread": "t1", "message": "m2", "body": ["!"]}
            seats[0].received.clear()
            await seats[0].command("comment.reply", reply)
            assert [m for m in last.received if isinstance(m, Changed)]


COMMANDS: tuple[tuple[str, Json], ...] = (
    ("rename", {"title": "Mine"}),
    ("version.add", {"id": "v", "name": "n"}),
    ("version.rename", {"id": "v", "name": "n"}),
    ("version.delete", {"id": "v"}),
    ("revert", {"offset": 1}),
    ("comment.anchor", {"thread": "t1", "a": None, "block": None}),
    ("comment.edit", {"message": "m1", "body": ["x"]}),
    ("comment.delete", {"message": "m1"}),
)


@pytest.mark.parametrize("who", ["bob", "cy"])
async def test_no_command_gets_round_the_roles(who: str) -> None:
    async with house() as docs:
        await prepared(docs)
        seats = [await docs.lobby.join(who, part) for part in ("", "comments", "meta")]
        before = dict(docs.lobby.room.heads)
        for name, body in COMMANDS:
            for seat in seats:
                with pytest.raises(Refused) as refusal:
                    await seat.command(name, body)
                assert refusal.value.code is ErrorCode.PERMISSION_DENIED, name
        assert dict(docs.lobby.room.heads) == before


ROUTES: tuple[tuple[str, str, Json], ...] = (
    ("PATCH", "", {"title": "Mine"}),
    ("PATCH", "", {"space": None}),
    ("PATCH", "", {"editors_share": True}),
    ("POST", "/bin", {}),
    ("POST", "/restore", {}),
    ("DELETE", "", {}),
    ("PUT", "/people", {"user": "cy", "role": "editor"}),
    ("DELETE", "/people/ada", {}),
    ("POST", "/links", {"role": "editor"}),
    ("PATCH", "/links/x", {"role": "editor"}),
    ("DELETE", "/links/x", {}),
    ("POST", "/append", {"format": "text", "content": "x"}),
    ("POST", "/files", {}),
    ("GET", "/history", {}),
    ("GET", "/history/1", {}),
)


async def test_no_route_gets_round_the_roles() -> None:
    async with house() as docs:
        key, _ = await prepared(docs)
        for method, path, body in ROUTES:
            for who in ("bob", "cy"):
                code = await docs.refused(who, method, f"documents/{key}{path}", body)
                assert code is ErrorCode.PERMISSION_DENIED, (who, method, path)
            for stranger in ("eve", Caller("kit", "gus", "Gus")):
                code = await docs.refused(stranger, method, f"documents/{key}{path}", body)
                assert code is ErrorCode.ROOM_NOT_FOUND, (method, path)
