"""The wheel: an operator installs it and serves the whole of Parvis, without Node or a checkout."""

import asyncio
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from tests import checkout
from tests.checkout import CHECKOUT
from tests.running import Server, start_server

BUILT: Final = CHECKOUT / "server/parvis/server/webapp"
PASSWORD: Final = "weaving algebraic patterns"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of these sources with the web app as `make setup` built it."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = checkout.copy(folder / "sources")
    shutil.copytree(BUILT, sources / BUILT.relative_to(CHECKOUT))
    argv = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run([*argv, "--directory", str(folder)], cwd=sources, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment into which the wheel was installed.

    What Parvis depends on is borrowed from the environment of the tests. The checkout is not: a
    line of a ``.pth`` file makes the other's packages known, but not the paths that these add.
    """
    folder = tmp_path_factory.mktemp("operator")
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    argv = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    subprocess.run([*argv, "--no-index", "--no-deps", str(wheel)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


@pytest.fixture(scope="module")
def server(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A node of the wheel, that finds no program but its Python."""
    folder = tmp_path_factory.mktemp("served")
    alone = {"PATH": str(python.parent)}
    with start_server(folder, open=False, python=python, settings=alone) as server:
        yield server


def test_every_part_comes_from_the_wheel_and_none_from_the_checkout(python: Path) -> None:
    code = "import parvis, parvis.server, parvis.plugins.docs; print(*parvis.__path__)"
    done = subprocess.run([python, "-c", code], cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(next(python.parents[1].glob("lib/*/site-packages/parvis")))]


def test_the_files_beside_the_code_are_in_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    beside = {name for name in names if name.endswith((".json", ".sql", "well_known.txt"))}
    assert beside >= {
        "parvis/plugins/docs/migrations/sqlite/0001_documents.sql",
        "parvis/plugins/docs/schema.json",
        "parvis/server/identity/well_known.txt",
        "parvis/server/notices/migrations/sqlite/0001_notices.sql",
    }
    assert "parvis/server/webapp/sw.js" in names


async def test_it_serves_the_web_app_with_all_that_its_page_names(server: Server) -> None:
    async with aiohttp.ClientSession(server.url) as visitor:
        async with visitor.get("/docs", headers={"Accept": "text/html"}) as answer:
            page = await answer.text()
        named = re.findall(r'(?:src|href)="(/[^"]+)"', page)
        assert any(path.startswith("/assets/") for path in named)
        for path in [*named, "/sw.js"]:
            async with visitor.get(path) as answer:
                assert (answer.status, path) == (200, path)


async def test_it_keeps_documents_and_knows_weak_passwords(server: Server, python: Path) -> None:
    add = [str(python), "-m", "parvis.server", "user", "add", "ada@example.org", "--admin"]
    add += ["--password-stdin", "--data", str(server.data)]

    async def answer(password: str) -> tuple[int | None, str]:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *add, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await child.communicate(f"{password}\n".encode())
        return child.returncode, said.decode()

    status, said = await answer("password1234")
    assert status != 0, said
    status, said = await answer(PASSWORD)
    assert status == 0, said
    async with aiohttp.ClientSession(server.url) as ada:
        who = {"email": "ada@example.org", "password": PASSWORD}
        async with ada.post("/api/v1/token", json=who) as given:
            token = (await given.json())["token"]
        headers = {"Authorization": f"Bearer {token}"}
        plan = {"title": "Plan", "format": "markdown", "content": "# Sow\n\n- peas\n"}
        async with ada.post("/api/v1/docs/documents", json=plan, headers=headers) as made:
            key = (await made.json())["document"]["key"]
        path = f"/api/v1/docs/documents/{key}/content?format=markdown"
        async with ada.get(path, headers=headers) as read:
            assert await read.text() == "# Sow\n\n- peas\n"
