"""What a database's tables should be, as the migrations spell it, and what its catalog says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asyncpg import Connection

from parvis.storage.api import Migration
from parvis.storage.inspection import Drift
from parvis.storage.postgres.protection import CONTROL, OURS, PLUGINS, problems_of
from parvis.storage.postgres.sql import Token, split_script, tokens
from parvis.storage.postgres.steps import own_steps

KEYS = ("primary", "unique", "foreign", "check", "exclude", "constraint")
"""What the lines of a table begin with that are no columns."""

_NUMBERS = "SELECT name, number FROM parvis.parvis_plugin"
_COLUMNS = """
    SELECT c.relname, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p')
        AND a.attnum > 0 AND NOT a.attisdropped
"""
_INDEXES = """
    SELECT i.relname, c.relname, x.indisvalid, x.indisunique, array(
        SELECT a.attname FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number ORDER BY k.place
    )::text[]
    FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
    JOIN pg_class AS c ON c.oid = x.indrelid
    WHERE c.relnamespace = to_regnamespace($1)
"""
_FUNCTIONS = "SELECT proname FROM pg_proc WHERE pronamespace = to_regnamespace($1)"
_GUARDS = """
    SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, EXISTS (
        SELECT 1 FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'of_the_tenant'
    ), EXISTS (
        SELECT 1 FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polpermissive
            AND p.polname NOT IN ('of_the_tenant', 'of_operations')
    )
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant'
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') AND a.attnum > 0
"""
_RIGHTS = """
    SELECT c.relname, role.name, needed.privilege
    FROM pg_class AS c CROSS JOIN unnest($2::text[]) AS role (name)
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS needed (privilege)
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p')
        AND c.relname <> ALL ($3) AND NOT has_table_privilege(role.name, c.oid, needed.privilege)
"""
_PUBLIC = """
    SELECT c.relname, string_agg(DISTINCT acl.privilege_type, ', ')
    FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
    WHERE c.relnamespace = to_regnamespace($1) AND acl.grantee = 0 GROUP BY 1
"""
_READ_ONLY = ["parvis_schema", "parvis_background", "parvis_plugin"]
"""Tables that a node only reads."""


@dataclass(slots=True)
class Shape:
    """What migrations make in one schema.

    Attributes:
        tables: Name → columns.
        keys: (table, columns) of every primary and unique key.
        indexes: Name → (table, the statement that makes it).
    """

    tables: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    keys: set[tuple[str, tuple[str, ...]]] = field(default_factory=set[tuple[str, tuple[str, ...]]])
    indexes: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    functions: set[str] = field(default_factory=set[str])

    def take(self, statement: str) -> None:
        """Follow one statement of a migration, as far as it shapes anything."""
        words = [token for token in tokens(statement) if token.kind != "blank"]
        said = [token.text.lower() for token in words]
        match said[:2]:
            case ["create", "table"]:
                self._table(words)
            case ["create", "index"] | ["create", "unique"]:
                self._index(words, statement)
            case ["create", "function"] | ["create", "or"]:
                self.functions.add(_name(words, said.index("function") + 1)[0])
            case ["drop", "table" | "index" | "function"]:
                self._drop(words, said[1])
            case ["alter", "table"]:
                self._alter(words, said)
            case _:
                pass

    def _table(self, words: Sequence[Token]) -> None:
        name, at = _name(words, 2)
        columns = self.tables.setdefault(name, [])
        for line in _lines(words, at):
            first = line[0].text.lower()
            if first == "constraint":
                line, first = line[2:], line[2].text.lower()
            if first not in KEYS:
                columns.append(line[0].text.strip('"'))
                said = [token.text.lower() for token in line]
                if "unique" in said or ("primary" in said and "key" in said):
                    self.keys.add((name, (columns[-1],)))
            elif first in ("primary", "unique"):
                (inner,) = (at for at, token in enumerate(line) if token.text == "(")
                self.keys.add((name, tuple(_listed(line, inner))))

    def _index(self, words: Sequence[Token], statement: str) -> None:
        said = [token.text.lower() for token in words]
        name, _ = _name(words, said.index("index") + 1)
        table, _ = _name(words, said.index("on") + 1)
        self.indexes[name] = table, statement

    def _drop(self, words: Sequence[Token], what: str) -> None:
        exists = words[2].text.lower() == "if"
        name, _ = _name(words, 4 if exists else 2)
        if what == "function":
            self.functions.discard(name)
        elif what == "index":
            self.indexes.pop(name, None)
        else:
            self.tables.pop(name, None)
            self.keys = {key for key in self.keys if key[0] != name}
            self.indexes = {key: kept for key, kept in self.indexes.items() if kept[0] != name}

    def _alter(self, words: Sequence[Token], said: Sequence[str]) -> None:
        name, at = _name(words, 2)
        columns = self.tables.get(name, [])
        match said[at : at + 2]:
            case ["add", "column"]:
                columns.append(words[at + 2].text.strip('"'))
            case ["drop", "column"] if (column := words[at + 2].text.strip('"')) in columns:
                columns.remove(column)
            case ["rename", "column"] if (column := words[at + 2].text.strip('"')) in columns:
                columns[columns.index(column)] = words[at + 4].text.strip('"')
            case _:
                pass


async def found(connection: Connection, plugins: Mapping[str, Sequence[Migration]]) -> list[Drift]:
    """Return how a database differs from what the migrations make that it has seen."""
    numbers = {row[0]: row[1] for row in await connection.fetch(_NUMBERS)}
    ours, theirs = Shape(), Shape()
    for step in own_steps():
        for statement in split_script(step.sql):
            ours.take(statement)
    drifted: list[Drift] = []
    for name, number in sorted(numbers.items()):
        migrations = plugins.get(name)
        newest = migrations[-1].number if migrations else 0
        if number > newest:
            knows = "nobody who is installed knows them"
            if migrations is not None:
                knows = f"the installed version knows {newest}"
            detail = f"its tables have number {number}, and {knows}"
            drifted.append(Drift(PLUGINS, "version", name, detail))
    for name, migrations in plugins.items():
        newest = migrations[-1].number if migrations else 0
        if numbers.get(name, 0) < newest:
            detail = f"its tables have number {numbers.get(name, 0)}, expected {newest}"
            drifted.append(Drift(PLUGINS, "version", name, detail))
        for migration in migrations:
            if migration.number <= numbers.get(name, 0):
                for statement in split_script(migration.scripts["postgres"]):
                    theirs.take(statement)
    drifted += await _shapes(connection, OURS, ours)
    drifted += await _shapes(connection, PLUGINS, theirs)
    for schema, roles in ((OURS, ["parvis_app"]), (PLUGINS, ["parvis_app", "parvis_plugin"])):
        drifted += await _protection(connection, schema)
        drifted += await _rights(connection, schema, roles)
    return drifted


async def _shapes(connection: Connection, schema: str, should: Shape) -> list[Drift]:
    columns: dict[str, set[str]] = {}
    for table, column in await connection.fetch(_COLUMNS, schema):
        columns.setdefault(table, set()).add(column)
    rows = await connection.fetch(_INDEXES, schema)
    indexes = {row[0]: row[2] for row in rows}
    keys = {(row[1], tuple(row[4])) for row in rows if row[3] and row[2]}
    functions = {row[0] for row in await connection.fetch(_FUNCTIONS, schema)}
    drifted: list[Drift] = []
    for table, wanted in sorted(should.tables.items()):
        if table not in columns:
            drifted.append(Drift(schema, "table", table, "is missing"))
            continue
        for column in wanted:
            if column not in columns[table]:
                drifted.append(Drift(schema, "column", f"{table}.{column}", "is missing"))
    for table, key in sorted(should.keys):
        if table in columns and (table, key) not in keys:
            listed = ", ".join(f'"{column}"' for column in key)
            drifted.append(Drift(schema, "key", f"{table} ({', '.join(key)})", "is missing",
                f"CREATE UNIQUE INDEX CONCURRENTLY ON {schema}.{table} ({listed});"))  # fmt: skip
    for index, (table, statement) in sorted(should.indexes.items()):
        if table in columns and not indexes.get(index, False):
            state = "is not valid" if index in indexes else "is missing"
            repair = f"REINDEX INDEX CONCURRENTLY {schema}.{index};"
            if index not in indexes:
                repair = _concurrently(statement, schema, table)
            drifted.append(Drift(schema, "index", index, state, repair))
    drifted += [
        Drift(schema, "function", function, "is missing")
        for function in sorted(should.functions - functions)
    ]
    return drifted


async def _protection(connection: Connection, schema: str) -> list[Drift]:
    drifted: list[Drift] = []
    led: list[str] = []
    for table, enabled, forced, policy, others in await connection.fetch(_GUARDS, schema):
        if table in CONTROL:
            continue
        led.append(table)
        lacks = [
            what
            for what, there in (
                ("ENABLE ROW LEVEL SECURITY", enabled),
                ("FORCE ROW LEVEL SECURITY", forced),
                ("the policy of_the_tenant", policy),
            )
            if not there
        ]
        if lacks:
            detail = f"tenants see each other's rows: it lacks {', '.join(lacks)}"
            drifted.append(Drift(schema, "protection", table, detail))
        if others:
            drifted.append(Drift(schema, "protection", table, "has a policy that is not ours"))
    return drifted + [
        Drift(schema, "protection", problem, "lets one tenant learn of another's rows")
        for problem in await problems_of(connection, schema, led)
    ]


async def _rights(connection: Connection, schema: str, roles: Sequence[str]) -> list[Drift]:
    lacking: dict[tuple[str, str], list[str]] = {}
    for table, role, right in await connection.fetch(_RIGHTS, schema, roles, _READ_ONLY):
        lacking.setdefault((table, role), []).append(right)
    drifted = [
        Drift(
            schema,
            "right",
            table,
            f"{role} may not {', '.join(rights)}",
            f"GRANT {', '.join(rights)} ON {schema}.{table} TO {role};",
        )
        for (table, role), rights in sorted(lacking.items())
    ]
    for table, rights in await connection.fetch(_PUBLIC, schema):
        repair = f"REVOKE ALL ON {schema}.{table} FROM PUBLIC;"
        drifted.append(Drift(schema, "right", table, f"everybody may {rights}", repair))
    return drifted


def _concurrently(statement: str, schema: str, table: str) -> str:
    made = re.sub(r"\bINDEX\b", "INDEX CONCURRENTLY", statement, count=1, flags=re.IGNORECASE)
    spelled = re.sub(rf"\bON {table}\b", f"ON {schema}.{table}", made, count=1)
    return re.sub(r"\s+", " ", re.sub(r"--[^\n]*", "", spelled)).strip() + ";"


def _name(words: Sequence[Token], at: int) -> tuple[str, int]:
    """Return a name without its schema, and where what follows it begins."""
    if at + 1 < len(words) and words[at + 1].text == ".":
        at += 2
    return words[at].text.strip('"'), at + 1


def _lines(words: Sequence[Token], at: int) -> list[list[Token]]:
    """Return what stands between commas in the parentheses that open at a place."""
    lines: list[list[Token]] = [[]]
    depth = 0
    for token in words[at:]:
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
            if depth == 0:
                break
        if depth == 1 and token.text == ",":
            lines.append([])
        elif depth > 1 or token.text != "(":
            lines[-1].append(token)
    return [line for line in lines if line]


def _listed(words: Sequence[Token], at: int) -> list[str]:
    return [line[0].text.strip('"') for line in _lines(words, at)]
