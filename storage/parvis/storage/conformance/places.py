"""Two stores that data is moved between, and the steps of a move."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from parvis.storage.accounts import Accounts
from parvis.storage.api import (
    Store,
)
from parvis.storage.archive import Archive, Layout, Load
from parvis.storage.conformance.base import TENANT
from parvis.storage.conformance.belongings import (
    PLUGINS,
    fill_accounts,
    fill_store,
)
from parvis.storage.transfer import Sums, fill, pages_of, sums_of


@dataclass(frozen=True, slots=True)
class Place:
    """Where a store is, and how it is opened: for a node, and as an archive."""

    name: str
    store: Callable[[], Awaitable[tuple[Store, Accounts]]]
    archive: Callable[[], Awaitable[Archive]]


class PlacesSuite:
    """Two stores: one to cut, one to fill. A test class overrides `open` and `open_archive`."""

    async def open(self, place: Path) -> tuple[Store, Accounts]:
        """Open the store at a place, as a node does; at first it is empty."""
        raise NotImplementedError

    async def open_archive(self, place: Path) -> Archive:
        """Open the archive of the store at a place."""
        raise NotImplementedError

    def place(self, path: Path) -> Place:
        """Return the place of a store."""
        return Place(str(path), lambda: self.open(path), lambda: self.open_archive(path))

    @pytest.fixture
    async def source(self, tmp_path: Path) -> Place:
        """A store that holds something of everything."""
        place = self.place(tmp_path / "source")
        async with opened(place) as (store, accounts):
            await fill_store(store)
            await fill_accounts(accounts)
        return place

    @pytest.fixture
    def target(self, tmp_path: Path) -> Place:
        """An empty place."""
        return self.place(tmp_path / "target")


@asynccontextmanager
async def opened(place: Place) -> AsyncGenerator[tuple[Store, Accounts]]:
    """Open a store as a node does, and close it."""
    store, accounts = await place.store()
    try:
        yield store, accounts
    finally:
        await store.close()


@asynccontextmanager
async def opened_archive(place: Place) -> AsyncGenerator[Archive]:
    """Open an archive and close it."""
    archive = await place.archive()
    try:
        yield archive
    finally:
        await archive.close()


@asynccontextmanager
async def loading(source: Place, target: Place) -> AsyncGenerator[tuple[Load, Layout]]:
    """Begin to load the tenant at an empty place."""
    async with opened_archive(source) as read, read.cut(TENANT) as cut:
        layout = cut.layout
    async with opened_archive(target) as write:
        await write.begin("a test")
        async with write.load(TENANT, layout, PLUGINS) as load:
            yield load, layout


async def move(source: Place, target: Place) -> dict[str | None, Sums]:
    """Move everything; return the sums of what was loaded."""
    moved: dict[str | None, Sums] = {}
    async with opened_archive(source) as read, opened_archive(target) as write:
        await write.begin(source.name)
        for scope in (*await read.tenants(), None):
            async with read.cut(scope) as cut, write.load(scope, cut.layout, PLUGINS) as load:
                moved[scope] = await fill(load, cut.layout, pages_of(cut))
                await load.finish()
        await write.end()
    return moved


async def all_sums(place: Place) -> dict[str | None, Sums]:
    """Return the sums of everything in a store."""
    found: dict[str | None, Sums] = {}
    async with opened_archive(place) as archive:
        for scope in (*await archive.tenants(), None):
            async with archive.cut(scope) as cut:
                found[scope] = await sums_of(cut)
    return found


async def tenant_sums(place: Place) -> Sums:
    """Return the sums of the tenant."""
    async with opened_archive(place) as archive, archive.cut(TENANT) as cut:
        return await sums_of(cut)
