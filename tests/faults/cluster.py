"""A PostgreSQL, perhaps behind a PgBouncer, that crashes, stands still and comes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.databases import NODE, Database, Databases
from tests.faults.aside import ProxyAside
from tests.services import (
    Postgres,
    PostgresFolder,
    ServiceError,
    free_port,
    postgres_folder,
    start_pgbouncer,
)

ATTEMPTS: Final = 50
"""Of a start: what a killed postmaster leaves behind ends a moment later, and is in the way."""

QUICKLY: Final = {"recovery_init_sync_method": "syncfs"}
"""Recovery begins by syncing the whole folder: with one call rather than with one per file."""


class Cluster:
    """Runs while in its `with` block, but for the faults; has one database, with Parvis' tables.

    Attributes:
        pooled: Whether a PgBouncer stands before it, in transaction mode.
        proxy: What every connection goes through.
        url: Of the database, through all that stands before it, with the role of a node.
    """

    def __init__(self, *, pooled: bool = False) -> None:
        self.pooled = pooled
        self._all = ExitStack()
        self._running = ExitStack()
        self._pooling = ExitStack()
        self._up = False
        self._pooler_port = free_port() if pooled else 0
        self._folder: PostgresFolder
        self.server: Postgres
        self.database: Database
        self.proxy: ProxyAside
        self.url = ""

    def __enter__(self) -> Self:
        with self._all:
            folder = self._all.enter_context(postgres_folder())
            self._folder = replace(folder, options={**folder.options, **QUICKLY})
            self._all.callback(self._halt)
            self.start()
            with Databases(self.server).fresh() as self.database:
                pass
            if self.pooled:
                self._all.callback(lambda: self._pooling.close())
                self.start_pooler()
            port = self._pooler_port if self.pooled else self.server.port
            self.proxy = self._all.enter_context(ProxyAside(port))
            self.url = f"postgresql://{NODE}@127.0.0.1:{self.proxy.port}/{self.database.name}"
            self._all = self._all.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._all.close()

    def start(self) -> None:
        """Start it, if it does not run; returns when it has recovered."""
        if self._up:
            return
        for attempt in range(ATTEMPTS):
            try:
                self.server = self._running.enter_context(self._folder.running())
            except ServiceError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                self._up = True
                return

    def stop_at_once(self) -> None:
        """What ``pg_ctl stop -m immediate`` does: no farewell, no checkpoint."""
        self._halt()

    def kill(self) -> None:
        """SIGKILL of the postmaster; its children end when they notice."""
        os.kill(self.server.pid, signal.SIGKILL)
        self._halt()

    def stand_still(self) -> Callable[[], None]:
        """SIGSTOP of all its processes; returns what lets them go on."""
        postmaster = self.server.pid
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        stopped = [postmaster, *map(int, children)]
        self._signal(stopped, signal.SIGSTOP)
        return lambda: self._signal(stopped, signal.SIGCONT)

    def start_pooler(self) -> None:
        self._pooling.enter_context(start_pgbouncer(self.server, port=self._pooler_port))

    def stop_pooler(self) -> None:
        """End PgBouncer, and every connection through it."""
        self._pooling.close()

    def _halt(self) -> None:
        self._up = False
        self._running.close()

    @staticmethod
    def _signal(pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
