"""Who wrote which clocks, read from the rows of a log. For helper processes.

A row's sender was proven by its session; that they also wrote what it brings was not, for clients
hand on what they got from others. So a range of clocks is its sender's own if the client id is
bound to them: because the server noted it, or because their row was the first to bring that client,
and nobody else's. Otherwise it is *relayed*. What a compaction has left is nobody's.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgpack

from parvis.protocol import Malformed
from parvis.protocol.ranges import Range, Ranges
from parvis.protocol.update import STORED, Scan, scan

from .travelling import BROKEN, merge

PAUSE: Final = 60.0
"""Seconds between two rows of a sender up to which they are kept as one."""

SPELL: Final = 600.0
"""Seconds that are kept as one at most, without any pause."""

TOGETHER: Final = 200
"""Rows of a sender that are read at once; each alone takes as long as twenty together."""

Row = tuple[int, bytes, str, float]
"""Offset, update, sender, time."""


@dataclass(frozen=True, slots=True)
class Credit:
    """Whose a range of clocks is.

    Attributes:
        author: Id of the sender.
        relayed: They may have had it from somebody else.
        first: Offset of the first row that brought some of it; `last`: of the last.
        start: When the first came, in seconds since 1970; `end`: when the last did.
    """

    author: str
    relayed: bool
    first: int
    last: int
    start: float
    end: float


class Seen:
    """Ranges of clocks that have come before."""

    def __init__(self, ranges: Ranges | None = None) -> None:
        self._ranges: dict[int, list[Range]] = {c: list(r) for c, r in (ranges or {}).items()}

    def add(self, client: int, start: int, end: int) -> Iterator[Range]:
        """Take in a range; yield those parts of it that are new."""
        known = self._ranges.setdefault(client, [])
        low = bisect_left(known, start, key=_end)
        high = bisect_right(known, end, key=_start)
        at, first, last = start, start, end
        for old_start, old_end in known[low:high]:
            if old_start > at:
                yield at, old_start
            at = max(at, old_end)
            first, last = min(first, old_start), max(last, old_end)
        if at < end:
            yield at, end
        known[low:high] = [(first, last)]


def _start(each: Sequence[Any]) -> Any:
    return each[0]


def _end(each: Range) -> int:
    return each[1]


@dataclass(slots=True)
class Index:
    """Who brought which clocks first.

    Attributes:
        brought: Client → ``[start, end, sender, first, last, began, ended]``, by clock.
        owners: Client → sender whose row was the first to bring it, if it brought no other one.
    """

    brought: dict[int, list[list[Any]]] = field(default_factory=dict[int, list[list[Any]]])
    owners: dict[int, str] = field(default_factory=dict[int, str])

    @classmethod
    def read(cls, packed: bytes) -> Index:
        if not packed:
            return cls()
        whole: Any = msgpack.unpackb(packed, strict_map_key=False)
        brought, owners = whole
        return cls(brought, owners)

    def pack(self) -> bytes:
        return msgpack.packb([self.brought, self.owners])

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows, in their order; those that are no updates bring nothing."""
        for together in _groups(rows):
            for some, scanned in _scans(together):
                self._take(some, scanned)

    def _take(self, rows: Sequence[Row], scanned: Scan) -> None:
        sender = rows[0][2]
        if sender:
            new = [client for client in scanned.structs if self._is_new(client)]
            if len(new) == 1:
                self.owners[new[0]] = sender
        for client, ranges in scanned.structs.items():
            known = self.brought.setdefault(client, [])
            for start, end in ranges:
                self._bring(known, start, end, sender, rows[0], rows[-1])

    def _is_new(self, client: int) -> bool:
        """Whether nobody has brought a client but the row that a compaction has left."""
        return not any(each[2] for each in self.brought.get(client, ()))

    def _bring(
        self, known: list[list[Any]], start: int, end: int, sender: str, one: Row, last: Row
    ) -> None:
        newest = known[-1] if known else None
        if (
            newest is not None
            and (newest[1], newest[2]) == (start, sender)
            and one[3] - newest[6] <= PAUSE
            and last[3] - newest[5] <= SPELL
        ):
            newest[1], newest[4], newest[6] = end, last[0], max(newest[6], last[3])
            return
        if newest is None or newest[1] <= start:
            known.append([start, end, sender, one[0], last[0], one[3], last[3]])
            return
        gaps = list(Seen({0: [(each[0], each[1]) for each in known]}).add(0, start, end))
        known += [[a, b, sender, one[0], last[0], one[3], last[3]] for a, b in gaps]
        known.sort(key=_start)

    def credits(
        self, client: int, start: int, end: int, bound: Mapping[int, str], upto: int
    ) -> Iterator[tuple[int, int, Credit]]:
        """Yield parts of a range, in order and without a hole, each with whose it is.

        Args:
            bound: Client → the user it is bound to, as the server noted; empty: to nobody.
            upto: Rows after this offset do not count.
        """
        owner = bound.get(client, self.owners.get(client, ""))
        known = self.brought.get(client, [])
        at = start
        for each in known[max(0, bisect_right(known, start, key=_start) - 1) :]:
            if each[0] >= end:
                break
            if each[1] <= at:
                continue
            if each[0] > at:
                yield at, each[0], NOBODY
            sender, first, last = each[2], each[3], min(each[4], upto)
            stop = min(each[1], end)
            relayed = not sender or sender != owner
            credit = Credit(sender, relayed, first, last, each[5], each[6])
            yield max(at, each[0]), stop, credit
            at = stop
        if at < end:
            yield at, end, NOBODY


NOBODY: Final = Credit("", True, 0, 0, 0.0, 0.0)
"""For what no row that is still kept has brought."""


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield rows of the same sender that come one after the other without a pause."""
    group: list[Row] = []
    for row in rows:
        if not row[1]:
            continue
        if group and (
            row[2] != group[-1][2] or row[3] - group[-1][3] > PAUSE or len(group) >= TOGETHER
        ):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _scans(rows: Sequence[Row]) -> Iterator[tuple[Sequence[Row], Scan]]:
    """Yield rows with what they hold: all at once, unless that would hide what each brings."""
    if len(rows) > 1:
        try:
            scanned = scan(merge([row[1] for row in rows]), STORED)
        except BROKEN:
            pass
        else:
            if len(scanned.structs) == 1:
                yield rows, scanned
                return
    for row in rows:
        try:
            yield [row], scan(row[1], STORED)
        except Malformed:
            continue


def index(packed: bytes, rows: Sequence[Sequence[Any]]) -> bytes:
    """Return an index with more rows in it. A task of helpers."""
    whole = Index.read(packed)
    whole.add((offset, update, sender, time) for offset, update, sender, time in rows)
    return whole.pack()
