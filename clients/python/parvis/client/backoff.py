"""When to come back: by the close code, and after how long."""

from .ports import Random

COMES_BACK = (
    (1000, 1001),
    (1005, 1006),
    (1011, 1014),
    (3000, 3499),
    (4401, 4401),
    (4500, 4599),
)
"""Close codes, from and to, after which a client connects again (SPEC.md section 8).

1000 and 1001 are what proxies send when they tidy up; whoever means it sends 3500 to 3999.
"""


def comes_back(code: int) -> bool:
    """Whether a connection that ended with this code should be opened again."""
    return any(low <= code <= high for low, high in COMES_BACK)


class Backoff:
    """Waiting times between attempts: each drawn from zero up to a bound that doubles.

    Drawing from zero spreads the clients of a node that died over the whole interval, so that they
    do not come back in step.

    Args:
        first: Bound of the first wait, in seconds.
        most: No bound is above this, in seconds.
    """

    __slots__ = ("_attempts", "_first", "_most", "_random")

    def __init__(self, random: Random, *, first: float = 0.25, most: float = 30.0) -> None:
        self._random = random
        self._first = first
        self._most = most
        self._attempts = 0

    def next(self) -> float:
        """Return how many seconds to wait before the next attempt."""
        bound = min(self._most, self._first * 2.0 ** min(self._attempts, 60))
        self._attempts += 1
        return self._random.uniform(0.0, bound)

    def reset(self) -> None:
        """Start over: an attempt has succeeded."""
        self._attempts = 0
