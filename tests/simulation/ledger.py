"""The judge's own book of what is durable; checks each change of the store as it is made."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pycrdt import Array, Doc, Map, Text

from parvis.protocol.ranges import Ranges
from parvis.protocol.update import STORED, scan
from parvis.protocol.yjs import decode_state_vector
from parvis.server.firewall.order import Order
from parvis.storage import Address, Appended, Batch, LoggedUpdate, Snapshot
from tests.simulation.history import Covered, Edit, History


@dataclass(slots=True)
class Log:
    """What is known of one part's log.

    Attributes:
        sums: Checksum of each row; 0 for one that was set aside or gave way to a compaction.
        updates: The rows themselves; one that was set aside is empty.
        made, deletes: What all rows together made and deleted.
        order: Puts them in order; its clocks tell what can be shown of them.
        first: Offset of the first row that is still there.
    """

    sums: list[int] = field(default_factory=list[int])
    updates: list[bytes] = field(default_factory=list[bytes])
    made: Covered = field(default_factory=Covered)
    deletes: Covered = field(default_factory=Covered)
    order: Order = field(default_factory=Order)
    first: int = 1


class Ledger:
    """Knows every row that was ever made durable."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._logs: dict[Address, Log] = {}
        self._fences: dict[str, int] = {}

    def log(self, address: Address) -> Log:
        return self._logs.setdefault(address, Log())

    def length(self, address: Address) -> int:
        return len(self.log(address).sums)

    def opened(self, room: str, fence: int) -> None:
        if fence <= self._fences.get(room, 0):
            self._history.violate("I10", f"{room} was opened with fence {fence} once more")
        self._fences[room] = fence

    def appended(
        self, address: Address, batch: Batch, answer: Appended, rows: Sequence[LoggedUpdate]
    ) -> None:
        """A batch was logged; `rows` are those that were not there before."""
        log = self.log(address)
        if batch.fence != self._fences[batch.room]:
            newest = self._fences[batch.room]
            self._history.violate("I10", f"fence {batch.fence} appends to {address}, not {newest}")
        for row in rows:
            if row.offset != len(log.sums) + 1:
                self._history.violate(
                    "I11", f"{address}: row {row.offset} comes after row {len(log.sums)}"
                )
            self._add(address, log, row)
        told = [offset for offset in answer.offsets if offset]
        if any(not 1 <= offset <= len(log.sums) for offset in told):
            self._history.violate("I11", f"{address}: answered offsets {told} of {len(log.sums)}")
        by_key = {entry.key: entry.update for entry in batch.entries}
        entries = [batch.entries[at] for at, offset in enumerate(answer.offsets) if offset]
        for offset, entry in zip(told, entries, strict=True):
            if log.sums[offset - 1] not in (0, zlib.crc32(by_key[entry.key])):
                self._history.violate("I11", f"{address}: offset {offset} holds something else")

    def _add(self, address: Address, log: Log, row: LoggedUpdate) -> None:
        log.sums.append(zlib.crc32(row.update))
        log.updates.append(row.update)
        if address.part:
            if row.update not in self._history.messages:
                self._history.violate("I3", f"{address}: row {row.offset} was sent by nobody")
            return
        scanned = scan(row.update, STORED)
        ours = self._history.server_clients
        structs = {each: made for each, made in scanned.structs.items() if each not in ours}
        if not self._history.sent.covers(structs):
            self._history.violate("I3", f"{address}: row {row.offset} by {row.sender}: invented")
        if not self._history.deleted.covers(scanned.deletes):
            self._history.violate("I3", f"{address}: row {row.offset} by {row.sender}: deletes")
        log.made.add(scanned.structs)
        for _ in log.order.ready([row.update]):
            pass
        log.deletes.add(scanned.deletes)

    def set_aside(self, address: Address, offset: int) -> None:
        if offset:
            self.log(address).sums[offset - 1] = 0
            self.log(address).updates[offset - 1] = b""

    def holds(self, address: Address, structs: Ranges, deletes: Ranges) -> bool:
        """Whether all of these are in rows, with all that they build on."""
        log = self.log(address)
        clocks = log.order.clocks
        return (
            all(each[-1][1] <= clocks.get(client, 0) for client, each in structs.items())
            and all(each[-1][1] <= clocks.get(client, 0) for client, each in deletes.items())
            and log.deletes.covers(deletes)
        )

    def snapshotted(self, address: Address, snapshot: Snapshot) -> None:
        """A snapshot was kept: it must be worth the rows it stands for."""
        self._worth(address, snapshot.state, snapshot.offset, "snapshot")

    def compacted(self, address: Address, through: int, base: bytes) -> None:
        """Rows gave way to one that must be worth them."""
        self._worth(address, base, through, "base")
        log = self.log(address)
        log.sums[:through] = [0] * through
        log.updates[:through] = [*[b""] * (through - 1), base]
        log.first = through

    def _worth(self, address: Address, state: bytes, offset: int, what: str) -> None:
        rows = self.log(address).updates[:offset]
        whole, lean = together(rows), together([state])
        if picture(whole) != picture(lean):
            self._history.violate(
                "I12", f"{address}: the {what} at {offset} is not its rows' worth"
            )
        covered = Covered()
        for update in rows:
            if update:
                covered.add(scan(update, STORED).structs)
        clocks = decode_state_vector(lean.get_state())
        for client, ranges in covered.clients.items():
            if ranges[-1][1] > clocks.get(client, 0):
                self._history.violate(
                    "I12", f"{address}: the {what} at {offset} lacks rows that wait"
                )
                return

    def compare(self, address: Address, rows: Sequence[LoggedUpdate]) -> None:
        """Look whether the log is still what it was when its rows were answered."""
        log = self.log(address)
        offsets = [row.offset for row in rows]
        if offsets != list(range(log.first, len(log.sums) + 1)):
            self._history.violate(
                "I11", f"{address}: expected {log.first} to {len(log.sums)}, got {offsets}"
            )
            return
        for row in rows:
            if log.sums[row.offset - 1] not in (0, zlib.crc32(row.update)):
                self._history.violate("I11", f"{address}: row {row.offset} has changed")


def together(updates: Sequence[bytes]) -> Doc[Any]:
    """Return a document made of updates, whatever their order; what has a gap is left out."""
    doc: Doc[Any] = Doc(client_id=1)
    for _, update in Order().ready(update for update in updates if update):
        doc.apply_update(update)
    return doc


def durable(edit: Edit, ledger: Ledger, address: Address) -> bool:
    """Whether a crash of everything would leave this edit."""
    return ledger.holds(address, edit.structs, edit.deletes)


def picture(doc: Doc[Any]) -> str:
    """Return a document's contents as canonical JSON, with its state vector."""
    return json.dumps(
        {
            "marks": doc.get("marks", type=Map).to_py(),
            "mortal": doc.get("mortal", type=Map).to_py(),
            "text": str(doc.get("text", type=Text)),
            "notes": doc.get("notes", type=Map).to_py(),
            "list": doc.get("list", type=Array).to_py(),
            "clocks": sorted(decode_state_vector(doc.get_state()).items()),
        },
        sort_keys=True,
    )
