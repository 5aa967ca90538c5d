"""The client's side of an ordered part: what came, and what was sent without an ack.

No I/O: the log is told what came and hands what must go to `submit`.
"""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from parvis.protocol.messages import Changed

from .document import Submit
from .errors import Refused


@dataclass(frozen=True, slots=True)
class Logged:
    """An update with its place in the log, who sent it, and when (seconds since 1970)."""

    offset: int
    update: bytes
    sender: str
    time: float


@dataclass(slots=True, eq=False)
class Sending:
    """An update on its way. `ref` is None while there is no connection.

    The server logs what comes with the same key only once, however often it is sent.
    """

    update: bytes
    key: bytes
    ref: int | None = None
    offset: int = 0
    refusal: Refused | None = None


class LogCopy:
    """Everything after an offset, in order and each once.

    After a break, what has no ack is sent again with its key.

    Attributes:
        offset: Of the last update that came.
        behind: Whether the server has more, to be asked for page by page.
    """

    def __init__(self, room: str, submit: Submit, after: int = 0) -> None:
        self.room = room
        self.offset = after
        self.incarnation = 0
        self.behind = False
        self._early: list[Logged] = []
        self._submit = submit
        self._sending: deque[Sending] = deque()

    @property
    def unsaved(self) -> int:
        """How many updates were sent without an ack."""
        return len(self._sending)

    def state(self) -> bytes:
        """The last offset, as a join carries it."""
        return struct.pack(">Q", self.offset)

    def send(self, update: bytes, key: bytes) -> Sending:
        """Submit an update now, or as soon as there is a connection.

        Args:
            key: At most 64 bytes that this user uses once in this part.
        """
        sending = Sending(update, key)
        self._sending.append(sending)
        sending.ref = self._submit(update, key)
        return sending

    def joined(self, incarnation: int, rows: Sequence[bytes], end: bytes) -> list[Logged]:
        """Return what had been missed, and send again what has no ack.

        Args:
            rows: Each is MessagePack of offset, sender, time and update.
            end: The offset of the server's last update.
        """
        self.incarnation = incarnation
        self._early.clear()
        for sending in self._sending:
            sending.ref = self._submit(sending.update, sending.key)
        return self.page(rows, end)

    def page(self, rows: Sequence[bytes], end: bytes) -> list[Logged]:
        """Return what one page brings, and behind the last one what came meanwhile."""
        missed = [each for row in rows if (each := _read(row)).offset > self.offset]
        if missed:
            self.offset = missed[-1].offset
        (last,) = struct.unpack(">Q", end)
        self.behind = bool(rows) and self.offset < last
        if not self.behind:
            missed += [each for each in self._early if each.offset > self.offset]
            self._early.clear()
            if missed:
                self.offset = missed[-1].offset
        return [each for each in missed if each.update]

    def changed(self, message: Changed) -> Logged | None:
        """Return what came, unless it is already known or must wait for earlier ones."""
        logged = Logged(message.offset, message.update, message.sender, message.time)
        if self.behind:
            self._early.append(logged)
            return None
        if message.offset <= self.offset:
            return None
        self.offset = message.offset
        return logged

    def acked(self, ref: int, offset: int) -> Sending | None:
        """Return the sending that is durable now."""
        sending = self._take(ref)
        if sending is not None:
            sending.offset = offset
        return sending

    def turned_down(self, ref: int, refusal: Refused) -> Sending | None:
        """Return the sending that was refused; whether to send it again is the caller's choice."""
        sending = self._take(ref)
        if sending is not None:
            sending.refusal = refusal
        return sending

    def lost(self) -> None:
        """The connection is gone, and with it every answer that was owed."""
        for sending in self._sending:
            sending.ref = None

    def give_up(self) -> list[Sending]:
        """Forget what was not acked, and return it."""
        given_up = list(self._sending)
        self._sending.clear()
        return given_up

    def start_over(self) -> None:
        """The part has another life: its offsets count from 1 again."""
        self.offset = 0
        self.incarnation = 0
        self.behind = False
        self._early.clear()

    def _take(self, ref: int) -> Sending | None:
        for sending in self._sending:
            if sending.ref == ref:
                self._sending.remove(sending)
                return sending
        return None


def _read(row: bytes) -> Logged:
    values: Any = msgpack.unpackb(row)
    offset, sender, time, update = values
    return Logged(offset, update, sender, time)
