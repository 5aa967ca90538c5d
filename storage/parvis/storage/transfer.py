"""Moves a scope from a cut into a load, and says by checksums what was moved."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from parvis.storage.archive import Cut, Layout, Load, Mark, Row
from parvis.storage.errors import StorageError
from parvis.storage.sums import RoomSums, TableSum

Pages = AsyncIterator[tuple[str, Sequence[Row]]]
"""Names of tables with some of their rows, in the order of the layout and of each key."""

Progress = Callable[[Sequence[Row]], object]
"""Is told of rows when they are done."""


@dataclass(frozen=True, slots=True)
class Sums:
    """Checksums of a scope, in hex: equal sums, equal rows.

    Attributes:
        tables: Name → number of rows and their checksum.
        rooms: Name → checksum, as `RoomSums` has it.
    """

    tables: Mapping[str, tuple[int, str]]
    rooms: Mapping[str, str]

    def differences(self, other: "Sums") -> list[str]:
        """Name the tables and rooms that are not the same in both."""
        kinds = (("table", self.tables, other.tables), ("room", self.rooms, other.rooms))
        return [
            f"{kind} {name}"
            for kind, here, there in kinds
            for name in sorted({*here, *there})
            if here.get(name) != there.get(name)
        ]


class Summing:
    """Counts pages into the sums of a scope."""

    def __init__(self, layout: Layout) -> None:
        self._tables = {table.name: TableSum(table.columns) for table in layout.tables}
        self._rooms = RoomSums(layout)

    def add(self, table: str, rows: Sequence[Row]) -> Mark:
        """Count rows in; return how far their table is with them."""
        total = self._tables[table]
        total.add(rows)
        self._rooms.add(table, rows)
        return Mark(total.rows, total.digest())

    def rows(self, table: str) -> int:
        """Return the number of rows of a table so far."""
        return self._tables[table].rows

    def sums(self) -> Sums:
        """Return the sums of what was counted."""
        tables = {name: (each.rows, each.digest().hex()) for name, each in self._tables.items()}
        return Sums(tables, dict(self._rooms.sums()))


class PrefixDiffers(StorageError):
    """What an earlier attempt has loaded is not what comes now."""


async def pages_of(cut: Cut) -> AsyncGenerator[tuple[str, Sequence[Row]]]:
    """Yield all rows of a cut."""
    for table in cut.layout.tables:
        async for rows in cut.pages(table.name):
            yield table.name, rows


async def sums_of(cut: Cut, progress: Progress = len) -> Sums:
    """Return the checksums of a cut; reads all of it."""
    summing = Summing(cut.layout)
    async for table, rows in pages_of(cut):
        summing.add(table, rows)
        progress(rows)
    return summing.sums()


async def fill(load: Load, layout: Layout, pages: Pages, progress: Progress = len) -> Sums:
    """Load pages, going on from where an earlier attempt ended, and return their checksums.

    The scope is not finished: the caller compares the sums first.

    Raises:
        PrefixDiffers: If the earlier attempt loaded other rows; nothing was changed.
    """
    summing = Summing(layout)
    marks = dict(load.marks)
    async for table, rows in pages:
        mark = marks.get(table)
        done = min(len(rows), mark.rows - summing.rows(table)) if mark is not None else 0
        if done > 0 and mark is not None:
            there = summing.add(table, rows[:done])
            if there.rows == mark.rows and there.digest != mark.digest:
                raise PrefixDiffers(f"other rows of {table} were loaded before")
        if done < len(rows):
            fresh = rows[max(0, done) :]
            await load.add(table, fresh, summing.add(table, fresh))
        progress(rows)
    for table, mark in marks.items():
        if summing.rows(table) < mark.rows:
            raise PrefixDiffers(f"more rows of {table} were loaded before")
    return summing.sums()
