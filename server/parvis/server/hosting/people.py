"""The people of a tenant, as room types may ask for them and write to them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from parvis.plugins import Caller, ErrorCode, Invited, Notice, Person, Refused
from parvis.storage import Accounts, User

logger = logging.getLogger(__name__)


class Folk(Protocol):
    """What stands behind the same names of `parvis.plugins.Node`."""

    async def people(self, tenant: str) -> Sequence[Person]:
        """List who has an account that is not disabled, by name."""
        ...

    async def person(self, tenant: str, id: str) -> Person | None:
        """Return somebody of this tenant, disabled or not."""
        ...

    async def notify(self, tenant: str, notice: Notice) -> None:
        """Keep a notice once for its (user, key), show it, and mail it by a durable job."""
        ...

    async def recall(self, tenant: str, kind: str, path: str) -> None:
        """Take back a room type's notices that lead to a page, or to a place on it."""
        ...

    async def invite(self, caller: Caller, email: str, *, path: str) -> Invited:
        """Invite somebody to make an account. Raises `Refused`."""
        ...


def person_of(user: User) -> Person:
    """Return what others of the tenant may see of an account."""
    return Person(user.id, user.name, user.email, user.color, user.language, user.admin)


class Directory:
    """The people of a node that has no way to write to them: they can be looked up, no more."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def people(self, tenant: str) -> Sequence[Person]:
        users = [user for user in await self._accounts.users(tenant) if not user.disabled]
        return sorted(map(person_of, users), key=lambda person: (person.name.casefold(), person.id))

    async def person(self, tenant: str, id: str) -> Person | None:
        user = await self._accounts.user(id)
        return person_of(user) if user is not None and user.tenant == tenant else None

    async def notify(self, tenant: str, notice: Notice) -> None:
        logger.info("%s: not told of %s, this node sends no notices", notice.user, notice.kind)

    async def recall(self, tenant: str, kind: str, path: str) -> None:
        """Nothing was sent."""

    async def invite(self, caller: Caller, email: str, *, path: str) -> Invited:
        user = await self._accounts.user_by_email(email)
        if user is None or user.tenant != caller.tenant:
            raise Refused(ErrorCode.REFUSED, "this node sends no invitations")
        return Invited(email, person_of(user))
