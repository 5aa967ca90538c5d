"""PostgreSQL: one database for all tenants, kept apart by row level security."""

from parvis.storage.postgres.migrations import Migrated, migrate_postgres
from parvis.storage.postgres.store import PostgresStore, open_postgres

__all__ = ["Migrated", "PostgresStore", "migrate_postgres", "open_postgres"]
