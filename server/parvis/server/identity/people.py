"""Accounts and their sign-ins: made, checked, ended."""

import asyncio
import base64
import dataclasses
import hashlib
import re
import unicodedata
from typing import Final
from weakref import WeakValueDictionary

from parvis.storage import AccountChanged
from parvis.storage.accounts import Accounts, SignIn, User

from ..ports import Clock, Random
from ..settings import LOCAL_TENANT, AuthSettings
from .attempts import Attempts
from .errors import InvalidAccount, SetUpClosed, Unauthenticated
from .passwords import Passwords
from .voids import Voids

DAY: Final = 86_400.0
SETUP: Final = "setup"
"""Under this name the store keeps the secret of the one-time set-up."""

EMAIL: Final = re.compile(r"[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,189}")
COLORS: Final = (
    "#c2410c", "#b91c1c", "#be185d", "#a21caf", "#7e22ce", "#4338ca", "#1d4ed8", "#0369a1",
    "#0e7490", "#0f766e", "#15803d", "#4d7c0f", "#a16207", "#92400e", "#475569", "#9f1239",
)  # fmt: skip
"""Of cursors: each readable on white and on black."""

MAX_NAME: Final = 100

WRONG: Final = "wrong e-mail address or password"


class People:
    """The accounts of this installation."""

    def __init__(
        self,
        accounts: Accounts,
        passwords: Passwords,
        voids: Voids,
        clock: Clock,
        random: Random,
        settings: AuthSettings,
    ) -> None:
        self.accounts: Final = accounts
        self.passwords: Final = passwords
        self._voids = voids
        self._attempts = Attempts(clock, settings)
        self._clock = clock
        self._random = random
        self._settings = settings
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def add(
        self,
        email: str,
        *,
        name: str = "",
        password: str = "",
        admin: bool = False,
        tenant: str = LOCAL_TENANT,
        language: str = "",
        link: bytes | None = None,
    ) -> User:
        """Make an account.

        Args:
            email: Unique on the whole server.
            name: For people; the part of the address before the @ if empty.
            password: Empty for an account without password sign-in.
            admin: Whether the person administers the tenant.
            tenant: Whose data the account is about.
            language: ``en``, ``fr`` or empty.
            link: Digest of the invitation, which is used up.

        Raises:
            WeakPassword, InvalidAccount, TooBusy
            EmailTaken: If another account has the address.
            LinkGone: If there is no such invitation any more.
        """
        email = email.strip()
        name = tidied(name) or email.partition("@")[0]
        if not is_email(email):
            raise InvalidAccount(f"expected an e-mail address, got {email[:80]!r}")
        if password:
            self.passwords.check(password, email, name)
        user = User(
            id=f"u_{self._random.bytes(12).hex()}",
            tenant=tenant,
            email=email,
            name=name,
            color=COLORS[self._random.below(len(COLORS))],
            password=await self.passwords.hash(password) if password else "",
            admin=admin,
            created=self._clock.time(),
            language=language,
        )
        await self.accounts.add_user(user, link=link)
        return user

    async def by_email(self, email: str) -> User | None:
        """Return the account with an address; None also for what is no address."""
        return await self.accounts.user_by_email(email) if is_email(email) else None

    async def authenticate(self, email: str, password: str, address: str) -> User:
        """Return the account that an address and a password belong to.

        An unknown account, a wrong password and a disabled account look the same, in words and in
        the time they take.

        Raises:
            Unauthenticated, TooManyAttempts, TooBusy
        """
        email = email.strip()
        self._attempts.begin(email, address)
        user = await self.by_email(email)
        right = await self.passwords.verify("" if user is None else user.password, password)
        if user is None or not right or user.disabled:
            raise Unauthenticated(WRONG)
        self._attempts.succeeded(email, address)
        if self.passwords.outgrown(user.password):
            user = dataclasses.replace(user, password=await self.passwords.hash(password))
            await self.accounts.save_user(user)
        return user

    async def set_password(self, user: User, password: str, *, link: bytes | None = None) -> User:
        """Give an account a new password; every token and sign-in of the old one is void.

        Args:
            link: Digest of the link that allows it, which is used up.

        Raises:
            WeakPassword, TooBusy
            LinkGone: If there is no such link any more.
            AccountChanged: If it has got another password since `user` was read.
        """
        self.passwords.check(password, user.email, user.name)
        hashed = await self.passwords.hash(password)
        # One after the other: of two that were asked for at once the second would take the place of
        # the first, whose owner has just been told that it is theirs.
        async with self._lock(user.id):
            now = await self.accounts.user(user.id)
            if now is None or now.epoch != user.epoch:
                raise AccountChanged(user.id)
            changed = dataclasses.replace(now, password=hashed, epoch=now.epoch + 1)
            return await self.save(changed, link=link)

    async def change_password(self, user: User, current: str, password: str, address: str) -> User:
        """Give an account a new password if the current one is shown; else as `set_password`.

        Raises:
            Unauthenticated, TooManyAttempts: As `authenticate`: a stolen cookie is no licence to
                try passwords.
        """
        shown = await self.authenticate(user.email, current, address)
        return await self.set_password(shown, password)

    async def change(
        self,
        user: User,
        *,
        name: str | None = None,
        color: str | None = None,
        language: str | None = None,
    ) -> User:
        """Change what a person may choose of their account; None leaves it as it is.

        Raises:
            InvalidAccount: If the name is none, or the colour is not one of `COLORS`.
        """
        name = user.name if name is None else tidied(name)
        color = user.color if color is None else color.lower()
        if not name:
            raise InvalidAccount("expected a name, got none")
        if color not in (user.color, *COLORS):
            raise InvalidAccount(f"expected one of the colours {', '.join(COLORS)}")
        language = user.language if language is None else language
        changed = dataclasses.replace(user, name=name, color=color, language=language)
        return user if changed == user else await self.save(changed)

    async def save(self, user: User, *, link: bytes | None = None) -> User:
        """Keep a changed account and let live sessions know."""
        await self.accounts.save_user(user, link=link)
        self._voids.note_user(user)
        return user

    def _lock(self, user: str) -> asyncio.Lock:
        """Return what is held while an account's password changes."""
        # Held by whoever waits for it, so it lives exactly as long as it is needed.
        lock = self._locks.get(user)
        if lock is None:
            lock = self._locks[user] = asyncio.Lock()
        return lock

    async def sign_in(self, user: User) -> tuple[str, SignIn]:
        """Begin a sign-in; return the secret for the cookie, which is kept nowhere else.

        It begins with the account's epoch, so that it ends with the password it was made by. The
        digest in the store covers all of it.
        """
        secret = f"{user.epoch}.{fresh_secret(self._random)}"
        now = self._clock.time()
        expires = now + self._settings.sign_in_days * DAY
        sign_in = SignIn(digest=digest(secret), user=user.id, created=now, expires=expires)
        await self.accounts.add_sign_in(sign_in)
        return secret, sign_in

    async def sign_out(self, secret: str) -> None:
        """End a sign-in, and with it whatever rests on it; nothing happens if it is none."""
        ended = digest(secret)
        # Anybody may ask, so that what is not known here must not be remembered either.
        if await self.accounts.sign_in(ended, now=self._clock.time()) is None:
            return
        await self.accounts.end_sign_in(ended)
        until = self._clock.time() + self._settings.sign_in_days * DAY
        self._voids.note(ended.hex(), until=until)

    async def set_up_secret(self) -> str | None:
        """Return the secret with which the first administrator is made; None if there is one."""
        fresh = fresh_secret(self._random)
        kept = await self.accounts.secret(SETUP, fresh=fresh.encode())
        if any(user.admin for user in await self.accounts.users()):
            await self.accounts.take_secret(SETUP, kept)
            return None
        return kept.decode()

    async def set_up(self, secret: str, *, email: str, name: str, password: str) -> User:
        """Make the first administrator.

        Raises:
            SetUpClosed: If the secret is wrong or used, or an administrator exists.
            WeakPassword, InvalidAccount, EmailTaken, TooBusy: And the secret stays good.
        """
        offered = await self.set_up_secret()
        if offered is None or not secret:
            raise SetUpClosed("the set-up is over: an administrator exists")
        given = secret.encode("utf-8", "surrogatepass")
        if digest(secret) != digest(offered):
            raise SetUpClosed("the link of the set-up is not the one this server printed")
        self.passwords.check(password, email, name)
        # Taken first, so that of two who hold the link only one becomes the administrator.
        if not await self.accounts.take_secret(SETUP, given):
            raise SetUpClosed("the link of the set-up has been used")
        try:
            return await self.add(email, name=name, password=password, admin=True)
        except BaseException:
            await self.accounts.secret(SETUP, fresh=given)
            raise


def is_email(text: str) -> bool:
    """Tell whether a text can be the address of an account."""
    return EMAIL.fullmatch(text) is not None and text.isprintable()


def tidied(name: str) -> str:
    """Return a person's name as it is kept. Raises `InvalidAccount`."""
    name = " ".join(name.split())
    if len(name) > MAX_NAME or not name.isprintable():
        raise InvalidAccount(f"expected a name of up to {MAX_NAME} printable characters")
    return name


def folded(text: str) -> str:
    """Return a text as people search for it: without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in plain if not unicodedata.combining(each))


def digest(secret: str) -> bytes:
    """Return what is kept of a cookie's secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def epoch_in(secret: str) -> int:
    """Return the account's epoch in a cookie's secret; 0 if there is none."""
    digits = secret.partition(".")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 10 else 0


def fresh_secret(random: Random) -> str:
    """Return 256 bits that stand in a cookie or a link."""
    return base64.urlsafe_b64encode(random.bytes(32)).rstrip(b"=").decode()
