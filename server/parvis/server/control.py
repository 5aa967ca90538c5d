"""What supervisor and worker say to each other, over one connection that is also a life-line.

The supervisor says one thing, a `Start`, when the worker begins. The worker reports, one JSON
object each time::

    {"report": "ready", "first_start_link": "http://…" or null}
    {"report": "settled", "digest": "…"}     a suspect update has been judged
    {"report": "refused", "reason": "…"}     starting again would not help

When either end is gone, the other sees the end of the connection.
"""

import contextlib
import json
import pickle
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import cast

from parvis.server.firewall.watch import Suspect
from parvis.server.settings import Settings

Report = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Start:
    """What a worker gets to know at its start.

    Attributes:
        supervisor: Process id.
        sockets: Descriptors of bound, listening sockets.
        lock: Descriptor that keeps the data folder held as long as the worker lives.
        watch: Descriptor of the note, see `parvis.server.firewall.watch`.
        suspects: What earlier workers died over.
        restarts: How many workers this supervisor has seen die.
    """

    settings: Settings
    supervisor: int
    sockets: tuple[int, ...]
    lock: int
    watch: int
    suspects: tuple[Suspect, ...]
    restarts: int

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Descriptors the worker must inherit."""
        return (*self.sockets, self.lock, self.watch)


def send_start(connection: Connection, start: Start) -> None:
    """Tell the worker. The settings hold secrets, which is why they are not on its command line."""
    connection.send_bytes(pickle.dumps(start))


def receive_start(connection: Connection) -> Start:
    """Wait for the supervisor. Raises EOFError if it is gone."""
    # From our own parent, over a connection that nobody else can reach.
    return cast(Start, pickle.loads(connection.recv_bytes()))


def send_report(connection: Connection, report: Report) -> None:
    """Tell the supervisor; nothing happens if it is gone, for then this process ends too."""
    with contextlib.suppress(OSError):
        connection.send_bytes(json.dumps(report).encode())


def receive_report(connection: Connection) -> Report:
    """Take the next report. Raises EOFError or OSError if the worker is gone."""
    return cast(Report, json.loads(connection.recv_bytes()))
