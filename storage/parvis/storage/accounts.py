"""The contract for what a node keeps about people: tenants, users, sign-ins, revocations, secrets.

With SQLite this is the control file, apart from the tenants' files. The full identity work builds
on it; here stands what local accounts and tokens need.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class User:
    """A local account.

    Attributes:
        id: Opaque and stable, e.g. ``u_9f2c…``.
        email: As typed; compared after casefolding, unique on the whole server.
        password: An argon2id hash in PHC form, or an empty string: no password sign-in.
        color: Of cursors, ``#rrggbb``.
        epoch: Tokens issued for a lower epoch are void (raised by a password change).
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


class EmailTaken(Exception):
    """Another account has this e-mail address."""


class Accounts(Protocol):
    """Keeps accounts durable. Raises `parvis.storage.StoreUnavailable` on a passing fault."""

    async def add_user(self, user: User) -> None:
        """Keep a new account. Raises `EmailTaken`."""
        ...

    async def save_user(self, user: User) -> None:
        """Replace the account with the same id. Raises `EmailTaken`, or KeyError if unknown."""
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
