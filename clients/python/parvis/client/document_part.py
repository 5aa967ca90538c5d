"""A joined document: edit `doc`, and what others do appears in it."""

import asyncio
import logging
from typing import Any

from pycrdt import Doc

from parvis.protocol import ErrorCode
from parvis.protocol.messages import Changed, Joined, Synced

from .document import DocumentCopy
from .errors import ClientError, Refused, Rescue, SetAside
from .events import Event
from .part import Host, Part

logger = logging.getLogger(__name__)


class DocumentPart(Part):
    """A Yjs document that is shared.

    Attributes:
        on_ack: Called with the numbers of the edits that became durable, and the offset.
        on_refused: Called with the numbers of the edits that were turned down for good, and why.
            They stay in the local document until the server asks for them again or resets it.
        on_reset: Called with the rescue copy after `doc` was replaced by an empty document.
    """

    def __init__(self, host: Host, name: str, *, doc: Doc[Any] | None, schema: int) -> None:
        doc = self._fresh(host) if doc is None else doc
        super().__init__(host, name, doc.client_id, schema)
        self.on_ack: Event[[tuple[int, ...], int]] = Event()
        self.on_refused: Event[[tuple[int, ...], Refused]] = Event()
        self.on_reset: Event[[Rescue]] = Event()
        self._saving: list[tuple[int, asyncio.Future[None]]] = []
        self._copy = DocumentCopy(name, self._submit, doc, lambda: self._fresh(host))

    @property
    def doc(self) -> Doc[Any]:
        """The document; after a reset it is another one."""
        return self._copy.doc

    @property
    def edits(self) -> int:
        """How many edits were made here: the number of the last one."""
        return self._copy.edits

    @property
    def unsaved(self) -> frozenset[int]:
        """Numbers of the edits made here that the server has not acknowledged."""
        return self._copy.unsaved

    async def saved(self) -> None:
        """Return once every edit made so far is durable.

        Raises:
            Refused: If one of them was turned down for good.
            SetAside: If they were set aside by a reset.
            Closed: If the session ends first.
        """
        edits = self._copy.edits
        refused = next(iter(self._copy.refused.values()), None)
        if refused is not None:
            raise refused
        if self._copy.first_unsaved > edits:
            return
        if self.ended is not None:
            raise self.ended
        waiting = asyncio.get_running_loop().create_future()
        self._saving.append((edits, waiting))
        await waiting

    # For the session

    @staticmethod
    def _fresh(host: Host) -> Doc[Any]:
        return Doc(client_id=host.random.below(2**32))

    def _state(self) -> bytes:
        return self._copy.state()

    def _incarnation(self) -> int:
        return self._copy.incarnation

    def _take(self, message: Joined) -> None:
        try:
            self._copy.joined(message.incarnation, message.updates, message.state)
        except BaseException as problem:
            self._broken(problem)

    def _changed(self, message: Changed) -> None:
        try:
            self._copy.apply(message.update)
        except BaseException as problem:
            self._broken(problem)

    def _acked(self, ref: int, offset: int) -> None:
        saved = self._copy.acked(ref)
        if not saved:
            return
        first = self._copy.first_unsaved
        for edits, waiting in self._saving:
            if first > edits and not waiting.done():
                waiting.set_result(None)
        self._saving = [each for each in self._saving if not each[1].done()]
        self.on_ack.emit(saved, offset)

    def _turned_down(self, ref: int, refusal: Refused) -> None:
        edits = self._copy.turned_down(ref, refusal)
        if edits:
            self._fail_saving(refusal)
            self.on_refused.emit(edits, refusal)
        elif self._copy.behind:
            self._later(self._copy.offer_again)

    def _synced(self, message: Synced) -> None:
        for update in message.updates:
            self._changed(Changed(message.channel, update))

    def _resync(self, state: bytes) -> None:
        self._copy.resync(state)

    def _start_over(self, code: int, reason: str) -> None:
        rescue = self._copy.set_aside(code, reason)
        self.awareness.renamed(self.doc.client_id)
        self._fail_saving(SetAside(rescue))
        self.on_reset.emit(rescue)

    def _lost(self) -> None:
        self._copy.lost()

    def _end(self, reason: ClientError) -> None:
        self._fail_saving(reason)

    def _fail_saving(self, reason: ClientError) -> None:
        for _, waiting in self._saving:
            if not waiting.done():
                waiting.set_exception(reason)
        self._saving.clear()

    def _broken(self, problem: BaseException) -> None:
        """The document is of no use after a failed apply; a panic of yrs is no `Exception`."""
        if isinstance(problem, (KeyboardInterrupt, SystemExit)):
            raise problem
        logger.error("%s: an update from the server broke the local copy: %r", self.name, problem)
        self.lost()
        self._start_over(ErrorCode.INTERNAL, f"the local copy broke: {problem}")
        self._later(lambda: self._host.rejoin(self))
