"""People towards each other: who there is, invitations, forgotten passwords, notices.

Implements the people's half of `parvis.plugins.Node`; the HTTP API stands on it as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

from parvis.plugins import Buckets, Caller, ErrorCode, Invited, Notice, Refused
from parvis.storage import EmailTaken, Link, User

from .hosting.people import Directory, person_of
from .identity import Identity, InvalidAccount
from .identity.attempts import Attempts
from .identity.links import address_of
from .mail import Post
from .mail.account import AccountLetters
from .notices import Notices
from .ports import Clock
from .settings import Settings

logger = logging.getLogger(__name__)

INVITATIONS: Final = 50
"""That one person may send at once."""

INVITATION_REFILL: Final = 60.0
"""Seconds until they may send one more."""

SLOWER: Final = 10.0
"""Letters about forgotten passwords come back so many times as slowly as attempts to sign in."""


class Members(Directory):
    """The people of all tenants.

    Args:
        spawn: Has something run beside.
        home: Where the web app is, for links in letters that no request led to.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        post: Post,
        notices: Notices,
        clock: Clock,
        *,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        home: str,
    ) -> None:
        super().__init__(identity.people.accounts)
        self.notices: Final = notices
        self.letters: Final = AccountLetters(identity, post)
        self.post: Final = post
        self._people = identity.people
        self._links = identity.links
        self._invite = settings.auth.invite
        self._home = home
        self._spawn = spawn
        self._forgotten = Attempts(clock, settings.auth, slower=SLOWER)
        self._invitations = Buckets(clock.monotonic, INVITATIONS, INVITATION_REFILL)

    # For room types

    async def notify(self, tenant: str, notice: Notice) -> None:
        await self.notices.add(tenant, notice)

    async def recall(self, tenant: str, kind: str, path: str) -> None:
        await self.notices.recall(tenant, kind, path)

    async def invite(self, caller: Caller, email: str, *, path: str = "/") -> Invited:
        known = await self._people.by_email(email.strip())
        if known is not None and caller.member and known.tenant == caller.tenant:
            # A colleague: nobody is invited, so that nothing need be allowed or counted.
            if known.disabled:
                raise Refused(ErrorCode.CONFLICT, "this address cannot be invited")
            return Invited(known.email, person_of(known))
        try:
            link, _ = await self.invitation(caller, email, path=path)
        except EmailTaken:
            user = await self._people.by_email(email.strip())
            if user is None or user.tenant != caller.tenant or user.disabled:
                raise Refused(ErrorCode.CONFLICT, "this address cannot be invited") from None
            return Invited(user.email, person_of(user))
        except InvalidAccount as invalid:
            raise Refused(ErrorCode.REFUSED, str(invalid)) from None
        return Invited(link.email)

    # Invitations

    def may_invite(self, caller: Caller) -> bool:
        """Tell whether somebody may invite people to make an account."""
        return caller.member and (caller.admin or self._invite == "members")

    async def invitation(
        self,
        caller: Caller,
        email: str,
        *,
        path: str = "/",
        admin: bool = False,
        language: str = "",
        base: str = "",
    ) -> tuple[Link, str]:
        """Invite somebody, by mail; return the invitation and, if no mail is set, its address.

        Args:
            caller: In whose name.
            admin: Whether the account is to administer the tenant.
            language: Of the letter; empty: what the caller reads.
            base: What links begin with; empty: where the web app is.

        Raises:
            Refused: If the caller may not.
            InvalidAccount: If that is no address, or no path.
            EmailTaken: If somebody has an account with it.
        """
        if not self.may_invite(caller):
            reason = "only administrators may invite people here"
            raise Refused(ErrorCode.PERMISSION_DENIED, reason)
        if admin and not caller.admin:
            raise Refused(ErrorCode.PERMISSION_DENIED, "only administrators make administrators")
        inviter = await self._people.accounts.user(caller.user)
        if inviter is None:
            raise Refused(ErrorCode.PERMISSION_DENIED, "your account is gone")
        if wait := self._invitations.take(caller.user):
            raise Refused(ErrorCode.RATE_LIMITED, f"try again in {wait:.0f} seconds")
        if await self._people.by_email(email.strip()) is not None:
            raise EmailTaken("another account has this e-mail address")
        link, secret = await self._links.invite(
            email, inviter=inviter, admin=admin, path=path, language=language
        )
        base = base or self._home
        logger.info("%s: invited by %s", link.id, inviter.id)
        if self.post.configured:
            await self.letters.invite(link, base)
            return link, ""
        # A file needs no queue, and who hands the link on by hand needs the one that stays good.
        await self.post.send(await self.letters.invitation(link, secret, base))
        return link, address_of(link, secret, base)

    async def invitations(self, caller: Caller) -> list[Link]:
        """List who was invited and has not come yet: for administrators all, else one's own."""
        found = await self._links.list("invitation", caller.tenant)
        return [link for link in found if caller.admin or link.inviter == caller.user]

    async def withdraw(self, caller: Caller, id: str) -> bool:
        """Take an invitation back; False if there is none that the caller may take back."""
        for link in await self.invitations(caller):
            if link.id == id:
                await self._links.end(link)
                logger.info("%s: taken back by %s", link.id, caller.user)
                return True
        return False

    async def accept(
        self, secret: str, *, name: str, password: str, language: str = ""
    ) -> tuple[User, Link]:
        """Make the account that an invitation is for; raises as `Links.accept`."""
        user, link = await self._links.accept(
            secret, name=name, password=password, language=language
        )
        logger.info("%s: made by invitation %s", user.id, link.id)
        return user, link

    # Forgotten passwords

    def forgot(self, email: str, address: str, base: str) -> None:
        """Send a link for a new password, if somebody has an account with an address.

        That is found out beside, so that neither the answer nor its time says whether it is so.

        Args:
            email: As typed.
            address: Of the network that the request came from.
            base: What links begin with.

        Raises:
            TooManyAttempts: Of this e-mail address, or from this network address.
        """
        email = email.strip()
        self._forgotten.begin(email, address)
        self._spawn(self._help(email, base))

    async def _help(self, email: str, base: str) -> None:
        user = await self._people.by_email(email)
        if user is not None and not user.disabled:
            await self.letters.forgotten(user, base)

    async def reset(self, secret: str, password: str, base: str) -> User:
        """Give an account a new password by a link, and tell its owner by mail.

        All its sign-ins, tokens and websockets end. Raises as `Links.reset`.
        """
        user = await self._links.reset(secret, password)
        logger.info("%s: got a new password by a link", user.id)
        await self.letters.changed(user, base)
        return user

    async def change_password(
        self, user: User, current: str, password: str, address: str, base: str
    ) -> User:
        """Give an account a new password, and tell its owner; raises as `People.change_password`.

        All its sign-ins, tokens and websockets end.
        """
        changed = await self._people.change_password(user, current, password, address)
        logger.info("%s: changed the password", user.id)
        await self.letters.changed(changed, base)
        return changed
