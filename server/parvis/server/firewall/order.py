"""An order in which updates can be given to yrs: none before what it builds on.

yrs has a queue of its own for updates that wait for a predecessor, and it is not safe: a block that
waits there and overlaps what fills the gap corrupts the document or kills the process, and some
orders of honest updates leave it stuck. So the server never gives it one that would have to wait.
"""

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field

from parvis.protocol import Malformed
from parvis.protocol.update import STORED, Scan, scan


def advance(clocks: MutableMapping[int, int], scanned: Scan) -> None:
    """Move a state vector over an update that has no gap on top of it."""
    for client, ranges in scanned.structs.items():
        end = ranges[-1][1]
        if end > clocks.get(client, 0):
            clocks[client] = end


def repeats(scanned: Scan, clocks: Mapping[int, int]) -> bool:
    """Whether an update brings blocks that a document with this state vector has already."""
    return any(ranges[0][0] < clocks.get(client, 0) for client, ranges in scanned.structs.items())


@dataclass(slots=True)
class Order:
    """Puts the rows of a log in order.

    Attributes:
        clocks: The state vector of what `ready` has given out.
        waiting: Index, update and scan of each row whose predecessor has not come.
        unreadable: Indexes of rows that are no updates.
    """

    clocks: dict[int, int] = field(default_factory=dict[int, int])
    waiting: list[tuple[int, bytes, Scan]] = field(default_factory=list[tuple[int, bytes, Scan]])
    unreadable: list[int] = field(default_factory=list[int])

    def ready(self, updates: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
        """Yield each row, with its index, once all it builds on was yielded; empty ones are not."""
        for index, update in enumerate(updates):
            if not update:
                continue
            try:
                scanned = scan(update, STORED)
            except Malformed:
                self.unreadable.append(index)
                continue
            if scanned.gap(self.clocks):
                self.waiting.append((index, update, scanned))
                continue
            advance(self.clocks, scanned)
            yield index, update
            if self.waiting:
                yield from self._freed()

    def _freed(self) -> Iterator[tuple[int, bytes]]:
        more = True
        while more:
            more = False
            for row in tuple(self.waiting):
                index, update, scanned = row
                if not scanned.gap(self.clocks):
                    self.waiting.remove(row)
                    advance(self.clocks, scanned)
                    more = True
                    yield index, update
