"""The client's copy of a document part, and what of it the server has yet to make durable.

No I/O: the copy is told what came and hands what must go to `submit`. What keeps edits from being
lost is simple: the document holds them, and after every break the server is sent all that it says
it lacks, under one ref that stands for every edit without an ack; under a few, if that is much. A
server acks an update that adds nothing only when what it holds is durable, so those acks are worth
as much as the ones they replace.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from pycrdt import Doc, TransactionEvent

from parvis.protocol.pieces import cut, plan

from .errors import Refused, Rescue

EMPTY_UPDATE = b"\x00\x00"

LARGE = 1024 * 1024
"""Bytes of an update that goes in pieces: a server takes no frame of any size."""

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
        # Of an update that went in pieces: those without an ack, for each of them.
        self._pieces: dict[int, set[int]] = {}
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
        self._forget_refs()
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
        if (others := self._pieces.pop(ref, None)) is not None:
            others.discard(ref)
            if others:
                return ()
        saved = tuple(edit for edit in covered if edit in self._unsaved)
        for edit in saved:
            del self._unsaved[edit]
        return saved

    def turned_down(self, ref: int, refusal: Refused) -> tuple[int, ...]:
        """Return the edits that are refused for good; none if the refusal is for the moment."""
        covered = self._covers.pop(ref, None)
        if covered is None:
            return ()
        for other in self._pieces.get(ref, {ref}):
            self._covers.pop(other, None)
            self._pieces.pop(other, None)
        if refusal.retryable:
            self.behind = True
            return ()
        self.refused.update(dict.fromkeys(covered, refusal))
        return covered

    def lost(self) -> None:
        """The connection is gone, and with it every answer that was owed."""
        self._forget_refs()
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
        if update is not None:
            self._send(update, (self.edits,))

    def _offer(self, *, even_if_empty: bool) -> None:
        lacking = self.doc.get_update(self._server_has)
        if lacking == EMPTY_UPDATE and not even_if_empty:
            return
        if self._send(lacking, tuple(self._unsaved)):
            self.behind = False
            self.refused.clear()

    def _send(self, update: bytes, edits: tuple[int, ...]) -> bool:
        """Submit an update that carries these edits; False while there is no connection."""
        pieces = _pieces(update) if len(update) > LARGE else [update]
        refs = [ref for piece in pieces if (ref := self._submit(piece)) is not None]
        if len(refs) < len(pieces):
            return False
        left = set(refs)
        for ref in refs:
            self._covers[ref] = edits
            if len(refs) > 1:
                self._pieces[ref] = left
        return True

    def _forget_refs(self) -> None:
        self._covers.clear()
        self._pieces.clear()


def _pieces(update: bytes) -> Sequence[bytes]:
    """Cut a large update into such that can be sent one after the other."""
    parts = plan(update, LARGE)
    return [update] if parts is None else list(cut(update, parts))
