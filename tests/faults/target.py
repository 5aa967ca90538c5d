"""Servers that the faults are played against: Parvis, or any other that speaks a stock protocol.

The writers and the judgement know nothing but y-websocket or Hocuspocus; what a server is asked
beside is only to start, and its process to be killed or stopped.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shlex
import signal
import sqlite3
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from tests.faults.cluster import Cluster
from tests.faults.writers import HocuspocusWriter, StockWriter, YWriter
from tests.running import Server, start_server
from tests.services import program
from tests.stalled import stall_store

MiB: Final = 1024 * 1024

DIALECTS: Final[Mapping[str, type[StockWriter]]] = {
    "yjs": YWriter,
    "hocuspocus": HocuspocusWriter,
}


class Target(ABC):
    """A server under test.

    Attributes:
        port: Where it listens, the same after each start.
        parts: What of it can be attacked: ``process``, and perhaps ``memory``, and its store:
            ``sqlite``, or ``postgres`` and ``pooler``.
    """

    port: int
    parts: frozenset[str] = frozenset({"process"})

    @property
    @abstractmethod
    def pid(self) -> int:
        """The process that serves."""

    @abstractmethod
    def start(self) -> None:
        """Start it; returns when it listens."""

    @abstractmethod
    def kill(self) -> None:
        """End it and all of its processes by SIGKILL."""

    @abstractmethod
    def kill_one(self) -> None:
        """End the process that serves, and have it served again."""

    def tend(self) -> None:
        """See to it that it runs, if nobody else does."""
        return

    def stop(self) -> Callable[[], None]:
        """Stop the process that serves (SIGSTOP); return what lets it go on."""
        pid = self.pid
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)

        def go_on() -> None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        return go_on

    def squeeze(self, more: int = 8 * MiB) -> Callable[[], None]:
        """Let it have only so much more memory; return what lifts that."""
        pid = self.pid
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
            _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
            most = pages * resource.getpagesize() + more
            resource.prlimit(pid, resource.RLIMIT_AS, (most, hard))
        except (ProcessLookupError, FileNotFoundError):  # died, and is on its way
            return lambda: None

        def lift() -> None:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))

        return lift


class Parvis(Target):
    """A node of ours on SQLite."""

    parts = frozenset({"process", "memory", "sqlite"})

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        args: Sequence[str] = (),
    ) -> None:
        self.server: Server = start_server(folder, settings=settings, args=list(args))
        self.port = self.server.port

    @property
    def pid(self) -> int:
        return self.server.worker_pid

    def start(self) -> None:
        self.server.start()

    def kill(self) -> None:
        self.server.kill()

    def kill_one(self) -> None:
        with suppress(ProcessLookupError):  # it has died of an earlier fault, and is on its way
            self.server.kill_worker()

    def lock_store(self) -> Callable[[], None]:
        """Keep its store from writing; return what lets it again."""
        held = ExitStack()
        store = held.enter_context(stall_store(self.server))
        with suppress(sqlite3.OperationalError):  # held by the node for longer than we wait
            store.stall()
        return held.close

    def fill_disk(self) -> Callable[[], None]:
        """Let its files grow no more, as on a full disk; return what lets them again."""
        pid = self.pid
        files = (file for file in self.server.data.rglob("*") if file.is_file())
        largest = max((size_of(file) for file in files), default=0)
        try:
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, hard))
        except ProcessLookupError:  # died, and is on its way
            return lambda: None

        def lift() -> None:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

        return lift


class ParvisOnPostgres(Parvis):
    """A node of ours on a PostgreSQL of its own, perhaps through PgBouncer."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.parts = frozenset({"process", "memory", "postgres"})
        if cluster.pooled:
            self.parts |= {"pooler"}
        migrate = ["store", "migrate", "--store", cluster.database.owner]
        argv = [sys.executable, "-m", "parvis.server", *migrate, "--data", str(folder / "data")]
        done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stdout + done.stderr
        super().__init__(folder, args=["--store", cluster.url])


def size_of(file: Path) -> int:
    """Bytes of a file, which may be gone meanwhile."""
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0


class Command(Target):
    """Any server that a command line starts and that listens on a port."""

    def __init__(self, command: str, port: int) -> None:
        self.port = port
        self._argv = shlex.split(command)
        self._child: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        die_with_us = [str(program("setpriv", "util-linux")), "--pdeathsig", "KILL"]
        self._child = subprocess.Popen([*die_with_us, *self._argv], start_new_session=True)
        asyncio.run(_listening(self.port))

    def kill(self) -> None:
        if self._child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._child = None

    def kill_one(self) -> None:
        self.kill()
        self.start()

    def tend(self) -> None:
        if self._child is None or self._child.poll() is not None:
            self.kill()
            self.start()


async def _listening(port: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
