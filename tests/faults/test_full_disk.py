"""A disk without room: work goes on unsaved, and is saved when there is room again."""

import asyncio
import os
import resource
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pycrdt import Map

from parvis.client import connect
from tests.faults import ways_in
from tests.faults.bystander import marks, within, works
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server

MiB: Final = 1024 * 1024
SIZE: Final = 32 * MiB


@contextmanager
def small_disk(folder: Path) -> Generator[bool]:
    """Mount a small file system, if we may; False if we may not."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "parvis-test", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Callable[[], None]:
    """Take all that is left of a small file system; return what gives it back."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), bytes(4096))
        except OSError:
            pass
    return ballast.unlink


def forbid_growth(server: Server) -> Callable[[], None]:
    """Let the node's files grow no more, as on a full disk; return what lets them again."""
    largest = max(file.stat().st_size for file in server.data.rglob("*") if file.is_file())
    worker = server.worker_pid
    _, hard = resource.prlimit(worker, resource.RLIMIT_FSIZE)
    resource.prlimit(worker, resource.RLIMIT_FSIZE, (largest, hard))

    def allow() -> None:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (hard, hard))

    return allow


async def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data") as mounted, start_server(tmp_path) as server:
        worker = server.worker_pid
        async with (
            connect(ways_in.native(server), random=Promptly(1)) as session,
            connect(ways_in.native(server), random=Promptly(9_000)) as other,
        ):
            part = await session.join("plain/full")
            watched = await other.join("plain/full")
            marks(part.doc)["before"] = 1
            await within(part.saved())

            make_room = fill(server.data) if mounted else forbid_growth(server)
            values: Map[str] = part.doc.get("values", type=Map)
            waits = asyncio.Event()
            part.on_store(lambda waiting: waits.set() if waiting else None)
            for at in range(64):
                values[f"page-{at}"] = "x" * 64 * 1024
            marks(part.doc)["unsaved"] = 1
            await within(waits.wait())
            assert part.unsaved, "everything was saved on a disk without room"

            make_room()
            await within(part.saved())
            marks(part.doc)["after"] = 1
            await within(part.saved())
            assert not part.store_waits
            assert watched.joined
        assert server.worker_pid == worker
        held = {"before": 1.0, "unsaved": 1.0, "after": 1.0}
        await works(server, "plain/full", holds=held)
        server.restart()
        await works(server, "plain/full", holds=held)
