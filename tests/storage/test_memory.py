"""The memory store passes the conformance suite."""

from pathlib import Path

from parvis.storage import Accounts, Blobs, Store
from parvis.storage.conformance import (
    AccountsConformance,
    HoldingBlobsConformance,
    StoreConformance,
)
from parvis.storage.memory import MemoryBlobs, open_memory


class TestMemoryStore(StoreConformance):
    async def open(self, place: Path) -> Store:
        return open_memory()[0]


class TestMemoryAccounts(AccountsConformance):
    async def open(self, place: Path) -> tuple[Store, Accounts]:
        return open_memory()


class TestMemoryBlobs(HoldingBlobsConformance):
    async def open(self, place: Path) -> Blobs:
        return MemoryBlobs()
