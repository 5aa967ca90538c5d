"""MemoryAccounts: accounts that nobody needs after the process has ended."""

from collections.abc import Sequence

from parvis.storage.accounts import EmailTaken, SignIn, User


class MemoryAccounts:
    """Keeps accounts in memory; `parvis.storage.Accounts` says what each method promises."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._sign_ins: dict[bytes, SignIn] = {}
        self._revoked: dict[str, float] = {}
        self._secrets: dict[str, bytes] = {}

    async def add_user(self, user: User) -> None:
        self._check_email(user)
        self._users[user.id] = user

    async def save_user(self, user: User) -> None:
        if user.id not in self._users:
            raise KeyError(user.id)
        self._check_email(user)
        self._users[user.id] = user

    async def user(self, id: str) -> User | None:
        return self._users.get(id)

    async def user_by_email(self, email: str) -> User | None:
        folded = email.casefold()
        return next((u for u in self._users.values() if u.email.casefold() == folded), None)

    async def users(self, tenant: str | None = None) -> Sequence[User]:
        found = [u for u in self._users.values() if tenant is None or u.tenant == tenant]
        return sorted(found, key=lambda user: user.created)

    async def add_sign_in(self, sign_in: SignIn) -> None:
        self._sign_ins[sign_in.digest] = sign_in

    async def sign_in(self, digest: bytes, *, now: float) -> SignIn | None:
        found = self._sign_ins.get(digest)
        return found if found and found.expires > now else None

    async def end_sign_in(self, digest: bytes) -> None:
        self._sign_ins.pop(digest, None)

    async def revoke(self, token: str, *, until: float) -> None:
        self._revoked[token] = max(until, self._revoked.get(token, until))

    async def revoked(self, *, now: float) -> Sequence[str]:
        return sorted(token for token, until in self._revoked.items() if until > now)

    async def secret(self, name: str, *, fresh: bytes) -> bytes:
        return self._secrets.setdefault(name, fresh)

    async def take_secret(self, name: str, value: bytes) -> bool:
        if self._secrets.get(name) != value:
            return False
        del self._secrets[name]
        return True

    def _check_email(self, user: User) -> None:
        folded = user.email.casefold()
        if any(u.email.casefold() == folded and u.id != user.id for u in self._users.values()):
            raise EmailTaken(f"{user.email} has an account already")
