"""``parvis store migrate``: makes and changes the tables, as their owner, one process at a time."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from asyncpg import Connection

from parvis.storage.api import Migration
from parvis.storage.errors import SchemaTooNew, StorageError
from parvis.storage.postgres import tables
from parvis.storage.postgres.faults import FAULTS, NOT_ALLOWED, code_of, translated
from parvis.storage.postgres.opening import OLDEST_SERVER, connected, require_ours
from parvis.storage.postgres.protection import OURS, PLUGINS, protect
from parvis.storage.postgres.steps import Step, own_steps
from parvis.storage.postgres.transaction import transaction

LOCK = 0x7061727669730001
"""Of the session that migrates; any number that nobody else uses in this database."""

_ASK = """
    SELECT current_database(), pg_backend_pid(), pg_is_in_recovery(),
        pg_encoding_to_char(encoding), current_setting('server_version_num')::int
    FROM pg_database WHERE datname = current_database()
"""
_STARTED = "SELECT to_regclass('parvis.parvis_schema') IS NOT NULL"
_ROLES = ("parvis_app", "parvis_ops", "parvis_plugin")
_MISSING = "SELECT name FROM unnest($1::text[]) AS name WHERE to_regrole(name) IS NULL"
_MEMBER = "SELECT pg_has_role('parvis_app', 'parvis_plugin', 'MEMBER')"

_BEGINNING = """
    CREATE SCHEMA parvis;
    CREATE SCHEMA parvis_plugins;
    CREATE TABLE parvis.parvis_schema (schema_version INT NOT NULL, compat_version INT NOT NULL);
    INSERT INTO parvis.parvis_schema VALUES (0, 0);
    CREATE TABLE parvis.parvis_background (
        step INT PRIMARY KEY, rows BIGINT NOT NULL DEFAULT 0, done BOOLEAN NOT NULL DEFAULT false
    );
    CREATE FUNCTION parvis.tenant() RETURNS TEXT LANGUAGE sql STABLE PARALLEL SAFE AS
        $$ SELECT nullif(current_setting('parvis.tenant', true), '') $$;
    CREATE FUNCTION parvis_plugins.parvis_tenant() RETURNS TEXT
        LANGUAGE sql STABLE PARALLEL SAFE AS
        $$ SELECT nullif(current_setting('parvis.tenant', true), '') $$
"""

# What may be done, written anew after every step: a new table is open to nobody until then.
_RIGHTS = """
    REVOKE ALL ON ALL FUNCTIONS IN SCHEMA parvis, parvis_plugins FROM PUBLIC;
    GRANT USAGE ON SCHEMA parvis TO parvis_app, parvis_ops;
    GRANT USAGE ON SCHEMA parvis_plugins TO parvis_app, parvis_ops, parvis_plugin;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parvis TO parvis_app, parvis_ops;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA parvis_plugins
        TO parvis_app, parvis_ops, parvis_plugin;
    GRANT SELECT ON ALL TABLES IN SCHEMA parvis, parvis_plugins TO parvis_ops;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA parvis TO parvis_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA parvis_plugins
        TO parvis_app, parvis_plugin;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA parvis_plugins TO parvis_app, parvis_plugin;
    GRANT UPDATE ON ALL SEQUENCES IN SCHEMA parvis, parvis_plugins TO parvis_app; -- for a restore
    REVOKE INSERT, UPDATE, DELETE ON parvis.parvis_schema, parvis.parvis_background FROM parvis_app
"""
_RIGHTS_OF_PLUGINS = "REVOKE INSERT, UPDATE, DELETE ON parvis.parvis_plugin FROM parvis_app"
_VERSION = "SELECT schema_version, compat_version FROM parvis.parvis_schema"
_ADVANCE = """
    UPDATE parvis.parvis_schema
    SET schema_version = $1, compat_version = greatest(compat_version, $2)
"""
_LATER = "INSERT INTO parvis.parvis_background (step) VALUES ($1) ON CONFLICT DO NOTHING"
_PENDING = "SELECT step FROM parvis.parvis_background WHERE NOT done ORDER BY step"
_COUNT = "UPDATE parvis.parvis_background SET rows = rows + $2, done = $3 WHERE step = $1"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was done, or would have been.

    Attributes:
        before: Number of the newest step that the tables had seen; 0: there were none.
        after: Of the newest step they have seen now.
        steps: What was done, in words, in order.
    """

    database: str
    before: int
    after: int
    steps: tuple[str, ...]


async def migrate_postgres(
    url: str,
    plugins: Mapping[str, Sequence[Migration]],
    *,
    dry_run: bool = False,
    report: Report = lambda _: None,
    steps: Sequence[Step] | None = None,
) -> Migrated:
    """Bring all tables to the newest version: the store's own, and those of plugins.

    What was finished stays when it is killed; called again, it goes on from there.

    Args:
        url: With a role that owns the database, or may make schemas in it; not through a pooler.
        dry_run: Try everything in one transaction, and undo it.
        report: Told of each step as it begins.
        steps: Instead of this version's own.

    Raises:
        SchemaTooNew: If a later version of Parvis has changed the tables.
        StorageError: If it cannot be done; the message says what is missing.
    """
    connection = await connected(url, patience=None)
    try:
        database = await _suitable(connection)
        await _alone(connection, report)
        run = _Run(connection, report, dry_run=dry_run)
        async with run.whole():
            before = await run.own(own_steps() if steps is None else steps)
            for name, migrations in plugins.items():
                await run.plugin(name, migrations)
            after = await connection.fetchrow(_VERSION)
        assert after is not None  # since the beginning
        return Migrated(database, before, after[0], tuple(run.done))
    except FAULTS as error:
        fault = translated(error)
        if code_of(error) == NOT_ALLOWED:
            fault.hint = "Name the role that owns the database in the store's URL."
        raise fault from error
    finally:
        connection.terminate()


async def _suitable(connection: Connection) -> str:
    """Return the database's name. Raises `StorageError` if it cannot hold our tables."""
    row = await connection.fetchrow(_ASK)
    assert row is not None  # whoever is connected is in a database
    database, server, standby, encoding, version = row
    if version < OLDEST_SERVER:
        raise StorageError(
            f"PostgreSQL {version // 10000} is too old", hint="Parvis needs PostgreSQL 14 or newer."
        )
    if connection.get_server_pid() != server:
        raise StorageError(
            "a pooler stands between us and the database, so it cannot be locked",
            hint="Give parvis store migrate the address of PostgreSQL itself.",
        )
    if standby:
        raise StorageError(f"the server of {database} is a standby", hint="Name the primary.")
    if encoding != "UTF8":
        raise StorageError(
            f"the database {database} has the encoding {encoding}",
            hint="CREATE DATABASE parvis TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'.",
        )
    try:
        await require_ours(connection, database)
    except StorageError as error:
        if "somebody else's" in str(error):
            raise
    return str(database)


async def _alone(connection: Connection, report: Report) -> None:
    """Wait until no other process migrates this database; the lock ends with the connection."""
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", LOCK):
        report("waiting for another process that migrates this database")
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)


class _Run:
    """One call of `migrate_postgres`, which has the database for itself."""

    def __init__(self, connection: Connection, report: Report, *, dry_run: bool) -> None:
        self._connection = connection
        self._report = report
        self._dry_run = dry_run
        self.done: list[str] = []

    @asynccontextmanager
    async def whole(self) -> AsyncGenerator[None]:
        """Keep everything in one transaction that is undone, if it is only tried."""
        if self._dry_run:
            await self._connection.execute("BEGIN")
        yield
        if self._dry_run:
            await self._connection.execute("ROLLBACK")

    @asynccontextmanager
    async def _transaction(self) -> AsyncGenerator[None]:
        if self._dry_run:
            yield
            return
        async with transaction(self._connection):
            yield

    async def own(self, steps: Sequence[Step]) -> int:
        """Bring the store's own tables up to date; returns the number they had."""
        if not await self._connection.fetchval(_STARTED):
            self._say("make the roles and schemas")
            async with self._transaction():
                await _make_roles(self._connection)
                await self._connection.execute(_BEGINNING)
        row = await self._connection.fetchrow(_VERSION)
        version, compat = (0, 0) if row is None else (row[0], row[1])
        newest = steps[-1].number
        if compat > newest:
            raise SchemaTooNew(
                f"the tables have schema {version}, and this version of Parvis knows {newest}",
                hint="Run the later version's parvis store migrate.",
            )
        by_number = {step.number: step for step in steps}
        await self._background(by_number)  # of an earlier run that was killed
        for step in steps:
            if step.number > version:
                await self._step(step)
        await self._background(by_number)
        return int(version)

    async def plugin(self, name: str, migrations: Sequence[Migration]) -> None:
        """Bring a plugin's tables up to date."""
        scripts = tables.scripts_of(name, migrations)
        async with self._transaction():
            for script in await tables.missing(self._connection, name, scripts):
                self._say(f"{name}: {script.number} {script.title}")
                await tables.run(self._connection, name, script)
            await self._connection.execute(_RIGHTS)
            await self._connection.execute(_RIGHTS_OF_PLUGINS)

    async def _step(self, step: Step) -> None:
        self._say(f"{step.number} {step.title}")
        async with self._transaction():
            if step.background:
                await self._connection.execute(_LATER, step.number)
            else:
                await self._connection.execute(step.sql)
            await protect(self._connection, OURS)
            await protect(self._connection, PLUGINS)
            await self._connection.execute(_RIGHTS)
            await self._connection.execute(_ADVANCE, step.number, step.compat)

    async def _background(self, steps: Mapping[int, Step]) -> None:
        for (number,) in await self._connection.fetch(_PENDING):
            changed = 1
            while changed:
                async with self._transaction():
                    answer = await self._connection.execute(steps[number].sql)
                    changed = int(answer.rpartition(" ")[2])
                    await self._connection.execute(_COUNT, number, changed, changed == 0)
                self._report(f"{number} {steps[number].title}: {changed} rows")

    def _say(self, what: str) -> None:
        self.done.append(what)
        self._report(what)


async def _make_roles(connection: Connection) -> None:
    """Make the roles that are missing; other databases of the same server may have them already."""
    missing = [row[0] for row in await connection.fetch(_MISSING, _ROLES)]
    try:
        for role in missing:
            await connection.execute(f"CREATE ROLE {role} NOLOGIN NOSUPERUSER NOBYPASSRLS")
        if not await connection.fetchval(_MEMBER):
            await connection.execute("GRANT parvis_plugin TO parvis_app")
    except FAULTS as error:
        sql = " ".join(f"CREATE ROLE {role} NOLOGIN;" for role in missing)
        raise StorageError(
            f"the roles of Parvis cannot be made: {error}",
            hint=f"As a superuser: {sql} GRANT parvis_plugin TO parvis_app;",
        ) from error
