"""What the tables of a tenant or of the accounts are, for an archive."""

from collections.abc import Mapping
from dataclasses import dataclass

from asyncpg import Connection

from parvis.storage.archive import Layout, Table

CONTROL = frozenset(
    {"parvis_user", "parvis_sign_in", "parvis_link", "parvis_revoked", "parvis_secret"}
)
"""The tables of the accounts, which belong to the whole server."""

LEFT_OUT = frozenset({("parvis_user", "number"), ("parvis_link", "number")})
"""Columns that this store keeps about itself."""

KEYS = {"parvis_room": ("id",), "parvis_part": ("id",)}
"""Tables whose rows come by another key than the primary one, as SQLite has it."""

_COLUMNS = """
    SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, NULL),
        coalesce(array_position(x.indkey::int2[], a.attnum), -1), a.attidentity <> ''
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    LEFT JOIN pg_index AS x ON x.indrelid = c.oid AND x.indisprimary
    WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        AND (n.nspname = 'parvis_plugins' OR n.nspname = 'parvis' AND (
            c.relname = ANY ($1) OR c.relrowsecurity AND c.relforcerowsecurity))
    ORDER BY n.nspname, c.relname, a.attnum
"""
_REFERENCES = """
    SELECT c.relname, o.relname FROM pg_constraint AS k
    JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS o ON o.oid = k.confrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE k.contype = 'f' AND n.nspname IN ('parvis', 'parvis_plugins') AND c.oid <> o.oid
"""
_SCHEMA = "SELECT schema_version FROM parvis.parvis_schema"
_PLUGINS = "SELECT name, number FROM parvis.parvis_plugin ORDER BY name"


@dataclass(frozen=True, slots=True)
class Place:
    """A table in the database.

    Attributes:
        path: As it stands in SQL.
        types: Of its columns.
        identity: The column whose values the server gives; empty: none.
    """

    table: Table
    path: str
    types: Mapping[str, str]
    identity: str


async def layout_of(connection: Connection, *, accounts: bool) -> tuple[Layout, dict[str, Place]]:
    """Return what the tables of a scope are, and where each is, in the order for loading."""
    rows = [tuple(row) for row in await connection.fetch(_COLUMNS, sorted(CONTROL))]
    names = {(row[0], row[1]) for row in rows if (row[1] in CONTROL) == accounts}
    found: dict[str, Place] = {}
    for schema, name in sorted(names, key=lambda each: each[1]):
        mine = [
            row[2:]
            for row in rows
            if row[:2] == (schema, name)
            and (accounts or row[2] != "tenant")
            and (name, row[2]) not in LEFT_OUT
        ]
        key = [(place, column) for column, _, place, _ in mine if place >= 0]
        columns = tuple(column for column, *_ in mine)
        table = Table(
            name, columns, KEYS.get(name) or tuple(column for _, column in sorted(key)) or columns
        )
        identity = next((column for column, _, _, given in mine if given), "")
        types = {column: type for column, type, *_ in mine}
        found[name] = Place(table, f"{schema}.{quoted(name)}", types, identity)
    ordered = await _in_order(connection, found)
    plugins = {} if accounts else {row[0]: row[1] for row in await connection.fetch(_PLUGINS)}
    version: int = await connection.fetchval(_SCHEMA)
    tables = tuple(place.table for place in ordered.values())
    return Layout("postgres", version, plugins, tables), ordered


async def _in_order(connection: Connection, found: dict[str, Place]) -> dict[str, Place]:
    waiting: dict[str, set[str]] = {name: set() for name in found}
    for name, other in await connection.fetch(_REFERENCES):
        if name in waiting:
            waiting[name].add(other)
    done: dict[str, Place] = {}
    while waiting:
        ready = sorted(name for name, others in waiting.items() if not others & waiting.keys())
        for name in ready or sorted(waiting)[:1]:
            del waiting[name]
            done[name] = found[name]
    return done


def quoted(name: str) -> str:
    """Return a name as it stands in SQL."""
    return '"' + name.replace('"', '""') + '"'
