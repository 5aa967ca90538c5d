"""A running node's store that stands still for as long as a test wants."""

import contextlib
import sqlite3
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from tests.running import Server


@dataclass(frozen=True, slots=True)
class Store:
    """The store of a running node, in the hands of a test."""

    stall: Callable[[], None]
    flow: Callable[[], None]


def tenant_files(server: Server) -> list[Path]:
    """The SQLite files that hold the rooms of a running node."""
    return sorted((server.data / "tenants").glob("*.db"))


@contextlib.contextmanager
def stall_store(server: Server) -> Generator[Store]:
    """Let a test stop the node's store: another program holds the lock of its files, as a backup
    may. Nothing is committed until the lock is given back.
    """
    held: list[sqlite3.Connection] = []

    def stall() -> None:
        files = tenant_files(server)
        assert files, f"no tenant has a file in {server.data}"
        for file in files:
            connection = sqlite3.connect(file, isolation_level=None, timeout=30)
            connection.execute("BEGIN IMMEDIATE")
            held.append(connection)

    def flow() -> None:
        while held:
            connection = held.pop()
            connection.execute("ROLLBACK")
            connection.close()

    try:
        yield Store(stall, flow)
    finally:
        flow()
