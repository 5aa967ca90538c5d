"""Nodes for stock clients: one open to all, one that wants tokens; a store that stands still."""

import contextlib
import re
import secrets
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest

from tests.running import Server, start_server

APP_SECRET = secrets.token_hex(32)


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node open to anyone, shared by the tests that leave it as it is."""
    with start_server(tmp_path_factory.mktemp("open-node")) as server:
        yield server


@pytest.fixture(scope="session")
def guarded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node that wants room tokens, signed by an application called ``tests``."""
    settings = {
        "PARVIS_AUTH__APPS__TESTS__SECRET": APP_SECRET,
        "PARVIS_AUTH__APPS__TESTS__ROOMS": "plain/*",
        "PARVIS_ROOMS__PLAIN__CREATE": "anyone",
    }
    folder = tmp_path_factory.mktemp("guarded-node")
    with start_server(folder, open=False, settings=settings) as server:
        yield server


@pytest.fixture
def room(request: pytest.FixtureRequest) -> str:
    """A room of the test's own."""
    name: str = request.node.name
    return "plain/" + re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Room tokens for one room, as an application's backend signs them."""

    edit: str
    view: str
    wrong: str


@pytest.fixture
def tokens(room: str) -> Tokens:
    """Tokens that let edit, let view, and are signed by somebody else."""

    def sign(user: str, secret: str, *capabilities: str) -> str:
        claims = {
            "iss": "tests",
            "aud": "parvis",
            "sub": user,
            "exp": time.time() + 3600,
            "rooms": [room],
            "capabilities": list(capabilities),
        }
        return jwt.encode(claims, secret, algorithm="HS256")

    return Tokens(
        edit=sign("editor", APP_SECRET, "view", "edit"),
        view=sign("viewer", APP_SECRET, "view"),
        wrong=sign("editor", secrets.token_hex(32), "view", "edit"),
    )


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
