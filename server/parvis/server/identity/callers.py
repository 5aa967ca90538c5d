"""Who asks: proofs of every kind turned into callers."""

from collections.abc import Callable
from typing import Final

from parvis.plugins import Buckets, Caller
from parvis.storage.accounts import Accounts, User

from ..ports import Clock, Random
from ..settings import LOCAL_TENANT, Settings
from .apps import Apps
from .claims import look
from .errors import Unauthenticated
from .links import Links
from .origins import Origins, is_loopback
from .passwords import Passwords
from .people import People, digest, epoch_in
from .proof import Identified, Kind, Proof
from .tickets import PREFIX, Tickets
from .tokens import ACCESS, Signed, Tokens, open_tokens
from .voids import Voids


async def open_identity(
    settings: Settings, accounts: Accounts, clock: Clock, random: Random
) -> "Identity":
    """Return the identity of a node, with its keys and what was revoked loaded."""
    identity = Identity(
        settings, accounts, await open_tokens(accounts, clock, random), clock, random
    )
    await identity.voids.load()
    return identity


class Identity:
    """Proves callers. The tenant always comes from here.

    All methods that take a proof raise `Unauthenticated` if it does not hold, and
    `parvis.storage.StoreUnavailable` if that cannot be found out now. With ``--open`` whoever asks
    is a guest who may do anything, whatever they show.
    """

    def __init__(
        self, settings: Settings, accounts: Accounts, tokens: Tokens, clock: Clock, random: Random
    ) -> None:
        auth = settings.auth
        self.open: Final = settings.server.open
        self.settings: Final = auth
        self.tokens: Final = tokens
        self.tickets: Final = Tickets(clock, random)
        self.voids: Final = Voids(accounts, clock)
        # Each is kept for as long as a token could last.
        self.revocations: Final = Buckets(clock.monotonic, burst=100, refill=10.0)
        self.apps: Final = Apps(auth.apps, clock)
        self.origins: Final = Origins(settings.server.public_url)
        self.people: Final = People(
            accounts, Passwords(auth, random), self.voids, clock, random, auth
        )
        self.links: Final = Links(self.people, clock, random)
        self._accounts = accounts
        self._clock = clock
        self._random = random

    def close(self) -> None:
        """Let go of threads."""
        self.people.passwords.close()

    # What callers show

    async def by_cookie(self, secret: str) -> Identified:
        """Identify by the session cookie. The Origin must have been checked: see `stock`."""
        if self.open:
            return self.guest()
        kept = await self._accounts.sign_in(digest(secret), now=self._clock.time())
        if kept is None:
            raise Unauthenticated("the session has ended; sign in again", expired=True)
        user = await self._accounts.user(kept.user)
        return self._member(user, "cookie", kept.digest.hex(), epoch_in(secret), kept.expires)

    async def by_access_token(self, token: str) -> Identified:
        """Identify by an access token."""
        if self.open:
            return self.guest()
        proof, expires = self.tokens.read_access(token)
        user = await self._accounts.user(proof.user)
        return self._member(user, "access", proof.id, proof.epoch, expires)

    async def by_ticket(self, ticket: str, origin: str | None) -> Identified:
        """Identify by a one-time ticket, which is used up."""
        if self.open:
            return self.guest()
        identified = self.tickets.redeem(ticket, origin)
        if not self.voids.holds(identified.proof):
            raise Unauthenticated("signed out since the ticket was issued")
        return identified

    async def by_room_token(self, token: str) -> Identified:
        """Identify by a room token, signed by Parvis or by an application."""
        if self.open:
            return self.guest()
        if not self.tokens.is_ours(token):
            identified = await self.apps.read(token)
        else:
            identified = self.tokens.read_room(token)
            minter = await self._accounts.user(identified.proof.user)
            if minter is None or minter.disabled or minter.epoch != identified.proof.epoch:
                raise Unauthenticated("the account that the token rests on has changed")
        if not self.voids.holds(identified.proof):
            raise Unauthenticated("the token has been revoked")
        return identified

    async def by_token(self, token: str) -> Identified:
        """Identify by an access token or a room token; which one it is, it says itself.

        Each is then read as what it says, with the checks of its kind, so that neither passes for
        the other.
        """
        if self.open:
            return self.guest()
        if look(token).typ == ACCESS.typ:
            return await self.by_access_token(token)
        return await self.by_room_token(token)

    # Who shows what where

    async def native(self, ticket: str, origin: str | None) -> Identified:
        """Identify who says ``hello`` or ``refresh``: a ticket, an access or a room token."""
        if self.open:
            return self._open_guest(origin)
        if ticket.startswith(PREFIX):
            return await self.by_ticket(ticket, origin)
        return await self.by_token(ticket)

    async def stock(
        self, *, token: str, cookie: str | None, origin: str | None, here: str
    ) -> Identified:
        """Identify a stock client.

        Args:
            token: A room token; empty: the cookie counts.
            cookie: The secret in the session cookie; None if there is none.
            origin: The Origin header; None if there is none.
            here: Scheme and host that the request was sent to, e.g. ``http://host:8000``.
        """
        if self.open:
            return self._open_guest(origin)
        if token:
            return await self.by_room_token(token)
        if cookie is None:
            raise Unauthenticated("sign in, or show a room token")
        self.origins.require(origin, here)
        return await self.by_cookie(cookie)

    def guest(self) -> Identified:
        """Return a guest of an open node."""
        id = f"guest-{self._random.bytes(8).hex()}"
        return Identified(Caller(LOCAL_TENANT, id, anyone=True), None, Proof("open", id))

    # What callers are given

    def ticket(self, identified: Identified, origin: str | None) -> str:
        """Issue a ticket; the session it opens lasts as long as an access token, or less."""
        until = self._clock.time() + self.settings.access_token_seconds
        if identified.proof.kind != "open":
            expires = until if identified.expires is None else min(until, identified.expires)
            identified = Identified(identified.caller, expires, identified.proof)
        return self.tickets.issue(identified, origin)

    def access_token(self, user: User) -> Signed:
        """Sign an access token for an account."""
        return self.tokens.access(user, seconds=self.settings.access_token_seconds)

    # What does not hold any more

    def is_void(self, proof: Proof) -> bool:
        """Tell whether a proof was revoked since it was shown. Does not wait; ignores expiry."""
        return not self.voids.holds(proof)

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called after each revocation, to ask `is_void` of what it holds.

        Returns what ends the subscription.
        """
        return self.voids.subscribe(listener)

    # Inside

    def _open_guest(self, origin: str | None) -> Identified:
        # Otherwise any page that someone on this machine looks at could open its rooms.
        if origin is not None and not is_loopback(origin):
            raise Unauthenticated("an open node takes pages of this machine only")
        return self.guest()

    def _member(
        self, user: User | None, kind: Kind, id: str, epoch: int, expires: float
    ) -> Identified:
        if user is None or user.disabled or epoch != user.epoch:
            raise Unauthenticated("the account has changed; sign in again")
        proof = Proof(kind, id, user.id, user.epoch)
        if not self.voids.holds(proof):
            raise Unauthenticated("signed out; sign in again")
        caller = Caller(
            tenant=user.tenant,
            user=user.id,
            name=user.name,
            color=user.color,
            member=True,
            admin=user.admin,
        )
        return Identified(caller, expires, proof)
