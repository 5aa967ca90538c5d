"""What is looked at before a node uses a database: whose it is, its version, what the role may."""

from dataclasses import dataclass

import asyncpg
from asyncpg import Connection

from parvis.storage.errors import SchemaTooNew, StorageError, StoreUnavailable, Unfinished
from parvis.storage.postgres.faults import FAULTS, MIGRATE, translated
from parvis.storage.postgres.steps import own_steps

SECONDS = 10.0

_ROLE = """
    SELECT current_user, rolsuper, rolbypassrls, pg_is_in_recovery(),
        current_setting('default_transaction_read_only') = 'on', current_database(),
        current_setting('server_version_num')::int, pg_backend_pid()
    FROM pg_roles WHERE rolname = current_user
"""
# Not by to_regclass, which fails for those who may not use the schema.
_OURS = """
    SELECT EXISTS (
        SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'parvis' AND c.relname = 'parvis_schema'
    )
"""
_FOREIGN = """
    SELECT coalesce(min(format('%I.%I', n.nspname, c.relname)), '')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm')
        AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
"""
_OWNED = """
    SELECT coalesce(min(format('%I.%I', n.nspname, c.relname)), '')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('parvis', 'parvis_plugins') AND c.relkind IN ('r', 'p')
        AND pg_has_role(current_user, c.relowner, 'MEMBER')
"""
_USABLE = """
    SELECT pg_has_role(current_user, 'parvis_app', 'USAGE')
        AND pg_has_role(current_user, 'parvis_plugin', 'MEMBER')
    WHERE to_regrole('parvis_app') IS NOT NULL AND to_regrole('parvis_plugin') IS NOT NULL
"""
_VERSION = "SELECT schema_version, compat_version FROM parvis.parvis_schema"

_LOADING = "SELECT name FROM parvis.parvis_loading WHERE scope = ''"

OLDEST_SERVER = 140000


@dataclass(frozen=True, slots=True)
class Opening:
    """What was found.

    Attributes:
        pooled: A pooler stands between us and the server.
    """

    pooled: bool


async def connected(url: str, *, patience: float | None = SECONDS) -> Connection:
    """Connect, with nothing prepared. Raises `StorageError`, which says why it could not.

    Args:
        patience: Seconds that a statement may take; None: for ever.
    """
    try:
        return await asyncpg.connect(
            url, timeout=SECONDS, command_timeout=patience, statement_cache_size=0
        )
    except FAULTS as error:
        raise translated(error) from error
    except (ValueError, OverflowError) as error:  # of a URL that cannot be read; of such a port
        raise StorageError(f"the store's URL cannot be used: {error}", hint=URL_HINT) from error


URL_HINT = "Expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE."


async def look(url: str, *, to_fill: bool = False) -> Opening:
    """Return if a node can use the database behind a URL. Raises `StorageError`.

    Args:
        to_fill: It is no node that asks, so the database may be one that is being filled.
    """
    connection = await connected(url)
    try:
        # In a transaction, so that a pooler leaves all questions with one server.
        await connection.execute("BEGIN READ ONLY")
        found = await _look(connection)
        if not to_fill and (origin := await unfinished(connection)) is not None:
            raise Unfinished(
                f"the database is being filled from {origin}, and not all of it is there yet",
                hint="Run the same command again to finish it, or name another database.",
            )
        return found
    except FAULTS as error:
        raise translated(error) from error
    finally:
        connection.terminate()


async def unfinished(connection: Connection) -> str | None:
    """Return what is being loaded into a database; None if nothing is."""
    origin: str | None = await connection.fetchval(_LOADING)
    return origin


async def _look(connection: Connection) -> Opening:
    row = await connection.fetchrow(_ROLE)
    assert row is not None  # whoever is connected has a role
    user, superuser, bypasses, standby, read_only, database, version, server = row
    if version < OLDEST_SERVER:
        raise StorageError(
            f"PostgreSQL {version // 10000} is too old", hint="Parvis needs PostgreSQL 14 or newer."
        )
    if superuser or bypasses:
        what = "is a superuser" if superuser else "has BYPASSRLS"
        raise StorageError(
            f"the role {user} {what}: no row level security would keep tenants apart",
            hint="Give the node a role of its own: CREATE ROLE parvis_node LOGIN PASSWORD '…'"
            " IN ROLE parvis_app, and name it in the store's URL.",
        )
    if standby or read_only:
        what = "is a standby" if standby else "is set to read only"
        raise StoreUnavailable(
            f"the PostgreSQL server of {database} {what}",
            hint="Name the primary in the store's URL, or wait until this one is promoted.",
        )
    await require_ours(connection, database)
    if await connection.fetchval(_USABLE) is not True:
        raise StorageError(
            f"the role {user} may not use the tables of Parvis in {database}",
            hint=f"GRANT parvis_app TO {user}; or: {MIGRATE}",
        )
    if owned := await connection.fetchval(_OWNED):
        raise StorageError(
            f"the role {user} owns {owned}, or belongs to its owner: it could switch row level"
            " security off",
            hint="Let a node use another role than the one that runs parvis store migrate.",
        )
    await check_version(connection, database)
    return Opening(pooled=connection.get_server_pid() != server)


async def require_ours(connection: Connection, database: str) -> None:
    """Raise `StorageError` if a database does not hold tables of Parvis."""
    if await connection.fetchval(_OURS):
        return
    if foreign := await connection.fetchval(_FOREIGN):
        raise StorageError(
            f"the database {database} is somebody else's: it holds {foreign}, and nothing of"
            " Parvis",
            hint="Give Parvis a database of its own: CREATE DATABASE parvis TEMPLATE template0"
            " ENCODING 'UTF8'.",
        )
    raise StorageError(f"the database {database} has no tables of Parvis yet", hint=MIGRATE)


async def check_version(connection: Connection, database: str) -> None:
    """Raise `StorageError` if the tables are of a version that this program cannot use."""
    row = await connection.fetchrow(_VERSION)
    version, compat = (0, 0) if row is None else (row[0], row[1])
    newest = own_steps()[-1].number
    if compat > newest:
        raise SchemaTooNew(
            f"the database {database} has schema {version}, and this version of Parvis knows"
            f" {newest}",
            hint="Start the later version again, or restore a backup made before it.",
        )
    if version < newest:
        raise StorageError(
            f"the database {database} has schema {version}, and this version of Parvis needs"
            f" {newest}",
            hint=MIGRATE,
        )
