"""Plugins' own tables: numbered migrations, and statements in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg import Connection, PostgresError

from parvis.storage.api import Migration, Statement
from parvis.storage.errors import SchemaTooNew, StatementRefused, StorageError
from parvis.storage.postgres import statements
from parvis.storage.postgres.faults import (
    FAULTS,
    MIGRATE,
    NOT_ALLOWED,
    code_of,
    is_passing,
    translated,
)
from parvis.storage.postgres.protection import PLUGINS, protect
from parvis.storage.postgres.sql import WRITING, check_script, split_script, verb

_NUMBER = "SELECT number FROM parvis.parvis_plugin WHERE name = $1"
_ADVANCE = """
    INSERT INTO parvis.parvis_plugin (name, number) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET number = excluded.number
"""
_TENANTS = "SELECT name FROM parvis.parvis_tenant ORDER BY name"
_ENTER = "SELECT parvis.enter($1)"
_NOBODY = "\N{NO-BREAK SPACE}"
"""A tenant that cannot be, in whose name a change of rows is tried where nobody is yet."""


@dataclass(frozen=True, slots=True)
class Script:
    """One migration as PostgreSQL runs it."""

    number: int
    title: str
    sql: str


def scripts_of(plugin: str, migrations: Sequence[Migration]) -> list[Script]:
    """Return the script of each migration.

    Raises:
        StorageError: If numbers do not ascend from 1 or more, or a script is missing.
    """
    numbers = [migration.number for migration in migrations]
    if numbers != sorted(set(numbers)) or (numbers and numbers[0] < 1):
        raise StorageError(f"{plugin}: migrations {numbers}; expected ascending numbers from 1")
    for migration in migrations:
        if "postgres" not in migration.scripts:
            raise StorageError(
                f"{plugin}: migration {migration.number} ({migration.title}) has no script"
                " for postgres"
            )
    return [Script(each.number, each.title, each.scripts["postgres"]) for each in migrations]


async def missing(connection: Connection, plugin: str, scripts: Sequence[Script]) -> list[Script]:
    """Return the migrations that the tables have not seen.

    Raises:
        SchemaTooNew: If the tables were made by a later version of the plugin.
    """
    number: int = await connection.fetchval(_NUMBER, plugin) or 0
    newest = scripts[-1].number if scripts else 0
    if number > newest:
        raise SchemaTooNew(
            f"tables of {plugin} have number {number}, and the installed version of {plugin}"
            f" knows {newest}",
            hint=f"Install the later version of {plugin} again, or restore a backup.",
        )
    return [script for script in scripts if script.number > number]


async def require(connection: Connection, plugin: str, scripts: Sequence[Script]) -> None:
    """Raise `StorageError` unless the tables have seen all migrations."""
    if lacking := await missing(connection, plugin, scripts):
        first = lacking[0]
        raise StorageError(
            f"the tables of {plugin} lack migration {first.number} ({first.title})", hint=MIGRATE
        )


async def run(connection: Connection, plugin: str, script: Script) -> None:
    """Run one migration, in the caller's transaction.

    What shapes tables is run once; what changes rows, for every tenant that has data.

    Raises:
        StatementRefused: If it fails; the reason says which it was.
    """
    try:
        await connection.execute(_ENTER, "")
        for statement in split_script(script.sql):
            check_script(statement)
            if verb(statement) in WRITING:
                await protect(connection, PLUGINS)
                await _for_every_tenant(connection, statement)
            else:
                await connection.execute(statement)
        await protect(connection, PLUGINS)
        await connection.execute(_ADVANCE, plugin, script.number)
    except (StatementRefused, PostgresError) as error:
        if is_passing(error) or code_of(error) == NOT_ALLOWED:
            raise
        step = f"{plugin}: migration {script.number} ({script.title})"
        raise StatementRefused(f"{step}: {error}") from error


async def migrate(owner: str, plugin: str, scripts: Sequence[Script]) -> None:
    """Bring a plugin's tables to the newest number, as their owner."""
    from parvis.storage.postgres.migrations import migrate_postgres

    given = [Migration(each.number, each.title, {"postgres": each.sql}) for each in scripts]
    try:
        await migrate_postgres(owner, {plugin: given})
    except FAULTS as error:
        raise translated(error) from error


async def execute(connection: Connection, asked: Sequence[Statement]) -> None:
    """Run statements of a plugin, in the caller's transaction."""
    await connection.execute(statements.AS_PLUGIN)
    for statement in asked:
        await statements.run(connection, statement)


async def _for_every_tenant(connection: Connection, statement: str) -> None:
    tenants = [row[0] for row in await connection.fetch(_TENANTS)]
    for tenant in tenants:
        await connection.execute(_ENTER, tenant)
        await connection.execute(statement)
    if not tenants:
        await connection.execute("SAVEPOINT attempt")
        await connection.execute(_ENTER, _NOBODY)
        await connection.execute(statement)
        await connection.execute("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")
    await connection.execute(_ENTER, "")
