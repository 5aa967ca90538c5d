"""One-time tickets: what a browser shows in the first frame of a native websocket."""

import base64
import dataclasses
import hashlib
from collections import OrderedDict
from typing import Final

from ..ports import Clock, Random
from .errors import Unauthenticated
from .proof import Identified

PREFIX: Final = "pt_"
SECONDS: Final = 30.0
MOST: Final = 10_000
MOST_PER_CALLER: Final = 32


@dataclasses.dataclass(frozen=True, slots=True)
class _Kept:
    identified: Identified
    origin: str | None
    until: float


class Tickets:
    """Issues tickets of 256 bits, good once, for 30 seconds, from one Origin. In memory only.

    Only their digests are kept, so that neither a dump of the memory nor the time that a look-up
    takes helps to guess one.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def issue(self, identified: Identified, origin: str | None) -> str:
        """Return a ticket for a caller who has proven who they are.

        Args:
            identified: Whom the ticket speaks for.
            origin: The Origin header of the request; None if it had none.
        """
        self._forget(identified.caller.user)
        secret = base64.urlsafe_b64encode(self._random.bytes(32)).rstrip(b"=").decode()
        until = self._clock.monotonic() + SECONDS
        self._kept[_digest(PREFIX + secret)] = _Kept(identified, origin, until)
        return PREFIX + secret

    def redeem(self, ticket: str, origin: str | None) -> Identified:
        """Return whom a ticket speaks for; it is used up, also if the Origin is the wrong one.

        Raises:
            Unauthenticated: If it is unknown, used, too old, or from another Origin.
        """
        kept = self._kept.pop(_digest(ticket), None)
        if kept is None:
            raise Unauthenticated("the ticket is unknown or used; get a new one", expired=True)
        if self._clock.monotonic() > kept.until:
            raise Unauthenticated("the ticket has expired; get a new one", expired=True)
        if kept.origin != origin:
            raise Unauthenticated("the ticket was issued to another origin")
        return kept.identified

    def _forget(self, user: str) -> None:
        """Make room: drop what has expired, and the oldest of those who hold too many."""
        now = self._clock.monotonic()
        while self._kept and next(iter(self._kept.values())).until < now:
            self._kept.popitem(last=False)
        own = [key for key, kept in self._kept.items() if kept.identified.caller.user == user]
        for key in own[: max(0, len(own) - MOST_PER_CALLER + 1)]:
            del self._kept[key]
        if len(self._kept) >= MOST:
            self._kept.popitem(last=False)


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "surrogatepass")).digest()
