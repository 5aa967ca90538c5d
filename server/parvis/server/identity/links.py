"""One-time links: invitations to make an account, and new passwords for forgotten ones.

A link is an address with a secret in its fragment, which no browser sends to a server, so that it
stands in no log on the way. Only the secret's digest is kept.
"""

import dataclasses
from collections.abc import Mapping
from typing import Final

from parvis.storage import Accounts, Link, LinkGone, LinkKind, User

from ..ports import Clock, Random
from ..settings import LOCAL_TENANT, MAILABLE
from .errors import InvalidAccount, LinkInvalid
from .people import DAY, People, digest, fresh_secret

LIFE: Final[Mapping[LinkKind, float]] = {"invitation": 14 * DAY, "reset": 3600.0}
"""Seconds for which a link is good."""

PAGES: Final[Mapping[LinkKind, str]] = {"invitation": "/invite", "reset": "/reset"}
"""The page of the web app that takes the secret."""

MAX_PATH: Final = 500

GONE: Final = "this link has been used or replaced, or it is too old"


class Links:
    """Makes links, and takes them exactly once.

    All methods raise `parvis.storage.StoreUnavailable` on a passing fault.
    """

    def __init__(self, people: People, clock: Clock, random: Random) -> None:
        self._people = people
        self._accounts: Accounts = people.accounts
        self._clock = clock
        self._random = random

    async def invite(
        self,
        email: str,
        *,
        inviter: User | None = None,
        tenant: str = LOCAL_TENANT,
        admin: bool = False,
        path: str = "/",
        language: str = "",
    ) -> tuple[Link, str]:
        """Make an invitation and return it with its secret.

        Args:
            email: Whom it is for; that nobody has an account with it is up to the caller.
            inviter: In whose name, in their tenant and language; None: the operator's.
            tenant: Of the account, if nobody invites.
            admin: Whether the account is to administer the tenant.
            path: Of the page where the person is led afterwards.
            language: Of the letter and the account; empty: the inviter's.

        Raises:
            InvalidAccount: If no letter can go to that address, or the path leads elsewhere.
        """
        email = email.strip()
        if not MAILABLE.fullmatch(email) or not email.isprintable():
            raise InvalidAccount(f"expected an e-mail address, got {email[:80]!r}")
        if not is_path(path):
            raise InvalidAccount("expected the path of a page here, like /account")
        link = self._new("invitation", tenant if inviter is None else inviter.tenant, email)
        link = dataclasses.replace(
            link,
            inviter="" if inviter is None else inviter.id,
            admin=admin,
            path=path,
            language=language or ("" if inviter is None else inviter.language),
        )
        return await self.renew(link)

    async def forgotten(self, user: User) -> tuple[Link, str]:
        """Make a link by which an account gets a new password; return it with its secret."""
        link = self._new("reset", user.tenant, user.email)
        return await self.renew(dataclasses.replace(link, user=user.id, language=user.language))

    async def renew(self, link: Link) -> tuple[Link, str]:
        """Give a link a new secret, before which all earlier ones of its kind are void."""
        secret = fresh_secret(self._random)
        link = dataclasses.replace(link, digest=digest(secret))
        await self._accounts.add_link(link)
        return link, secret

    async def find(self, kind: LinkKind, tenant: str, id: str) -> Link | None:
        """Return a link that is still good, by its id."""
        return next((link for link in await self.list(kind, tenant) if link.id == id), None)

    async def list(self, kind: LinkKind, tenant: str) -> list[Link]:
        """List the links that are still good, oldest first."""
        return list(await self._accounts.links(kind, tenant, now=self._clock.time()))

    async def look(self, kind: LinkKind, secret: str) -> Link:
        """Return the link with a secret, which stays good. Raises `LinkInvalid`."""
        link = await self._accounts.link(digest(secret), now=self._clock.time())
        if link is None or link.kind != kind or not await self._backed(link):
            raise LinkInvalid(GONE)
        return link

    async def accept(
        self, secret: str, *, name: str, password: str, language: str = ""
    ) -> tuple[User, Link]:
        """Make the account that an invitation is for. Its address is the invitation's.

        Args:
            language: Of the account; empty: the invitation's.

        Raises:
            LinkInvalid: If the link is not good.
            WeakPassword, InvalidAccount, TooBusy: And it stays good.
            EmailTaken: If the person has an account by now.
        """
        link = await self.look("invitation", secret)
        self._people.passwords.check(password, link.email, name)
        try:
            user = await self._people.add(
                link.email,
                name=name,
                password=password,
                admin=link.admin,
                tenant=link.tenant,
                language=language or link.language,
                link=link.digest,
            )
        except LinkGone:
            raise LinkInvalid(GONE) from None
        return user, link

    async def reset(self, secret: str, password: str) -> User:
        """Give an account the password that its owner chose; nothing of the old one holds.

        Raises:
            LinkInvalid: If the link is not good.
            WeakPassword, TooBusy: And it stays good.
        """
        link = await self.look("reset", secret)
        user = await self._accounts.user(link.user)
        if user is None or user.disabled:
            raise LinkInvalid(GONE)
        try:
            return await self._people.set_password(user, password, link=link.digest)
        except LinkGone:
            raise LinkInvalid(GONE) from None

    async def end(self, link: Link) -> None:
        """Take a link back."""
        await self._accounts.end_link(link.id)

    def _new(self, kind: LinkKind, tenant: str, email: str) -> Link:
        now = self._clock.time()
        id = f"{kind[0]}_{self._random.bytes(12).hex()}"
        return Link(id, kind, tenant, email, b"", created=now, expires=now + LIFE[kind])

    async def _backed(self, link: Link) -> bool:
        """Tell whether who invited could still do so: their account is there, and as mighty."""
        if not link.inviter:
            return True
        inviter = await self._accounts.user(link.inviter)
        return inviter is not None and not inviter.disabled and (inviter.admin or not link.admin)


def address_of(link: Link, secret: str, base: str) -> str:
    """Return what a person clicks on.

    Args:
        base: Scheme, host and port of the web app.
    """
    return f"{base}{PAGES[link.kind]}#{secret}"


def is_path(path: str) -> bool:
    """Tell whether a text is the path of a page here, and of no other server."""
    # A browser takes // for another host, and turns \\ into /.
    return (
        path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and path.isprintable()
        and len(path) <= MAX_PATH
    )
