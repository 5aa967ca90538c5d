"""What the seats of y-websocket and Hocuspocus clients have in common."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from parvis.plugins import Access, Refused
from parvis.protocol import CloseCode, ErrorCode, Malformed
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.yjs import (
    decode_state_vector,
    encode_state_vector,
    encode_sync_step1,
    encode_sync_step2,
    encode_update,
)
from parvis.storage import StorageError

from ..lives.retired import KEPT, RELOAD, Life
from ..ports import Timer
from ..rooms.fast import FastPart
from ..rooms.joining import leave
from ..rooms.part import LivePart
from ..rooms.seat import Seat, Session, Submission
from ..session import DialectSession

logger = logging.getLogger(__name__)

CLOSES: Mapping[ErrorCode, CloseCode] = {
    ErrorCode.MALFORMED: CloseCode.STOCK_MALFORMED,
    ErrorCode.INVALID_NAME: CloseCode.STOCK_NOT_FOUND,
    ErrorCode.UNKNOWN_ROOM_TYPE: CloseCode.STOCK_NOT_FOUND,
    ErrorCode.ROOM_NOT_FOUND: CloseCode.STOCK_NOT_FOUND,
    ErrorCode.ROOM_DELETED: CloseCode.STOCK_NOT_FOUND,
    ErrorCode.PERMISSION_DENIED: CloseCode.STOCK_FORBIDDEN,
    ErrorCode.UNAUTHENTICATED: CloseCode.STOCK_REFRESH_TOKEN,
    ErrorCode.TOO_LARGE: CloseCode.STOCK_TOO_LARGE,
    ErrorCode.POISON: CloseCode.STOCK_POISON,
    ErrorCode.INVALID_UPDATE: CloseCode.STOCK_MALFORMED,
}
"""How a refusal that ends a stock client's document is said as a close code."""


def close_code(code: ErrorCode) -> CloseCode:
    """Return the close code for a refusal: transient ones come back, the rest must reload."""
    if code.retryable:
        return CloseCode.STOCK_TRY_LATER
    return CLOSES.get(code, CloseCode.STOCK_RELOAD)


class StockSession(DialectSession):
    """A session of a stock client, closed with codes of their own range."""

    malformed = CloseCode.STOCK_MALFORMED
    slow = CloseCode.STOCK_SLOW
    late = CloseCode.STOCK_TIMEOUT
    expired = CloseCode.STOCK_REFRESH_TOKEN
    revoked = CloseCode.STOCK_REFRESH_TOKEN
    poison: ClassVar[CloseCode] = CloseCode.STOCK_POISON


HANDING_OVER: Final = 10.0
"""Seconds that a client with a copy of an earlier life has to hand over what it wrote."""


class StockSeat(Seat):
    """A stock client in a document.

    Attributes:
        outdated: The client's copy is of an earlier life of the part: it takes part no more, and
            is asked for what it wrote, which is put aside.
    """

    live: FastPart
    session: StockSession

    def __init__(self, session: Session, part: LivePart, access: Access) -> None:
        if not isinstance(part, FastPart):
            raise Refused(ErrorCode.PERMISSION_DENIED, "this is no Yjs document")
        super().__init__(session, part, access)
        self._asked: bytes | None = None
        self._resting = False
        self.outdated = False
        self._base: Life | None = None
        self._patience: Timer | None = None

    @abstractmethod
    def write(self, message: bytes) -> None:
        """Send one message, encoded as y-protocols has it."""

    @abstractmethod
    def reload(self, reason: str) -> None:
        """Send the client away for good, as far as it can be told: the page must be reloaded."""

    def resync(self, state: bytes) -> None:
        self.write(encode_sync_step1(state))

    def caught_up(self, updates: Sequence[bytes]) -> None:
        for update in updates:
            self.write(encode_update(update))

    def ask(self, state: bytes) -> None:
        """Take in SyncStep1, to be answered as soon as the peer may see the document.

        There is one answer in a turn of the loop, and of what was asked meanwhile only the last
        gets one, which covers the others: a few kilobytes of questions would otherwise stop
        everybody for as long as it takes to encode the document a thousand times.
        """
        if self.outdated:
            return
        if self.live.retired:
            clocks = decode_state_vector(state)
            if self.live.retired.names(clocks):
                self._go_out(self.live.retired.base(clocks, self.live.document.clocks))
                return
        first = self._asked is None
        self._asked = state
        if first and not self._resting:
            self.live.when_ready(self, self._answer_last)

    def _answer_last(self) -> None:
        state, self._asked = self._asked, None
        if state is None or self.left:
            return
        self._resting = True
        self.live.room.node.clock.call_soon(self._rested)
        try:
            self.answer(state)
        except Malformed as problem:
            self.session.close(CloseCode.STOCK_MALFORMED, str(problem))

    def _rested(self) -> None:
        self._resting = False
        if self._asked is not None:
            self.live.when_ready(self, self._answer_last)

    def answer(self, state: bytes) -> None:
        """Answer SyncStep1. Raises `Malformed` if that is no state vector."""
        self.bring_up(self.live.diff(state))

    def bring_up(self, updates: Sequence[bytes]) -> None:
        """Answer SyncStep1 with several updates, each of which may build on those before it.

        The client calls itself synced at SyncStep2, so that is the last. They go in their order,
        because yrs, unlike Yjs, may keep what came too early waiting when what it waited for is
        there: clients on pycrdt would show a document with holes.
        """
        self.caught_up(updates[:-1])
        self.write(encode_sync_step2(updates[-1]))

    def submit(self, ref: int, update: bytes, *, complete: bool = False) -> None:
        """Hand in an update of the peer."""
        if self.outdated:
            if complete:
                self._take_over(update)
            return
        self.live.submit(Submission(self, ref, update, complete))

    # Copies of an earlier life: merged with this one, everything would be there twice

    def reset(self, code: ErrorCode, reason: str) -> None:
        if code is ErrorCode.STALE_INCARNATION:
            # If the part began its new life this moment, the copy is of the one before; else
            # something of an earlier life got into a copy of this one.
            self._go_out(self.live.ending)
        else:
            self.expelled(code, reason)

    def _go_out(self, base: Life | None) -> None:
        """Take no more part; ask the client for what it has and the base has not (None: all)."""
        if self.outdated:
            return
        self.outdated = True
        self._base = base
        leave(self.session.core, self)
        if self.may_write:
            clocks = encode_state_vector(base.clocks) if base is not None else b"\x00"
            self.write(encode_sync_step1(clocks))
            clock = self.session.core.clock
            self._patience = clock.call_later(HANDING_OVER, lambda: self.reload(RELOAD))
        else:
            self.reload(RELOAD)

    def _take_over(self, work: bytes) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
            self.session.spawn(self._put_aside(work))

    async def _put_aside(self, work: bytes) -> None:
        live, base = self.live, self._base
        clocks = base.clocks if base else {**live.retired.clocks, **live.document.clocks}
        deleted = DeleteSet() if base else live.document.deleted()
        try:
            kept = await self.session.core.lives.offline(
                live.address, self.caller, work, base, clocks, deleted
            )
        except (Refused, StorageError) as problem:
            logger.warning("%s: what came too late was not kept: %s", live.address, problem)
            self.session.close(CloseCode.STOCK_TRY_LATER, "try again later")
        else:
            self.reload(KEPT if kept else RELOAD)
