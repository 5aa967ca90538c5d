"""Comments: threads and messages in a part that only the server writes, changed by commands.

The author of a command is the proven caller, so nobody can write in another's name. Every command
may be sent again, as a client that was offline does: ids are chosen by it, and what is there
already is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from pycrdt import Doc, Map

from parvis.plugins import Caller, ErrorCode, Refused, Room, YDoc
from parvis.protocol.messages import Value

from .notices import Notices
from .office import BASE62, WITHOUT, Office, forbidden, malformed
from .rights import Standing

PART: Final = "comments"

THREADS: Final = 2_000
MESSAGES: Final = 500
"""Of one thread."""

ROOM: Final = 8 * 1024 * 1024
"""Bytes of all comments of a document, beyond which nobody says anything more: each command makes
a copy of them, for which everybody waits."""

LETTERS: Final = 10_000
"""Characters of one message."""

PIECES: Final = 1_000
"""Runs of text and mentions in one message."""

ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
POSITION: Final = re.compile(r"[A-Za-z0-9+/=_-]{1,400}")

QUOTE: Final[Mapping[str, int]] = {"text": 2_000, "prefix": 100, "suffix": 100}
"""Characters of what a thread stands at, and around it."""

Body = list[str | dict[str, str]]


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


class Board:
    """The comments of a document, with readable names.

    A message's key is ``thread:time:id``, so that those of a thread come in the order of time.
    """

    def __init__(self, doc: Doc[Any]) -> None:
        self.threads: Map[Any] = doc.get("threads", type=Map[Any])
        self.messages: Map[Any] = doc.get("messages", type=Map[Any])

    def thread(self, id: str) -> Map[Any]:
        """Return a thread. Raises `Refused` if there is none."""
        if id not in self.threads:
            raise Refused(ErrorCode.CONFLICT, "the thread is not there any more")
        return cast("Map[Any]", self.threads[id])

    def _keys(self) -> list[str]:
        return list(self.messages.keys())

    def of_thread(self, id: str) -> list[str]:
        """Return the keys of a thread's messages, oldest first."""
        return sorted(key for key in self._keys() if key.startswith(f"{id}:"))

    def key(self, message: str) -> str | None:
        """Return the key of a message, by its id or its key."""
        if message in self.messages:
            return message
        return next((key for key in self._keys() if key.endswith(f":{message}")), None)

    def message(self, key: str) -> dict[str, Any]:
        return dict(cast("Mapping[str, Any]", self.messages[key]))


class Comments:
    """Does the commands about comments."""

    def __init__(self, office: Office, notices: Notices) -> None:
        self._office = office
        self._notices = notices

    async def add(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Begin a thread with a first message."""
        given = _fields(body, "thread", "message", "anchor", "body")
        id, message = _id(given, "thread"), _id(given, "message")
        anchor = _anchor(given["anchor"])
        said = await self._said(caller, given["body"])
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
        given = _fields(body, "thread", "message", "body")
        id, message = _id(given, "thread"), _id(given, "message")
        said = await self._said(caller, given["body"])
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
        if board.key(message) is not None:
            # Else whoever knows somebody's message could stand in the way of its author.
            raise Refused(ErrorCode.CONFLICT, "there is a message with this id in another thread")
        there = board.of_thread(thread)
        # Two messages of one moment stay in the order in which they came.
        moment = max(int(now * 1000), int(there[-1].split(":")[1], 36) + 1 if there else 0)
        key = f"{thread}:{_base36(moment)}:{message}"
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
        talk.text = _text(said)
        talk.mentioned = _mentioned(said)

    async def edit(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Change one's own message."""
        given = _fields(body, "message", "body")
        said = await self._said(caller, given["body"])
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
                talk.text = _text(said)
                talk.mentioned = _mentioned(said) - _mentioned(cast(Body, old["body"]))
        talk.offset = edit.offset
        return talk

    async def delete(self, room: Room[YDoc], caller: Caller, at: Standing, body: Value) -> Talk:
        """Delete a message of one's own, or any as an owner; with the last one goes the thread."""
        given = _fields(body, "message")
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
        id = _id(_fields(body, "thread"), "thread")
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
        given = _fields(body, "thread", "a", "block")
        id, found = _id(given, "thread"), _place(given)
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

    async def _said(self, caller: Caller, given: Value) -> Body:
        """Return the body of a message; a mention carries the person's name as we know it."""
        if not isinstance(given, Sequence) or isinstance(given, str | bytes):
            raise malformed("expected a body of texts and mentions")
        if len(given) > PIECES:
            raise malformed(f"a message has at most {PIECES} pieces")
        people = await self._office.people(caller.tenant)
        said: Body = []
        for piece in given:
            if isinstance(piece, str):
                said.append(piece)
                continue
            if not isinstance(piece, Mapping) or set(piece) != {"mention", "label"}:
                raise malformed("expected a text or {mention, label}")
            id, label = piece["mention"], piece["label"]
            if not isinstance(id, str) or not isinstance(label, str):
                raise malformed("expected a text or {mention, label}")
            person = people.get(id)
            said.append({"mention": id, "label": person.name} if person else f"@{label[:100]}")
        if not 0 < len(_text(said).strip()) <= LETTERS:
            raise malformed(f"a message has 1 to {LETTERS} characters")
        return said


def _fields(body: Value, *names: str) -> Mapping[str, Value]:
    if not isinstance(body, Mapping) or not set(body) <= set(names):
        raise malformed(f"expected {{{', '.join(names)}}}")
    return {name: body.get(name) for name in names}


def _id(given: Mapping[str, Value], name: str) -> str:
    id = given[name]
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise malformed(f"expected {name} to be an id of 1 to 64 letters, digits, - and _")
    return id


def _anchor(given: Value) -> dict[str, Any]:
    anchor = _fields(given, "a", "quote", "block")
    quote = _fields(anchor["quote"] or {}, *QUOTE)
    kept: dict[str, str] = {}
    for name, most in QUOTE.items():
        text = quote[name] or ""
        if not isinstance(text, str):
            raise malformed(f"expected a text as {name} of the quote")
        kept[name] = text[:most]
    return _place(anchor) | {"quote": kept}


def _place(given: Mapping[str, Value]) -> dict[str, Any]:
    block = given["block"]
    if block is not None and (not isinstance(block, str) or len(block) > 64):
        raise malformed("expected the id of a block, or null")
    if given["a"] is None:
        return {"a": None, "block": block}
    ends = _fields(given["a"], "start", "end")
    if not all(isinstance(end, str) and POSITION.fullmatch(end) for end in ends.values()):
        raise malformed("expected relative positions in base64")
    return {"a": dict(ends), "block": block}


def _guest(author: Caller) -> dict[str, bool]:
    """Return what tells a guest, who chose their name, from a member who has the same."""
    return {"guest": True} if author.guest else {}


def _require_own(author: object, caller: Caller, what: str) -> None:
    if author != caller.user:
        raise forbidden(f"change this {what}: it is somebody else's")


def _text(body: Body) -> str:
    return "".join(each if isinstance(each, str) else f"@{each['label']}" for each in body)


def _mentioned(body: Body) -> frozenset[str]:
    return frozenset(each["mention"] for each in body if not isinstance(each, str))


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = BASE62[digit] + digits
    return digits or "0"
