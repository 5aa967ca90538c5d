"""The server that is measured: started and pinned here, or somebody else's."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICK: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
SERVER_CORE: Final = 0
LOAD_CORE: Final = 1


@dataclass(frozen=True)
class Target:
    """A running server.

    Attributes:
        url: ``ws://host:port``; the dialects' paths are below it.
        pid: The process that serves.
        name: What the results call it.
    """

    url: str
    pid: int
    name: str

    def cpu(self) -> float:
        """CPU seconds used so far, user and system, by the process and all that it started."""
        return sum(_cpu(pid) for pid in _family(self.pid))

    def memory(self) -> int:
        """Bytes of RAM of the process that serves."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        try:
            for thread in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue
    return found


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def pin_load() -> None:
    """Keep this process off the server's core."""
    cores = os.sched_getaffinity(0)
    if LOAD_CORE in cores:
        os.sched_setaffinity(0, {LOAD_CORE})


def _pin_server() -> None:
    if SERVER_CORE in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {SERVER_CORE})


@contextmanager
def parvis_server(
    *, store: str = "", data: Path | None = None, open: bool = True
) -> Generator[Target]:
    """A fresh node on its own core, with its data in a folder that goes away.

    Args:
        data: Its data folder instead; it stays.
        open: Anyone may do anything.
    """
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        data = data or Path(folder)
        argv = [sys.executable, "-m", "parvis.server", "serve", "--port", "0"]
        argv += [
            *(["--open"] if open else []),
            "--data",
            str(data),
            *(["--store", store] if store else []),
        ]
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PARVIS_LOG__LEVEL": "warning"},
            start_new_session=True,
            preexec_fn=_pin_server,
        )
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if found := re.search(r"http://([\d.]+:\d+)", line):
                    break
            else:
                raise SystemExit(f"the server ended with {process.wait()}")
            worker = json.loads((data / "run.json").read_text())["worker"]
            yield Target(f"ws://{found[1]}", worker, "parvis")
        finally:
            process.terminate()
            process.wait(60)
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def other_server(url: str, pid: int, name: str) -> Generator[Target]:
    """A server that somebody else started; it is pinned and left running."""
    for each in _family(pid):
        os.sched_setaffinity(each, {SERVER_CORE})
    yield Target(url.rstrip("/"), pid, name)
