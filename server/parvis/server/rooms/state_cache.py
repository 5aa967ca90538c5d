"""What joiners get: one cached state and the updates since, shared by all of them."""

from collections.abc import Sequence

from parvis.plugins import YDoc

BLANK = b"\x00\x00"
"""The state of an empty document."""

NOTHING_DELETED = b"\x00"
"""How an update ends that deletes nothing: with an empty delete set."""

TAIL_UPDATES = 64
TAIL_SHARE = 8
"""The tail is folded into a new state when it takes more than a share of 1/8 of the old one."""


class StateCache:
    """The whole state of a document as few updates, in order.

    Encoding a document costs time in proportion to its size; in a busy room everything that was
    cached would be stale at once. So an older state is kept with the updates that came after it:
    until one of them deletes something. Who joins later must not find it in what is older.
    """

    def __init__(self, replica: YDoc) -> None:
        self._replica = replica
        self._updates: list[bytes] | None = None
        self._tail = 0

    def start(self, updates: Sequence[bytes]) -> None:
        """The document was filled with these, of which the first is the largest."""
        self._updates, self._tail = None, 0
        if updates:
            self._updates = [updates[0]]
            for update in updates[1:]:
                self.add(update)

    def add(self, update: bytes) -> None:
        """An update was applied."""
        if self._updates is None:
            return
        if not update.endswith(NOTHING_DELETED):
            self._updates = None
            return
        self._updates.append(update)
        self._tail += len(update)
        too_long = len(self._updates) > TAIL_UPDATES
        if too_long or self._tail > 4096 + len(self._updates[0]) // TAIL_SHARE:
            self._updates = None

    def updates(self) -> Sequence[bytes]:
        """Return updates that make the whole state out of nothing."""
        if self._updates is None:
            self._updates = [self._replica.doc.get_update()]
            self._tail = 0
        if self._updates[0] == BLANK and len(self._updates) > 1:
            return tuple(self._updates[1:])
        return tuple(self._updates)

    def clear(self) -> None:
        self._updates = None
