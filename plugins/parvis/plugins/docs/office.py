"""What all code of documents shares: the node, the settings, people's names, locks, ids."""

from __future__ import annotations

import asyncio
import string
from collections.abc import Mapping
from typing import Any, Final
from weakref import WeakValueDictionary

from parvis.plugins import Caller, ErrorCode, Node, Person, Refused, Statement

from .settings import DocsSettings

BASE62: Final = string.digits + string.ascii_letters

GUEST: Final = "guest-"
"""How the ids of guests begin, and no others; see `parvis.plugins.Node.guest`."""

FRESH: Final = 5.0
"""Seconds for which the list of people is good."""


def missing() -> Refused:
    """There is no such document, or the caller may not know that there is."""
    return Refused(ErrorCode.ROOM_NOT_FOUND, "there is no such document, or you may not see it")


def forbidden(what: str) -> Refused:
    """The caller may see the document, and not do this."""
    return Refused(ErrorCode.PERMISSION_DENIED, f"you may not {what}")


WITHOUT: Final[Mapping[str, str]] = {
    "comment": "comment on this document",
    "edit": "change this document",
    "share": "share this document",
    "history": "see the history of this document",
    "admin": "do this: only the owner may",
}
"""What somebody cannot do who lacks a capability."""


def malformed(reason: str) -> Refused:
    """The request makes no sense."""
    return Refused(ErrorCode.MALFORMED, reason)


class Office:
    """What routes, commands and hooks of documents have in common."""

    def __init__(self, settings: DocsSettings) -> None:
        self.settings = settings
        self._node: Node | None = None
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._people: dict[str, tuple[float, Mapping[str, Person]]] = {}

    def opens(self, node: Node | None) -> None:
        """The node has started, or ends."""
        self._node = node

    @property
    def node(self) -> Node:
        if self._node is None:
            raise Refused(ErrorCode.TRY_AGAIN, "the node has not started yet")
        return self._node

    def lock(self, tenant: str, name: str) -> asyncio.Lock:
        """Return the lock of a document, or of something else with a name, in a tenant."""
        # Held by whoever waits for it, so it lives exactly as long as it is needed.
        lock = self._locks.get((tenant, name))
        if lock is None:
            lock = self._locks[tenant, name] = asyncio.Lock()
        return lock

    def work(self, caller: Caller) -> asyncio.Lock:
        """Return what is held while helpers convert something for somebody: one thing at a time,
        so that nobody keeps them all busy."""
        # Whoever holds a link can become as many guests as they like.
        who = f"guests of {caller.host}" if caller.host else caller.user
        return self.lock(caller.tenant, f"work:{who}")

    def new_key(self) -> str:
        """Return a name that nobody can guess: 16 letters and digits, 95 bits of chance."""
        number, key = int.from_bytes(self.node.chance(20), "big"), ""
        for _ in range(16):
            number, digit = divmod(number, len(BASE62))
            key += BASE62[digit]
        return key

    # People

    async def people(self, tenant: str) -> Mapping[str, Person]:
        """Return who has an account, by id; at most `FRESH` seconds old."""
        now = self.node.now()
        kept = self._people.get(tenant)
        if kept is None or not 0 <= now - kept[0] < FRESH:
            found = {person.id: person for person in await self.node.people(tenant)}
            kept = self._people[tenant] = (now, found)
        return kept[1]

    async def person(self, tenant: str, id: str) -> Person | None:
        """Return somebody with an account."""
        people = await self.people(tenant)
        return people.get(id) or await self.node.person(tenant, id)

    async def names(self, tenant: str, ids: set[str]) -> Mapping[str, dict[str, Any]]:
        """Return ``Who`` for each id: ``{id, name, color}``; without a name if nobody knows it.

        Guests, who chose their names, carry ``guest: True``.
        """
        people = await self.people(tenant)
        names: dict[str, dict[str, Any]] = {id: {"id": id, "name": "", "color": ""} for id in ids}
        strangers: list[str] = []
        for id in ids:
            if (person := people.get(id)) is not None:
                names[id] = who(person)
            else:
                strangers.append(id)
        for at in range(0, len(strangers), 500):
            page = strangers[at : at + 500]
            marks = ", ".join("?" * len(page))
            sql = f"SELECT id, name, color FROM docs_guest WHERE id IN ({marks})"
            for row in await self.node.query(tenant, sql, *page):
                guest, name, color = map(str, row)
                names[guest] = {"id": guest, "name": name, "color": color}
                if guest.startswith(GUEST):
                    names[guest]["guest"] = True
            for id in page:
                if not names[id]["name"]:
                    # Their account is disabled; what they wrote keeps their name.
                    gone = await self.node.person(tenant, id)
                    if gone is not None:
                        names[id] = who(gone)
        return names

    async def remember(self, caller: Caller) -> None:
        """Keep the name of somebody without an account."""
        if not caller.member and caller.user and caller.name:
            sql = (
                "INSERT INTO docs_guest VALUES (?, ?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name, color = excluded.color"
            )
            args = (caller.user, caller.name, caller.color, self.node.now())
            await self.node.execute(caller.tenant, Statement(sql, args))


def who(person: Person) -> dict[str, Any]:
    """Return a person as others see them."""
    return {"id": person.id, "name": person.name, "color": person.color}
