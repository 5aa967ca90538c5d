"""The client's side of an ordered part: what came, and what was sent without an ack.

No I/O: the log is told what came and hands what must go to `submit`.
"""

import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from parvis.protocol.messages import Changed

from .document import Submit
from .errors import Refused


@dataclass(frozen=True, slots=True)
class Logged:
    """An update with its place in the log; `sender` and `time` are unknown ("" and 0) for those
    that were caught up with while joining."""

    offset: int
    update: bytes
    sender: str = ""
    time: float = 0.0


@dataclass(slots=True, eq=False)
class Sending:
    """An update on its way. `ref` is None while there is no connection."""

    update: bytes
    ref: int | None = None
    offset: int = 0
    refusal: Refused | None = None


class LogCopy:
    """Everything after an offset, in order and each once.

    After a break, an update without an ack that has meanwhile come back with the log counts as
    sent, by its bytes; so the bytes of two updates of one client must differ, which ciphertext
    with a nonce always does.

    Attributes:
        offset: Of the last update that came.
    """

    def __init__(self, room: str, submit: Submit, after: int = 0) -> None:
        self.room = room
        self.offset = after
        self.incarnation = 0
        self._submit = submit
        self._sending: deque[Sending] = deque()

    @property
    def unsaved(self) -> int:
        """How many updates were sent without an ack."""
        return len(self._sending)

    def state(self) -> bytes:
        """The last offset, as a join carries it."""
        return struct.pack(">Q", self.offset)

    def send(self, update: bytes) -> Sending:
        """Submit an update now, or as soon as there is a connection."""
        sending = Sending(update)
        self._sending.append(sending)
        sending.ref = self._submit(update)
        return sending

    def joined(
        self, incarnation: int, end: int, updates: Sequence[bytes]
    ) -> tuple[list[Logged], list[Sending]]:
        """Return what had been missed, and which sendings turn out to be in it; send the rest."""
        self.incarnation = incarnation
        first = end - len(updates) + 1
        missed = [Logged(first + at, update) for at, update in enumerate(updates)]
        missed = [each for each in missed if each.offset > self.offset]
        done: list[Sending] = []
        for each in missed:
            self.offset = each.offset
            for sending in self._sending:
                if sending.update == each.update:
                    sending.offset = each.offset
                    done.append(sending)
                    self._sending.remove(sending)
                    break
        for sending in self._sending:
            sending.ref = self._submit(sending.update)
        return missed, done

    def changed(self, message: Changed) -> Logged | None:
        """Return what came, unless it is already known."""
        if message.offset <= self.offset:
            return None
        self.offset = message.offset
        return Logged(message.offset, message.update, message.sender, message.time)

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

    def _take(self, ref: int) -> Sending | None:
        for sending in self._sending:
            if sending.ref == ref:
                self._sending.remove(sending)
                return sending
        return None
