"""How often somebody may try to sign in: token buckets per account and per network address.

Nobody is locked out for good, and a stranger who uses up an account's attempts does not keep its
owner out: an address from which the account was signed in before has a bucket of its own.
"""

import ipaddress
from collections import OrderedDict
from typing import Final

from ..ports import Clock
from ..settings import AuthSettings
from .errors import TooManyAttempts

MOST: Final = 10_000
"""Buckets of each kind that are remembered; the one used longest ago is forgotten first."""

LONGEST: Final = 254
"""Characters of an address; longer texts are nobody's, and share a bucket by how they begin."""

PER_ADDRESS: Final = 6
"""An address gets attempts back so many times as fast as an account."""


class Buckets:
    """Token buckets by name, each full at first, filled by one every `refill` seconds."""

    def __init__(self, clock: Clock, burst: int, refill: float) -> None:
        self._clock = clock
        self._burst = burst
        self._refill = refill
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, name: str) -> float:
        """Take one; return 0, or the seconds to wait if there is none."""
        now = self._clock.monotonic()
        level, since = self._levels.pop(name, (float(self._burst), now))
        level = min(self._burst, level + (now - since) / self._refill)
        wait = 0.0 if level >= 1 else (1 - level) * self._refill
        self._levels[name] = (level - 1 if not wait else level, now)
        if len(self._levels) > MOST:
            self._levels.popitem(last=False)
        return wait

    def fill(self, name: str) -> None:
        """Make one full again."""
        self._levels.pop(name, None)

    def give_back(self, name: str) -> None:
        """Put back one that was taken."""
        if name in self._levels:
            level, since = self._levels[name]
            self._levels[name] = (min(self._burst, level + 1), since)


class Attempts:
    """Counts what may be tried so often about an account, and from a network address."""

    def __init__(self, clock: Clock, settings: AuthSettings, *, slower: float = 1) -> None:
        """Allow as much as the settings do for sign-ins, coming back `slower` times as slowly."""
        refill = settings.login_refill * slower
        self._accounts = Buckets(clock, settings.login_attempts, refill)
        self._addresses = Buckets(clock, settings.login_attempts_per_address, refill / PER_ADDRESS)
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def begin(self, email: str, address: str) -> None:
        """Count one attempt. Raises `TooManyAttempts`."""
        network = network_of(address)
        # The address first: a flood from one place then touches few accounts' buckets.
        wait = self._addresses.take(network) or self._accounts.take(self._bucket(email, network))
        if wait:
            raise TooManyAttempts(wait)

    def succeeded(self, email: str, address: str) -> None:
        """Forget the attempts that led to a sign-in."""
        network = network_of(address)
        self._addresses.give_back(network)
        self._accounts.fill(self._bucket(email, network))
        self._known[email.casefold(), network] = None
        self._known.move_to_end((email.casefold(), network))
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def _bucket(self, email: str, network: str) -> str:
        email = email.casefold()[:LONGEST]
        return f"{email} {network}" if (email, network) in self._known else email


def network_of(address: str) -> str:
    """Return what counts as one address: all of IPv4, the /64 that one household gets of IPv6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:LONGEST]
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
