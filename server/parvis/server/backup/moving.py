"""Moves everything from one store into another, empty one: SQLite to PostgreSQL, or back."""

from collections.abc import Mapping

from parvis.storage import Blobs
from parvis.storage.archive import Archive, Cut
from parvis.storage.transfer import PrefixDiffers, Sums, fill, pages_of, sums_of

from .errors import BackupError
from .layers import scope_name
from .progress import Progress
from .restoring import Plugins


async def move(
    source: Archive, target: Archive, *, origin: str, plugins: Plugins, progress: Progress
) -> Mapping[str | None, Sums]:
    """Fill an empty store from another one that nobody changes meanwhile, and compare.

    Killed or failed, the same call goes on where it ended; a tenant that has changed since is
    loaded anew. No node opens the target before the end.

    Args:
        origin: Names the source, for the target and for messages.

    Raises:
        PlaceTaken: If the target is not empty.
        SchemaTooNew: If it does not know all of the data.
        BackupError: If what is there in the end is not what was read.
    """
    await target.begin(origin)
    found: dict[str | None, Sums] = {}
    try:
        todo = (*await source.tenants(), None)
        for number, tenant in enumerate(todo, 1):
            name = f"{scope_name(tenant)} ({number} of {len(todo)})"
            async with source.cut(tenant) as cut:
                progress.phase(name, cut.size)
                if tenant in await target.loaded():
                    expected = await sums_of(cut, progress.rows)
                else:
                    expected = await _load(target, tenant, cut, plugins, progress)
            async with target.cut(tenant) as there:
                progress.phase(f"reading back {name}", there.size)
                found[tenant] = await sums_of(there, progress.rows)
            _compare(scope_name(tenant), expected, found[tenant])
        await target.end()
    finally:
        progress.end()
    return found


async def copy_files(source: Blobs, target: Blobs, progress: Progress) -> int:
    """Copy all blobs that are not there yet; return how many there are."""
    count = 0
    try:
        for tenant in await source.tenants():
            progress.phase(f"files of {tenant}", 0)
            async for kept in source.kept(tenant):
                stream = await source.stream(tenant, kept.digest)
                if stream is not None:
                    taken = await target.take(tenant, stream.pieces, most=stream.size)
                    if taken != kept:
                        raise BackupError(f"the file {kept.digest} of {tenant} is damaged")
                    count += 1
    finally:
        progress.end()
    return count


async def _load(
    target: Archive, tenant: str | None, cut: Cut, plugins: Plugins, progress: Progress
) -> Sums:
    async with target.load(tenant, cut.layout, plugins) as load:
        try:
            sums = await fill(load, cut.layout, pages_of(cut), progress.rows)
        except PrefixDiffers:
            await load.restart()
            sums = await fill(load, cut.layout, pages_of(cut), progress.rows)
        await load.finish()
    return sums


def _compare(name: str, expected: Sums, found: Sums) -> None:
    if different := found.differences(expected):
        raise BackupError(
            f"{name} is not the same in both stores: {', '.join(different[:5])}",
            "Is a server writing to one of them? Stop it, empty the target, and try again.",
        )
