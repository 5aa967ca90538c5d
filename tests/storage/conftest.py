"""Makes failing asserts of the conformance suite show their values; stores that tests share."""

from collections.abc import AsyncGenerator

import pytest

from tests.databases import Database

pytest.register_assert_rewrite("parvis.storage.conformance")

from parvis.storage import Store  # noqa: E402  after the line above
from parvis.storage.conformance.base import BOOKINGS, book, home_of  # noqa: E402
from parvis.storage.postgres import open_postgres  # noqa: E402


@pytest.fixture
async def postgres_store(database: Database) -> AsyncGenerator[Store]:
    """A PostgreSQL store without anything in it."""
    store, _ = open_postgres(database.node, owner=database.owner)
    yield store
    await store.close()


@pytest.fixture
async def calendar(postgres_store: Store) -> Store:
    """A PostgreSQL store with a plugin's tables, and rows of two tenants in them."""
    store = postgres_store
    await store.migrate("calendar", BOOKINGS)
    await home_of(store, tenant="acme")
    await store.execute("acme", [book(1), book(2)])
    await store.execute("globex", [book(1, "theirs")])
    return store
