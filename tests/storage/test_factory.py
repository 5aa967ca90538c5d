"""A store is opened by its URL."""

from pathlib import Path

import pytest

from parvis.storage import StorageError
from parvis.storage.factory import open_store
from tests.databases import Database


async def test_an_absolute_folder_has_four_slashes(tmp_path: Path) -> None:
    store, accounts = open_store(f"sqlite:///{tmp_path}/my%20data")
    assert store.kind == "sqlite"
    await store.open_room("acme", "plain/a", creator="u_ann", now=1)
    assert await accounts.users() == []
    await store.close()
    assert (tmp_path / "my data" / "tenants" / "acme.db").exists()


async def test_other_folders_are_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store, _ = open_store("sqlite:///./data")
    await store.close()
    assert (tmp_path / "data" / "control.db").exists()


async def test_memory_is_a_store_too() -> None:
    store, accounts = open_store("memory:")
    assert store.kind == "memory"
    assert await accounts.users() == []
    await store.close()


@pytest.mark.parametrize(
    "url", ["", "data", "sqlite:", "sqlite:data", "sqlite://data", "sqlite:///", "memory:x", "x:y"]
)
def test_a_url_that_names_no_store_says_what_was_expected(url: str) -> None:
    with pytest.raises(StorageError) as told:
        open_store(url)
    assert "sqlite:///" in f"{told.value} {told.value.hint}"


async def test_a_postgresql_database_is_a_store(database: Database) -> None:
    store, accounts = open_store(database.node)
    assert store.kind == "postgres"
    assert await accounts.users() == []
    await store.close()
