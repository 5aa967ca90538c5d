"""What people may ask of a document's past, in one table: over HTTP and on native sessions.

Whoever lacks the right to a part's past is answered as if there were no such room. Going back,
and naming moments, takes the right to write besides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from parvis.plugins import NOTHING, Access, Answer, Caller, ErrorCode, Refused
from parvis.plugins.history import PAUSE, Still
from parvis.protocol import RoomName
from parvis.protocol.messages import Value
from parvis.storage import Address, StorageError

from ..hosting.registry import AnyType
from .past import Past, require_document
from .reading import missing

if TYPE_CHECKING:
    from ..core import Core

LONGEST: Final = 10**9
"""Seconds of a pause, at most."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something that somebody may ask.

    Attributes:
        body: As it came.
        still: Raises `Refused` if the caller may not ask it any more.
    """

    past: Past
    kind: AnyType
    caller: Caller
    address: Address
    body: Mapping[str, Value]
    still: Still

    def number(self, name: str, default: int | None = None) -> int | None:
        found: int | None = self._take(name, int, "a whole number", default)
        return found

    def seconds(self, name: str, default: float | None = None) -> float | None:
        found = self._take(name, (int, float), "a number of seconds", default)
        if found is not None and not -LONGEST * 1000 < found < LONGEST * 1000:  # NaN neither
            raise malformed(f"expected {name} to be a number of seconds")
        return None if found is None else float(found)

    def text(self, name: str, default: str | None = None) -> str | None:
        found: str | None = self._take(name, str, "a text", default)
        return found

    def required(self, name: str) -> str:
        found = self.text(name)
        if found is None:
            raise malformed(f"expected {name}")
        return found

    def _take(self, name: str, kind: Any, what: str, default: object) -> Any:
        found = self.body.get(name)
        if found is None:
            return default
        if not isinstance(found, kind) or isinstance(found, bool):
            raise malformed(f"expected {name} to be {what}")
        return found

    @property
    def pause(self) -> float:
        return min(max(self.seconds("pause", PAUSE) or 0.0, 0.0), LONGEST)

    async def moment(self) -> int:
        """Return the offset that is meant: by itself, by a time, or by the id of a version."""
        offset = await self.moment_if_any()
        if offset is None:
            raise malformed("expected a moment: offset, time or version")
        return offset

    async def moment_if_any(self) -> int | None:
        offset, time, version = self.number("offset"), self.seconds("time"), self.text("version")
        if (offset is None) + (time is None) + (version is None) < 2:
            raise malformed("expected one moment: offset, time or version")
        if time is not None:
            return await self.past.offset(self.address, time)
        if version is not None:
            for each in await self.past.versions(self.address):
                if each.id == version:
                    return each.offset
            raise Refused(ErrorCode.CONFLICT, "the version is not there any more")
        return offset


def malformed(reason: str) -> Refused:
    """The question makes no sense."""
    return Refused(ErrorCode.MALFORMED, reason)


async def _timeline(asked: Question) -> Answer:
    before, limit = asked.number("before", 0) or 0, asked.number("limit", 50)
    page = await asked.past.timeline(asked.address, before, limit or 0, asked.pause)
    entries = [asdict(entry) for entry in page.entries]
    return Answer({"entries": entries, "next": page.following, "since": page.since})


async def _at(asked: Question) -> Answer:
    offset = await asked.moment()
    state = await asked.past.at(asked.address, offset)
    return Answer({"offset": offset, "state": state})


async def _blame(asked: Question) -> Answer:
    offset = await asked.moment_if_any()
    types = await asked.past.blame(asked.address, offset, asked.text("root"), asked.pause)
    return Answer({"types": types})


async def _versions(asked: Question) -> Answer:
    versions = await asked.past.versions(asked.address)
    return Answer({"versions": [asdict(version) for version in versions]})


async def _name(asked: Question) -> Answer:
    moment, id = await asked.moment_if_any(), asked.text("id")
    version = await asked.past.name(
        asked.kind, asked.caller, asked.address, asked.required("name"), moment, id, asked.still
    )
    return Answer({"version": asdict(version)}, version.offset)


async def _rename(asked: Question) -> Answer:
    id, name = asked.required("id"), asked.required("name")
    await asked.past.rename(asked.kind, asked.caller, asked.address, id, name)
    return Answer()


async def _forget(asked: Question) -> Answer:
    await asked.past.forget(asked.kind, asked.caller, asked.address, asked.required("id"))
    return Answer()


async def _restore(asked: Question) -> Answer:
    offset = await asked.moment()
    done = await asked.past.restore(asked.kind, asked.caller, asked.address, offset, asked.still)
    return Answer(asdict(done), done.offset)


async def _rollback(asked: Question) -> Answer:
    first, last = asked.number("first"), asked.number("last")
    start, end = asked.seconds("start"), asked.seconds("end")
    if start is not None and end is not None and first is None and last is None:
        # The last before the period, and the last in it.
        first = await asked.past.offset(asked.address, start - 1e-6) + 1
        last = await asked.past.offset(asked.address, end)
    if first is None or last is None:
        raise malformed("expected a period: first and last, or start and end")
    done = await asked.past.rollback(
        asked.kind, asked.caller, asked.address, asked.required("author"), first, last, asked.still
    )
    return Answer(asdict(done), done.offset)


@dataclass(frozen=True, slots=True)
class Doing:
    """How a question is answered.

    Attributes:
        writes: It takes the right to write besides.
    """

    do: Callable[[Question], Awaitable[Answer]]
    writes: bool = False


QUESTIONS: Final[Mapping[str, Doing]] = {
    "timeline": Doing(_timeline),
    "at": Doing(_at),
    "blame": Doing(_blame),
    "versions": Doing(_versions),
    "version.add": Doing(_name, writes=True),
    "version.rename": Doing(_rename, writes=True),
    "version.delete": Doing(_forget, writes=True),
    "restore": Doing(_restore, writes=True),
    "rollback": Doing(_rollback, writes=True),
}


async def ask(
    core: Core,
    caller: Caller,
    name: RoomName,
    question: str,
    body: Value,
    within: Access | None = None,
) -> Answer:
    """Answer somebody's question about a part's past.

    Args:
        within: What their session may do at most; None: whatever the room type lets them.

    Raises:
        Refused: As `parvis.plugins.History` says, and if they may not.
    """
    doing = QUESTIONS.get(question)
    if doing is None:
        known = ", ".join(QUESTIONS)
        raise Refused(ErrorCode.UNKNOWN_COMMAND, f"the history knows {known}")
    if body is not None and not isinstance(body, Mapping):
        raise malformed("expected an object")
    kind = core.registry.get(name.type)
    address = Address(caller.tenant, name.room, name.part)

    async def still() -> None:
        await _require(kind, caller, name, within, writes=doing.writes)

    await still()
    require_document(kind, name.part)
    past = core.history
    assert past is not None  # since before anybody was let in
    try:
        async with past.turn(caller):
            return await doing.do(Question(past, kind, caller, address, body or {}, still))
    except StorageError:
        raise Refused(ErrorCode.STORE_UNAVAILABLE, "the store does not answer") from None


async def _require(
    kind: AnyType, caller: Caller, name: RoomName, within: Access | None, *, writes: bool
) -> None:
    try:
        access = await kind.authorize(caller, name.key, name.part)
    except Refused:
        access = NOTHING
    if within is not None:
        access &= within
    rules = kind.parts.get(name.part)
    read, write, history = (
        (rules.read, rules.write, rules.history)
        if rules is not None
        else (kind.read, kind.write, kind.history)
    )
    if not (access.may(read) and access.may(history)):
        raise missing(Address(caller.tenant, name.room, name.part))
    if writes and not access.may(write):
        raise Refused(ErrorCode.PERMISSION_DENIED, "you may not change this")
