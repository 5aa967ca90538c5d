"""Where an administrator finds the updates in quarantine, and decides about each."""

import base64
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from parvis.plugins import Refused
from parvis.protocol import ErrorCode
from parvis.storage import Quarantined, Store

from ..ports import Clock, Helpers, HelperStopped
from .journal import Journal

logger = logging.getLogger(__name__)

SHORTEST: Final = 4
"""Letters of an id that must be given at least."""

PREVIEW: Final = 256
"""Bytes that are shown."""

OUTLINE_TIMEOUT: Final = 60.0

Json = Any


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of an update that was put back.

    Attributes:
        offset: Its place in the log, or the end of a log that held it already.
        added: Whether anything was appended.
    """

    offset: int
    added: bool


Replay = Callable[[str, Quarantined], Awaitable[Replayed]]
"""Puts an update of a tenant through the firewall and a helper again, and into its log.

Raises `Refused` if it still breaks the document, or cannot be judged now.
"""


class Desk:
    """The operations on updates in quarantine, in JSON values.

    An update is known by the beginning of its SHA-256, and by its room if several rooms have it.
    """

    def __init__(
        self, store: Store, helpers: Helpers, clock: Clock, replay: Replay, journal: Journal
    ) -> None:
        self._store = store
        self._helpers = helpers
        self._clock = clock
        self._replay = replay
        self._journal = journal

    async def listed(
        self, *, tenant: str, room: str | None = None, type: str = "", key: str = ""
    ) -> Json:
        """List what was set aside, oldest first.

        Args:
            room: Of this room only.
            type: Of rooms of this type only.
            key: Of rooms whose key begins so.
        """
        return [_shown(each) for each in await self._found(tenant, room, type, key)]

    async def show(self, *, tenant: str, id: str, room: str | None = None) -> Json:
        """Tell all about one: also its bytes, how they begin, and what the firewall reads in it."""
        poison = await self._one(tenant, id, room)
        shown = _shown(poison)
        shown["data"] = base64.b64encode(poison.update).decode()
        shown["hex"] = poison.update[:PREVIEW].hex()
        try:
            answer = await self._helpers.run(
                "call",
                "parvis.server.setaside.outline:outline",
                [poison.update],
                timeout=OUTLINE_TIMEOUT,
            )
        except HelperStopped as problem:
            shown["outline"] = {"error": f"a helper could not read it: {problem}"}
        else:
            shown["outline"] = answer["result"]
        return shown

    async def replay(self, *, tenant: str, id: str, room: str | None = None) -> Json:
        """Put one back into its log, if it breaks nothing any more.

        Raises:
            Refused: If it does, or if there is none; it stays in quarantine.
        """
        poison = await self._one(tenant, id, room)
        done = await self._replay(tenant, poison)
        await self._settle(tenant, poison, "replayed", logged=done.offset)
        return _shown(poison) | {"logged": done.offset, "added": done.added}

    async def drop(self, *, tenant: str, id: str, room: str | None = None) -> Json:
        """Forget one for good. Raises `Refused` if there is none."""
        poison = await self._one(tenant, id, room)
        await self._settle(tenant, poison, "dropped")
        return _shown(poison)

    async def _settle(self, tenant: str, poison: Quarantined, what: str, logged: int = 0) -> None:
        logger.warning(
            "%s %s: an update of %d bytes by %s in quarantine was %s",
            tenant,
            _place(poison),
            len(poison.update),
            poison.sender or "nobody",
            what,
        )
        line = {"at": self._clock.time(), "what": what, "tenant": tenant, **_shown(poison)}
        try:
            # First: what is gone without a line could not be accounted for.
            await self._journal.note(line | ({"logged": logged} if logged else {}))
        except OSError as problem:
            reason = f"the journal of the quarantine cannot be written: {problem}"
            raise Refused(ErrorCode.STORE_UNAVAILABLE, reason) from None
        await self._store.release(tenant, poison)

    async def _one(self, tenant: str, id: str, room: str | None) -> Quarantined:
        wanted = id.strip().lower()
        if len(wanted) < SHORTEST:
            reason = f"expected at least {SHORTEST} letters of an id, got {id[:40]!r}"
            raise Refused(ErrorCode.INVALID_NAME, reason)
        found = [
            each for each in await self._found(tenant, room) if each.digest.hex().startswith(wanted)
        ]
        if not found:
            raise Refused(ErrorCode.CONFLICT, f"nothing in quarantine has the id {id[:64]}")
        if len(found) > 1:
            rooms = ", ".join(sorted({_place(each) for each in found})[:5])
            reason = f"{len(found)} updates have ids that begin with {id[:64]}: {rooms}"
            raise Refused(ErrorCode.CONFLICT, reason)
        return found[0]

    async def _found(
        self, tenant: str, room: str | None, type: str = "", key: str = ""
    ) -> Sequence[Quarantined]:
        name, _, part = (room or "").partition(":")
        found: list[Quarantined] = []
        for each in await self._store.quarantined(tenant):
            of, _, named = each.room.partition("/")
            whole = room is None or each.room == room or (each.room, each.part) == (name, part)
            if whole and (not type or of == type) and named.startswith(key):
                found.append(each)
        return found


def _place(poison: Quarantined) -> str:
    return f"{poison.room}:{poison.part}" if poison.part else poison.room


def _shown(poison: Quarantined) -> dict[str, Json]:
    return {
        "id": poison.digest.hex()[:16],
        "room": poison.room,
        "part": poison.part,
        "offset": poison.offset,
        "size": len(poison.update),
        "digest": poison.digest.hex(),
        "sender": poison.sender,
        "time": poison.time,
        "reason": poison.reason,
    }
