"""What happened in one simulated world: a trace of everything, edits, and broken promises.

Each event goes into a digest, so that two runs of a seed can be compared, and into the trace that
a failure shows.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from parvis.protocol.ranges import DeleteSet, Range, Ranges, merge


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken.

    Attributes:
        invariant: ``I1`` … as in the table of tests/simulation/README.md.
        time: Virtual seconds.
    """

    invariant: str
    time: float
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} at {self.time:.4f} s: {self.what}"


@dataclass(slots=True, eq=False)
class Edit:
    """One transaction of somebody's.

    Attributes:
        name: For people, e.g. ``u2#7 mark``.
        structs, deletes: What it made and what it deleted.
        mark: The key that it put into the map of marks, or empty.
        unmarked: The key that it deleted from the map of what may go, or empty.
        allowed: Its author had the right to write.
    """

    name: str
    structs: Ranges
    deletes: Ranges
    mark: str = ""
    unmarked: str = ""
    allowed: bool = True
    acked: bool = False


@dataclass(slots=True)
class Covered:
    """A growing set of clocks, by client."""

    clients: dict[int, list[Range]] = field(default_factory=dict[int, list[Range]])

    def add(self, ranges: Ranges) -> None:
        for client, each in ranges.items():
            self.clients[client] = merge([*self.clients.get(client, ()), *each])

    def covers(self, ranges: Ranges) -> bool:
        return DeleteSet(self.clients).covers(ranges)


class History:
    """Keeps the trace of one run, what was sent and acknowledged, and what went wrong.

    Attributes:
        sent, deleted: What those who may write made and deleted.
        server_clients: Client ids under which nodes have edited.
        messages: What was sent to the ordered part, by those who may.
        notes: What commands have answered to have noted.
        keys: The marks that were acknowledged, by the node that did it.
    """

    def __init__(self, *, keep: int) -> None:
        self.violations: list[Violation] = []
        self.lines: list[str] = []
        self.edits: list[Edit] = []
        self.sent = Covered()
        self.deleted = Covered()
        self.server_clients: set[int] = set()
        self.notes: set[str] = set()
        self.messages: set[bytes] = set()
        self.acked_messages: dict[bytes, int] = {}
        self.keys: dict[str, set[str]] = {}
        self.acks = 0
        self.events = 0
        self._keep = keep
        self._digest = hashlib.blake2b(digest_size=16)

    def note(self, who: str, what: str) -> None:
        """Write an event down."""
        line = f"{asyncio.get_running_loop().time():10.4f}  {who:<10} {what}"
        self.events += 1
        self._digest.update(line.encode())
        self.lines.append(line)
        if len(self.lines) > 2 * self._keep:
            del self.lines[: -self._keep]

    def violate(self, invariant: str, what: str) -> None:
        """A promise was broken."""
        self.violations.append(Violation(invariant, asyncio.get_running_loop().time(), what))
        self.note("VIOLATION", f"{invariant}: {what}")

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def made(self, edit: Edit) -> None:
        """Somebody has changed their copy; it is not on its way yet."""
        self.edits.append(edit)
        self.note(edit.name.partition("#")[0], f"edit {edit.name}")
        if edit.allowed:
            self.sent.add(edit.structs)
            self.deleted.add(edit.deletes)

    def acked(self, edit: Edit, node: str) -> None:
        """A client was told that its edit is durable."""
        if edit.acked:
            return
        edit.acked = True
        self.acks += 1
        self.note(edit.name.partition("#")[0], f"acked {edit.name} by {node}")
        if edit.mark:
            self.keys.setdefault(node, set()).add(edit.mark)

    def tail(self, count: int) -> Sequence[str]:
        """Return the newest lines of the trace."""
        return self.lines[-count:]

    def marks(self, *, acked: bool) -> set[str]:
        return {e.mark for e in self.edits if e.mark and e.allowed and (e.acked or not acked)}

    def unmarked(self, *, acked: bool) -> set[str]:
        return {e.unmarked for e in self.edits if e.unmarked and (e.acked or not acked)}
