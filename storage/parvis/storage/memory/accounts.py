"""MemoryAccounts: accounts that nobody needs after the process has ended."""

from collections.abc import Callable, Sequence

from parvis.storage.accounts import Link, LinkKind, SignIn, User
from parvis.storage.errors import AccountChanged, EmailTaken, LinkGone


class MemoryAccounts:
    """Keeps accounts in memory; `parvis.storage.Accounts` says what each method promises."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._sign_ins: dict[bytes, SignIn] = {}
        self._links: list[Link] = []
        self._revoked: dict[str, float] = {}
        self._secrets: dict[str, bytes] = {}

    async def add_user(self, user: User, *, link: bytes | None = None) -> None:
        self._check_email(user)
        self._use(link)
        self._users[user.id] = user
        folded = user.email.casefold()
        self._forget(lambda each: each.kind == "invitation" and each.email.casefold() == folded)

    async def save_user(self, user: User, *, link: bytes | None = None) -> None:
        if user.id not in self._users:
            raise KeyError(user.id)
        if user.epoch < self._users[user.id].epoch:
            raise AccountChanged(user.id)
        self._check_email(user)
        self._use(link)
        if user.epoch > self._users[user.id].epoch:
            self._forget(lambda each: each.user == user.id)
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

    async def add_link(self, link: Link) -> None:
        def same(each: Link) -> bool:
            about = (each.kind, each.tenant, each.email.casefold())
            return about == (link.kind, link.tenant, link.email.casefold())

        self._forget(lambda each: each.expires <= link.created)
        if not any(same(each) and each.created > link.created for each in self._links):
            self._forget(same)
            self._links.append(link)

    async def link(self, digest: bytes, *, now: float) -> Link | None:
        found = (link for link in self._links if link.digest == digest and link.expires > now)
        return next(found, None)

    async def links(self, kind: LinkKind, tenant: str, *, now: float) -> Sequence[Link]:
        about = (kind, tenant)
        found = [each for each in self._links if (each.kind, each.tenant) == about]
        return sorted((e for e in found if e.expires > now), key=lambda each: each.created)

    async def end_link(self, id: str) -> None:
        self._forget(lambda each: each.id == id)

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

    def _use(self, digest: bytes | None) -> None:
        if digest is not None and not any(link.digest == digest for link in self._links):
            raise LinkGone("there is no such link any more")
        self._forget(lambda each: each.digest == digest)

    def _forget(self, which: Callable[[Link], bool]) -> None:
        self._links = [link for link in self._links if not which(link)]

    def _check_email(self, user: User) -> None:
        folded = user.email.casefold()
        if any(u.email.casefold() == folded and u.id != user.id for u in self._users.values()):
            raise EmailTaken(f"{user.email} has an account already")
