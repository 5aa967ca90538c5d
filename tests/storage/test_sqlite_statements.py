"""What plugins' SQL may and may not do on a SQLite connection."""

import sqlite3
from collections.abc import Generator

import pytest

from parvis.storage import Statement, StatementRefused
from parvis.storage.sqlite.statements import PluginSql, TransactionLost, split_script

ENDLESS = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def connection() -> Generator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE parvis_log (x INTEGER)")
    connection.execute("INSERT INTO parvis_log VALUES (1)")
    connection.execute("CREATE TABLE mine (x INTEGER UNIQUE)")
    yield connection
    connection.close()


@pytest.fixture
def sql(connection: sqlite3.Connection) -> PluginSql:
    return PluginSql(connection, ticks=2)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM parvis_log",
        "SELECT * FROM PARVIS_LOG",
        "INSERT INTO parvis_log VALUES (2)",
        "UPDATE parvis_log SET x = 2",
        "DELETE FROM parvis_log",
        "INSERT INTO mine SELECT x FROM parvis_log",
        "SELECT (SELECT x FROM parvis_log)",
        "SELECT * FROM sqlite_schema",
        "PRAGMA user_version = 7",
        "PRAGMA synchronous = OFF",
        "SELECT * FROM pragma_table_info('mine')",
        "ATTACH ':memory:' AS other",
        "VACUUM",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT mine",
        "CREATE TABLE other (x)",
        "CREATE TEMP TABLE other (x)",
        "DROP TABLE mine",
    ],
)
def test_a_statement_keeps_to_its_own_tables(
    sql: PluginSql, connection: sqlite3.Connection, text: str
) -> None:
    for run in (sql.run, sql.query, sql.holds):
        with pytest.raises(StatementRefused):
            run(Statement(text))
    assert connection.execute("SELECT x FROM parvis_log").fetchall() == [(1,)]
    assert not connection.in_transaction


@pytest.mark.parametrize(
    "text",
    [
        "DROP TABLE parvis_log",
        "ALTER TABLE parvis_log ADD COLUMN y",
        "CREATE INDEX i ON parvis_log (x)",
        "CREATE TRIGGER t AFTER INSERT ON parvis_log BEGIN SELECT 1; END",
        "CREATE TABLE parvis_mine (x)",
        "INSERT INTO parvis_log VALUES (2)",
        "CREATE TEMP TABLE other (x)",
        "PRAGMA foreign_keys = OFF",
        "BEGIN",
        "COMMIT",
        "CREATE TABLE late (x REFERENCES mine (x) DEFERRABLE INITIALLY DEFERRED)",
    ],
)
def test_a_script_keeps_to_its_own_tables(
    sql: PluginSql, connection: sqlite3.Connection, text: str
) -> None:
    before = connection.execute("SELECT sql FROM sqlite_schema").fetchall()
    with pytest.raises(StatementRefused):
        sql.script(text)
    assert connection.execute("SELECT sql FROM sqlite_schema").fetchall() == before


def test_a_trigger_cannot_reach_the_stores_tables(sql: PluginSql) -> None:
    with pytest.raises(StatementRefused):
        sql.script(
            "CREATE TRIGGER t AFTER INSERT ON mine BEGIN DELETE FROM parvis_log; END;"
            "INSERT INTO mine VALUES (1)"
        )


def test_what_the_store_has_compiled_does_not_serve_a_plugin(
    sql: PluginSql, connection: sqlite3.Connection
) -> None:
    text = "SELECT x FROM parvis_log"
    for _ in range(3):
        assert connection.execute(text).fetchall() == [(1,)]
        with pytest.raises(StatementRefused):
            sql.query(Statement(text))
    insert = Statement("INSERT INTO mine VALUES (7) RETURNING x")
    sql.run(insert)
    with pytest.raises(StatementRefused):
        sql.query(insert)


@pytest.mark.parametrize("text", [ENDLESS, f"INSERT INTO mine {ENDLESS}"])
def test_a_statement_that_never_ends_is_refused(sql: PluginSql, text: str) -> None:
    with pytest.raises(StatementRefused, match="more than 2 million steps"):
        sql.run(Statement(text))


def test_a_write_that_never_ends_is_undone(sql: PluginSql, connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN")
    connection.execute("INSERT INTO mine VALUES (1)")
    with pytest.raises((TransactionLost, StatementRefused)):
        sql.run(Statement(f"INSERT INTO mine {ENDLESS}"))
    if connection.in_transaction:
        connection.execute("COMMIT")
    assert connection.execute("SELECT count(*) FROM mine").fetchone()[0] in (0, 1)


def test_the_limit_of_steps_is_each_statements_own(sql: PluginSql) -> None:
    counted = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 50000)"
    for _ in range(10):
        assert sql.query(Statement(f"{counted} SELECT count(*) FROM n")) == [(50000,)]


def test_a_conflict_that_rolls_everything_back_is_told_apart(
    sql: PluginSql, connection: sqlite3.Connection
) -> None:
    sql.run(Statement("INSERT INTO mine VALUES (1)"))
    connection.execute("BEGIN")
    with pytest.raises(TransactionLost):
        sql.run(Statement("INSERT OR ROLLBACK INTO mine VALUES (1)"))


@pytest.mark.parametrize(
    "args",
    [(2**64,), ("\ud800",), (object(),), ()],
    ids=["too large", "half a character", "an object", "too few"],
)
def test_a_value_that_cannot_be_bound_refuses_the_statement(
    sql: PluginSql, args: tuple[object, ...]
) -> None:
    with pytest.raises(StatementRefused):
        sql.run(Statement("INSERT INTO mine VALUES (?)", args))  # type: ignore[arg-type]  # on purpose  # pyright: ignore[reportArgumentType]


def test_full_text_search_works_on_every_connection(tmp_path: object) -> None:
    path = f"{tmp_path}/fts.db"
    writer = sqlite3.connect(path, isolation_level=None)
    sql = PluginSql(writer)
    sql.script("CREATE VIRTUAL TABLE word USING fts5 (text)")
    writer.execute("BEGIN")
    sql.run(Statement("INSERT INTO word VALUES (?)", ("a quick brown fox",)))
    writer.execute("COMMIT")
    writer.execute("BEGIN")
    sql.run(Statement("INSERT INTO word VALUES (?)", ("a lazy dog",)))
    writer.execute("ROLLBACK")
    find = Statement("SELECT text FROM word WHERE word MATCH ?", ("quick OR lazy",))
    assert sql.query(find) == [("a quick brown fox",)]
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("PRAGMA query_only = ON")
    assert PluginSql(reader).query(find) == [("a quick brown fox",)]
    for connection in (reader, writer):
        connection.close()


def test_a_script_is_split_where_its_statements_end() -> None:
    script = """
        CREATE TABLE a (x DEFAULT ';'); -- one; two
        CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;
        /* three; */ INSERT INTO a VALUES ('x;y')
    """
    assert [statement.split()[:2] for statement in split_script(script)] == [
        ["CREATE", "TABLE"],
        ["--", "one;"],
        ["/*", "three;"],
    ]
    assert split_script("") == []
    assert split_script("SELECT 1") == ["SELECT 1"]
