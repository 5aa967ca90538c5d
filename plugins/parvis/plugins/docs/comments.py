"""Comments: threads and messages in a part that only the server writes, changed by commands.

The author of a command is the proven caller, so nobody can write in another's name. Every command
may be sent again, as a client that was offline does: ids are chosen by it, and what is there
already is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from pycrdt import Map

from parvis.plugins import Caller, ErrorCode, Refused, Room, YDoc
from parvis.protocol.messages import Value

from .board import Board
from .notices import Notices
from .office import WITHOUT, Office, forbidden
from .remarks import Body, anchor_of, fields, id_of, mentioned_in, place_of, said_by, text_of
from .rights import Standing

PART: Final = "comments"

THREADS: Final = 2_000
MESSAGES: Final = 500
"""Of one thread."""

ROOM: Final = 8 * 1024 * 1024
"""Bytes of all comments of a document, beyond which nobody says anything more: each command makes
a copy of them, for which everybody waits."""


@dataclass(slots=True)
class Talk:
    """What follows from a command: whom to tell, and how to answer."""

    answer: dict[str, Value]
    offset: int = 0
    thread: str = ""
    message: str = ""
    text: str = ""
    mentioned: frozenset[str] = frozenset()
    participants: frozenset[str] = frozenset()


class Comments:
    """Does the commands about comments."""

    def __init__(self, office: Office, notices: Notices) -> None:
        self._office = office
        self._notices = notices

    async def add(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Begin a thread with a first message."""
        given = fields(body, "thread", "message", "anchor", "body")
        id, message = id_of(given, "thread"), id_of(given, "message")
        anchor = anchor_of(given["anchor"])
        said = said_by(given["body"], await self._office.people(caller.tenant))
        now = self._office.node.now()
        talk = Talk({"thread": id}, thread=id, message=message)
        await self._require_room(room)
        async with room.edit(caller, PART) as edit:
            board = Board(edit.document(YDoc).doc)
            if id in board.threads:
                _require_own(board.thread(id)["by"], caller, "thread")
                talk.answer["message"] = board.key(message)
            else:
                if len(board.threads) >= THREADS:
                    raise Refused(ErrorCode.REFUSED, f"a document has at most {THREADS} threads")
                board.threads[id] = Map(
                    anchor
                    | {
                        "created": now,
                        "by": caller.user,
                        "by_name": caller.name,
                        "by_color": caller.color,
                        "resolved": None,
                        "resolved_by_name": None,
                    }
                    | _guest(caller)
                )
                self._write(board, talk, caller, id, message, said, now)
        talk.offset = edit.offset
        return talk

    @staticmethod
    async def _require_room(room: Room[YDoc], times: int = 1) -> None:
        if sum(map(len, await room.state(PART))) > times * ROOM:
            raise Refused(ErrorCode.TOO_LARGE, "the document has no room for more comments")

    async def reply(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Add a message to a thread."""
        given = fields(body, "thread", "message", "body")
        id, message = id_of(given, "thread"), id_of(given, "message")
        said = said_by(given["body"], await self._office.people(caller.tenant))
        talk = Talk({"thread": id}, thread=id, message=message)
        await self._require_room(room)
        async with room.edit(caller, PART) as edit:
            board = Board(edit.document(YDoc).doc)
            board.thread(id)
            there = board.of_thread(id)
            known = next((key for key in there if key.endswith(f":{message}")), None)
            if known is not None:
                _require_own(board.message(known)["by"], caller, "message")
                talk.answer["message"] = known
            else:
                if len(there) >= MESSAGES:
                    raise Refused(ErrorCode.REFUSED, f"a thread has at most {MESSAGES} messages")
                talk.participants = frozenset(str(board.message(key)["by"]) for key in there)
                self._write(board, talk, caller, id, message, said, self._office.node.now())
        talk.offset = edit.offset
        return talk

    def _write(
        self,
        board: Board,
        talk: Talk,
        caller: Caller,
        thread: str,
        message: str,
        said: Body,
        now: float,
    ) -> None:
        key = board.new_key(thread, message, now)
        board.messages[key] = {
            "id": message,
            "by": caller.user,
            "by_name": caller.name,
            "by_color": caller.color,
            "body": said,
            "time": now,
            "edited": None,
        } | _guest(caller)
        talk.answer["message"] = key
        talk.text = text_of(said)
        talk.mentioned = mentioned_in(said)

    async def edit(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Change one's own message."""
        given = fields(body, "message", "body")
        said = said_by(given["body"], await self._office.people(caller.tenant))
        await self._require_room(room)
        async with room.edit(caller, PART) as edit:
            board = Board(edit.document(YDoc).doc)
            key = board.key(str(given["message"])[:200])
            if key is None:
                raise Refused(ErrorCode.CONFLICT, "the message is not there any more")
            old = board.message(key)
            _require_own(old["by"], caller, "message")
            talk = Talk({"message": key}, thread=key.partition(":")[0], message=str(old["id"]))
            if old["body"] != said:
                board.messages[key] = old | {"body": said, "edited": self._office.node.now()}
                talk.text = text_of(said)
                talk.mentioned = mentioned_in(said) - mentioned_in(cast(Body, old["body"]))
        talk.offset = edit.offset
        return talk

    async def delete(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Delete a message of one's own, or any as an owner; with the last one goes the thread."""
        given = fields(body, "message")
        talk = Talk({"message": None})
        async with room.edit(caller, PART) as edit:
            board = Board(edit.document(YDoc).doc)
            key = board.key(str(given["message"])[:200])
            if key is not None:
                if not at.access.may("admin"):
                    _require_own(board.message(key)["by"], caller, "message")
                thread = key.partition(":")[0]
                del board.messages[key]
                if not board.of_thread(thread) and thread in board.threads:
                    del board.threads[thread]
                talk.answer["message"] = key
        talk.offset = edit.offset
        return talk

    async def resolve(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Mark a thread as done."""
        return await self._resolve(room, caller, body, done=True)

    async def reopen(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Mark a thread as not done."""
        return await self._resolve(room, caller, body, done=False)

    async def _resolve(self, room: Room[YDoc], caller: Caller, body: Value, *, done: bool) -> Talk:
        id = id_of(fields(body, "thread"), "thread")
        await self._require_room(room, times=2)
        async with room.edit(caller, PART) as edit:
            thread = Board(edit.document(YDoc).doc).thread(id)
            if (thread["resolved"] is not None) is not done:
                thread["resolved"] = self._office.node.now() if done else None
                thread["resolved_by_name"] = caller.name if done else None
                thread["resolved_by_guest"] = done and caller.guest
        return Talk({"thread": id}, edit.offset)

    async def anchor(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Say anew where a thread stands, when its text was moved or split."""
        if not at.access.may("edit"):
            raise forbidden(WITHOUT["edit"])
        given = fields(body, "thread", "a", "block")
        id, found = id_of(given, "thread"), place_of(given)
        await self._require_room(room, times=2)
        async with room.edit(caller, PART) as edit:
            thread = Board(edit.document(YDoc).doc).thread(id)
            for name, value in found.items():
                if thread[name] != value:
                    thread[name] = value
        return Talk({"thread": id}, edit.offset)

    async def told(self, caller: Caller, key: str, talk: Talk) -> None:
        """Tell whom a new message concerns."""
        if talk.text and (talk.mentioned or talk.participants):
            await self._notices.commented(
                caller,
                key,
                thread=talk.thread,
                message=talk.message,
                text=talk.text,
                mentioned=talk.mentioned,
                participants=talk.participants,
            )


def _guest(author: Caller) -> dict[str, bool]:
    """Return what tells a guest, who chose their name, from a member who has the same."""
    return {"guest": True} if author.guest else {}


def _require_own(author: object, caller: Caller, what: str) -> None:
    if author != caller.user:
        raise forbidden(f"change this {what}: it is somebody else's")
