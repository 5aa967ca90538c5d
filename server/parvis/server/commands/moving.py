"""``parvis migrate``: everything from one store into another, empty one."""

import argparse
import asyncio
import time
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import unquote

from parvis.storage.factory import open_archive, open_blobs, open_store
from parvis.storage.folder import hold_data_folder
from parvis.storage.transfer import Sums
from parvis.storage.urls import redacted

from ..backup.moving import copy_files, move
from ..backup.progress import Progress
from ..backup.restoring import Plugins
from ..settings import Settings
from .backups import blobs_of, known_migrations, progress_of, said
from .output import USAGE, CommandError, show_json, show_table
from .reach import require_folder


def migrate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Move everything; the source stays as it is."""
    require_folder(settings)
    source, target = settings.store_url, str(arguments.to)
    if source == target:
        raise CommandError(
            "both stores are the same", "Name another one with --to.", exit_code=USAGE
        )
    began = time.monotonic()
    with said(), _held(settings, target):
        progress = progress_of(arguments)
        found, files = asyncio.run(_migrate(settings, target, progress))
    tenants = {
        tenant: {
            "rooms": len(sums.rooms),
            "rows": sum(count for count, _ in sums.tables.values()),
        }
        for tenant, sums in found.items()
        if tenant is not None
    }
    if arguments.json:
        facts = {"source": redacted(source), "target": redacted(target), "tenants": tenants}
        show_json({**facts, "files": files, "seconds": round(time.monotonic() - began, 3)})
        return 0
    rows = [(name, str(each["rooms"]), str(each["rows"])) for name, each in tenants.items()]
    show_table(("TENANT", "ROOMS", "ROWS"), rows)
    print(f"all of it is in {redacted(target)}, and every checksum is the same")
    return 0


async def _migrate(
    settings: Settings, target: str, progress: Progress
) -> tuple[Mapping[str | None, Sums], int]:
    plugins = known_migrations(settings)
    if settings.store_url.startswith("sqlite:"):
        await _bring_up(settings.store_url, plugins)
    reading, writing = open_archive(settings.store_url), open_archive(target)
    try:
        files = await _files(settings, target, progress)
        found = await move(
            reading,
            writing,
            origin=redacted(settings.store_url),
            plugins=plugins,
            progress=progress,
        )
        return found, files
    finally:
        await reading.close()
        await writing.close()


async def _bring_up(url: str, plugins: Plugins) -> None:
    """Bring every tenant's tables to the version of this program, as a node does."""
    store, _ = open_store(url)
    try:
        for plugin, migrations in plugins.items():
            await store.migrate(plugin, migrations)
    finally:
        await store.close()


async def _files(settings: Settings, target: str, progress: Progress) -> int:
    """Copy files if they are beside the store, and the new one has a folder of its own."""
    folder = _folder(target)
    if settings.blobs.url != "folder" or folder is None or folder == settings.data:
        return 0
    source, beside = blobs_of(settings, alone=False), open_blobs(target, folder)
    try:
        return await copy_files(source, beside, progress)
    finally:
        await source.close()
        await beside.close()


@contextmanager
def _held(settings: Settings, target: str) -> Generator[None]:
    """Hold the data folders, so that no server changes what is read or filled."""
    folder = _folder(target)
    with ExitStack() as stack:
        for path in (settings.data, *([folder] if folder not in (None, settings.data) else [])):
            assert path is not None
            stack.callback(hold_data_folder(path, now=time.time()).release)
        yield


def _folder(url: str) -> Path | None:
    scheme, found, folder = url.partition("sqlite:///")
    return Path(unquote(folder)) if found and not scheme and folder else None
