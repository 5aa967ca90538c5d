"""A real node as a child process: started, killed and brought back by tests, its log at hand.

    with start_server(tmp_path) as server:
        ...  # server.url answers
        server.kill()  # the whole node, as if the power went
        server.start()  # the same data, the same port

The node is the one that users run: ``python -m parvis.server serve``.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from tests.services import program

READY: Final = "Parvis is ready: "
START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0
LINES_SHOWN: Final = 200


class ServerError(Exception):
    """The node did not do what the test counts on; the message ends with its log."""


class Server:
    """A node on the loopback.

    Attributes:
        data: Its data folder, which outlives it.
        port: Where it listens; the same after each start.
        url: ``http://127.0.0.1:<port>``.
        log: Everything its processes said, over all lives, line by line.
    """

    def __init__(
        self,
        data: Path,
        *,
        open: bool,
        port: int,
        settings: Mapping[str, str],
        args: list[str],
        python: str = sys.executable,
    ) -> None:
        self.data: Final = data
        self.port = port
        self.log: Final[list[str]] = []
        self._args: Final = [*(["--open"] if open else []), *args]
        self._settings: Final = settings
        self._python: Final = python
        self._child: subprocess.Popen[str] | None = None
        self._readers: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        # pytest shows what was printed if the test fails.
        print("".join(self.log[-LINES_SHOWN:]))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def supervisor_pid(self) -> int:
        """The process that was started. It keeps the worker alive."""
        return self._running().pid

    @property
    def worker_pid(self) -> int:
        """The process that serves now, by the node's own note in its data folder."""
        note = json.loads((self.data / "run.json").read_text())
        return int(note["worker"])

    def start(self) -> None:
        """Start the node and return when it serves. Raises `ServerError` if it ends instead."""
        assert self._child is None, "it is running"
        argv = [self._python, "-m", "parvis.server", "serve"]
        argv += ["--port", str(self.port), "--data", str(self.data), *self._args]
        child = subprocess.Popen(
            # If the tests themselves are killed, the kernel ends the node.
            [str(program("setpriv", "util-linux")), "--pdeathsig", "KILL", *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, **self._settings},
            start_new_session=True,
        )
        assert child.stdout is not None and child.stderr is not None
        self._child = child
        settled = threading.Event()
        found: list[str] = []
        # Two pipes: what several processes log at once may share a line with what one of them says.
        self._readers = [
            threading.Thread(target=self._listen, args=(child.stdout, settled, found), daemon=True),
            threading.Thread(target=self._collect, args=(child.stderr,), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        settled.wait(START_SECONDS)
        if not found:
            self.kill()
            raise ServerError(f"{argv} did not start; it said:\n{''.join(self.log[-LINES_SHOWN:])}")
        self.port = int(found[0].rpartition(":")[2].rstrip("/"))

    def kill(self) -> None:
        """End the supervisor, the worker and their helpers by SIGKILL, at once. Never fails."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self._gone()

    def kill_worker(self) -> int:
        """End the worker alone by SIGKILL; return its pid. The supervisor starts another one."""
        pid = self.worker_pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self) -> int:
        """Ask the node to end (SIGTERM) and return its exit status.

        Raises:
            ServerError: If it is still there after 30 s; then it is killed.
        """
        child = self._running()
        child.send_signal(signal.SIGTERM)
        try:
            status = child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            log = "".join(self.log[-LINES_SHOWN:])
            raise ServerError(
                f"SIGTERM did not end it in {STOP_SECONDS} s; it said:\n{log}"
            ) from None
        self._gone()
        return status

    def restart(self) -> None:
        """Kill the node and start it on the same data and port."""
        self.kill()
        self.start()

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None:
            raise ServerError("the node is not running")
        return self._child

    def _gone(self) -> None:
        child = self._running()
        child.wait()
        for reader, stream in zip(self._readers, (child.stdout, child.stderr), strict=True):
            # A helper that outlived the node would keep the pipe open; the test must not hang.
            reader.join(STOP_SECONDS)
            if stream is not None and not reader.is_alive():
                stream.close()
        self._child = None
        self._readers = []

    def _listen(self, stream: IO[str], settled: threading.Event, found: list[str]) -> None:
        for line in stream:
            self.log.append(line)
            if line.startswith(READY):
                found.append(line.removeprefix(READY).strip())
                settled.set()
        settled.set()

    def _collect(self, stream: IO[str]) -> None:
        for line in stream:
            self.log.append(line)


def start_server(
    folder: Path,
    *,
    open: bool = True,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    args: list[str] | None = None,
    python: Path | None = None,
) -> Server:
    """Start a node and return it when it serves; leave its `with` block to end it.

    Args:
        folder: Gets the data folder, ``data``.
        open: With ``--open``: anyone may do anything.
        port: None for a free one.
        settings: Environment variables, e.g. ``PARVIS_ROOMS__PLAIN__CREATE``.
        args: More arguments for ``parvis serve``.
        python: In whose environment Parvis is installed; None: the one that runs the tests.

    Raises:
        ServerError: If it does not start.
    """
    server = Server(
        folder / "data",
        open=open,
        port=port or 0,
        settings=settings or {},
        args=args or [],
        python=str(python or sys.executable),
    )
    server.start()
    return server
