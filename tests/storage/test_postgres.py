"""The PostgreSQL store passes the conformance suite, directly and behind PgBouncer."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from parvis.storage import Accounts, Store, StoreUnavailable
from parvis.storage.conformance import DurableAccountsConformance, DurableStoreConformance
from parvis.storage.postgres import open_postgres
from tests.databases import Database
from tests.services import PgBouncer


class TestPostgresStore(DurableStoreConformance):
    database: Database

    @pytest.fixture(autouse=True)
    def _a_database_of_its_own(self, database: Database) -> None:
        self.database = database

    async def open(self, place: Path) -> Store:
        return open_postgres(self.database.node, owner=self.database.owner)[0]

    @asynccontextmanager
    async def outage(self) -> AsyncGenerator[None]:
        with self.database.away():
            yield


class TestPostgresStoreBehindPgBouncer(TestPostgresStore):
    pooler: PgBouncer

    @pytest.fixture(autouse=True)
    def _a_pooler_before_it(self, pgbouncer: PgBouncer) -> Iterator[None]:
        self.pooler = pgbouncer
        yield

    async def open(self, place: Path) -> Store:
        return open_postgres(self.url, owner=self.database.owner)[0]

    @property
    def url(self) -> str:
        return self.database.behind(self.pooler)

    @asynccontextmanager
    async def outage(self) -> AsyncGenerator[None]:
        with self.database.away():
            yield
        # The pooler goes on refusing until it has tried again.
        while True:
            try:
                open_postgres(self.url)
            except StoreUnavailable:
                continue
            break


class TestPostgresAccounts(DurableAccountsConformance):
    database: Database

    @pytest.fixture(autouse=True)
    def _a_database_of_its_own(self, database: Database) -> None:
        self.database = database

    async def open(self, place: Path) -> tuple[Store, Accounts]:
        return open_postgres(self.database.node)
