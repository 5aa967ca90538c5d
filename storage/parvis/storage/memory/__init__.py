"""The store that keeps everything in memory: for tests and throw-away nodes."""

from parvis.storage.memory.accounts import MemoryAccounts
from parvis.storage.memory.blobs import MemoryBlobs
from parvis.storage.memory.store import MemoryStore

__all__ = ["MemoryAccounts", "MemoryBlobs", "MemoryStore", "open_memory"]


def open_memory() -> tuple[MemoryStore, MemoryAccounts]:
    """Return an empty store and empty accounts."""
    return MemoryStore(), MemoryAccounts()
