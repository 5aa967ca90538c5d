"""The examples of the TypeScript client's README that run outside a page do what they say."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.js.conftest import PACKAGE, Scenario
from tests.running import Server
from tests.services import program

EXAMPLES = re.findall(r"^```js\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.S | re.M)
SAID = ["Hello.  saved open", "saved 20"]


@pytest.mark.parametrize(("example", "said"), list(zip(EXAMPLES, SAID, strict=True)))
def test_an_example_runs(example: str, said: str, scenario: Scenario, open_server: Server) -> None:
    assert scenario  # the package has been built
    # Inside the package its own name and its development packages are found.
    file: Path = PACKAGE / "dist" / f"example-{SAID.index(said)}.mjs"
    file.write_text(example)
    url = open_server.url.replace("http", "ws") + "/ws"
    argv = [str(program("node", "nodejs")), str(file)]
    done = subprocess.run(
        argv,
        env={**os.environ, "PARVIS_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
