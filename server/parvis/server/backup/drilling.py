"""A drill: restore a backup aside, open it as a node would, compare every room, and report."""

import dataclasses
import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parvis.storage import StorageError
from parvis.storage.factory import open_archive, open_blobs, open_store

from ..ports import Clock
from .errors import BackupError
from .keys import Key
from .progress import Progress
from .restoring import Plugins, Restored, restore

PAGE = 500


@dataclass(frozen=True, slots=True)
class Report:
    """What a drill has found.

    Attributes:
        created: When the backup was made, seconds since the epoch; 0 if it could not be read.
        verified: When the drill began.
        tenants: Tenant → rooms whose checksum was compared, and rows.
        error: Empty if all went well.
    """

    backup: str
    verified: float
    seconds: float
    id: str = ""
    created: float = 0.0
    parvis: str = ""
    signer: str = ""
    tenants: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    blobs: int = 0
    error: str = ""
    hint: str = ""

    @property
    def ok(self) -> bool:
        """Whether all of the backup can be restored."""
        return not self.error

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"ok": self.ok, **dataclasses.asdict(self)}

    def as_text(self) -> str:
        """Return it for people."""
        lines = [f"Drill of {self.backup}", f"begun     {_moment(self.verified)}"]
        lines.append(f"took      {self.seconds:.1f} s")
        if self.created:
            lines.append(f"backup    {self.id}, of {_moment(self.created)}, Parvis {self.parvis}")
            lines.append(f"signer    {self.signer}")
        for tenant, counts in self.tenants.items():
            lines.append(
                f"tenant    {tenant}: {counts['rooms']} rooms compared, {counts['rows']} rows"
            )
        if self.ok:
            lines += [f"files     {self.blobs}", "result    all of it can be restored"]
        else:
            lines += [f"result    FAILED: {self.error}", *([self.hint] if self.hint else [])]
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> None:
        """Write both forms: `path` with .json and .txt instead of its last suffix.

        Raises:
            BackupError: If they cannot be written.
        """
        try:
            text = json.dumps(self.as_json(), ensure_ascii=False, indent=2)
            path.with_suffix(".json").write_text(text + "\n")
            path.with_suffix(".txt").write_text(self.as_text())
        except OSError as error:
            raise BackupError(f"the report cannot be written: {error}") from error


async def drill(
    path: Path,
    key: Key,
    *,
    place: Path,
    plugins: Plugins,
    clock: Clock,
    progress: Progress,
) -> Report:
    """Restore a backup into an empty folder and compare; what goes wrong is in the report."""
    begun, start = clock.time(), clock.monotonic()
    try:
        restored = await _restore(path, key, place, plugins, progress)
    except (BackupError, StorageError) as error:
        seconds = clock.monotonic() - start
        return Report(str(path), begun, seconds, error=str(error), hint=error.hint)
    manifest = restored.verified.manifest
    return Report(
        backup=str(path),
        verified=begun,
        seconds=clock.monotonic() - start,
        id=manifest.id,
        created=manifest.created,
        parvis=manifest.parvis,
        signer=manifest.signer,
        tenants={
            tenant: {
                "rooms": len(sums.rooms),
                "rows": sum(count for count, _ in sums.tables.values()),
            }
            for tenant, sums in restored.sums.items()
            if tenant is not None
        },
        blobs=manifest.blobs,
    )


async def _restore(
    path: Path, key: Key, place: Path, plugins: Plugins, progress: Progress
) -> Restored:
    url = f"sqlite:///{place}"
    archive, blobs = open_archive(url), open_blobs(url, place)
    try:
        restored = await restore(
            path, key, archive=archive, blobs=blobs, plugins=plugins, progress=progress
        )
    finally:
        await archive.close()
        await blobs.close()
    await _open(url, plugins, restored)
    return restored


async def _open(url: str, plugins: Plugins, restored: Restored) -> None:
    """Open the store as a node does. Raises `BackupError` if rooms are missing in it."""
    store, accounts = open_store(url)
    try:
        for plugin, migrations in plugins.items():
            await store.migrate(plugin, migrations)
        await accounts.users()
        for tenant, sums in restored.sums.items():
            if tenant is None:
                continue
            after, living = "", 0
            while page := await store.rooms(tenant, after=after, limit=PAGE):
                after, living = page[-1].room, living + len(page)
                if unknown := [each.room for each in page if each.room not in sums.rooms]:
                    raise BackupError(f"{tenant}: nobody knows the room {unknown[0]}")
            for room in sums.rooms:
                if await store.room(tenant, room) is None:
                    raise BackupError(f"{tenant}: the room {room} is missing")
    finally:
        await store.close()


def _moment(seconds: float) -> str:
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
