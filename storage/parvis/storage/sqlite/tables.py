"""Plugins' own tables: numbered migrations, and statements in one transaction."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from parvis.storage.api import Migration, SqlValue, Statement
from parvis.storage.errors import SchemaTooNew, StatementRefused, StorageError
from parvis.storage.sqlite.files import Database
from parvis.storage.sqlite.statements import PluginSql, TransactionLost


def checked(plugin: str, migrations: Sequence[Migration], kinds: Sequence[str]) -> list[str]:
    """Return the script of each migration, after running all of them on an empty database.

    So a script that cannot work stops the start, also while no tenant exists yet.

    Args:
        kinds: Which scripts will do, the best first.

    Raises:
        StorageError: If numbers do not ascend from 1 or more, or a script is missing.
        StatementRefused: If a script fails.
    """
    numbers = [migration.number for migration in migrations]
    if numbers != sorted(set(numbers)) or (numbers and numbers[0] < 1):
        raise StorageError(f"{plugin}: migrations {numbers}; expected ascending numbers from 1")
    scripts: list[str] = []
    for migration in migrations:
        found = [migration.scripts[kind] for kind in kinds if kind in migration.scripts]
        if not found:
            raise StorageError(
                f"{plugin}: migration {migration.number} ({migration.title}) has no script"
                f" for {kinds[0]}"
            )
        scripts.append(found[0])
    scratch = sqlite3.connect(":memory:", isolation_level=None)
    try:
        scratch.execute("PRAGMA foreign_keys = ON")
        guard = PluginSql(scratch)
        for migration, script in zip(migrations, scripts, strict=True):
            run_script(guard, plugin, migration, script)
    except TransactionLost as lost:
        raise StatementRefused(str(lost)) from lost
    finally:
        scratch.close()
    return scripts


def run_script(guard: PluginSql, plugin: str, migration: Migration, script: str) -> None:
    """Run one migration's script; the reason of a failure says which it was."""
    step = f"{plugin}: migration {migration.number} ({migration.title})"
    try:
        guard.script(script)
    except StatementRefused as refused:
        raise StatementRefused(f"{step}: {refused}") from refused
    except TransactionLost as lost:
        raise TransactionLost(f"{step}: {lost}") from lost


@dataclass(slots=True)
class Migrate:
    """The migrations that a tenant's file has not seen, all or none, run in its writer.

    Attributes:
        doomed: Why a script made SQLite drop the whole transaction, if one did.

    Raises:
        SchemaTooNew: If the tables were made by a later version of the plugin.
        StatementRefused: If a script fails.
    """

    plugin: str
    migrations: Sequence[Migration]
    doomed: str = ""

    def __call__(self, database: Database) -> None:
        if self.doomed:
            raise StatementRefused(self.doomed)
        row = database.execute(
            "SELECT number FROM parvis_plugin WHERE name = ?", (self.plugin,)
        ).fetchone()
        number = row[0] if row else 0
        newest = self.migrations[-1].number if self.migrations else 0
        if number > newest:
            raise SchemaTooNew(
                f"{database.file.name}: tables of {self.plugin} have number {number}, and the"
                f" installed version of {self.plugin} knows {newest}",
                hint=f"Install the later version of {self.plugin} again, or restore a backup.",
            )
        try:
            for migration in self.migrations:
                if migration.number > number:
                    script = migration.scripts["sqlite"]
                    run_script(database.plugins, self.plugin, migration, script)
        except TransactionLost as lost:
            self.doomed = str(lost)
            raise
        if newest > number:
            database.execute(
                "INSERT INTO parvis_plugin (name, number) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET number = excluded.number",
                (self.plugin, newest),
            )


def query(database: Database, statement: Statement) -> list[tuple[SqlValue, ...]]:
    """Return the rows of a statement that changes nothing."""
    return database.plugins.query(statement)


@dataclass(slots=True)
class Execute:
    """Statements of a plugin, all or none, run in the writer of its tenant's file.

    Attributes:
        doomed: Why the statements made SQLite drop the whole transaction, if they did.
    """

    statements: Sequence[Statement]
    doomed: str = ""

    def __call__(self, database: Database) -> None:
        if self.doomed:
            raise StatementRefused(self.doomed)
        try:
            for statement in self.statements:
                database.plugins.run(statement)
        except TransactionLost as lost:
            self.doomed = str(lost)
            raise
