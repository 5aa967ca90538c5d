"""Large bodies, of requests and of answers: how many bytes a node holds at a time."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from parvis.plugins import Caller, ErrorCode, Refused, network_of

OF_ONE: Final = 64 * 1024 * 1024
OF_ALL: Final = 256 * 1024 * 1024


class Bulk:
    """Counts the bytes of bodies that are being received and worked on, or sent."""

    def __init__(self, *, of_one: int = OF_ONE, of_all: int = OF_ALL) -> None:
        self._of_one = of_one
        self._of_all = of_all
        self._held: Counter[str] = Counter()

    @contextmanager
    def held(self, caller: Caller, address: str, size: int) -> Generator[None]:
        """Hold a body of so many bytes while the block runs.

        Raises:
            Refused: ``RATE_LIMITED`` if this sender, ``TRY_AGAIN`` if everybody together holds
                too much already.
        """
        # Guests can become as many people as they like: their network counts.
        sender = f"{caller.tenant} {caller.user}" if caller.member else network_of(address)
        if self._held[sender] + size > self._of_one:
            raise Refused(ErrorCode.RATE_LIMITED, "too much at once; wait for what is under way")
        if self._held.total() + size > self._of_all:
            raise Refused(ErrorCode.TRY_AGAIN, "too much is under way; try again in a moment")
        self._held[sender] += size
        try:
            yield
        finally:
            self._held[sender] -= size
            if not self._held[sender]:
                del self._held[sender]
