"""A document that breaks on command as yrs does when it panics: for good, and by no Exception."""

from collections import deque
from typing import Any, ClassVar, Final

from pycrdt import Doc

from parvis.plugins import YDoc
from tests.server.rooms.lab import Board


class Panic(BaseException):
    """What a Rust panic looks like from Python."""


class BrittleDoc(Doc[Any]):
    """Panics over updates that hold all of some texts, once for each time they are listed."""

    texts: ClassVar[deque[tuple[bytes, ...]]] = deque()
    touched_when_broken: ClassVar[list[str]] = []

    broken = False

    def _look(self, what: str) -> None:
        if self.broken:
            self.touched_when_broken.append(what)

    def apply_update(self, update: bytes) -> None:
        self._look("apply_update")
        for texts in tuple(self.texts):
            if all(text in update for text in texts):
                self.texts.remove(texts)
                self.broken = True
                raise Panic("attempt to divide by zero")
        super().apply_update(update)

    def get_update(self, state: bytes | None = None) -> bytes:
        self._look("get_update")
        return super().get_update(state)

    def get_state(self) -> bytes:
        self._look("get_state")
        return super().get_state()


class Brittle(YDoc):
    """A replica on such a document."""

    def __init__(self, client_id: int) -> None:
        super().__init__(client_id)
        self.doc = BrittleDoc(client_id=client_id)


class BrittleBoard(Board):
    """A board whose documents may break."""

    replica = Brittle


BREAKS: Final = BrittleDoc.texts
"""Texts that together break the next document that an update with them is applied to."""
