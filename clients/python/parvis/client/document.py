"""The client's copy of a document part, and what of it the server has yet to make durable.

No I/O: the copy is told what came and hands what must go to `submit`. What keeps edits from being
lost is simple: the document holds them, and after every break the server is sent all that it says
it lacks, under one ref that stands for every edit without an ack. A server acks an update that adds
nothing only when what it holds is durable, so that ref's ack is worth as much as those it replaces.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pycrdt import Doc, TransactionEvent

from .errors import Refused, Rescue

EMPTY_UPDATE = b"\x00\x00"
logger = logging.getLogger(__name__)


class Submit(Protocol):
    """Sends an update and returns its ref, or None while there is no connection."""

    def __call__(self, update: bytes, key: bytes = b"") -> int | None: ...


class DocumentCopy:
    """A Yjs document, with numbers for its local edits (one per transaction), counted from 1.

    Attributes:
        doc: The document; another one after `set_aside`.
        edits: How many local edits there were.
        refused: Edits that the server turned down for good, until it asks for them again.
        behind: Whether the server dropped something for the moment, and will ask for it.
    """

    def __init__(self, room: str, submit: Submit, doc: Doc[Any], fresh: Callable[[], Doc[Any]]):
        self.room = room
        self.doc = doc
        self.edits = 0
        self.refused: dict[int, Refused] = {}
        self.behind = False
        self.incarnation = 0
        self._submit = submit
        self._fresh = fresh
        self._unsaved: dict[int, None] = {}
        self._covers: dict[int, tuple[int, ...]] = {}
        self._server_has = b"\x00"
        self._remote = False
        self._subscription = doc.observe(self._observed)
        if self.update() != EMPTY_UPDATE:
            self._edited()

    @property
    def unsaved(self) -> frozenset[int]:
        """Numbers of the local edits without an ack, refused ones included."""
        return frozenset(self._unsaved)

    @property
    def first_unsaved(self) -> int:
        """Number of the oldest edit without an ack; one past the last edit if there is none."""
        return next(iter(self._unsaved), self.edits + 1)

    def state(self) -> bytes:
        """The document's state vector."""
        return self.doc.get_state()

    def update(self) -> bytes:
        """The whole document as one update."""
        return self.doc.get_update()

    # What came from the server

    def joined(self, incarnation: int, updates: Sequence[bytes], state: bytes) -> None:
        """Take what was missing here, and submit what is missing there."""
        resumed = self.incarnation == incarnation
        self.incarnation = incarnation
        self._covers.clear()
        for update in updates:
            self.apply(update)
        self._server_has = state
        # A resumed copy may hold deletions of others that a crash took from the server, and state
        # vectors do not show deletions; so it is offered even if nothing here is unsaved.
        if self._unsaved or resumed:
            self._offer(even_if_empty=bool(self._unsaved))

    def apply(self, update: bytes) -> None:
        """Merge others' changes. Raises what pycrdt raises; the document is then unusable."""
        self._remote = True
        try:
            self.doc.apply_update(update)
        except ExceptionGroup:
            # pycrdt gathers what observers raise; the update itself was merged.
            logger.exception("%s: an observer of the application failed", self.room)
        finally:
            self._remote = False

    def resync(self, state: bytes) -> None:
        """The server asks for what `state` does not cover."""
        self._server_has = state
        self._offer(even_if_empty=True)

    def offer_again(self) -> None:
        """Submit what was refused for the moment, should the server not have asked for it."""
        if self.behind:
            self._offer(even_if_empty=True)

    def acked(self, ref: int) -> tuple[int, ...]:
        """Return the edits that this ack makes durable; they are unsaved no longer."""
        covered = self._covers.pop(ref, ())
        saved = tuple(edit for edit in covered if edit in self._unsaved)
        for edit in saved:
            del self._unsaved[edit]
        return saved

    def turned_down(self, ref: int, refusal: Refused) -> tuple[int, ...]:
        """Return the edits that are refused for good; none if the refusal is for the moment."""
        covered = self._covers.pop(ref, None)
        if covered is None:
            return ()
        if refusal.retryable:
            self.behind = True
            return ()
        self.refused.update(dict.fromkeys(covered, refusal))
        return covered

    def lost(self) -> None:
        """The connection is gone, and with it every answer that was owed."""
        self._covers.clear()
        self.behind = False

    def set_aside(self, code: int, reason: str) -> Rescue:
        """Put the document away and start with an empty one of another client id."""
        self.doc.unobserve(self._subscription)
        try:
            update = self.update()
        except BaseException as problem:  # a panic of yrs is no Exception
            if isinstance(problem, (KeyboardInterrupt, SystemExit)):
                raise
            logger.error("%s: the copy that is set aside cannot be read: %s", self.room, problem)
            update = b""
        rescue = Rescue(self.room, update, self.unsaved, self.incarnation, code, reason)
        self.doc = self._fresh()
        self._subscription = self.doc.observe(self._observed)
        self.incarnation = 0
        self._unsaved.clear()
        self.refused.clear()
        self._server_has = b"\x00"
        self.lost()
        return rescue

    # What happens here

    def _observed(self, event: TransactionEvent) -> None:
        if not self._remote:
            self._edited(event.update)

    def _edited(self, update: bytes | None = None) -> None:
        self.edits += 1
        self._unsaved[self.edits] = None
        ref = None if update is None else self._submit(update)
        if ref is not None:
            self._covers[ref] = (self.edits,)

    def _offer(self, *, even_if_empty: bool) -> None:
        lacking = self.doc.get_update(self._server_has)
        if lacking == EMPTY_UPDATE and not even_if_empty:
            return
        ref = self._submit(lacking)
        if ref is not None:
            self.behind = False
            self.refused.clear()
            self._covers[ref] = tuple(self._unsaved)
