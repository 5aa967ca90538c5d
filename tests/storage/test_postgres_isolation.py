"""Row level security keeps tenants apart, whatever the program forgets."""

import asyncio
import random
import re

import asyncpg
import pytest

from parvis.storage import Batch, Entry, Job, Migration, Statement, StatementRefused, Status, Store
from parvis.storage.conformance.base import BOOKED, home_of
from parvis.storage.postgres import log, open_postgres, rooms, work
from parvis.storage.postgres.protection import CONTROL
from tests.databases import Database
from tests.services import PgBouncer

TABLES = """
    SELECT n.nspname || '.' || c.relname, c.relrowsecurity, c.relforcerowsecurity,
        (SELECT string_agg(pg_get_expr(p.polqual, p.polrelid) || ' / '
            || pg_get_expr(p.polwithcheck, p.polrelid), ';')
            FROM pg_policy AS p WHERE p.polrelid = c.oid AND p.polname = 'of_the_tenant'),
        (SELECT string_agg(p.polname, ',' ORDER BY p.polname)
            FROM pg_policy AS p WHERE p.polrelid = c.oid)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('parvis', 'parvis_plugins') AND c.relkind IN ('r', 'p') AND EXISTS (
        SELECT 1 FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'tenant'
    )
"""
KEYS = """
    SELECT c.relname, i.relname, a.attname FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indrelid JOIN pg_class AS i ON i.oid = x.indexrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
    WHERE n.nspname IN ('parvis', 'parvis_plugins')
"""
SERVERS = CONTROL | {
    "parvis_background",
    "parvis_loading",
    "parvis_plugin",
    "parvis_revoked",
    "parvis_secret",
    "parvis_sign_in",
    "parvis_tenant",
}
"""Tables of the whole server, whose keys no tenant leads."""

EXPRESSION = "(tenant = NULLIF(current_setting('parvis.tenant'::text, true), ''::text))"


async def rows(database: Database, sql: str, user: str = "postgres") -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(database.server.url(database.name, user))
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def test_every_table_with_a_tenant_is_guarded(calendar: Store, database: Database) -> None:
    guarded = {
        str(name): rest
        for name, *rest in await rows(database, TABLES)
        if str(name).removeprefix("parvis.") not in CONTROL
    }
    assert {"parvis.parvis_log", "parvis.parvis_room", "parvis_plugins.booking"} <= set(guarded)
    wanted = [True, True, f"{EXPRESSION} / {EXPRESSION}", "of_operations,of_the_tenant"]
    assert {name: guard for name, guard in guarded.items() if guard != wanted} == {}


async def test_every_key_of_a_tenants_table_begins_with_the_tenant(
    calendar: Store, database: Database
) -> None:
    led = [key for key in await rows(database, KEYS) if key[0] not in SERVERS]
    assert len(led) >= 15
    assert [key for key in led if key[2] != "tenant"] == []


async def test_the_nodes_role_owns_nothing_and_sees_nothing_by_itself(
    calendar: Store, database: Database
) -> None:
    owned = "SELECT count(*) FROM pg_class WHERE relowner = 'parvis_node'::regrole"
    assert await rows(database, owned) == [(0,)]
    for table in ("parvis.parvis_room", "parvis_plugins.booking"):
        assert await rows(database, f"SELECT * FROM {table}", "parvis_node") == []
        assert await rows(database, f"SELECT * FROM {table}", "parvis_owner") == []
        assert await rows(database, f"SELECT * FROM {table}") != []


async def test_operations_see_all_and_change_nothing(calendar: Store, database: Database) -> None:
    database.execute("CREATE ROLE ops LOGIN IN ROLE parvis_ops")
    try:
        sql = "SELECT tenant FROM parvis_plugins.booking ORDER BY tenant"
        found = await rows(database, sql, "ops")
        assert found == [("acme",), ("acme",), ("globex",)]
        with pytest.raises(asyncpg.PostgresError, match="permission denied"):
            await rows(database, "DELETE FROM parvis_plugins.booking", "ops")
    finally:
        database.execute("DROP ROLE ops")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (module, name)
        for module in (log, rooms, work)
        for name, sql in vars(module).items()
        if isinstance(sql, str) and "tenant = $1" in sql and name.lstrip("_").isupper()
    ],
)
async def test_a_forgotten_filter_shows_nobody_elses_rows(
    postgres_store: Store, monkeypatch: pytest.MonkeyPatch, module: object, name: str
) -> None:
    store = postgres_store
    sql = str(getattr(module, name))
    # Always true, and the parameter keeps its place and type.
    forgetful = re.sub(r"(\w+\.)?tenant = \$1", "$1::text IS NOT NULL", sql)
    monkeypatch.setattr(module, name, forgetful)
    for tenant in ("acme", "globex"):
        home = await home_of(store, "plain/board", tenant=tenant)
        await home.log(f"a of {tenant}", f"b of {tenant}")
        await home_of(store, f"plain/only-{tenant}", tenant=tenant)
        await store.enqueue(tenant, Job("mail", tenant, tenant.encode(), 0))
    names = [info.room for info in await store.rooms("acme")]
    assert set(names) <= {"plain/board", "plain/only-acme"}
    home = await home_of(store, "plain/board", tenant="acme")
    assert {row.update for row in await store.read(home.address, after=0)} <= {
        b"a of acme",
        b"b of acme",
    }
    assert {row.update for row in await store.read_back(home.address)} <= {
        b"a of acme",
        b"b of acme",
    }
    assert {lag.room for lag in await store.lagging("search", "acme")} <= {"plain/board"}
    for job in await store.claim("acme", "mail", now=1, lease=1):
        assert job.payload == b"acme"
    await store.delete_room("acme", "plain/board", now=9)
    theirs = await home_of(store, "plain/board", tenant="globex")
    monkeypatch.undo()
    assert await theirs.updates() == ["a of globex", "b of globex"]


@pytest.mark.parametrize("pooled", [False, True], ids=["directly", "behind a pooler"])
async def test_tenants_that_take_turns_on_few_connections_never_meet(
    database: Database, pgbouncer: PgBouncer, pooled: bool
) -> None:
    url = database.behind(pgbouncer) if pooled else database.node
    store, _ = open_postgres(url, connections=3)
    dice = random.Random(7)
    tenants = [f"tenant {number}" for number in range(12)]
    homes = {tenant: await home_of(store, tenant=tenant) for tenant in tenants}

    async def live(tenant: str) -> None:
        home = homes[tenant]
        for step in range(25):
            what = dice.randrange(4)
            if what == 0:
                seen = {row.update.decode() for row in await store.read(home.address, after=0)}
                assert all(update.startswith(f"{tenant}:") for update in seen)
            elif what == 1:
                assert [info.room for info in await store.rooms(tenant)] == ["plain/board"]
            elif what == 2:
                task = asyncio.create_task(store.read(home.address, after=0))
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            entry = Entry(f"{tenant}:{step}".encode(), "u", 1, f"{step}".encode())
            batch = Batch("plain/board", "", home.fence, home.end, (entry,))
            (answer,) = await store.append(tenant, [batch])
            assert answer.status is Status.LOGGED
            home.end = answer.end

    await asyncio.gather(*map(live, tenants))
    for tenant in tenants:
        assert await homes[tenant].updates() == [f"{tenant}:{step}" for step in range(25)]
    await store.close()


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE TABLE a (x BIGINT)", "the table a has no column tenant TEXT NOT NULL"),
        ("CREATE TABLE a (x BIGINT, tenant TEXT)", "the table a has no column tenant"),
        ("CREATE TABLE a (x BIGINT PRIMARY KEY, {tenant})", "a_pkey of a does not begin"),
        ("CREATE TABLE a (x BIGINT UNIQUE, {tenant})", "a_x_key of a does not begin"),
        (
            "CREATE TABLE a ({tenant}, x BIGINT, PRIMARY KEY (tenant, x));"
            "CREATE TABLE b ({tenant}, x BIGINT, y TEXT, FOREIGN KEY (y, x)"
            " REFERENCES a (tenant, x))",
            "b_y_x_fkey of b does not begin",
        ),
        (
            "CREATE TABLE a ({tenant}, x BIGINT, UNIQUE (tenant, x) DEFERRABLE INITIALLY DEFERRED)",
            "is deferred",
        ),
        ("CREATE VIEW v AS SELECT * FROM booking", "the view v needs"),
        (
            "CREATE FUNCTION f() RETURNS BIGINT LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
            "the function f is SECURITY DEFINER",
        ),
        ("CREATE TABLE parvis_log ({tenant})", "parvis_log is not the plugin's to use"),
        ("GRANT ALL ON booking TO PUBLIC", "cannot begin with GRANT"),
        ("COMMIT", "cannot begin with COMMIT"),
    ],
)
async def test_a_migration_that_would_let_tenants_meet_is_refused(
    calendar: Store, database: Database, sql: str, reason: str
) -> None:
    script = sql.replace("{tenant}", "tenant TEXT NOT NULL DEFAULT parvis_tenant()")
    with pytest.raises(StatementRefused, match=reason):
        await calendar.migrate("leaky", [Migration(1, "leak", {"postgres": script})])
    assert await rows(database, "SELECT name FROM parvis.parvis_plugin") == [("calendar",)]
    assert await calendar.query("acme", BOOKED) == [(1, "ann"), (2, "ann")]


async def test_a_view_with_the_rights_of_who_asks_shows_ones_own(calendar: Store) -> None:
    script = "CREATE VIEW booked WITH (security_invoker=on) AS SELECT slot FROM booking"
    await calendar.migrate("viewer", [Migration(1, "view", {"postgres": script})])
    asked = Statement("SELECT count(*) FROM booked")
    assert await calendar.query("acme", asked) == [(2,)]
    assert await calendar.query("globex", asked) == [(1,)]
