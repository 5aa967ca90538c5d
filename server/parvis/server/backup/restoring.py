"""Fills an empty place from a backup, and compares what is there then with what the backup held."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from parvis.storage import Blobs, Migration, PlaceTaken
from parvis.storage.archive import Archive, Layout, Row
from parvis.storage.transfer import PrefixDiffers, Sums, fill, sums_of

from ..identity.people import SETUP
from .errors import BackupDamaged, BackupError
from .keys import Key
from .layers import Begun, Blob, Ended, Event, Head, Rows, unpack
from .progress import Progress
from .sealing import opened
from .verifying import Checking, Verified, begin

Plugins = Mapping[str, Sequence[Migration]]

LEFT_OUT: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    # A sign-out after the backup must not be undone by it.
    "parvis_sign_in": ("", frozenset()),
    # Such a link is good once, and may have been used since.
    "parvis_link": ("kind", frozenset({"reset"})),
    "parvis_secret": ("name", frozenset({SETUP})),
}
"""Table of the accounts → column and its values of the rows that are not restored; "": all."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What is in place now.

    Attributes:
        sums: Scope → checksums of what is there, read back; None is the accounts.
    """

    verified: Verified
    sums: Mapping[str | None, Sums]


async def restore(
    path: Path,
    key: Key,
    *,
    archive: Archive,
    blobs: Blobs,
    plugins: Plugins,
    progress: Progress,
) -> Restored:
    """Fill an empty place. Killed or failed, the same call goes on where it ended.

    Until it has succeeded, no node opens the place. Sign-ins, links to reset a password, and the
    link for the first administrator are left out (`LEFT_OUT`); revocations are restored.

    Raises:
        PlaceTaken: If the place is not empty.
        SchemaTooNew: If the data is of a later version of Parvis or of a plugin.
        BackupError: If the backup is not whole, or what was loaded is not what it held.
    """
    restoring = _Restoring(Checking(key), archive, blobs, plugins, progress)
    begin(path, progress)
    try:
        with opened(path, key, progress.bytes) as stream:
            await restoring.read(unpack(stream))
        verified = restoring.checking.verified()
        await restoring.compare()
        await archive.end()
    finally:
        progress.end()
    return Restored(verified, restoring.found)


@dataclass(slots=True)
class _Restoring:
    checking: Checking
    archive: Archive
    blobs: Blobs
    plugins: Plugins
    progress: Progress
    found: dict[str | None, Sums]
    loaded: dict[str | None, Sums]
    layouts: dict[str | None, Layout]

    def __init__(
        self, checking: Checking, archive: Archive, blobs: Blobs, plugins: Plugins, shown: Progress
    ) -> None:
        self.checking = checking
        self.archive = archive
        self.blobs = blobs
        self.plugins = plugins
        self.progress = shown
        self.found = {}
        self.loaded = {}
        self.layouts = {}

    async def read(self, events: Iterator[Event]) -> None:
        """Take everything in."""
        done: set[str | None] = set()
        for event in events:
            self.checking.see(event)
            match event:
                case Head():
                    done = await self._begin(event)
                case Begun():
                    self.layouts[event.tenant] = event.layout
                    if event.tenant not in done:
                        await self._scope(event, events)
                case Blob():
                    await self._blob(event)
                case _:
                    pass

    async def compare(self) -> None:
        """Read back what is there. Raises `BackupError` if it is not what the backup holds."""
        for tenant, expected in self.checking.sums.items():
            name = tenant or "accounts"
            async with self.archive.cut(tenant) as cut:
                self.progress.phase(f"reading back {name}", cut.size)
                found, own = await sums_of(cut, self.progress.rows), cut.layout
            expected = self.loaded.get(tenant, expected)
            # A table that has got more columns since cannot have the same checksum.
            aside = _reshaped(self.layouts[tenant], own)
            if tenant is None:
                aside |= LEFT_OUT.keys()
            different = [
                each
                for each in found.differences(expected)
                if not (each.startswith("table ") and each.removeprefix("table ") in aside)
            ]
            if different:
                raise BackupError(f"{name}: not as in the backup: {', '.join(different[:5])}")
            self.found[tenant] = found

    async def _begin(self, head: Head) -> set[str | None]:
        if not await self.archive.loaded() and (there := await self.blobs.tenants()):
            raise PlaceTaken(
                f"there are files of {there[0]} already", hint="Name an empty place for them, too."
            )
        await self.archive.begin(f"backup {head.id}")
        return set(await self.archive.loaded())

    async def _scope(self, begun: Begun, events: Iterator[Event]) -> None:
        self.progress.doing(begun.tenant or "accounts")
        async with self.archive.load(begun.tenant, begun.layout, self.plugins) as load:
            pages = self._pages(begun, events)
            try:
                self.loaded[begun.tenant] = await fill(load, begun.layout, pages)
            except PrefixDiffers as differs:
                raise BackupError(
                    f"an earlier attempt has left something else there: {differs}",
                    "Remove what is in the place, and begin again.",
                ) from differs
            await load.finish()

    async def _pages(
        self, begun: Begun, events: Iterator[Event]
    ) -> AsyncGenerator[tuple[str, Sequence[Row]]]:
        for event in events:
            self.checking.see(event)
            match event:
                case Rows():
                    rows = event.rows
                    if begun.tenant is None:
                        rows = _without(begun.layout, event.table, rows)
                    if rows:
                        yield event.table, rows
                case Ended():
                    return
                case _:
                    break
        raise BackupDamaged(f"the rows of {begun.tenant or 'the accounts'} have no end")

    async def _blob(self, blob: Blob) -> None:
        self.progress.doing(f"files of {blob.tenant}")

        async def pieces() -> AsyncGenerator[bytes]:
            for piece in self.checking.pieces(blob):
                yield piece

        await self.blobs.take(blob.tenant, pieces(), most=blob.size)


def _reshaped(then: Layout, now: Layout) -> set[str]:
    """Name the tables that have not the same columns in both."""
    columns = {table.name: set(table.columns) for table in then.tables}
    return {table.name for table in now.tables if columns.get(table.name) != set(table.columns)}


def _without(layout: Layout, table: str, rows: Sequence[Row]) -> Sequence[Row]:
    """Leave out what must not come back."""
    if table not in LEFT_OUT:
        return rows
    column, values = LEFT_OUT[table]
    if not column:
        return []
    (about,) = (each for each in layout.tables if each.name == table)
    place = about.columns.index(column)
    return [row for row in rows if row[place] not in values]
