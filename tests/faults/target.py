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
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from tests.faults.writers import HocuspocusWriter, StockWriter, YWriter
from tests.running import Server, start_server
from tests.stalled import stall_store

MiB: Final = 1024 * 1024

DIALECTS: Final[Mapping[str, type[StockWriter]]] = {
    "yjs": YWriter,
    "hocuspocus": HocuspocusWriter,
}


def _nothing() -> None:
    """There was nothing to undo."""


class Target(ABC):
    """A server under test.

    Attributes:
        port: Where it listens, the same after each start.
    """

    port: int

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

    def stop(self) -> Callable[[], None]:
        """Stop the process that serves (SIGSTOP); return what lets it go on."""
        pid = self.pid
        os.kill(pid, signal.SIGSTOP)

        def go_on() -> None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        return go_on

    def lock_store(self) -> Callable[[], None]:
        """Keep its store from writing, if we know how; return what lets it again."""
        return _nothing

    def fill_disk(self) -> Callable[[], None]:
        """Let its files grow no more, as on a full disk; return what lets them again."""
        return _nothing

    def squeeze(self, more: int = 8 * MiB) -> Callable[[], None]:
        """Let it have only so much more memory; return what lifts that."""
        pid = self.pid
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
        _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (pages * resource.getpagesize() + more, hard))

        def lift() -> None:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_AS, (hard, hard))

        return lift


class Parvis(Target):
    """A node of ours."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.server: Server = start_server(folder, settings=settings)
        self.port = self.server.port

    @property
    def pid(self) -> int:
        return self.server.worker_pid

    def start(self) -> None:
        self.server.start()

    def kill(self) -> None:
        self.server.kill()

    def lock_store(self) -> Callable[[], None]:
        held = ExitStack()
        store = held.enter_context(stall_store(self.server))
        with suppress(sqlite3.OperationalError):  # held by the node for longer than we wait
            store.stall()
        return held.close

    def fill_disk(self) -> Callable[[], None]:
        pid = self.pid
        files = (file for file in self.server.data.rglob("*") if file.is_file())
        largest = max((file.stat().st_size for file in files), default=0)
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (largest, hard))

        def lift() -> None:
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))

        return lift

    def kill_one(self) -> None:
        with suppress(ProcessLookupError):  # it has died of an earlier fault, and is on its way
            self.server.kill_worker()


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
        self._child = subprocess.Popen(self._argv, start_new_session=True)
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
