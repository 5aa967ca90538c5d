"""The process behind ``parvis serve``: holds the data folder and the port, keeps a worker running.

========================================  =====================================================
what happens                              what follows
========================================  =====================================================
the worker dies after it was ready        the next one starts at once
it is stuck in one update or load         it is killed after `STUCK_LOOKS` looks, and has died
it dies before it is ready                the next one starts after `pause_after` so many deaths
`MOST_DEATHS` times, and never was ready  the program ends
it says that another start cannot help    the program ends with the reason
SIGTERM, SIGINT, SIGHUP                   the worker drains; after the drain deadline: SIGKILL
the same again                            the worker hurries; after `HURRY` seconds: SIGKILL
the same a third time                     SIGKILL
this process dies of anything             the worker dies with it (`firewall.children`)
========================================  =====================================================

Nothing here touches a document, so nothing a client sends can end this process.
"""

import contextlib
import dataclasses
import errno
import json
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import FrameType
from typing import Final

from parvis.server import logs
from parvis.server.control import Start, receive_report, send_start
from parvis.server.firewall.children import how_it_ended
from parvis.server.firewall.suspects import Suspects
from parvis.server.firewall.watch import make_note, read_mark, read_note
from parvis.server.listening import listen, url_of
from parvis.server.settings import Settings
from parvis.storage import DataFolderHeld, StorageError
from parvis.storage.folder import Held, hold_data_folder

logger = logging.getLogger(__name__)

WORKER: Final = (sys.executable, "-P", "-m", "parvis.server.worker")
RUN_FILE: Final = "run.json"

MEMORY: Final = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}
"""Has the C library give freed memory back: 60 MB typed cost a worker 8 MB for good, not 18."""

LISTEN_HINTS: Final = {
    errno.EADDRINUSE: "Take another port with --port; 0 takes a free one.",
    errno.EACCES: "This user may not listen there: take a port above 1023 with --port.",
    errno.EADDRNOTAVAIL: "Name an address of this machine with --host.",
    socket.EAI_NONAME: "Name an address of this machine with --host.",
}
"""What to do if a socket cannot be had, by errno."""

HOLD_FOR: Final = 2.0
"""Seconds to wait for a data folder whose holder may be about to end."""

LOOK: Final = 5.0
"""Seconds between two looks at what the worker is doing."""

STUCK_LOOKS: Final = 6
"""Looks in a row at the same step of native code, after which nobody waits for its end.

Such a step takes milliseconds. Some updates on purpose take hours, and nothing can interrupt them
from inside. Looks are counted, not time, because a suspended machine lets time pass at once.
"""

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
MOST_DEATHS: Final = 10
GRACE: Final = 2.0
"""Seconds beyond the drain deadline that the worker has to end by itself."""
HURRY: Final = 3.0


def pause_after(deaths: int) -> float:
    """Return the seconds to wait after so many deaths in a row of workers that never were ready."""
    return 0.0 if deaths < 2 else min(FIRST_PAUSE * 2 ** (deaths - 2), LONGEST_PAUSE)


def serve(
    settings: Settings,
    *,
    worker: Sequence[str] = WORKER,
    pause: Callable[[int], float] = pause_after,
    look: float = LOOK,
) -> int:
    """Serve until told to stop. To be called from the main thread.

    Args:
        worker: The command that runs a worker; the descriptor of its control connection follows.
        pause: Seconds to wait after so many early deaths.
        look: Seconds between two looks at a worker that may be stuck.

    Returns:
        The exit code: 0 after a clean end.
    """
    logs.configure(settings.log)
    try:
        held = _hold(settings.data)
        try:
            sockets = listen(settings.server.host, settings.server.port)
            try:
                return Supervisor(settings, worker, held, sockets, pause, look).run()
            finally:
                for each in sockets:
                    each.close()
        finally:
            held.release()
    except (StorageError, OSError) as error:
        message, hint = _explained(error)
        print(f"parvis: {message}", *([f"hint: {hint}"] if hint else []), sep="\n", file=sys.stderr)
        return 1


def _explained(error: StorageError | OSError) -> tuple[str, str]:
    if isinstance(error, StorageError):
        return str(error), error.hint
    if error.filename is not None or not error.strerror:
        return str(error), ""
    # Of a socket. The text is our own; str() would put "[Errno 98]" before it.
    return error.strerror, LISTEN_HINTS.get(error.errno or 0, "")


def _hold(folder: Path) -> Held:
    deadline = time.monotonic() + HOLD_FOR
    while True:
        try:
            return hold_data_folder(folder, now=time.time())
        except DataFolderHeld:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


class Supervisor:
    """Keeps one worker running on sockets and a folder that outlive it."""

    def __init__(
        self,
        settings: Settings,
        command: Sequence[str],
        held: Held,
        sockets: list[socket.socket],
        pause: Callable[[int], float],
        look: float,
    ) -> None:
        self._settings = settings
        self._command = tuple(command)
        self._held = held
        self._sockets = sockets
        self._pause = pause
        self._look = look
        self._url = url_of(sockets)
        self._port: int = sockets[0].getsockname()[1]
        self._note = make_note()
        self._suspects = Suspects(held.path, time.time())
        self._asked = 0
        self._heeded = 0
        self._restarts = 0
        self._ever_ready = False
        self._early_deaths = 0
        self._refusal = ""
        self._kill_at: float | None = None
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._alarm = socket.socketpair()

    def run(self) -> int:
        """Start workers until told to stop; returns the exit code."""
        self._held.note(port=self._port)
        self._wakeup.setblocking(False)
        self._alarm.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        previous = signal.set_wakeup_fd(self._alarm.fileno())
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        for number, method in SIGNALS.items():
            # Under nohup, a terminal that hangs up is to be ignored.
            if handlers[number] is not signal.SIG_IGN:
                signal.signal(number, getattr(self, method))
        try:
            return self._keep_running()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(previous)
            self._selector.close()
            self._wakeup.close()
            self._alarm.close()
            os.close(self._note)
            (self._held.path / RUN_FILE).unlink(missing_ok=True)

    def _keep_running(self) -> int:
        while True:
            code = self._run_worker()
            if self._asked:
                return 0 if code == 0 else 1
            if self._refusal:
                print(f"parvis: {self._refusal}", file=sys.stderr)
                return 1
            if self._early_deaths >= MOST_DEATHS and not self._ever_ready:
                reason = f"no worker got ready in {self._early_deaths} attempts; see the log above"
                print(f"parvis: {reason}", file=sys.stderr)
                return 1
            self._restarts += 1
            self._wait(time.monotonic() + self._pause(self._early_deaths))
            if self._asked:
                return 0

    def _run_worker(self) -> int:
        """Run one worker to its end; returns its exit code, negative for a signal."""
        start = Start(
            settings=self._settings,
            supervisor=os.getpid(),
            sockets=tuple(each.fileno() for each in self._sockets),
            lock=self._held.fd,
            watch=self._note,
            suspects=self._suspects.kept,
            restarts=self._restarts,
        )
        ours, theirs = Pipe()
        with ours:
            try:
                process = self._spawn(start, theirs)
            except OSError as error:
                logger.error("no worker can be started: %s", error)
                self._early_deaths += 1
                return -1
            try:
                return self._follow(Worker(process, ours), start)
            finally:
                process.kill()
                process.wait()

    def _spawn(self, start: Start, control: Connection) -> "subprocess.Popen[bytes]":
        with control:
            return subprocess.Popen(
                [*self._command, str(control.fileno())],
                stdin=subprocess.DEVNULL,
                # Standard output carries the lines that `parvis serve` promises, nothing else.
                stdout=2,
                pass_fds=(*start.descriptors, control.fileno()),
                env={**MEMORY, **os.environ},
                # Ctrl-C reaches every process of the terminal's group; the worker is to hear of it
                # from here.
                start_new_session=True,
            )

    def _follow(self, worker: "Worker", start: Start) -> int:
        self._write_run_file(worker.process.pid)
        began = time.monotonic()
        with contextlib.suppress(OSError):  # It may be dead already, which is seen below.
            send_start(worker.control, start)
        self._selector.register(worker.control, selectors.EVENT_READ)
        try:
            while (code := worker.process.poll()) is None:
                self._press(worker)
                self._look_at(worker)
                until = worker.look_at
                self._wait(until if self._kill_at is None else min(until, self._kill_at))
                self._read_reports(worker, began)
            self._read_reports(worker, began)
        finally:
            if not worker.silent:
                self._selector.unregister(worker.control)
        if self._asked and (code == 0 or (code == -signal.SIGTERM and not worker.ready)):
            return 0
        self._early_deaths = 0 if worker.ready else self._early_deaths + 1
        self._note_death(worker.process.pid, code)
        return code

    def _press(self, worker: "Worker") -> None:
        """Make the worker end, as urgently as we were asked to."""
        now = time.monotonic()
        if self._asked > self._heeded:
            self._heeded = self._asked
            # While we listen too, the kernel goes on to accept for a worker that has stopped.
            for each in self._sockets:
                each.close()
            seconds = URGENCY[min(self._asked, len(URGENCY)) - 1]
            patience = self._settings.server.drain_deadline + GRACE if seconds is None else seconds
            self._kill_at = min(now + patience, self._kill_at or now + patience)
            worker.process.terminate()
        if self._kill_at is not None and now >= self._kill_at:
            logger.warning("worker %d did not end in time and is killed", worker.process.pid)
            worker.process.kill()
            self._kill_at = None

    def _look_at(self, worker: "Worker") -> None:
        """Kill the worker if it has been doing the same dangerous thing for too long."""
        now = time.monotonic()
        if now < worker.look_at:
            return
        worker.look_at = now + self._look
        mark = read_mark(self._note)
        worker.looks = worker.looks + 1 if mark is not None and mark == worker.mark else 0
        worker.mark = mark
        if worker.looks >= STUCK_LOOKS:
            logger.error("worker %d is stuck and is killed", worker.process.pid)
            worker.process.kill()

    def _wait(self, until: float | None) -> None:
        """Return when something happened, or at that moment."""
        timeout = None if until is None else max(0.0, until - time.monotonic())
        if self._selector.select(timeout):
            with contextlib.suppress(BlockingIOError):
                while self._wakeup.recv(4096):
                    pass

    def _read_reports(self, worker: "Worker", began: float) -> None:
        while not worker.silent and worker.control.poll():
            try:
                report = receive_report(worker.control)
            except (EOFError, OSError):
                worker.silent = True
                self._selector.unregister(worker.control)
                return
            match report:
                case {"report": "ready"} if not worker.ready:
                    worker.ready = True
                    self._announce(report.get("first_start_link"), time.monotonic() - began)
                case {"report": "settled", "digest": str(digest)}:
                    self._suspects.settle([bytes.fromhex(digest)])
                case {"report": "refused", "reason": str(reason)}:
                    self._refusal = reason
                case _:
                    logger.warning("worker %d: unknown report", worker.process.pid)

    def _announce(self, link: str | None, seconds: float) -> None:
        self._early_deaths = 0
        if self._ever_ready:
            logger.warning("a new worker is ready after %.2f s", seconds)
            return
        self._ever_ready = True
        if link:
            print(f"Create the administrator's account: {link}")
        print(f"Parvis is ready: {self._url}", flush=True)

    def _note_death(self, pid: int, code: int) -> None:
        cause = how_it_ended(code)
        suspect = read_note(self._note)
        if suspect is None:
            logger.error("worker %d died (%s)", pid, cause)
            return
        logger.error(
            "worker %d died (%s) in %s of %s in tenant %s",
            pid,
            cause,
            {"apply": "an update", "load": "the loading"}[suspect.kind],
            suspect.address,
            suspect.address.tenant,
        )
        now = time.time()
        try:
            self._suspects.add(dataclasses.replace(suspect, time=now, cause=cause), now)
        except OSError as error:
            logger.error("the suspects cannot be written down: %s", error)

    def _write_run_file(self, worker: int) -> None:
        facts = {"supervisor": os.getpid(), "worker": worker, "port": self._port, "url": self._url}
        file = self._held.path / RUN_FILE
        draft = file.with_suffix(".draft")
        try:
            draft.write_text(json.dumps(facts))
            draft.replace(file)
        except OSError as error:
            # A full disk must not keep the worker from coming back.
            logger.error("%s cannot be written: %s", file, error)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1

    def _on_child(self, number: int, frame: FrameType | None) -> None:
        pass  # That the loop wakes up is all that is wanted.


SIGNALS: Final = {
    signal.SIGTERM: "_on_stop",
    signal.SIGINT: "_on_stop",
    signal.SIGHUP: "_on_stop",
    signal.SIGCHLD: "_on_child",
}

URGENCY: Final = (None, HURRY, 0.0)
"""Seconds until the worker is killed, by how often we were asked; None: the drain deadline."""


@dataclasses.dataclass(slots=True)
class Worker:
    """A worker process as its supervisor knows it.

    Attributes:
        look_at: When to look next at what it is doing.
        mark: The dangerous step it was in at the last look; None for none.
        looks: How many looks in a row before that one saw the same step.
    """

    process: "subprocess.Popen[bytes]"
    control: "Connection"
    ready: bool = False
    silent: bool = False
    look_at: float = 0.0
    mark: int | None = None
    looks: int = 0
