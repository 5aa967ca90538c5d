"""The contract for what a node keeps about people: users, sign-ins, links, revocations, secrets.

With SQLite this is the control file, apart from the tenants' files. The full identity work builds
on it; here stands what local accounts and tokens need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class User:
    """A local account.

    Attributes:
        id: Opaque and stable, e.g. ``u_9f2c…``.
        email: As typed; compared after casefolding, unique on the whole server.
        password: An argon2id hash in PHC form, or an empty string: no password sign-in.
        color: Of cursors, ``#rrggbb``.
        epoch: Tokens issued for a lower epoch are void (raised by a password change).
        language: ``en``, ``fr`` or an empty string: not said.
    """

    id: str
    tenant: str
    email: str
    name: str
    color: str
    password: str
    admin: bool
    created: float
    disabled: bool = False
    epoch: int = 1
    language: str = ""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A browser that has signed in: what stands behind its session cookie.

    Attributes:
        digest: SHA-256 of the cookie's secret; the secret itself is never stored.
    """

    digest: bytes
    user: str
    created: float
    expires: float


LinkKind = Literal["invitation", "reset"]


@dataclass(frozen=True, slots=True)
class Link:
    """A link with a secret that is good once: to make an account, or to set a new password.

    Attributes:
        id: By which it is listed and taken back; not secret.
        digest: SHA-256 of the secret; the secret itself is never stored.
        email: Whom it was sent to; compared as accounts' addresses are.
        user: Id of the account whose password it resets; empty: an invitation.
        inviter: Id of the account that invites; empty: the operator.
        admin: Whether the account it makes administers the tenant.
        path: Where the person is led afterwards.
        language: Of the letter.
    """

    id: str
    kind: LinkKind
    tenant: str
    email: str
    digest: bytes
    created: float
    expires: float
    user: str = ""
    inviter: str = ""
    admin: bool = False
    path: str = "/"
    language: str = ""


class Accounts(Protocol):
    """Keeps accounts durable. Raises `parvis.storage.StoreUnavailable` on a passing fault."""

    async def add_user(self, user: User, *, link: bytes | None = None) -> None:
        """Keep a new account; invitations to its address are gone.

        Args:
            link: Digest of a link that is used up in the same transaction.

        Raises:
            LinkGone: If there is no such link; then nothing has changed.
            EmailTaken: And nothing has changed.
        """
        ...

    async def save_user(self, user: User, *, link: bytes | None = None) -> None:
        """Replace the account with the same id; if its epoch grew, links to it are gone.

        Args:
            link: Digest of a link that is used up in the same transaction.

        Raises:
            AccountChanged: If its epoch is higher by now: a change of the name that was under way
                would bring an old password back. Nothing has changed.
            LinkGone: If there is no such link; then nothing has changed.
            EmailTaken: And nothing has changed.
            KeyError: If the account is unknown.
        """
        ...

    async def user(self, id: str) -> User | None:
        """Return the account with this id."""
        ...

    async def user_by_email(self, email: str) -> User | None:
        """Return the account with this address, whatever its case."""
        ...

    async def users(self, tenant: str | None = None) -> Sequence[User]:
        """List accounts, oldest first."""
        ...

    async def add_sign_in(self, sign_in: SignIn) -> None:
        """Keep a sign-in."""
        ...

    async def sign_in(self, digest: bytes, *, now: float) -> SignIn | None:
        """Return a sign-in that has not expired."""
        ...

    async def end_sign_in(self, digest: bytes) -> None:
        """Forget a sign-in, if it is there."""
        ...

    async def add_link(self, link: Link) -> None:
        """Keep a link instead of an earlier one of the same kind to the same address.

        One that was created later than this one stays. Links that expired before it are forgotten.
        """
        ...

    async def link(self, digest: bytes, *, now: float) -> Link | None:
        """Return a link that has not expired."""
        ...

    async def links(self, kind: LinkKind, tenant: str, *, now: float) -> Sequence[Link]:
        """List links that have not expired, oldest first."""
        ...

    async def end_link(self, id: str) -> None:
        """Forget a link, if it is there."""
        ...

    async def revoke(self, token: str, *, until: float) -> None:
        """Remember a token id as void until it would have expired by itself."""
        ...

    async def revoked(self, *, now: float) -> Sequence[str]:
        """List void token ids that have not expired yet."""
        ...

    async def secret(self, name: str, *, fresh: bytes) -> bytes:
        """Return the secret kept under a name; the first caller's `fresh` becomes it."""
        ...

    async def take_secret(self, name: str, value: bytes) -> bool:
        """Forget the secret under a name if it equals `value`: True for exactly one caller."""
        ...
