"""The process that does the work: started by a supervisor, ends with it, restarted when it dies."""

import asyncio
import contextlib
import faulthandler
import logging
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final

import uvloop

from parvis.server import logs
from parvis.server.control import Report, Start, receive_start, send_report
from parvis.server.errors import ServerError
from parvis.server.firewall.children import die_with
from parvis.server.firewall.watch import Suspect, Watch
from parvis.server.settings import Settings
from parvis.storage import SchemaTooNew, StoreUnavailable

logger = logging.getLogger(__name__)

REFUSED: Final = 78
"""Exit code when starting again would not help (EX_CONFIG of sysexits.h)."""


class StartRefused(ServerError):
    """The worker cannot start until the operator changes something, which the text says."""


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What the node gets from the process it runs in.

    Attributes:
        sockets: Bound and listening; connections that came while no worker ran wait in them.
        watch: To be told before each dangerous step.
        suspects: What earlier workers died over.
        restarts: How many workers have died since the supervisor started.
        report_ready: To be called once the node serves; with the link that creates the first
            administrator, if there is none yet.
        report_settled: To be called with the SHA-256 of a suspect update that has been judged.
        stopping: Set by SIGTERM: finish, hand over, and return.
        hurry: Set by the second one: let go of everything that is not needed to lose nothing.
    """

    settings: Settings
    sockets: tuple[socket.socket, ...]
    watch: Watch
    suspects: tuple[Suspect, ...]
    restarts: int
    report_ready: Callable[[str | None], None]
    report_settled: Callable[[bytes], None]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)


Run = Callable[[WorkerContext], Awaitable[None]]


def main() -> int:
    """Run a node, told by the supervisor how."""
    from parvis.server.node import run_worker  # it knows this module

    return work(sys.argv[1:], run_worker)


def work(argv: Sequence[str], run: Run) -> int:
    """Run until it returns or the supervisor is gone.

    Args:
        argv: The descriptor of the connection to the supervisor.
        run: What to do; when it returns after `WorkerContext.stopping`, all went well.

    Returns:
        The exit code.
    """
    control = Connection(int(argv[0]))
    start = receive_start(control)
    die_with(start.supervisor)
    threading.Thread(target=_follow, args=(control,), name="life-line", daemon=True).start()
    logs.configure(start.settings.log)
    # A stack overflow in native code leaves at least the Python side of the story.
    faulthandler.enable(all_threads=False)
    _raise_file_limit()
    for descriptor in (*start.descriptors, control.fileno()):
        os.set_inheritable(descriptor, False)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(start, control, run))
    except (StartRefused, SchemaTooNew) as refusal:
        send_report(control, {"report": "refused", "reason": str(refusal)})
        return REFUSED
    except StoreUnavailable as away:
        # It may be back at the next attempt; where in our code it was missed helps nobody.
        logger.error("the store cannot be reached: %s. %s", away, away.hint)
        return 1
    except Exception as error:
        logger.exception("the worker ends: %s", error)
        return 1
    return 0


async def _serve(start: Start, control: Connection, run: Run) -> None:
    def report(report: Report) -> None:
        send_report(control, report)

    context = WorkerContext(
        settings=start.settings,
        sockets=tuple(socket.socket(fileno=fd) for fd in start.sockets),
        watch=Watch(start.watch),
        suspects=start.suspects,
        restarts=start.restarts,
        report_ready=lambda link: report({"report": "ready", "first_start_link": link}),
        report_settled=lambda digest: report({"report": "settled", "digest": digest.hex()}),
    )

    def stop() -> None:
        (context.hurry if context.stopping.is_set() else context.stopping).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await run(context)
    finally:
        for each in context.sockets:
            each.close()


def _raise_file_limit() -> None:
    """Take as many open files as we may: a socket is one, and so is a database."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems call any number allowed and then take no more than a million.
    with contextlib.suppress(ValueError, OSError):
        wanted = 2**20 if hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _follow(control: Connection) -> None:
    """End this process as soon as the supervisor is gone, even if the loop is stuck."""
    try:
        while True:
            control.recv_bytes()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    # Under its real name, so that there is one `WorkerContext`.
    from parvis.server.worker import main as run_main

    sys.exit(run_main())
