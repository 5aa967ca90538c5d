"""A database that a node cannot use is refused at once, with what to do about it."""

import re
from collections.abc import Iterator

import pytest

from parvis.storage import SchemaTooNew, StorageError, StoreUnavailable
from parvis.storage.conformance.base import BOOKINGS
from parvis.storage.postgres import migrate_postgres, open_postgres
from parvis.storage.urls import redacted
from tests.databases import NODE, OWNER, Database, Databases
from tests.services import Postgres, free_port


def refusal(url: str) -> StorageError:
    """Return why a store is not opened; a reason without a hint helps nobody."""
    with pytest.raises(StorageError) as told:
        open_postgres(url)
    assert told.value.hint
    return told.value


@pytest.fixture
def empty(databases: Databases) -> Iterator[Database]:
    with databases.empty() as database:
        yield database


def test_a_superuser_is_refused(database: Database) -> None:
    told = refusal(database.server.url(database.name))
    assert re.search("postgres is a superuser", str(told))
    assert "IN ROLE parvis_app" in told.hint


def test_a_role_that_row_level_security_does_not_hold_is_refused(database: Database) -> None:
    database.execute("CREATE ROLE free LOGIN BYPASSRLS IN ROLE parvis_app")
    try:
        assert "has BYPASSRLS" in str(refusal(database.server.url(database.name, "free")))
    finally:
        database.execute("DROP ROLE free")


def test_the_owner_of_the_tables_is_refused(database: Database) -> None:
    database.execute(f"GRANT parvis_app TO {OWNER}")
    try:
        told = refusal(database.owner)
    finally:
        database.execute(f"REVOKE parvis_app FROM {OWNER}")
    assert "owns parvis.parvis_" in str(told)


def test_a_role_that_may_not_use_the_tables_is_told_who_may(database: Database) -> None:
    database.execute("CREATE ROLE stranger LOGIN")
    try:
        told = refusal(database.server.url(database.name, "stranger"))
    finally:
        database.execute("DROP ROLE stranger")
    assert "GRANT parvis_app TO stranger" in told.hint


def test_a_database_without_tables_names_the_command_that_makes_them(empty: Database) -> None:
    told = refusal(empty.node)
    assert "no tables of Parvis yet" in str(told)
    assert "parvis store migrate" in told.hint


async def test_somebody_elses_database_is_left_alone(empty: Database) -> None:
    empty.execute("CREATE TABLE invoices (number INT)")
    told = refusal(empty.node)
    assert "somebody else's: it holds public.invoices" in str(told)
    with pytest.raises(StorageError, match=r"somebody else's: it holds public\.invoices"):
        await migrate_postgres(empty.owner, {})
    assert empty.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'parvis%'") == "0"


def test_tables_of_a_later_version_are_refused(database: Database) -> None:
    was = database.execute("SELECT schema_version, compat_version FROM parvis.parvis_schema")
    version, compat = was.split("|")
    try:
        database.execute("UPDATE parvis.parvis_schema SET schema_version = 99")
        open_postgres(database.node)  # they only add what this version may ignore
        database.execute("UPDATE parvis.parvis_schema SET compat_version = 98")
        told = refusal(database.node)
    finally:
        database.execute(
            f"UPDATE parvis.parvis_schema SET schema_version = {version}, compat_version = {compat}"
        )
    assert isinstance(told, SchemaTooNew)
    assert "has schema 99" in str(told)


def test_tables_of_an_earlier_version_name_the_command_that_changes_them(
    database: Database,
) -> None:
    version = database.execute("SELECT schema_version FROM parvis.parvis_schema")
    try:
        database.execute("UPDATE parvis.parvis_schema SET schema_version = 1")
        told = refusal(database.node)
    finally:
        database.execute(f"UPDATE parvis.parvis_schema SET schema_version = {version}")
    assert "has schema 1, and this version of Parvis needs" in str(told)
    assert "parvis store migrate" in told.hint


def test_a_server_that_takes_no_writes_is_unavailable(database: Database) -> None:
    database.execute(f"ALTER ROLE {NODE} SET default_transaction_read_only TO on")
    try:
        told = refusal(database.node)
    finally:
        database.execute(f"ALTER ROLE {NODE} RESET default_transaction_read_only")
    assert isinstance(told, StoreUnavailable)
    assert "set to read only" in str(told)


def test_a_server_that_is_not_there_is_unavailable() -> None:
    told = refusal(f"postgresql://parvis@127.0.0.1:{free_port()}/parvis")
    assert isinstance(told, StoreUnavailable)
    assert "Is PostgreSQL running" in told.hint


def test_a_database_that_is_not_there_is_named(postgres: Postgres) -> None:
    told = refusal(postgres.url("nowhere"))
    assert 'database "nowhere" does not exist' in str(told)
    assert "CREATE DATABASE" in told.hint


def test_a_url_that_cannot_be_read_says_what_was_expected() -> None:
    assert "postgresql://USER" in refusal("postgresql://127.0.0.1:port/parvis").hint


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:////srv/data", "sqlite:////srv/data"),
        ("postgresql://host/parvis", "postgresql://host/parvis"),
        ("postgresql://ann:s3cr@t@host:1/parvis", "postgresql://ann:…@host:1/parvis"),
        ("postgres://host/p?user=a&password=s3cret", "postgres://host/p?user=a&password=…"),
        ("postgresql://ann:s3cret@[host/p", "postgresql:…"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert redacted(url) == shown


async def test_a_node_makes_no_tables_by_itself(database: Database) -> None:
    store, _ = open_postgres(database.node)
    with pytest.raises(StorageError, match=r"tables of calendar lack migration 1") as told:
        await store.migrate("calendar", BOOKINGS)
    assert "parvis store migrate" in told.value.hint
    await store.close()
