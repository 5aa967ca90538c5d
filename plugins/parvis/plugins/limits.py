"""How often somebody may try something: buckets by name, and what counts as one network."""

import ipaddress
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

MOST: Final = 10_000
"""Buckets that are remembered; the one used longest ago is forgotten first."""

LONGEST: Final = 254
"""Characters of a name; longer texts share a bucket by how they begin."""


class Buckets:
    """Token buckets by name, each full at first, filled by one every `refill` seconds.

    In memory: a node that starts anew starts anew.

    Args:
        now: Tells the time in seconds, e.g. `Node.now`.
    """

    def __init__(self, now: Callable[[], float], burst: int, refill: float) -> None:
        self._now = now
        self._burst = burst
        self._refill = refill
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._levels)

    def take(self, name: str) -> float:
        """Take one; return 0, or the seconds to wait if there is none."""
        now = self._now()
        level, since = self._levels.pop(name, (float(self._burst), now))
        level = min(self._burst, level + max(0.0, now - since) / self._refill)
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
