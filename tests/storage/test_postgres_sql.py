"""Plugins' SQL is one text for all stores, and keeps to the plugins' own tables."""

import pytest

from parvis.storage import SqlValue, Statement, StatementRefused, Store
from parvis.storage.postgres.sql import READING, WRITING, split_script, translate


def spelled(sql: str, *args: SqlValue) -> str:
    return translate(sql, tuple(map(type, args)), WRITING)


@pytest.mark.parametrize(
    ("sql", "args", "spelling"),
    [
        ("SELECT ?, ?", (1, 2.5), "SELECT ($1::bigint), ($2::double precision)"),
        ("SELECT ?, ?, ?", (None, b"", True), "SELECT NULL, ($1::bytea), ($2::boolean)"),
        ("SELECT ?2, ?1, ?2", (1, b""), "SELECT ($2::bytea), ($1::bigint), ($2::bytea)"),
        ("SELECT '?', \"?\" -- ?", (), "SELECT '?', \"?\" -- ?"),
        ("SELECT a/* ? */+?", (1,), "SELECT a/* ? */+($1::bigint)"),
        ("SELECT 1e-5||2<=3", (), "SELECT 1e-5||2<=3"),
        ("SELECT max(a), max(b, min(c, 2))", (), "SELECT max(a), greatest(b, least(c, 2))"),
        ("SELECT max((SELECT a, b))", (), "SELECT max((SELECT a, b))"),
        ("SELECT a IN () OR a NOT IN ()", (), "SELECT a = ANY  ('{}') OR a  <> ALL  ('{}')"),
        ("SELECT x'0fF0'", (), "SELECT '\\x0fF0'::bytea"),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (a, b) DO NOTHING",
            (),
            "INSERT INTO t VALUES (1) ON CONFLICT (tenant, a, b) DO NOTHING",
        ),
        (
            "INSERT INTO t VALUES (1) ON CONFLICT (tenant, a) DO NOTHING",
            (),
            "INSERT INTO t VALUES (1) ON CONFLICT (tenant, a) DO NOTHING",
        ),
    ],
)
def test_a_statement_is_spelled_as_postgresql_wants_it(
    sql: str, args: tuple[SqlValue, ...], spelling: str
) -> None:
    assert spelled(sql, *args) == spelling


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "COMMIT",
        "SET ROLE none",
        "RESET ALL",
        "DO $$ BEGIN END $$",
        "LISTEN mail",
        "COPY t TO STDOUT",
        "CREATE TABLE t (x BIGINT)",
        "SELECT * FROM parvis.parvis_log",
        "SELECT * FROM parvis_log",
        'SELECT * FROM "parvis"."parvis_log"',
        "SELECT pg_sleep(100)",
        "SELECT set_config('parvis.tenant', 'globex', true)",
        "SELECT ?",
    ],
)
def test_what_is_not_a_plugins_to_say_is_refused(sql: str) -> None:
    with pytest.raises(StatementRefused):
        spelled(sql)


def test_a_query_begins_with_a_word_that_reads() -> None:
    assert translate("(SELECT 1) UNION SELECT 2", (), READING)
    for sql in ("INSERT INTO t VALUES (1)", "DELETE FROM t", "UPDATE t SET a = 1"):
        with pytest.raises(StatementRefused, match="cannot begin with"):
            translate(sql, (), READING)


def test_semicolons_in_strings_bodies_and_comments_do_not_split_a_script() -> None:
    script = """
        SELECT ';'; -- one;
        CREATE FUNCTION f() RETURNS INT LANGUAGE sql AS $body$ SELECT 1; $body$;
        /* two; */
    """
    first, second = split_script(script)
    assert first == "SELECT ';'"
    assert second.endswith("$body$ SELECT 1; $body$")


@pytest.mark.parametrize(
    "sql",
    [
        'SELECT beats FROM "parvis" . parvis_pulse',
        "SELECT current_setting('parvis.tenant')",
        "SELECT count(*) FROM generate_series(1, 1000000000)",
    ],
)
async def test_what_slips_through_is_refused_by_the_server(calendar: Store, sql: str) -> None:
    with pytest.raises(StatementRefused):
        await calendar.query("acme", Statement(sql))


async def test_numbers_truths_and_bytes_come_back_as_sqlite_gives_them(calendar: Store) -> None:
    asked = Statement(
        "SELECT sum(slot), count(*) = 0, ?, 1.5, EXISTS (SELECT 1) FROM booking", (b"\x00",)
    )
    assert await calendar.query("acme", asked) == [(3, 0, b"\x00", 1.5, 1)]


async def test_a_value_that_no_sqlite_has_is_refused(calendar: Store) -> None:
    with pytest.raises(StatementRefused, match="expected numbers, text or bytes"):
        await calendar.query("acme", Statement("SELECT now()"))


async def test_a_text_that_postgresql_cannot_hold_is_refused(calendar: Store) -> None:
    for text in ("\x00", "\ud800"):
        with pytest.raises(StatementRefused):
            await calendar.execute(
                "acme", [Statement("UPDATE booking SET who = ? WHERE slot = 1", (text,))]
            )
    assert await calendar.query("acme", Statement("SELECT who FROM booking WHERE slot = 1")) == [
        ("ann",)
    ]
