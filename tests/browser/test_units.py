"""The web app's own tests, below the pages: router, words, account, and those of its products."""

import subprocess
from pathlib import Path

from tests.services import program

WEB = Path(__file__).parents[2] / "clients" / "web"


def test_the_parts_of_the_web_app_do_what_they_say() -> None:
    vitest = WEB / "node_modules" / "vitest" / "vitest.mjs"
    run = subprocess.run(
        [str(program("node", "nodejs")), str(vitest), "run"],
        cwd=WEB,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
