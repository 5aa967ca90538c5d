"""Backups as an operator makes, checks and restores them: what comes back, and what does not."""

import asyncio
import io
import json
import tarfile
from pathlib import Path

import pyrage
import pytest

from parvis.server.backup.progress import Progress
from parvis.storage.factory import open_blobs, open_store
from parvis.storage.folder import hold_data_folder
from tests.s3 import ACCESS_KEY, S3, SECRET_KEY
from tests.server.backup.conftest import PICTURE, SECRET_TEXT, Run, everything, files, public_lines


def test_what_is_restored_is_what_was_there(
    run: Run, data: Path, key: Path, backup: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    before = everything(data)
    code, out, err = run("restore", str(backup), "--key", str(key), data=new)
    assert (code, err) == (0, "")
    assert "rooms    4" in out
    after = everything(new)
    assert set(after) == {"acme", "Globex", None}
    assert {name: sums for name, sums in after.items() if name is not None} == {
        name: sums for name, sums in before.items() if name is not None
    }
    assert files(new) == files(data)
    assert len(files(new)) == 4


async def test_one_time_things_do_not_come_back_and_revocations_do(
    run: Run, data: Path, key: Path, backup: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new"
    code, _, _ = await asyncio.to_thread(run, "restore", str(backup), "--key", str(key), data=new)
    assert code == 0
    store, accounts = open_store(f"sqlite:///{new}")
    assert [user.email for user in await accounts.users()] == ["Ann@example.org"]
    assert await accounts.secret("key", fresh=b"other") == b"secret"
    assert await accounts.revoked(now=5001) == ["stolen"]
    assert await accounts.sign_in(b"browser", now=0) is None
    assert [link.id for link in await accounts.links("invitation", "acme", now=0)] == ["l_1"]
    assert await accounts.links("reset", "acme", now=0) == []
    assert await accounts.secret("setup", fresh=b"fresh") == b"fresh"
    await store.close()


def test_a_backup_says_what_is_in_it_and_verify_says_the_same(
    run: Run, data: Path, key: Path
) -> None:
    code, out, err = run("create", "--key", str(key), "--json", data=data)
    assert (code, err) == (0, "")
    made = json.loads(out)
    assert (made["tenants"], made["rooms"], made["files"], made["vanished"]) == (2, 4, 4, 0)
    code, out, _ = run("verify", made["file"], "--key", str(key), "--json", data=data)
    found = json.loads(out)
    assert code == 0
    assert found["expected_signer"] is True
    same = ("id", "created", "parvis", "signer", "tenants", "rooms", "files", "file")
    assert {name: found[name] for name in same} == {name: made[name] for name in same}


def test_nothing_of_what_is_in_a_backup_can_be_read_without_its_key(backup: Path) -> None:
    content = backup.read_bytes()
    for secret in (SECRET_TEXT, b"parvis_user", b"Ann@example.org", b"acme"):
        assert secret not in content
    assert backup.stat().st_mode & 0o777 == 0o600


def test_common_tools_open_a_backup_when_parvis_is_gone(backup: Path, key: Path) -> None:
    """By age and tar alone: age -d -i key.txt FILE | tar x."""
    secret = key.read_text().split()[-1]
    plain = pyrage.decrypt(backup.read_bytes(), [pyrage.x25519.Identity.from_str(secret)])
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        names = archive.getnames()
        picture = next(name for name in names if name.startswith("blobs/%47lobex/"))
        content = archive.extractfile(picture)
        assert content is not None and content.read() == PICTURE
    assert names[0] == "parvis-backup.json"
    assert names[-2:] == ["manifest.json", "manifest.sig"]
    assert "tenants/acme/parvis_log/000001.msgpack.gz" in names
    assert "accounts/parvis_user/000001.msgpack.gz" in names


def test_a_node_without_the_secret_makes_backups_it_cannot_open(
    run: Run, data: Path, key: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public.txt"
    public.write_text(public_lines(key))
    assert run("create", "--key", str(public), data=data)[0] == 0
    code, _, err = run("verify", "--key", str(public), data=data)
    assert code == 1
    assert "opens no backup" in err
    assert run("verify", "--key", str(key), data=data)[0] == 0


def test_the_newest_backup_is_verified_if_none_is_named(
    run: Run, data: Path, key: Path, backup: Path
) -> None:
    code, out, _ = run("verify", "--key", str(key), "--json", data=data)
    assert (code, json.loads(out)["file"]) == (0, str(backup))


def test_settings_name_the_key_the_folder_and_what_stays(
    run: Run, data: Path, key: Path, tmp_path: Path
) -> None:
    config = tmp_path / "parvis.toml"
    folder = tmp_path / "elsewhere"
    config.write_text(f'[backup]\nkey = "{key}"\nfolder = "{folder}"\nkeep = ["2"]\n')
    for _ in range(4):
        assert run("create", "--config", str(config), data=data)[0] == 0
    assert len(list(folder.iterdir())) == 2
    assert run("verify", "--config", str(config), data=data)[0] == 0


# While others work


async def test_a_backup_is_made_while_another_process_holds_the_folder(
    run: Run, data: Path, key: Path
) -> None:
    """Except that somebody must sign: a node does, a process without a socket cannot."""
    held = hold_data_folder(data, now=0)
    code, _, err = await asyncio.to_thread(run, "create", "--key", str(key), data=data)
    held.release()
    assert code == 1
    assert "does not answer" in err
    assert not (data / "backups").exists() or list((data / "backups").iterdir()) == []


async def test_a_file_that_is_deleted_while_it_is_backed_up_is_in_the_backup(
    run: Run, data: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parvis.server.backup import creating

    blobs = open_blobs("sqlite:///x", data)
    digests = [kept.digest async for kept in blobs.kept("acme")]
    scope = creating._scope  # pyright: ignore[reportPrivateUsage] - the moment in between

    async def delete_meanwhile(*arguments: object) -> dict[str, object]:
        for digest in digests:
            await blobs.delete("acme", digest)
        return await scope(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(creating, "_scope", delete_meanwhile)
    before = files(data)
    assert (await asyncio.to_thread(run, "create", "--key", str(key), data=data))[0] == 0
    assert len(files(data)) == 1
    (file,) = (data / "backups").glob("*.age")
    new = tmp_path / "new"
    code, _, _ = await asyncio.to_thread(run, "restore", str(file), "--key", str(key), data=new)
    assert code == 0
    assert files(new) == before


# Drills


def test_a_drill_restores_compares_and_reports(
    run: Run, data: Path, key: Path, backup: Path, tmp_path: Path
) -> None:
    metrics = tmp_path / "parvis.prom"
    words = ("--key", str(key), "--work", str(tmp_path), "--textfile", str(metrics))
    code, out, err = run("drill", *words, data=data)
    assert (code, err) == (0, "")
    assert "acme: 3 rooms compared" in out
    report = json.loads(backup.with_name(f"{backup.name[:25]}.drill.json").read_bytes())
    assert report["ok"] is True
    assert report["tenants"]["acme"]["rooms"] == 3
    assert backup.with_name(f"{backup.name[:25]}.drill.txt").read_text() == out
    standing = json.loads((data / "backups.json").read_bytes())
    assert standing["verified"] == report["verified"] > standing["created"] > 0
    assert (
        f"parvis_backup_last_verified_timestamp_seconds {report['verified']}\n"
        in metrics.read_text()
    )
    assert [path for path in tmp_path.iterdir() if path.name.startswith("parvis-drill")] == []


def test_a_drill_of_a_damaged_backup_fails_and_says_so(
    run: Run, data: Path, key: Path, backup: Path
) -> None:
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    backup.write_bytes(content)
    code, out, _ = run("drill", "--key", str(key), "--json", data=data)
    report = json.loads(out)
    assert (code, report["ok"]) == (1, False)
    assert "changed" in report["error"]
    assert json.loads((data / "backups.json").read_bytes())["verified"] == 0


# Elsewhere


def test_a_backup_goes_to_s3_locked_and_comes_back_from_there(
    run: Run, data: Path, key: Path, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_BACKUP__ACCESS_KEY", ACCESS_KEY)
    monkeypatch.setenv("PARVIS_BACKUP__SECRET_KEY", SECRET_KEY)
    place = s3.url(s3.bucket(locking=True), "parvis")
    words = ("--upload", place, "--lock-days", "30", "--json")
    code, out, err = run("create", "--key", str(key), *words, data=data)
    assert (code, err) == (0, "")
    made = json.loads(out)
    name = Path(made["file"]).name
    bare, _, query = place.partition("?")
    assert made["uploaded"] == f"{bare}/{name}"
    Path(made["file"]).unlink()
    new = tmp_path / "new"
    code, _, err = run("restore", f"{bare}/{name}?{query}", "--key", str(key), data=new)
    assert (code, err) == (0, "")
    assert everything(new)["acme"] == everything(data)["acme"]
    code, _, err = run("verify", f"{bare}/nothing?{query}", "--key", str(key), data=new)
    assert code == 1
    assert "there is no s3://" in err
    assert SECRET_KEY not in err


def test_a_bucket_that_cannot_lock_fails_the_command_and_leaves_the_file(
    run: Run, data: Path, key: Path, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARVIS_BACKUP__ACCESS_KEY", ACCESS_KEY)
    monkeypatch.setenv("PARVIS_BACKUP__SECRET_KEY", SECRET_KEY)
    words = ("--upload", s3.url(s3.bucket()), "--lock-days", "30")
    code, _, err = run("create", "--key", str(key), *words, data=data)
    assert code == 1
    assert "object lock" in err
    assert run("verify", "--key", str(key), data=data)[0] == 0


def test_a_bar_is_drawn_on_a_terminal_only() -> None:
    for show, lines in ((True, "50%  tenants/acme"), (False, "")):
        out = io.StringIO()
        progress = Progress(show=show, out=out)
        progress.phase("tenants/acme", 1000)
        progress.bytes(500)
        drawn = out.getvalue()
        assert lines in drawn
        assert bool(drawn) is show
        progress.end()
