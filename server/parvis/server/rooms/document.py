"""A part's document, and what is known of it without asking it."""

from __future__ import annotations

from collections.abc import Callable

from parvis.plugins import YDoc
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.update import Scan, read_delete_set
from parvis.protocol.yjs import decode_state_vector

from .state_cache import StateCache


class Document:
    """Holds the replica; what the hot path asks again and again is kept beside it.

    Attributes:
        replica: What the room type reads.
        clocks: The state vector, moved by whoever applies, so that a gap is seen without asking.
        size: Bytes of the newest snapshot and of all updates since: what the document takes.
        cache: What joiners get.
    """

    def __init__(self, make: Callable[[], YDoc]) -> None:
        self._make = make
        self.clocks: dict[int, int] = {}
        self.size = 0
        self._version = 0
        self._deletes: tuple[int, DeleteSet] | None = None
        self.renew()

    def renew(self) -> None:
        """Start with an empty document; the old one, if it broke, is never touched again."""
        self.replica = self._make()
        self.cache = StateCache(self.replica)

    def replace(self, state: bytes) -> None:
        """Go on with a fresh document in this state, worth as much as the old one.

        Raises:
            RuntimeError: If it cannot be read; the old one then stays.
        """
        replica = self._make()
        try:
            replica.doc.apply_update(state)
        except ValueError as problem:
            raise RuntimeError(f"a document cannot be read back: {problem}") from problem
        self.replica = replica
        self._version += 1
        self.cache = StateCache(replica)

    def grown(self, update: bytes) -> None:
        """An update was applied, and the clocks were moved over it."""
        self._version += 1
        self.size += len(update)
        self.cache.add(update)

    def look_again(self) -> None:
        """Ask the document anew what it has."""
        self._version += 1
        self.cache.clear()
        self.ask_clocks()

    def ask_clocks(self) -> dict[int, int]:
        """Take the clocks from the document, where those kept beside it may be wrong."""
        self.clocks = decode_state_vector(self.state())
        return self.clocks

    def state(self) -> bytes:
        """Return the state vector, encoded."""
        return self.replica.doc.get_state()

    def deleted(self) -> DeleteSet:
        """Return everything that was deleted in the document."""
        if self._deletes is None or self._deletes[0] != self._version:
            nothing_new = self.replica.doc.get_update(self.state())
            self._deletes = (self._version, read_delete_set(nothing_new))
        return self._deletes[1]

    def holds(self, scanned: Scan) -> bool:
        """Whether an update adds nothing to what is here."""
        return scanned.covered_by(self.clocks, self.deleted())
