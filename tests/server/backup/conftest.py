"""A data folder that holds something of everything, a key, and the program to run on them."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path

import pytest

from parvis.server.commands.program import main
from parvis.server.settings import Settings
from parvis.storage import Link, Migration, SignIn
from parvis.storage.conformance.belongings import NOTES, fill_accounts, fill_store
from parvis.storage.factory import open_archive, open_blobs, open_store
from parvis.storage.transfer import Sums, sums_of

Run = Callable[..., tuple[int, str, str]]

PICTURE = bytes(range(256)) * 4000
SECRET_TEXT = b"nobody may read this in a backup"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with rooms, people and files."""
    folder = tmp_path / "data"
    asyncio.run(_fill(folder))
    return folder


@pytest.fixture
def key(tmp_path: Path, run: Run, data: Path) -> Path:
    """A key file that was made on the node."""
    file = tmp_path / "key.txt"
    assert run("key", str(file), data=data)[0] == 0
    return file


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run ``parvis backup …`` in this process; returns exit code, stdout and stderr."""
    for name in [name for name in os.environ if name.startswith("PARVIS_")]:
        monkeypatch.delenv(name)
    before = os.umask(0o022)

    def run(*words: str, data: Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", StringIO())
        capsys.readouterr()
        code = main(["backup", *words, "--data", str(data)])
        out, err = capsys.readouterr()
        return code, out, err

    yield run
    os.umask(before)


Install = Callable[[Mapping[str, Sequence[Migration]]], None]


@pytest.fixture(autouse=True)
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Say which plugins are installed; at first the one of the conformance suite's tables."""

    def install(plugins: Mapping[str, Sequence[Migration]]) -> None:
        def known(_: Settings) -> Mapping[str, Sequence[Migration]]:
            return plugins

        for command in ("backups", "moving"):
            monkeypatch.setattr(f"parvis.server.commands.{command}.known_migrations", known)

    install({"notes": NOTES})
    return install


@pytest.fixture
def backup(run: Run, data: Path, key: Path) -> Path:
    """A backup of the data folder."""
    code, _, err = run("create", "--key", str(key), data=data)
    assert code == 0, err
    (file,) = (data / "backups").glob("*.age")
    return file


def everything(folder: Path) -> dict[str | None, Sums]:
    """Return the checksums of all that a data folder holds; None is the accounts."""

    async def read() -> dict[str | None, Sums]:
        archive = open_archive(f"sqlite:///{folder}")
        found: dict[str | None, Sums] = {}
        for scope in (*await archive.tenants(), None):
            async with archive.cut(scope) as cut:
                found[scope] = await sums_of(cut)
        return found

    return asyncio.run(read())


def public_lines(key: Path, word: str = "#") -> str:
    """Return the lines of a key file that are no secret, and that hold a word."""
    lines = key.read_text().splitlines()
    return "".join(f"{line}\n" for line in lines if line.startswith("#") and word in line)


def files(folder: Path) -> dict[str, bytes]:
    """Return the blobs of a data folder, by path."""
    blobs = folder / "blobs"
    return {
        str(file.relative_to(blobs)): file.read_bytes()
        for file in blobs.rglob("*")
        if file.is_file()
    }


async def _fill(folder: Path) -> None:
    url = f"sqlite:///{folder}"
    store, accounts = open_store(url)
    await fill_store(store)
    await fill_accounts(accounts)
    await accounts.add_sign_in(SignIn(b"browser", "u_ann", 1000, 9e9))
    await accounts.revoke("stolen", until=9e9)
    await accounts.secret("setup", fresh=b"used once")
    await accounts.add_link(
        Link("l_2", "reset", "acme", "ann@example.org", b"reset", 1000, 9e9, user="u_ann")
    )
    await store.close()
    blobs = open_blobs(url, folder)
    for content in (PICTURE, b"", SECRET_TEXT):
        await blobs.put("acme", content)
    await blobs.put("Globex", PICTURE)
