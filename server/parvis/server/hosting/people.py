"""The people of a tenant, as room types may ask for them and write to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from parvis.plugins import Caller, Invited, Notice, Person


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

    async def invite(self, caller: Caller, email: str, *, path: str) -> Invited:
        """Invite somebody to make an account. Raises `Refused`."""
        ...
