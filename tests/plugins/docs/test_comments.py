"""Comments: written by commands, in the name of whoever sends them."""

from typing import Any

import pytest
from pycrdt import Doc, Map

from parvis.plugins import Access, Caller, ErrorCode, Grant, Refused
from parvis.plugins.docs import comments
from parvis.protocol.messages import Changed
from parvis.server.testing import Visitor
from tests.plugins.docs.house import House, Json, house

ANCHOR: Json = {
    "a": {"start": "AAEC", "end": "AwQF"},
    "quote": {"text": "Hello", "prefix": "", "suffix": " you"},
    "block": "b1",
}


class Reader:
    """Somebody who sees the comments, and may send commands."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.doc: Doc[Any] = Doc()
        for update in visitor.joined.updates:
            self.doc.apply_update(update)

    def _read(self) -> None:
        for message in self.visitor.received:
            if isinstance(message, Changed) and message.channel == self.visitor.channel:
                self.doc.apply_update(message.update)

    @property
    def threads(self) -> Json:
        self._read()
        found: Json = self.doc.get("threads", type=Map[Any]).to_py() or {}
        return found

    @property
    def messages(self) -> list[Json]:
        self._read()
        found: Json = self.doc.get("messages", type=Map[Any]).to_py() or {}
        return [found[key] for key in sorted(found)]

    def key_of(self, message: str) -> str:
        """Return the key of a message in the map."""
        self._read()
        keys = list(map(str, self.doc.get("messages", type=Map[Any]).keys()))
        return next(key for key in keys if key.endswith(f":{message}"))

    async def refused(self, name: str, body: Any) -> ErrorCode:
        with pytest.raises(Refused) as refusal:
            await self.visitor.command(name, body)
        return refusal.value.code


async def add(who: Reader, thread: str = "t1", message: str = "m1", *body: Any) -> Any:
    said = list(body) or ["Is this right?"]
    command: Json = {"thread": thread, "message": message, "anchor": ANCHOR, "body": said}
    return (await who.visitor.command("comment.add", command)).body


async def talk(docs: House) -> tuple[str, Reader, Reader, Reader]:
    """Return a document of ada's, and ada, bob (commenter) and cy (viewer) at its comments."""
    key = await docs.make("ada", "Plan")
    await docs.share("ada", key, "bob", "commenter")
    await docs.share("ada", key, "cy", "viewer")
    docs.move(key)
    docs.lobby.folk.notices.clear()
    ada, bob, cy = [Reader(await docs.lobby.join(who, "comments")) for who in ("ada", "bob", "cy")]
    return key, ada, bob, cy


async def test_a_comment_carries_its_proven_author_and_its_place() -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        answer = await add(bob)
        assert answer["thread"] == "t1"
        thread = ada.threads["t1"]
        assert {name: thread[name] for name in ANCHOR} == ANCHOR
        assert (thread["by"], thread["by_name"], thread["resolved"]) == ("bob", "Bob", None)
        (message,) = ada.messages
        assert (message["id"], message["by"], message["body"], message["edited"]) == (
            "m1",
            "bob",
            ["Is this right?"],
            None,
        )


async def test_a_guest_who_has_a_members_name_is_told_apart() -> None:
    async with house() as docs:
        key, ada, bob, _ = await talk(docs)
        grant = Grant(f"docs/{key}", Access.of(["view", "comment", "edit", "history"]))
        caller = Caller("kit", "guest-1", "Bob", grants=(grant,), host="ada")
        guest = Reader(await docs.lobby.join(caller, "comments"))
        await add(guest, "t1", "m1", {"mention": "ada", "label": "Ada"})
        await add(bob, "t2", "m2")
        await guest.visitor.command("comment.resolve", {"thread": "t2"})
        await bob.visitor.command("comment.resolve", {"thread": "t1"})
        assert [(each["by_name"], each.get("guest")) for each in ada.messages] == [
            ("Bob", True),
            ("Bob", None),
        ]
        said = {id: (t.get("guest"), t["resolved_by_guest"]) for id, t in ada.threads.items()}
        assert said == {"t1": (True, False), "t2": (None, True)}
        (notice,) = docs.lobby.folk.notices
        assert notice.words["en"].subject == "Bob (guest) mentioned you in “Plan”"
        assert notice.words["fr"].subject == "Bob (invité) vous a mentionné dans «\u00a0Plan\u00a0»"


async def test_a_viewer_cannot_comment() -> None:
    async with house() as docs:
        _, _, _, cy = await talk(docs)
        command = {"thread": "t", "message": "m", "anchor": ANCHOR, "body": ["x"]}
        assert await cy.refused("comment.add", command) is ErrorCode.PERMISSION_DENIED
        for name in ("comment.resolve", "comment.reopen"):
            assert await cy.refused(name, {"thread": "t"}) is ErrorCode.PERMISSION_DENIED


async def test_a_command_sent_again_changes_nothing() -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        first = await add(bob)
        assert await add(bob) == first
        reply = {"thread": "t1", "message": "m2", "body": ["Yes"]}
        answers = [(await ada.visitor.command("comment.reply", reply)).body for _ in range(2)]
        assert answers[0] == answers[1]
        assert [message["id"] for message in bob.messages] == ["m1", "m2"]
        # The same ids in somebody else's name are another matter.
        stolen = {"thread": "t1", "message": "m1", "anchor": ANCHOR, "body": ["mine"]}
        assert await ada.refused("comment.add", stolen) is ErrorCode.PERMISSION_DENIED


async def test_people_change_their_own_messages_only() -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        await add(bob)
        changed = {"message": "m1", "body": ["Is that right?"]}
        assert await ada.refused("comment.edit", changed) is ErrorCode.PERMISSION_DENIED
        await bob.visitor.command("comment.edit", changed)
        (message,) = ada.messages
        assert message["body"] == ["Is that right?"]
        assert message["edited"] >= message["time"]
        await ada.visitor.command("comment.reply", {"thread": "t1", "message": "m2", "body": ["Y"]})
        code = await bob.refused("comment.delete", {"message": "m2"})
        assert code is ErrorCode.PERMISSION_DENIED
        # An owner may delete any.
        await ada.visitor.command("comment.delete", {"message": "m1"})
        assert [message["id"] for message in bob.messages] == ["m2"]
        assert "t1" in bob.threads
        await ada.visitor.command("comment.delete", {"message": "m2"})
        assert (bob.threads, bob.messages) == ({}, [])


async def test_a_thread_is_resolved_and_reopened() -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        await add(bob)
        await ada.visitor.command("comment.resolve", {"thread": "t1"})
        assert bob.threads["t1"]["resolved_by_name"] == "Ada"
        assert bob.threads["t1"]["resolved"] >= bob.threads["t1"]["created"]
        await bob.visitor.command("comment.reopen", {"thread": "t1"})
        assert bob.threads["t1"]["resolved"] is None


async def test_an_anchor_is_repaired_by_whoever_may_edit() -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        await add(bob)
        moved: Json = {"thread": "t1", "a": {"start": "CQkJ", "end": "CgoK"}, "block": "b2"}
        assert await bob.refused("comment.anchor", moved) is ErrorCode.PERMISSION_DENIED
        await ada.visitor.command("comment.anchor", moved)
        thread = bob.threads["t1"]
        assert (thread["a"], thread["block"]) == (moved["a"], "b2")
        assert thread["quote"] == ANCHOR["quote"]


@pytest.mark.parametrize(
    "changes",
    [
        {"thread": "no spaces"},
        {"thread": ""},
        {"message": "x" * 65},
        {"body": []},
        {"body": ["  "]},
        {"body": ["x" * 10_001]},
        {"body": ["x"] * 1_001},
        {"body": "text"},
        {"body": [{"mention": "bob"}]},
        {"body": [{"mention": "bob", "label": 3}]},
        {"anchor": {"a": {"start": "AAEC"}, "quote": None, "block": None}},
        {"anchor": {"a": {"start": "<b>", "end": "AAEC"}}},
        {"anchor": {"block": "x" * 65}},
        {"anchor": {"quote": {"text": 3}}},
        {"by": "ada"},
    ],
)
async def test_a_comment_that_makes_no_sense_is_refused(changes: Json) -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        command = {"thread": "t1", "message": "m1", "anchor": ANCHOR, "body": ["x"]} | changes
        assert await bob.refused("comment.add", command) is ErrorCode.MALFORMED
        assert ada.threads == {}


async def test_those_mentioned_and_answered_are_told_once_and_nobody_else() -> None:
    async with house() as docs:
        key, ada, bob, _ = await talk(docs)
        cy, eve = {"mention": "cy", "label": "Seewhy"}, {"mention": "eve", "label": "Eve"}
        for _ in range(2):
            await add(bob, "t1", "m1", "Look, ", cy, " and ", eve)
        (told,) = docs.lobby.folk.notices  # Eve may not see the document.
        assert (told.user, told.kind, told.path) == (
            "cy",
            "docs.mention",
            f"/docs/{key}#comment=t1",
        )
        assert told.words["en"].subject == "Bob mentioned you in “Plan”"
        assert told.words["en"].text == "Look, @Cy and @Eve"
        assert told.words["fr"].subject == "Bob vous a mentionné dans «\u00a0Plan\u00a0»"
        # A mention carries the name that the server knows.
        assert ada.messages[0]["body"][1] == {"mention": "cy", "label": "Cy"}
        reply = {"thread": "t1", "message": "m2", "body": ["I see"]}
        await ada.visitor.command("comment.reply", reply)
        told = docs.lobby.folk.notices[-1]
        assert (len(docs.lobby.folk.notices), told.user, told.kind) == (2, "bob", "docs.reply")


async def test_comments_are_bounded() -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        await add(bob)
        for n in range(2, 501):
            reply = {"thread": "t1", "message": f"m{n}", "body": ["x"]}
            await ada.visitor.command("comment.reply", reply)
        one_more = {"thread": "t1", "message": "m501", "body": ["x"]}
        assert await ada.refused("comment.reply", one_more) is ErrorCode.REFUSED
        ids = [message["id"] for message in bob.messages]
        assert ids == [f"m{n}" for n in range(1, 501)]


async def test_nobody_takes_the_id_of_somebody_elses_message() -> None:
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        await add(bob, "t1", "m1", "Mine")
        same = {"thread": "t0", "message": "m1", "anchor": ANCHOR, "body": ["Mine, too"]}
        assert await ada.refused("comment.add", same) is ErrorCode.CONFLICT
        edited = await bob.visitor.command("comment.edit", {"message": "m1", "body": ["Still"]})
        assert edited.body == {"message": bob.key_of("m1")}
        assert list(bob.threads) == ["t1"]


async def test_comments_that_fill_the_document_leave_room_to_resolve_and_delete(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comments, "ROOM", 20_000)
    async with house() as docs:
        _, ada, bob, _ = await talk(docs)
        for number in range(3):
            await add(bob, "t1" if not number else f"t{number + 1}", f"m{number}", "x" * 9_000)
        more = {"thread": "t1", "message": "more", "body": ["!"]}
        assert await bob.refused("comment.reply", more) is ErrorCode.TOO_LARGE
        edit = {"message": "m1", "body": ["!"]}
        assert await bob.refused("comment.edit", edit) is ErrorCode.TOO_LARGE
        await ada.visitor.command("comment.resolve", {"thread": "t1"})
        await bob.visitor.command("comment.delete", {"message": "m1"})
        await bob.visitor.command("comment.reply", more)
