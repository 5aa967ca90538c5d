"""Databases with the tables of Parvis, made from a template, one per test; see `tests/services.py`.

with start_postgres() as server, Databases(server).fresh() as database:
    store, accounts = open_postgres(database.node, owner=database.owner)
"""

import asyncio
import contextlib
import itertools
from collections.abc import Generator
from dataclasses import dataclass

from parvis.storage.postgres import migrate_postgres
from tests.services import PgBouncer, Postgres

OWNER, NODE, TEMPLATE = "parvis_owner", "parvis_node", "parvis_template"

EMPTY = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET session_replication_role TO replica; -- no foreign keys
    DO $$
    DECLARE name TEXT;
    BEGIN
        FOR name IN SELECT format('parvis_plugins.%I', tablename) FROM pg_tables
            WHERE schemaname = 'parvis_plugins'
        LOOP EXECUTE 'DROP TABLE ' || name || ' CASCADE'; END LOOP;
        FOR name IN SELECT oid::regprocedure FROM pg_proc
            WHERE pronamespace = 'parvis_plugins'::regnamespace AND proname <> 'parvis_tenant'
        LOOP EXECUTE 'DROP FUNCTION ' || name; END LOOP;
        FOR name IN SELECT format('parvis.%I', tablename) FROM pg_tables
            WHERE schemaname = 'parvis'
            AND tablename NOT IN ('parvis_schema', 'parvis_pulse', 'parvis_background')
        LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
    END $$
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A database of its own.

    Attributes:
        owner: URL with the role that owns the tables.
        node: URL with the role of a node, which owns nothing.
    """

    server: Postgres
    name: str
    owner: str
    node: str

    def execute(self, sql: str) -> str:
        """What psql prints for `sql`, run as a superuser."""
        return self.server.execute(sql, self.name)

    def behind(self, pooler: PgBouncer) -> str:
        """The node's URL through a pooler."""
        return pooler.url(self.name, NODE)

    @contextlib.contextmanager
    def away(self) -> Generator[None]:
        """Let nobody in, and throw out who is connected, until the block ends."""
        self.server.execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self.throw_out()
        try:
            yield
        finally:
            self.server.execute(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")

    def throw_out(self) -> None:
        """End every connection to it, and return when all have ended."""
        self.server.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            f" WHERE datname = '{self.name}'"
        )


class Databases:
    """Makes databases in one cluster from a template that has the tables."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        server.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE; CREATE ROLE {NODE} LOGIN")
        server.execute(f"CREATE DATABASE {TEMPLATE} OWNER {OWNER}")
        asyncio.run(migrate_postgres(server.url(TEMPLATE, OWNER), {}))
        server.execute(f"GRANT parvis_app TO {NODE}")

        self._numbers = itertools.count(1)
        self._clean: list[Database] = []

    @contextlib.contextmanager
    def fresh(self) -> Generator[Database]:
        """A database with empty tables, emptied again when the block ends.

        Emptying one takes a tenth of the time that making and dropping one takes.
        """
        database = self._clean.pop() if self._clean else self._made()
        try:
            yield database
        finally:
            database.execute(EMPTY)
            self._clean.append(database)

    def _made(self) -> Database:
        name = f"parvis_{next(self._numbers)}"
        self.server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} OWNER {OWNER}")
        return self._named(name)

    @contextlib.contextmanager
    def empty(self) -> Generator[Database]:
        """A database without any tables, which belongs to the owner."""
        with self.server.database(owner=OWNER) as name:
            yield self._named(name)

    def _named(self, name: str) -> Database:
        url = self.server.url
        return Database(self.server, name, url(name, OWNER), url(name, NODE))
