"""Backups that are cut short, changed, forged, foreign or too new; places and disks that are full.

Each ends in one clear line and a hint, with nothing lost and nothing half.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from parvis.server.backup import (
    BackupDamaged,
    BackupError,
    creating,
    layers,
    read_key,
    restoring,
    verify,
)
from parvis.server.backup.keeping import Keep, keep_of, outdated
from parvis.server.backup.progress import Progress
from parvis.storage import StoreUnavailable
from parvis.storage.conformance.belongings import NOTES
from tests.checkout import CHECKOUT
from tests.server.backup.conftest import Install, Run, everything, files, public_lines

SILENT = Progress(show=False)


def refused(run: Run, *words: str, data: Path) -> tuple[str, str, str]:
    """Run a command that fails; return its code, message and hint."""
    code, out, err = run(*words, "--json", data=data)
    assert (code, out) == (1, ""), (code, out, err)
    error = json.loads(err)["error"]
    return error["code"], error["message"], error["hint"]


# Damaged


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_backup_that_is_cut_short_is_found_out(
    run: Run, data: Path, key: Path, backup: Path, part: float
) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content[: int(len(content) * part)])
    code, message, hint = refused(run, "verify", str(backup), "--key", str(key), data=data)
    assert code == "backup_damaged", message
    assert hint


def test_no_byte_of_a_backup_can_be_changed(key: Path, backup: Path) -> None:
    content = backup.read_bytes()
    opener = read_key(key)
    for place in range(7, len(content), max(1, len(content) // 60)):
        changed = bytearray(content)
        changed[place] ^= 0x40
        backup.write_bytes(changed)
        with pytest.raises(BackupError):
            verify(backup, opener, SILENT)
    backup.write_bytes(content)
    assert verify(backup, opener, SILENT).expected


def test_two_backups_in_a_row_are_no_backup(key: Path, backup: Path) -> None:
    backup.write_bytes(backup.read_bytes() * 2)
    with pytest.raises(BackupDamaged):
        verify(backup, read_key(key), SILENT)


def test_a_damaged_backup_restores_nothing_that_a_node_would_open(
    run: Run, data: Path, key: Path, backup: Path, tmp_path: Path
) -> None:
    whole = backup.read_bytes()
    backup.write_bytes(whole[: len(whole) // 2])
    new = tmp_path / "new"
    code, _, _ = refused(run, "restore", str(backup), "--key", str(key), data=new)
    assert code == "backup_damaged"
    done = subprocess.run(
        [sys.executable, "-m", "parvis.server", "user", "list", "--data", str(new)],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        check=False,
    )
    assert done.returncode == 1
    assert "is being filled from backup" in done.stderr
    # And with the whole file it is finished.
    backup.write_bytes(whole)
    assert run("restore", str(backup), "--key", str(key), data=new)[0] == 0
    assert everything(new)["acme"] == everything(data)["acme"]


@pytest.mark.parametrize("content", [b"", b"not a backup", b"age-encryption.org/v1\nnonsense"])
def test_another_file_is_no_backup(
    run: Run, data: Path, key: Path, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    code, _, hint = refused(run, "verify", str(file), "--key", str(key), data=data)
    assert code == "backup_damaged"
    assert hint
    missing = str(tmp_path / "missing")
    assert "cannot be read" in refused(run, "verify", missing, "--key", str(key), data=data)[1]


def test_a_backup_that_somebody_else_made_for_this_key_is_not_believed(
    run: Run, data: Path, key: Path, tmp_path: Path
) -> None:
    """Whom to encrypt to is no secret; so anybody can make a file that this key opens."""
    other = tmp_path / "other"
    public = tmp_path / "public.txt"
    public.write_text(public_lines(key, "public key"))
    data.rename(other)
    (other / "control.db").unlink()
    assert run("create", "--key", str(public), data=other)[0] == 0
    (forged,) = (other / "backups").glob("*.age")
    code, message, hint = refused(
        run, "restore", str(forged), "--key", str(key), data=tmp_path / "new"
    )
    assert code == "backup_damaged"
    assert "the key file names" in message
    assert "signer" in hint


# Too new, foreign, in the wrong place


def test_another_key_opens_nothing(run: Run, data: Path, backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    assert run("key", str(other), data=data)[0] == 0
    code, message, hint = refused(run, "verify", str(backup), "--key", str(other), data=data)
    assert code == "wrong_key"
    assert "another key" in message
    assert hint


def test_a_backup_of_a_later_format_says_what_to_install(
    run: Run, data: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creating, "FORMAT", layers.FORMAT + 1)
    assert run("create", "--key", str(key), data=data)[0] == 0
    code, message, hint = refused(run, "verify", "--key", str(key), data=data)
    assert code == "backup_too_new"
    assert "format 2" in message
    assert "Install" in hint


def test_data_of_a_later_version_is_not_restored(
    run: Run, key: Path, backup: Path, tmp_path: Path, install: Install
) -> None:
    for known in ({"notes": NOTES[:1]}, {}):
        install(known)
        code, message, hint = refused(
            run, "restore", str(backup), "--key", str(key), data=tmp_path / "new"
        )
        assert code == "storage"
        assert "notes" in message
        assert "Install" in hint


def test_a_place_that_is_not_empty_is_left_alone(
    run: Run, data: Path, key: Path, backup: Path
) -> None:
    before, blobs = everything(data), files(data)
    code, message, hint = refused(run, "restore", str(backup), "--key", str(key), data=data)
    assert code == "storage"
    assert "not empty" in message
    assert hint
    assert (everything(data), files(data)) == (before, blobs)


def test_a_place_with_files_only_is_not_empty(
    run: Run, data: Path, key: Path, backup: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    new.mkdir()
    (data / "blobs").rename(new / "blobs")
    assert "files of" in refused(run, "restore", str(backup), "--key", str(key), data=new)[1]


def test_a_restore_that_failed_goes_on_with_the_same_backup_only(
    run: Run, data: Path, key: Path, backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new"

    async def full(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(restoring._Restoring, "_blob", full)  # pyright: ignore[reportPrivateUsage]
        refused(run, "restore", str(backup), "--key", str(key), data=new)
    assert run("create", "--key", str(key), "--to", str(tmp_path / "b"), data=data)[0] == 0
    (other,) = (tmp_path / "b").iterdir()
    code, message, _ = refused(run, "restore", str(other), "--key", str(key), data=new)
    assert (code, "is being filled from backup" in message) == ("storage", True)
    assert run("restore", str(backup), "--key", str(key), data=new)[0] == 0
    assert everything(new)["acme"] == everything(data)["acme"]
    assert files(new) == files(data)


# Full disks and kills


@contextmanager
def no_file_beyond(size: int) -> Generator[None]:
    """Let no file of this process grow beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, previous)


@pytest.mark.parametrize("size", [200_000, 600_000])
def test_a_disk_that_fills_up_leaves_no_file_that_looks_like_a_backup(
    run: Run, data: Path, key: Path, size: int, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    with no_file_beyond(size):
        code, message, hint = refused(
            run, "create", "--key", str(key), "--to", str(folder), data=data
        )
    assert code == "backup"
    assert "cannot be written" in message
    assert hint
    assert list(folder.iterdir()) == []


def test_a_backup_that_is_killed_leaves_nothing_that_counts(
    run: Run, data: Path, key: Path, tmp_path: Path
) -> None:
    code = (
        "import os, signal\n"
        "from parvis.server.backup import layers\n"
        "layers.Packer.end = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from parvis.server.commands.program import main\n"
        f"main(['backup', 'create', '--key', {str(key)!r}, '--keep', '1', '--data', {str(data)!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.suffix for path in (data / "backups").iterdir()] == [".part"]
    assert "there is no backup" in refused(run, "verify", "--key", str(key), data=data)[1]
    assert run("create", "--key", str(key), data=data)[0] == 0
    assert run("verify", "--key", str(key), data=data)[0] == 0
    assert [path.suffix for path in (data / "backups").iterdir()] == [".age"]


def test_a_damaged_store_or_file_fails_the_backup_instead_of_being_copied(
    run: Run, data: Path, key: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    words = ("create", "--key", str(key), "--to", str(folder))
    blob = next(path for path in (data / "blobs" / "acme").rglob("*") if path.stat().st_size > 9999)
    content = blob.read_bytes()
    blob.chmod(0o600)
    blob.write_bytes(content[:-1] + b"?")
    assert "is damaged" in refused(run, *words, data=data)[1]
    blob.write_bytes(content)
    with (data / "tenants" / "acme.db").open("r+b") as file:
        file.write(os.urandom(4096))
    code, message, hint = refused(run, *words, data=data)
    assert (code, hint) == ("storage", "Restore it from a backup.")
    assert "acme.db is damaged" in message
    assert list(folder.iterdir()) == []


# Keys


def test_a_key_file_is_for_its_owner_only_and_is_never_overwritten(
    run: Run, data: Path, key: Path
) -> None:
    before = key.read_text()
    assert key.stat().st_mode & 0o777 == 0o600
    code, message, _ = refused(run, "key", str(key), data=data)
    assert (code, "is there already" in message) == ("key_unusable", True)
    assert key.read_text() == before
    key.chmod(0o644)
    code, message, hint = refused(run, "create", "--key", str(key), data=data)
    assert (code, "others may read" in message, "chmod" in hint) == ("key_unusable", True, True)


@pytest.mark.parametrize("text", ["", "nonsense", "AGE-SECRET-KEY-1WRONG", "age1wrong"])
def test_a_file_that_holds_no_key_is_refused(
    run: Run, data: Path, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "no-key"
    file.write_text(text)
    code, _, hint = refused(run, "create", "--key", str(file), data=data)
    assert code == "key_unusable"
    assert hint
    assert refused(run, "create", "--key", str(tmp_path / "none"), data=data)[0] == "key_unusable"


def test_a_wrong_folder_is_not_made(run: Run, key: Path, tmp_path: Path) -> None:
    for command in ("create", "verify", "drill"):
        refused(run, command, "--key", str(key), data=tmp_path / "wrong")
        assert not (tmp_path / "wrong").exists()


def test_a_backup_without_a_key_is_not_made(run: Run, data: Path) -> None:
    code, _, err = run("create", data=data)
    assert code == 2
    assert "no key file is named" in err
    assert "--key" in err


def test_a_key_is_read_by_the_program_age_too(key: Path) -> None:
    lines = key.read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [lines[-1]]
    assert lines[-1].startswith("AGE-SECRET-KEY-1")
    assert replace(read_key(key), signer="").public in key.read_text()


# What stays


def names(*days: int) -> list[str]:
    return [f"202611{day:02}T030000Z-0123abcd.parvis.age" for day in days]


@pytest.mark.parametrize(
    ("keep", "gone"),
    [
        (Keep(), []),
        (Keep(newest=2), names(1, 2, 3)),
        (Keep(newest=9), []),
        (Keep(days=3), names(1)),
        (Keep(newest=1, days=3), names(1)),
        (Keep(newest=5, days=1), []),
    ],
)
def test_the_newest_and_the_young_stay(keep: Keep, gone: list[str]) -> None:
    others = ["notes.txt", "20261101T030000Z-0123abcd.parvis.age.part", "backup.age"]
    found = outdated([*names(1, 2, 3, 4, 5), *others], keep, oldest="20261102T000000Z")
    assert found == gone


def test_the_newest_stays_even_if_it_is_old() -> None:
    assert outdated(names(1, 2), Keep(days=1), oldest="20261130T000000Z") == names(1)


@pytest.mark.parametrize("rule", ["", "0", "0d", "d", "7w", "-1", "1.5"])
def test_a_rule_that_says_nothing_is_refused(run: Run, data: Path, key: Path, rule: str) -> None:
    words = ("create", "--key", str(key), f"--keep={rule}")
    assert "30d" in refused(run, *words, data=data)[2]
    assert keep_of(["14", "30d"]) == Keep(14, 30)
