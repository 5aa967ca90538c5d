"""The rules that `conftest.py` lays on every test, seen at work in a test run of their own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT

TESTS = """
import asyncio
import os
import time

import pytest


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


async def fail() -> None:
    raise ValueError("nobody looked")


async def test_a_quiet_test_passes() -> None:
    loop = type(asyncio.get_running_loop()).__module__
    assert loop.split(".")[0] == os.environ["PARVIS_TEST_LOOP"]


async def test_a_callback_that_raises_is_noticed() -> None:
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)


async def test_a_task_whose_exception_nobody_takes_is_noticed() -> None:
    await asyncio.wait([asyncio.create_task(fail())])


def test_a_loop_of_ones_own_is_listened_to() -> None:
    asyncio.run(asyncio.wait_for(test_a_callback_that_raises_is_noticed(), None))


async def test_a_coroutine_never_awaited_is_noticed() -> None:
    forever()


async def test_a_report_that_was_provoked_can_be_taken_away(unhandled: list[str]) -> None:
    await test_a_callback_that_raises_is_noticed()
    assert "ZeroDivisionError" in unhandled.pop()


async def test_waiting_for_ever_ends() -> None:
    await forever()


def test_blocking_for_ever_ends() -> None:
    while True:
        try:
            time.sleep(3600)
        except Exception:
            raise AssertionError("the guard looks like an error that one may handle") from None


@pytest.mark.soak
def test_the_long_ones_wait_for_make_soak() -> None:
    raise AssertionError("it is not soaking now")
"""


NEEDED = ("conftest", "databases", "s3", "services")
"""What `conftest.py` imports, and itself."""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_what_goes_wrong_unseen_fails_the_test_it_happened_in(loop: str, tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    for file in ("pyproject.toml", *(f"tests/{name}.py" for name in NEEDED)):
        shutil.copyfile(CHECKOUT / file, tmp_path / file)
    (tmp_path / "tests" / "test_inner.py").write_text(TESTS)
    environment = os.environ | {"PARVIS_TEST_LOOP": loop, "PARVIS_TEST_PATIENCE": "0.5"}
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=no", "-rfEpd"]
    done = subprocess.run(argv, cwd=tmp_path, env=environment, capture_output=True, text=True)
    told = {
        (verdict, line.partition("::")[2].partition(" ")[0])
        for line in done.stdout.splitlines()
        if (verdict := line.partition(" ")[0]) in {"PASSED", "FAILED", "ERROR"}
    }
    noticed_afterwards = {
        "test_a_callback_that_raises_is_noticed",
        "test_a_task_whose_exception_nobody_takes_is_noticed",
        "test_a_loop_of_ones_own_is_listened_to",
    }
    fine = {"test_a_quiet_test_passes", "test_a_report_that_was_provoked_can_be_taken_away"}
    assert told == {
        *(("PASSED", name) for name in fine | noticed_afterwards),
        *(("ERROR", name) for name in noticed_afterwards),
        ("FAILED", "test_a_coroutine_never_awaited_is_noticed"),
        ("FAILED", "test_waiting_for_ever_ends"),
        ("FAILED", "test_blocking_for_ever_ends"),
    }, done.stdout
    assert "1 deselected" in done.stdout
