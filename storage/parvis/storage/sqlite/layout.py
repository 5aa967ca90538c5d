"""What a file's tables are, for an archive: found in the file itself, plugins' tables included."""

import re
import sqlite3
from collections.abc import Iterable, Mapping

from parvis.storage.archive import Layout, Table

OWN = frozenset({"parvis_compat", "parvis_pulse", "parvis_plugin"})
"""Tables that a store keeps about itself."""

LOADING = frozenset({"parvis_loading", "parvis_loading_trigger"})
"""Tables of a load that is under way."""

_FULL_TEXT = re.compile(r"\bUSING\s+fts[345]\s*\(", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\bcontent\s*=", re.IGNORECASE)


def layout_of(connection: sqlite3.Connection, kind: str) -> Layout:
    """Return what the tables of a file are; `kind` is ``tenant`` or ``control``."""
    schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if schema == 0:  # it was made, and its maker killed before it got its tables
        return Layout("sqlite", 0, {}, ())
    plugins: Mapping[str, int] = {}
    if kind == "tenant":
        plugins = dict(connection.execute("SELECT name, number FROM parvis_plugin ORDER BY name"))
    return Layout("sqlite", schema, plugins, tables_of(connection))


def tables_of(connection: sqlite3.Connection) -> tuple[Table, ...]:
    """Return the tables whose rows are nowhere else, each after those that it refers to."""
    rows = connection.execute(
        "SELECT list.name, list.type, coalesce(schema.sql, '') FROM pragma_table_list AS list"
        " LEFT JOIN sqlite_schema AS schema ON schema.type = 'table' AND schema.name = list.name"
        " WHERE list.schema = 'main' AND list.type IN ('table', 'virtual')"
        " AND list.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY list.name"
    ).fetchall()
    found: dict[str, Table] = {}
    for name, type, sql in rows:
        full_text = type == "virtual" and _FULL_TEXT.search(sql) is not None
        if name in OWN | LOADING or (full_text and _ELSEWHERE.search(sql)):
            continue
        found[name] = _table(connection, name, full_text=full_text)
    return tuple(found[name] for name in _in_order(connection, found))


def refilled(connection: sqlite3.Connection) -> list[str]:
    """Return the full-text tables whose content is in other tables, and that can be rebuilt."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
    return [
        name
        for name, sql in rows
        if _FULL_TEXT.search(sql) and re.search(r"\bcontent\s*=\s*['\"]?\w", sql, re.IGNORECASE)
    ]


def quoted(name: str) -> str:
    """Return a name as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'


def _table(connection: sqlite3.Connection, name: str, *, full_text: bool) -> Table:
    columns: list[str] = ["rowid"] if full_text else []
    key: list[tuple[int, str]] = [(1, "rowid")] if full_text else []
    for _, column, _, _, _, place, hidden in connection.execute(
        f"PRAGMA table_xinfo({quoted(name)})"
    ):
        if hidden:  # generated from the others, or an argument of a virtual table
            continue
        columns.append(column)
        if place and not full_text:
            key.append((place, column))
    ordered = tuple(column for _, column in sorted(key))
    return Table(name, tuple(columns), ordered or tuple(columns))


def _in_order(connection: sqlite3.Connection, names: Iterable[str]) -> list[str]:
    """Sort tables so that each comes after those that it refers to; else by name."""
    waiting = {
        name: {
            row[2]
            for row in connection.execute(f"PRAGMA foreign_key_list({quoted(name)})")
            if row[2] != name
        }
        for name in names
    }
    done: list[str] = []
    while waiting:
        ready = sorted(name for name, others in waiting.items() if not others & waiting.keys())
        ready = ready or sorted(waiting)[:1]  # a circle: checked at the end
        for name in ready:
            del waiting[name]
        done += ready
    return done
