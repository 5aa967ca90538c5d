"""``parvis backup key``, ``create``, ``verify``, ``restore`` and ``drill``."""

import argparse
import asyncio
import datetime
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from parvis.storage import Blobs, StorageError
from parvis.storage.factory import open_archive, open_blobs
from parvis.storage.folder import hold_data_folder
from parvis.storage.s3_place import Lock, S3Place, s3_place
from parvis.storage.scratch import Scratch

from ..backup import BackupError, Created, Key, create, drill, make_key, read_key, restore, verify
from ..backup.drilling import Report
from ..backup.keeping import DAY, SUFFIX, keep_of, name_of, remove_outdated
from ..backup.layers import Manifest
from ..backup.progress import Progress
from ..backup.restoring import Plugins
from ..backup.sending import fetch, send
from ..backup.standing import note, textfile, write_whole
from ..clock import SystemClock, SystemRandom
from ..hosting.registry import installed
from ..settings import Settings
from ..tables import tables_of
from .output import USAGE, CommandError, show_facts, show_json, size
from .people import moment
from .reach import operate, reached, require_folder

NOTHING: Final = "0" * 64
"""A digest that nobody asks a signature for: only who would sign is wanted."""


def new_key(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make a key file."""
    signer = ""
    if settings.data.is_dir():
        signer = operate(settings, "backup_sign", _asked(NOTHING))["signer"]
    with said():
        key = make_key(Path(arguments.file), made=_today(), signer=signer)
    if arguments.json:
        show_json({"file": arguments.file, "public": key.public, "signer": signer or None})
        return 0
    print(key.public)
    print(
        f"{arguments.file} opens the backups, and nothing else does: keep copies of it away from"
        " this machine.",
        file=sys.stderr,
    )
    return 0


def make(settings: Settings, arguments: argparse.Namespace) -> int:
    """Make a backup of everything."""
    require_folder(settings)
    with said():
        key = read_key(_key_file(settings, arguments))
        keep = keep_of(arguments.keep or settings.backup.keep)
        place, lock_days = _upload(settings, arguments)
        folder = Path(arguments.to or settings.backup.folder or settings.data / "backups")
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        progress = progress_of(arguments)
        began = time.monotonic()
        created = asyncio.run(_create(settings, key, folder, progress))
        _note(settings.data, arguments, created=created.manifest.created)
        sent = None
        if place is not None:
            until = created.manifest.created + lock_days * DAY
            lock = Lock(settings.backup.lock_mode, until) if lock_days else None
            sent = asyncio.run(send(created.path, place, lock=lock, progress=progress))
        # Only now, when there is a new one.
        oldest = _stamp(created.manifest.created - (keep.days or 0) * DAY)
        removed = remove_outdated(folder, keep, oldest=oldest)
    facts = {
        **_facts(created.manifest),
        "file": str(created.path),
        "size": created.size,
        "seconds": round(time.monotonic() - began, 3),
        "uploaded": sent,
        "removed": removed,
    }
    if arguments.json:
        show_json(facts)
        return 0
    _show(facts)
    if created.manifest.vanished:
        print(f"{created.manifest.vanished} files were deleted meanwhile", file=sys.stderr)
    return 0


def check(settings: Settings, arguments: argparse.Namespace) -> int:
    """Read a backup to its end."""
    with said():
        key = read_key(_key_file(settings, arguments))
        progress = progress_of(arguments)
        with _local(settings, arguments, progress) as path:
            found = verify(path, key, progress)
    facts = {**_facts(found.manifest), "file": str(path), "expected_signer": found.expected}
    if arguments.json:
        show_json(facts)
    else:
        _show(facts)
        print("all of it is there, as it was written")
        if not found.expected:
            print("the key file does not say whose backups to believe", file=sys.stderr)
    return 0


def bring_back(settings: Settings, arguments: argparse.Namespace) -> int:
    """Fill an empty place from a backup."""
    with said():
        key = read_key(_key_file(settings, arguments))
        progress = progress_of(arguments)
        with _local(settings, arguments, progress) as path:
            verified = asyncio.run(_restore(settings, path, key, progress))
    facts = {**_facts(verified), "file": str(path), "data": str(settings.data)}
    if arguments.json:
        show_json(facts)
    else:
        _show(facts)
        print("all of it is back; everybody signs in again")
    return 0


def rehearse(settings: Settings, arguments: argparse.Namespace) -> int:
    """Restore a backup aside, compare, and report."""
    with said():
        key = read_key(_key_file(settings, arguments))
        progress = progress_of(arguments)
        with _local(settings, arguments, progress) as path:
            report = _drill(settings, path, key, arguments, progress)
            beside = path if arguments.report is None else Path(arguments.report)
            report.write(beside.with_name(beside.name.removesuffix(SUFFIX) + ".drill.json"))
        if report.ok and settings.data.is_dir():
            _note(settings.data, arguments, verified=report.verified)
    if arguments.json:
        show_json(report.as_json())
    else:
        print(report.as_text(), end="")
    return 0 if report.ok else 1


async def _create(settings: Settings, key: Key, folder: Path, progress: Progress) -> Created:
    now, id = time.time(), SystemRandom().bytes(16).hex()
    signer = (await reached(settings, "backup_sign", _asked(NOTHING)))["signer"]

    async def sign(digest: bytes) -> tuple[str, bytes]:
        signed = await reached(settings, "backup_sign", _asked(digest.hex()))
        return signed["signer"], bytes.fromhex(signed["signature"])

    archive, blobs = open_archive(settings.store_url), blobs_of(settings, alone=False)
    try:
        return await create(
            folder / name_of(_stamp(now), id),
            key,
            archive=archive,
            blobs=blobs,
            id=id,
            now=now,
            version=version("parvis"),
            signer=signer,
            sign=sign,
            progress=progress,
        )
    finally:
        await archive.close()
        await blobs.close()


async def _restore(settings: Settings, path: Path, key: Key, progress: Progress) -> Manifest:
    held = hold_data_folder(settings.data, now=time.time())
    try:
        archive, blobs = open_archive(settings.store_url), blobs_of(settings, alone=True)
        try:
            restored = await restore(
                path,
                key,
                archive=archive,
                blobs=blobs,
                plugins=known_migrations(settings),
                progress=progress,
            )
            return restored.verified.manifest
        finally:
            await archive.close()
            await blobs.close()
    finally:
        held.release()


def _drill(
    settings: Settings, path: Path, key: Key, arguments: argparse.Namespace, progress: Progress
) -> Report:
    scratch = Scratch(Path(arguments.work or tempfile.gettempdir()), "parvis-drill-")
    try:
        return asyncio.run(
            drill(
                path,
                key,
                place=scratch.path / "data",
                plugins=known_migrations(settings),
                clock=SystemClock(),
                progress=progress,
            )
        )
    finally:
        scratch.remove()


def known_migrations(settings: Settings) -> Plugins:
    """Return the migrations of all tables beside the store's own."""
    return tables_of(installed(settings))


def blobs_of(settings: Settings, *, alone: bool) -> Blobs:
    """Open the blobs; `alone` as for `open_blobs`."""
    where = settings.blobs
    return open_blobs(
        settings.store_url,
        settings.data,
        where.url,
        access_key=where.access_key,
        secret_key=where.secret_key,
        alone=alone,
    )


def _key_file(settings: Settings, arguments: argparse.Namespace) -> Path:
    file = arguments.key or settings.backup.key
    if not file:
        raise CommandError(
            "no key file is named",
            "Name one with --key or as backup.key; parvis backup key FILE makes one.",
            code="usage",
            exit_code=USAGE,
        )
    return Path(file)


def _upload(settings: Settings, arguments: argparse.Namespace) -> tuple[S3Place | None, float]:
    url = arguments.upload or settings.backup.upload
    days = settings.backup.lock_days if arguments.lock_days is None else arguments.lock_days
    return (_place(settings, url), days) if url else (None, 0)


def _place(settings: Settings, url: str) -> S3Place:
    keys = settings.backup
    return s3_place(url, access_key=keys.access_key, secret_key=keys.secret_key)


@contextmanager
def _local(
    settings: Settings, arguments: argparse.Namespace, progress: Progress
) -> Generator[Path]:
    """Give the file that is named, here; from S3 it is fetched. None named: the newest one."""
    file: str | None = arguments.file
    if file is None:
        folder = Path(settings.backup.folder or settings.data / "backups")
        found = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
        if not found:
            raise BackupError(f"there is no backup in {folder}", "Name the file of one.")
        yield found[-1]
        return
    if not file.startswith("s3:"):
        yield Path(file)
        return
    bare, question, query = file.partition("?")
    folder_url, _, name = bare.rpartition("/")
    scratch = Scratch(Path(tempfile.gettempdir()), "parvis-fetched-")
    try:
        target = scratch.path / name
        place = _place(settings, folder_url + question + query)
        asyncio.run(fetch(name, place, target, progress=progress))
        yield target
    finally:
        scratch.remove()


def _note(data: Path, arguments: argparse.Namespace, **moments: float) -> None:
    try:
        now = note(data, **moments)
        if arguments.textfile:
            write_whole(Path(arguments.textfile), textfile(now))
    except OSError as error:
        raise BackupError(f"it cannot be noted when this was done: {error}") from error


def progress_of(arguments: argparse.Namespace) -> Progress:
    """Return a bar for a terminal, and silence for everything else."""
    return Progress(show=sys.stderr.isatty() and not arguments.json)


@contextmanager
def said() -> Generator[None]:
    """Let errors of backups and stores end the command."""
    try:
        yield
    except BackupError as error:
        raise CommandError(str(error), error.hint, code=error.code) from error
    except StorageError as error:
        raise CommandError(str(error), error.hint, code="storage") from error
    except OSError as error:
        raise CommandError(f"{error.filename or ''}: {error.strerror}".lstrip(": ")) from error


def _asked(digest: str) -> dict[str, Any]:
    return {"digest": digest, "fresh": SystemRandom().bytes(32).hex()}


def _facts(manifest: Manifest) -> dict[str, Any]:
    tenants = {
        name.removeprefix("tenants/"): dict(counts)
        for name, counts in manifest.scopes.items()
        if name.startswith("tenants/")
    }
    return {
        "id": manifest.id,
        "created": manifest.created,
        "parvis": manifest.parvis,
        "signer": manifest.signer,
        "tenants": len(tenants),
        "rooms": sum(int(counts["rooms"]) for counts in tenants.values()),
        "files": manifest.blobs,
        "vanished": manifest.vanished,
    }


def _show(facts: Mapping[str, Any]) -> None:
    shown = dict(facts)
    shown["created"] = f"{moment(facts['created'])} UTC"
    if "size" in facts:
        shown["size"] = size(facts["size"])
    if "removed" in facts:
        shown["removed"] = len(facts["removed"])
    show_facts({name: value for name, value in shown.items() if value not in (None, 0, False)})


def _stamp(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y%m%dT%H%M%SZ}"


def _today() -> str:
    return f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
