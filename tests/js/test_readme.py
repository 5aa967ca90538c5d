"""The examples of the TypeScript client that run outside a page do what they say."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT
from tests.js.conftest import PACKAGE, Scenario
from tests.running import start_server
from tests.services import program

JS = re.compile(r"^```js\n(.*?)^```", re.S | re.M)
EXAMPLES = [
    *JS.findall((PACKAGE / "README.md").read_text()),
    JS.findall((CHECKOUT / "README.md").read_text())[0],
]
SAID = ["Hello.  saved open", "saved 20", "Hello.  saved"]


@pytest.mark.parametrize(("example", "said"), list(zip(EXAMPLES, SAID, strict=True)))
def test_an_example_runs(example: str, said: str, scenario: Scenario, tmp_path: Path) -> None:
    assert scenario  # the package has been built
    # Inside the package its own name and its development packages are found.
    file: Path = PACKAGE / "dist" / f"example-{SAID.index(said)}.mjs"
    with start_server(tmp_path) as server:
        url = server.url.replace("http", "ws") + "/ws"
        file.write_text(example.replace("ws://127.0.0.1:8000/ws", url))
        done = subprocess.run(
            [str(program("node", "nodejs")), str(file), "a token"],
            env={**os.environ, "PARVIS_URL": url},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr
