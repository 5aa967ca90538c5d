"""A limit on how often somebody may guess the secret of a link."""

from __future__ import annotations

import math
from typing import Final

from parvis.plugins import ErrorCode, Refused

BURST: Final = 20
"""Wrong secrets that an address may show at once."""

REFILL: Final = 6.0
"""Seconds after which it may show another."""

KEPT: Final = 10_000
"""Addresses that are remembered."""


class Guesses:
    """Counts wrong secrets by address, in memory: a node that starts anew starts anew."""

    def __init__(self) -> None:
        self._wrong: dict[str, tuple[float, float]] = {}

    def require(self, address: str, now: float) -> None:
        """Raise `Refused` if an address has guessed too often."""
        count = self._count(address, now)
        if count > BURST - 1:
            wait = math.ceil((count - BURST + 1) * REFILL)
            raise Refused(ErrorCode.RATE_LIMITED, f"too many wrong links; try in {wait} seconds")

    def wrong(self, address: str, now: float) -> None:
        """An address has shown a secret that is none."""
        count = self._count(address, now)
        if len(self._wrong) >= KEPT:
            # Whoever was here last is forgotten last.
            for old in list(self._wrong)[: KEPT // 2]:
                del self._wrong[old]
        self._wrong.pop(address, None)
        self._wrong[address] = (count + 1, now)

    def _count(self, address: str, now: float) -> float:
        count, then = self._wrong.get(address, (0.0, now))
        return max(0.0, count - max(0.0, now - then) / REFILL)
