"""What a file's tables should be, made anew in memory from the migrations, and what they are."""

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing

from parvis.storage.api import Migration
from parvis.storage.inspection import Drift
from parvis.storage.sqlite.migrations import steps
from parvis.storage.sqlite.statements import PluginSql
from parvis.storage.sqlite.tables import run_script

Shape = Mapping[tuple[str, str], str]
"""(``table`` or ``index`` …, name) → the SQL that made it; empty for what SQLite made itself."""

Versions = tuple[str, int, tuple[tuple[str, int], ...]]
"""Of a file: its kind, the number of its own tables, and those of plugins' tables."""

_SHAPE = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema"
_SPACE = re.compile(r"\s+")


def found(
    connection: sqlite3.Connection,
    *,
    name: str,
    kind: str,
    plugins: Mapping[str, Sequence[Migration]],
    known: dict[Versions, Shape],
) -> list[Drift]:
    """Return how a file differs from what its own versions' migrations make.

    Args:
        name: Of the file, for people.
        kind: ``tenant`` or ``control``.
        known: What files of the same versions should be, to be filled: most tenants share it.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version == 0:  # it was made, and its maker killed before it got its tables
        return []
    newest = steps(kind)[-1].number
    if version > newest:
        return []  # a later version's; `check` judges whether it can be used
    is_shape = _shape(connection)
    numbers: dict[str, int] = {}
    if kind == "tenant" and ("table", "parvis_plugin") in is_shape:
        numbers = dict(connection.execute("SELECT name, number FROM parvis_plugin"))
    drifted = [
        _version(name, plugin, number, plugins)
        for plugin, number in sorted(numbers.items())
        if number > _newest(plugins.get(plugin, ()))
    ]
    versions = kind, version, tuple((each, numbers.get(each, 0)) for each in plugins)
    if versions not in known:
        known[versions] = _expected(versions, plugins)
    should = known[versions]
    for (what, object), sql in sorted(should.items()):
        there = is_shape.get((what, object))
        if there is None:
            repair = f"{sql};" if what == "index" and sql else ""
            drifted.append(Drift(name, what, object, "is missing", repair))
        elif _even(there) != _even(sql):
            drifted.append(Drift(name, what, object, f"expected {_even(sql)}, got {_even(there)}"))
    return drifted


def _version(
    name: str, plugin: str, number: int, plugins: Mapping[str, Sequence[Migration]]
) -> Drift:
    knows = (
        f"the installed version knows {_newest(plugins[plugin])}"
        if plugin in plugins
        else "nobody who is installed knows them"
    )
    return Drift(name, "version", plugin, f"its tables have number {number}, and {knows}")


def _newest(migrations: Sequence[Migration]) -> int:
    return migrations[-1].number if migrations else 0


def _expected(versions: Versions, plugins: Mapping[str, Sequence[Migration]]) -> Shape:
    kind, version, numbers = versions
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as scratch:
        scratch.execute("CREATE TABLE parvis_compat (number INTEGER NOT NULL) STRICT")
        for step in steps(kind):
            if step.number <= version:
                for statement in step.statements:
                    scratch.execute(statement)
        guard = PluginSql(scratch)
        for plugin, number in numbers:
            for migration in plugins[plugin]:
                if migration.number <= number:
                    run_script(guard, plugin, migration, migration.scripts["sqlite"])
        return _shape(scratch)


def _shape(connection: sqlite3.Connection) -> Shape:
    return {
        (what, name): sql
        for what, name, sql in connection.execute(_SHAPE)
        if not name.startswith("sqlite_stat")
    }


def _even(sql: str) -> str:
    return _SPACE.sub(" ", sql).strip()
