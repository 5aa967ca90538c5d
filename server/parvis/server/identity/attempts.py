"""How often somebody may try to sign in: token buckets per account and per network address.

Nobody is locked out for good, and a stranger who uses up an account's attempts does not keep its
owner out: an address from which the account was signed in before has a bucket of its own.
"""

from collections import OrderedDict
from typing import Final

from parvis.plugins import Buckets, network_of
from parvis.plugins.limits import LONGEST, MOST

from ..ports import Clock
from ..settings import AuthSettings
from .errors import TooManyAttempts

PER_ADDRESS: Final = 6
"""An address gets attempts back so many times as fast as an account."""


class Attempts:
    """Counts what may be tried so often about an account, and from a network address."""

    def __init__(self, clock: Clock, settings: AuthSettings, *, slower: float = 1) -> None:
        """Allow as much as the settings do for sign-ins, coming back `slower` times as slowly."""
        refill = settings.login_refill * slower
        self._accounts = Buckets(clock.monotonic, settings.login_attempts, refill)
        self._addresses = Buckets(
            clock.monotonic, settings.login_attempts_per_address, refill / PER_ADDRESS
        )
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
