"""What the documentation has people type does what it says."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.checkout import CHECKOUT, files
from tests.running import start_server
from tests.services import program

SHELL: Final = re.compile(r"^```sh\n(.*?)^```", re.S | re.M)
FILE: Final = re.compile(r"^```python\n# (\S*poster\S*\.py)\n(.*?)^```", re.S | re.M)
TARGET: Final = re.compile(r"\[[^]]*\]\(([^)#:]+)(?:#[^)]*)?\)")
"""Where a link or a picture leads, if it stays in the checkout."""
CODE: Final = re.compile(r"^ *```.*?^ *```|`[^`\n]*`", re.S | re.M)
PASSWORD: Final = "weaving algebraic patterns"


def run(argv: Sequence[str], cwd: Path, text: str = "", **settings: str) -> str:
    """What a program prints; it must do well and have nothing to complain of."""
    env = {**os.environ, **settings}
    done = subprocess.run(argv, cwd=cwd, env=env, input=text, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def test_the_api_of_documents_answers_as_described(tmp_path: Path) -> None:
    assert program("curl", "curl")
    commands = SHELL.findall((CHECKOUT / "docs" / "api-documents.md").read_text())
    parvis = [sys.executable, "-m", "parvis.server"]
    with start_server(tmp_path, open=False) as server:
        of = ["ada@example.org", "--data", str(server.data)]
        run([*parvis, "user", "add", *of, "--admin", "--password-stdin"], tmp_path, PASSWORD)
        token = run([*parvis, "token", *of], tmp_path).strip()
        shell = ["/bin/bash", "-euc", "\n".join(commands)]
        said = run(shell, tmp_path, PARVIS=server.url, TOKEN=token)
    assert "# Present\n\n- Ada\n- Grace\n\n**Decided:** peas first.\n" in said
    assert '"title": "Minutes of March"' in said


def test_the_room_type_that_shows_what_a_node_offers_passes_its_test(tmp_path: Path) -> None:
    written = FILE.findall((CHECKOUT / "plugins" / "README.md").read_text())
    assert len(written) == 3
    for name, content in written:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    configured = ["asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function"]
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    argv += [part for option in configured for part in ("-o", option)]
    assert "1 passed" in run(argv, tmp_path, PYTHONPATH=str(tmp_path))


def test_links_and_pictures_in_the_documentation_lead_somewhere() -> None:
    pages = [CHECKOUT / name for name in files() if name.endswith(".md")]
    missing = [
        f"{page.relative_to(CHECKOUT)}: {target}"
        for page in pages
        for target in TARGET.findall(CODE.sub("", page.read_text()))
        if not (page.parent / target).exists()
    ]
    assert missing == []


def test_every_picture_is_shown_somewhere() -> None:
    pages = "".join((CHECKOUT / name).read_text() for name in files() if name.endswith(".md"))
    kept = {
        Path(name).name
        for name in files()
        if name.startswith("docs/images/") and name.endswith(".png")
    }
    assert {name for name in kept if f"images/{name}" not in pages} == set()
