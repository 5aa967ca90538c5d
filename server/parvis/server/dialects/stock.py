"""What the seats of y-websocket and Hocuspocus clients have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parvis.plugins import Access, Refused
from parvis.protocol import CloseCode, ErrorCode
from parvis.protocol.yjs import encode_sync_step1, encode_sync_step2, encode_update

from ..rooms.fast import FastPart
from ..rooms.part import LivePart
from ..rooms.seat import Seat, Session, Submission

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


class StockSeat(Seat):
    """A stock client in a document."""

    live: FastPart

    def __init__(self, session: Session, part: LivePart, access: Access) -> None:
        if not isinstance(part, FastPart):
            raise Refused(ErrorCode.PERMISSION_DENIED, "this is no Yjs document")
        super().__init__(session, part, access)

    def write(self, message: bytes) -> None:
        """Send one message, encoded as y-protocols has it."""
        raise NotImplementedError

    def resync(self, state: bytes) -> None:
        self.write(encode_sync_step1(state))

    def caught_up(self, updates: Sequence[bytes]) -> None:
        for update in updates:
            self.write(encode_update(update))

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
        self.live.submit(Submission(self, ref, update, complete))
