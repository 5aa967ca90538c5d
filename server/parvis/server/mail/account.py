"""Letters about accounts: invitations, forgotten passwords, changed ones."""

from typing import Any, Final

from parvis.storage import Link, User

from ..identity import Identity
from ..identity.links import address_of
from .letters import Letter
from .post import Facts, Post
from .words import letter

DAY: Final = 86_400.0


class AccountLetters:
    """Orders letters about accounts, and writes them when they go out.

    A link's secret is made with the letter, and is the only good one from then on.
    """

    def __init__(self, identity: Identity, post: Post) -> None:
        self._identity = identity
        self._post = post
        post.kind("invitation", self._invitation)
        post.kind("reset", self._reset)
        post.kind("changed", self._changed)

    async def invite(self, link: Link, base: str) -> None:
        """Send an invitation, with a new secret."""
        await self._post.order(link.tenant, "invitation", link.id, {"link": link.id, "base": base})

    async def invitation(self, link: Link, secret: str, base: str) -> Letter:
        """Write the letter with an invitation."""
        inviter = await self._identity.people.accounts.user(link.inviter) if link.inviter else None
        return letter(
            "invitation",
            link.email,
            link.language,
            address_of(link, secret, base),
            inviter="Parvis" if inviter is None else inviter.name,
            base=base,
            days=round((link.expires - link.created) / DAY),
        )

    async def forgotten(self, user: User, base: str) -> None:
        """Send a link by which somebody gets a new password."""
        link, _ = await self._identity.links.forgotten(user)
        await self._post.order(user.tenant, "reset", link.id, {"link": link.id, "base": base})

    async def changed(self, user: User, base: str) -> None:
        """Tell somebody that their password was changed."""
        facts = {"user": user.id, "base": base}
        await self._post.order(user.tenant, "changed", f"{user.id}:{user.epoch}", facts)

    # Written when they go out

    async def _invitation(self, tenant: str, facts: Facts) -> Letter | None:
        links = self._identity.links
        link = await links.find("invitation", tenant, facts["link"])
        if link is None:
            return None  # Accepted by now, or taken back.
        link, secret = await links.renew(link)
        return await self.invitation(link, secret, facts["base"])

    async def _reset(self, tenant: str, facts: Facts) -> Letter | None:
        links = self._identity.links
        link = await links.find("reset", tenant, facts["link"])
        if link is None or (user := await self._user(link.user)) is None:
            return None
        link, secret = await links.renew(link)
        base: Any = facts["base"]
        url = address_of(link, secret, base)
        return letter("reset", user.email, user.language, url, name=user.name, base=base)

    async def _changed(self, tenant: str, facts: Facts) -> Letter | None:
        user = await self._user(facts["user"])
        if user is None:
            return None
        base: Any = facts["base"]
        url = f"{base}/forgot"
        return letter("changed", user.email, user.language, url, name=user.name, base=base)

    async def _user(self, id: str) -> User | None:
        user = await self._identity.people.accounts.user(id)
        return None if user is None or user.disabled else user
