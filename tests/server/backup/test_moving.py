"""``parvis migrate`` and backups with a real PostgreSQL: everything there, and everything back."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from parvis.server.commands.program import main
from parvis.storage import Accounts, Store, StoreUnavailable
from parvis.storage.conformance.belongings import NOTES
from parvis.storage.conformance.places import Place, all_sums
from parvis.storage.factory import open_store
from parvis.storage.folder import hold_data_folder
from parvis.storage.postgres import open_postgres
from parvis.storage.postgres.archive import PostgresArchive
from tests.checkout import CHECKOUT
from tests.databases import Database
from tests.server.backup.conftest import Run, everything, files

Migrate = Callable[..., tuple[int, str, str]]


@pytest.fixture
def migrate(capsys: pytest.CaptureFixture[str], run: Run) -> Migrate:
    """Run ``parvis migrate`` in this process; returns exit code, stdout and stderr."""

    def migrate(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main(["migrate", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return migrate


@pytest.fixture
def prepared(database: Database) -> Database:
    """An empty database with the tables of the plugin, too."""

    async def prepare() -> None:
        store, _ = open_postgres(database.node, owner=database.owner)
        await store.migrate("notes", NOTES)
        await store.close()

    asyncio.run(prepare())
    return database


def in_postgres(database: Database) -> object:
    """Return the checksums of all that a database holds."""

    async def store() -> tuple[Store, Accounts]:
        return open_store(database.node)

    async def archive() -> PostgresArchive:
        return PostgresArchive(database.node)

    return asyncio.run(all_sums(Place("database", store, archive)))


def test_everything_moves_to_postgresql_and_back(
    migrate: Migrate, data: Path, prepared: Database, tmp_path: Path
) -> None:
    code, out, err = migrate("--data", str(data), "--to", prepared.node, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["tenants"]["acme"]["rooms"] == 3
    before = everything(data)
    assert in_postgres(prepared) == before
    back = tmp_path / "back"
    code, out, err = migrate(
        *("--data", str(data), "--store", prepared.node, "--to", f"sqlite:///{back}")
    )
    assert (code, err) == (0, "")
    assert "every checksum is the same" in out
    assert everything(back) == before
    assert files(back) == files(data)
    assert len(files(back)) == 4


def test_a_move_that_was_interrupted_goes_on(
    migrate: Migrate, data: Path, prepared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--data", str(data), "--to", prepared.node)

    async def broken(self: PostgresArchive) -> None:
        raise StoreUnavailable("the connection is lost")

    with monkeypatch.context() as patched:
        patched.setattr(PostgresArchive, "end", broken)
        code, _, err = migrate(*words)
    assert (code, "connection is lost" in err) == (1, True)
    with pytest.raises(Exception, match="is being filled from sqlite"):
        open_store(prepared.node)
    assert migrate(*words)[0] == 0
    assert in_postgres(prepared) == everything(data)


KILLED = """
import os, signal, sys
from parvis.server.commands import moving
from parvis.server.commands.program import main
from parvis.storage.conformance.belongings import NOTES
from parvis.storage.postgres import archive

moving.known_migrations = lambda settings: {"notes": NOTES}
add, left = archive._Load.add, int(sys.argv[3])

async def add_or_die(self, *arguments):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    await add(self, *arguments)

archive._Load.add = add_or_die
sys.exit(main(["migrate", "--data", sys.argv[1], "--to", sys.argv[2]]))
"""


def test_a_move_that_is_killed_again_and_again_ends_with_all_of_it(
    data: Path, prepared: Database
) -> None:
    ends: list[int] = []
    while not ends or ends[-1]:
        argv = [sys.executable, "-c", KILLED, str(data), prepared.node, "5"]
        ends.append(subprocess.run(argv, cwd=CHECKOUT, check=False).returncode)
        assert ends[-1] in (0, -signal.SIGKILL)
    assert len(ends) >= 3
    assert in_postgres(prepared) == everything(data)


def test_a_target_that_is_not_empty_is_left_alone(
    migrate: Migrate, data: Path, prepared: Database, tmp_path: Path
) -> None:
    words = ("--data", str(data), "--to", prepared.node)
    assert migrate(*words)[0] == 0
    before = in_postgres(prepared)
    code, _, err = migrate(*words)
    assert (code, "not empty" in err, "Name an empty database" in err) == (1, True, True)
    assert "--store" not in err  # which would be where it comes from
    assert in_postgres(prepared) == before


def test_nothing_moves_while_a_server_holds_the_folder(
    migrate: Migrate, data: Path, prepared: Database
) -> None:
    held = hold_data_folder(data, now=0)
    code, _, err = migrate("--data", str(data), "--to", prepared.node)
    held.release()
    assert (code, "is in use by" in err) == (1, True)


@pytest.mark.parametrize("target", ["nonsense", "sqlite:", "memory:", "mysql://x"])
def test_a_target_that_is_no_store_is_said(migrate: Migrate, data: Path, target: str) -> None:
    code, _, err = migrate("--data", str(data), "--to", target)
    assert (code, "hint:" in err) == (1, True)


def test_the_same_store_twice_is_a_slip(migrate: Migrate, data: Path) -> None:
    code, _, err = migrate("--data", str(data), "--to", f"sqlite:///{data}")
    assert (code, "the same" in err) == (2, True)


def test_a_backup_of_postgresql_is_restored_into_a_folder_and_one_of_a_folder_there(
    migrate: Migrate,
    run: Run,
    data: Path,
    key: Path,
    backup: Path,
    prepared: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = tmp_path / "other"
    words = ("--key", str(key), "--store", prepared.node)
    code, _, err = run("restore", str(backup), *words, data=other)
    assert (code, err) == (0, "")
    assert files(other) == files(data)
    code, out, err = run("create", *words, "--json", data=other)
    # It has the signing key of the first node, since it has all of its secrets.
    assert (code, err) == (0, "")
    new = tmp_path / "new"
    assert run("restore", json.loads(out)["file"], "--key", str(key), data=new)[0] == 0
    before, after = everything(data), everything(new)
    for tenant in ("acme", "Globex"):
        assert after[tenant] == before[tenant]
