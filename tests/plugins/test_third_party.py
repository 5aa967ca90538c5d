"""A distribution that somebody else could have written: installed, checked, tested and served."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
from pycrdt import Array

from parvis.client import Refused, connect
from parvis.protocol import ErrorCode
from tests.running import Server, start_server

HERE: Final = Path(__file__).parents[1] / "third_party" / "parvis_whiteboard"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of it, far from this project's own settings."""
    source = tmp_path_factory.mktemp("outside") / "parvis_whiteboard"
    shutil.copytree(HERE, source)
    return source


@pytest.fixture(scope="module")
def installed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the distribution is installed: a folder of its own, with its entry points."""
    site = tmp_path_factory.mktemp("site")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    argv += ["--no-build-isolation", "--target", str(site), str(source)]
    subprocess.run(argv, check=True)
    return site


def run(source: Path, installed: Path, *argv: str) -> str:
    """Run a Python program beside the distribution; return what it said if it did well."""
    done = subprocess.run(
        [sys.executable, "-m", *argv],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_its_own_tests_pass_with_the_kit(source: Path, installed: Path) -> None:
    said = run(source, installed, "pytest", "-q", "-p", "no:cacheprovider")
    assert " passed" in said
    assert "skipped" not in said


def test_it_is_strictly_typed(source: Path, installed: Path) -> None:
    assert "no issues found" in run(source, installed, "mypy", "src", "tests")


def test_pyright_finds_nothing_in_it_either(source: Path, installed: Path) -> None:
    assert "0 errors" in run(source, installed, "pyright", "--pythonpath", sys.executable)


@pytest.fixture(scope="module")
def server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"PYTHONPATH": str(installed), "PARVIS_ROOMS__WHITEBOARD__MAX_STROKE": "1000"}
    with start_server(tmp_path_factory.mktemp("served"), settings=settings) as server:
        yield server


def native(server: Server) -> str:
    return server.url.replace("http", "ws") + "/ws"


async def boards(server: Server) -> Any:
    url = f"{server.url}/api/v1/whiteboard/boards"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        assert answer.status == 200, await answer.text()
        body: Mapping[str, Any] = await answer.json()
        return body["boards"]


async def test_both_of_its_room_types_are_served(server: Server) -> None:
    async with asyncio.timeout(20), connect(native(server)) as session:
        board = await session.join("whiteboard/plan")
        board.doc.get("strokes", type=Array[str]).append("M0 0 L9 9")
        await board.saved()
        box = await session.join_log("mailbox/box")
        await box.send(b"sealed")
        assert await box.signal("newest") == {"end": 1, "size": 6}


async def test_its_setting_is_heeded(server: Server) -> None:
    async with asyncio.timeout(20), connect(native(server)) as session:
        board = await session.join("whiteboard/wide")
        refused: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()
        board.on_refused(lambda edit, refusal: refused.set_result(refusal))
        board.doc.get("strokes", type=Array[str]).append("x" * 2000)
        assert (await refused).code == ErrorCode.TOO_LARGE


async def test_what_it_counts_survives_a_kill(server: Server) -> None:
    async with asyncio.timeout(60):
        async with connect(native(server)) as session:
            board = await session.join("whiteboard/counted")
            for number in range(5):
                board.doc.get("strokes", type=Array[str]).append(str(number))
                await board.saved()
        server.restart()
        while True:
            found = {each["board"]: each for each in await boards(server)}
            if found.get("counted", {}).get("strokes", 0) >= 5:
                break
            await asyncio.sleep(0.05)
        assert found["counted"]["strokes"] == 5
