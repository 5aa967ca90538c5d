"""The SQLite store passes the conformance suite, also with few threads and open files."""

import resource
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from parvis.storage import Accounts, Store
from parvis.storage.conformance import DurableAccountsConformance, DurableStoreConformance
from parvis.storage.sqlite import open_sqlite


class TestSqliteStore(DurableStoreConformance):
    async def open(self, place: Path) -> Store:
        return open_sqlite(place)[0]

    @asynccontextmanager
    async def outage(self) -> AsyncGenerator[None]:
        """Let no file of this process grow or be written: every write fails with EFBIG."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class TestSqliteStoreWithOneThread(TestSqliteStore):
    async def open(self, place: Path) -> Store:
        return open_sqlite(place, writers=1, readers=1, open_files=1)[0]


class TestSqliteAccounts(DurableAccountsConformance):
    async def open(self, place: Path) -> tuple[Store, Accounts]:
        return open_sqlite(place)
