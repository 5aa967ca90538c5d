"""Runs the scenarios of this folder: stock clients from npm, driven by Node."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.services import ServiceError, program

HERE: Final = Path(__file__).parent

YJS: Final = ("y-websocket-1", "y-websocket-2", "y-websocket-3")
HOCUSPOCUS: Final = ("hocuspocus-2", "hocuspocus-3", "hocuspocus-4")
KINDS: Final = YJS + HOCUSPOCUS


class ScenarioFailed(AssertionError):
    """A scenario ended with an error; the message is Node's."""


def run(
    file: str,
    name: str,
    settings: Mapping[str, object],
    answers: Mapping[str, Callable[[], None]] | None = None,
    *,
    folder: Path = HERE,
) -> Any:
    """Run ``scenarios/<file>.mjs``'s function `name` and return what it answers.

    Args:
        file: Without its ending.
        name: The function.
        settings: Its argument.
        answers: What to do when it asks for something, by name.
        folder: The npm package whose ``scenarios`` are meant.

    Raises:
        ScenarioFailed: If it fails, or asks for something unknown.
        ServiceError: If Node or its packages are not installed.
    """
    if not (folder / "node_modules").is_dir():
        raise ServiceError(f"{folder}: npm packages are missing. Hint: make test installs them")
    runner = str(HERE / "run.mjs")
    argv = [str(program("node", "nodejs")), runner, file, name, json.dumps(settings)]
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as node,
    ):
        assert node.stdin is not None and node.stdout is not None
        try:
            result: dict[str, Any] = {}
            for line in node.stdout:
                if not line.startswith("{"):
                    continue  # A client's own chatter.
                said: dict[str, Any] = json.loads(line)
                if "ask" in said:
                    if answers is None or said["ask"] not in answers:
                        raise ScenarioFailed(f"{file}.{name} asks for {said['ask']!r}")
                    answers[said["ask"]]()
                    node.stdin.write("done\n")
                    node.stdin.flush()
                else:
                    result = said
            status = node.wait()
        finally:
            node.kill()
        errors.seek(0)
        if status != 0 or "result" not in result:
            raise ScenarioFailed(f"{file}.{name} ended with {status}:\n{errors.read()}")
        return result["result"]
