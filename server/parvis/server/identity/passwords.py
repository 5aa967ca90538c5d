"""Passwords: argon2id in a bounded pool of threads, and what makes a password good enough."""

import asyncio
import base64
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError

from ..ports import Random
from ..settings import AuthSettings
from .errors import TooBusy, WeakPassword
from .well_known import why_well_known

T = TypeVar("T")

MAX_WAITING: Final = 64
"""Passwords in the queue; each takes tens of milliseconds of a core."""


class Passwords:
    """Hashes and verifies passwords, a few at a time.

    One hash takes `AuthSettings.argon2_memory` bytes. Without a bound, a flood of sign-ins would
    take all of the machine's memory.
    """

    def __init__(self, settings: AuthSettings, random: Random) -> None:
        self._settings = settings
        self._hasher = argon2.PasswordHasher(
            time_cost=settings.argon2_time,
            memory_cost=settings.argon2_memory // 1024,
            parallelism=settings.argon2_lanes,
        )
        self._threads = ThreadPoolExecutor(
            max_workers=min(4, os.cpu_count() or 1), thread_name_prefix="passwords"
        )
        self._waiting = 0
        self.dummy: Final = self._dummy(random)

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def check(self, password: str, *about: str) -> None:
        """Return if a new password is good enough.

        Args:
            password: As typed.
            about: What an attacker would try first: the person's e-mail address and name.

        Raises:
            WeakPassword: Saying what is expected.
        """
        least, most = self._settings.password_min, self._settings.password_max
        length = len(_normal(password))
        if not least <= length <= most:
            raise WeakPassword(f"expected {least} to {most} characters, got {length}")
        why = why_well_known(_normal(password), *about)
        if why is not None:
            raise WeakPassword(f"this password {why}; it is among the first that are tried")

    async def hash(self, password: str) -> str:
        """Return the PHC string of a password. Raises `TooBusy`."""
        return await self._run(password, lambda secret: self._hasher.hash(secret))

    async def verify(self, phc: str, password: str) -> bool:
        """Tell whether a password is the one behind a PHC string.

        An empty string, of an account without password or none at all, takes as long as any other.
        Raises `TooBusy`.
        """

        def verify(secret: bytes) -> bool:
            try:
                return self._hasher.verify(phc or self.dummy, secret)
            except (Argon2Error, InvalidHashError):
                return False

        if len(password) > 4 * self._settings.password_max:
            return False
        return await self._run(password, verify)

    def outgrown(self, phc: str) -> bool:
        """Tell whether a hash was made with less memory or fewer passes than are set today."""
        try:
            was = argon2.extract_parameters(phc)
        except InvalidHashError:
            return True
        now = self._hasher
        return was.memory_cost < now.memory_cost or was.time_cost < now.time_cost

    async def _run(self, password: str, work: Callable[[bytes], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise TooBusy("too many sign-ins at once")
        secret = _normal(password).encode("utf-8", "surrogatepass")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, secret)
        finally:
            self._waiting -= 1

    def _dummy(self, random: Random) -> str:
        # Nobody knows a password for it, and verifying one costs what a real one costs.
        salt, digest = (
            base64.b64encode(random.bytes(size)).rstrip(b"=").decode() for size in (16, 32)
        )
        hasher = self._hasher
        costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
        return f"$argon2id$v=19${costs}${salt}${digest}"


def _normal(password: str) -> str:
    # The same password typed on two keyboards may arrive composed or decomposed.
    return unicodedata.normalize("NFKC", password)
