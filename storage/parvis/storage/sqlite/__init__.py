"""The SQLite store: one file per tenant in a data folder, no other service needed."""

from parvis.storage.sqlite.accounts import SqliteAccounts
from parvis.storage.sqlite.archive import SqliteArchive
from parvis.storage.sqlite.store import SqliteStore, open_sqlite

__all__ = ["SqliteAccounts", "SqliteArchive", "SqliteStore", "open_sqlite"]
