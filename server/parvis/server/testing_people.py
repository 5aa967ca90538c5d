"""The people of the kit: who has an account, what they were told, who was invited."""

from __future__ import annotations

import re
from collections.abc import Sequence

from parvis.plugins import Caller, ErrorCode, Invited, Notice, Person, Refused
from parvis.storage import User


class KeptFolk:
    """Implements `parvis.server.hosting.people.Folk` in memory, for tests to set and to look at.

    Attributes:
        accounts: Id → person; all of one tenant. Put in whoever your test needs.
        notices: What was sent, oldest first, the same (user, key) once, none to its actor.
        invited: Addresses, each with who invited them and where they will be led.
        invites: Ids of the members who may invite people without an account; None: all.
    """

    def __init__(self, tenant: str) -> None:
        self._tenant = tenant
        self.accounts: dict[str, Person] = {}
        self.notices: list[Notice] = []
        self.invited: list[tuple[str, Caller, str]] = []
        self.invites: set[str] | None = None

    def add(self, id: str, *, name: str = "", email: str = "", language: str = "") -> Person:
        """Give somebody an account, with a name and an address like their id unless said."""
        person = Person(id, name or id.title(), email or f"{id}@example.org", "#4338ca", language)
        self.accounts[id] = person
        return person

    async def people(self, tenant: str) -> Sequence[Person]:
        here = self.accounts.values() if tenant == self._tenant else ()
        return sorted(here, key=lambda person: (person.name, person.id))

    async def person(self, tenant: str, id: str) -> Person | None:
        return self.accounts.get(id) if tenant == self._tenant else None

    async def notify(self, tenant: str, notice: Notice) -> None:
        known = {(each.user, each.key) for each in self.notices}
        if notice.user != notice.actor and (notice.user, notice.key) not in known:
            self.notices.append(notice)

    async def recall(self, tenant: str, kind: str, path: str) -> None:
        def stays(notice: Notice) -> bool:
            page = re.split("[?#]", notice.path, maxsplit=1)[0]
            return page != path or not notice.kind.startswith(f"{kind}.")

        self.notices = list(filter(stays, self.notices))

    async def invite(self, caller: Caller, email: str, *, path: str) -> Invited:
        if not caller.member:
            raise Refused(ErrorCode.PERMISSION_DENIED, "only people with an account may invite")
        if "@" not in email:
            raise Refused(ErrorCode.REFUSED, "expected an e-mail address")
        for person in self.accounts.values():
            if person.email.casefold() == email.casefold():
                return Invited(email, person)
        if self.invites is not None and caller.user not in self.invites:
            raise Refused(ErrorCode.PERMISSION_DENIED, "you may not invite people")
        self.invited.append((email, caller, path))
        return Invited(email)

    async def account(self, id: str) -> User | None:
        """Return the account that stands behind a guest's token."""
        if (person := self.accounts.get(id)) is None:
            return None
        return User(id, self._tenant, person.email, person.name, person.color, "", False, 0.0)
