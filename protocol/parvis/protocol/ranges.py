"""Ranges of clocks: which part of each client's work exists, or has been deleted.

A range is ``(start, end)``, the end not included. Kept lists of ranges are sorted, and no two of
them touch.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from parvis.protocol import lib0

Range: TypeAlias = tuple[int, int]
Ranges: TypeAlias = Mapping[int, Sequence[Range]]
"""Client to its ranges, sorted, none touching another."""


def merge(ranges: Iterable[Range]) -> list[Range]:
    """Return the same clocks as sorted ranges of which no two touch."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


@dataclass(frozen=True, slots=True)
class DeleteSet:
    """What has been deleted."""

    ranges: Ranges = field(default_factory=dict[int, Sequence[Range]])

    def covers(self, ranges: Ranges) -> bool:
        """Whether all of these clocks are in the set."""
        for client, wanted in ranges.items():
            have = self.ranges.get(client)
            if have is None:
                if wanted:
                    return False
                continue
            for start, end in wanted:
                at = bisect_right(have, start, key=_start) - 1
                if at < 0 or have[at][1] < end:
                    return False
        return True

    def union(self, *others: "DeleteSet") -> "DeleteSet":
        """Return everything that is in this set or in another."""
        clients: dict[int, list[Range]] = {}
        for each in (self, *others):
            for client, ranges in each.ranges.items():
                clients.setdefault(client, []).extend(ranges)
        return DeleteSet({client: merge(ranges) for client, ranges in clients.items()})

    def encode(self) -> bytes:
        """Encode the set as the second half of an update, higher clients first, as Yjs does.

        Behind one zero byte, for no blocks, it is an update of its own.
        """
        parts = [lib0.var_uint(len(self.ranges))]
        for client in sorted(self.ranges, reverse=True):
            ranges = self.ranges[client]
            parts += (lib0.var_uint(client), lib0.var_uint(len(ranges)))
            for start, end in ranges:
                parts += (lib0.var_uint(start), lib0.var_uint(end - start))
        return b"".join(parts)


def _start(each: Range) -> int:
    return each[0]
