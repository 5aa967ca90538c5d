"""Row level security: put on every table that a tenant leads, and looked for where it lacks."""

from collections.abc import Sequence

from asyncpg import Connection

from parvis.storage.errors import StatementRefused

OURS = "parvis"
PLUGINS = "parvis_plugins"

CONTROL = frozenset({"parvis_user", "parvis_link"})
"""Tables that name a tenant and belong to the whole server: an address has one account on it."""

_IS_TENANTS = "tenant = nullif(current_setting('parvis.tenant', true), '')"

_TABLES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
        SELECT 1 FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'of_the_tenant'
    ), EXISTS (
        SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant'
            AND a.atttypid = 'text'::regtype AND a.attnotnull AND a.atthasdef
    )
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') ORDER BY c.relname
"""

# The first column of each key; a key over expressions has none.
_UNLED = """
    SELECT c.relname, i.relname FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
    WHERE c.relnamespace = to_regnamespace($1) AND c.relname = ANY ($2)
        AND (x.indisunique OR x.indisexclusion) AND a.attname IS DISTINCT FROM 'tenant'
    UNION ALL
    SELECT c.relname, k.conname FROM pg_constraint AS k
    JOIN pg_class AS c ON c.oid = k.conrelid
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
    WHERE c.relnamespace = to_regnamespace($1) AND c.relname = ANY ($2) AND k.contype = 'f'
        AND a.attname IS DISTINCT FROM 'tenant'
    ORDER BY 1, 2
"""

# Either would read with the rights of the owner, who may see all tenants.
_LEAKS = """
    SELECT format('the view %I needs WITH (security_invoker = on)', c.relname)
    FROM pg_class AS c
    WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('v', 'm')
        AND NOT coalesce('security_invoker=on' = ANY (c.reloptions), false)
    UNION ALL
    SELECT format('the function %I is SECURITY DEFINER', p.proname)
    FROM pg_proc AS p WHERE p.pronamespace = to_regnamespace($1) AND p.prosecdef
    UNION ALL
    SELECT format('a constraint of %s is deferred, and would fail too late', k.conrelid::regclass)
    FROM pg_constraint AS k WHERE k.connamespace = to_regnamespace($1) AND k.condeferred
    ORDER BY 1
"""


async def protect(connection: Connection, schema: str) -> None:
    """Put row level security on the tables of a schema that lack it.

    Raises:
        StatementRefused: If one has no tenant, or lets one tenant see another's values.
    """
    tables = [tuple(row) for row in await connection.fetch(_TABLES, schema)]
    led = [name for name, _, leads in tables if leads and name not in CONTROL]
    if schema == PLUGINS:
        for name, _, leads in tables:
            if not leads:
                raise StatementRefused(
                    f"the table {name} has no column tenant TEXT NOT NULL DEFAULT parvis_tenant()"
                )
    if problems := await problems_of(connection, schema, led):
        raise StatementRefused("; ".join(problems))
    for name, guarded, _ in tables:
        if name in led and not guarded:
            table = f'{schema}."{name}"'
            await connection.execute(
                f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
                f" DROP POLICY IF EXISTS of_the_tenant ON {table};"
                f" CREATE POLICY of_the_tenant ON {table}"
                f" USING ({_IS_TENANTS}) WITH CHECK ({_IS_TENANTS});"
                f" DROP POLICY IF EXISTS of_operations ON {table};"
                f" CREATE POLICY of_operations ON {table}"
                " FOR SELECT TO parvis_ops USING (true)"
            )


async def problems_of(connection: Connection, schema: str, led: Sequence[str]) -> list[str]:
    """Say which keys do not begin with the tenant, and what would read past the policies."""
    found = [
        f"{key} of {table} does not begin with tenant"
        for table, key in await connection.fetch(_UNLED, schema, led)
    ]
    return found + [row[0] for row in await connection.fetch(_LEAKS, schema)]
