"""What browsers send: Yjs updates of a document's content, made with the real library."""

from __future__ import annotations

from typing import Any

from pycrdt import Doc, TransactionEvent, XmlElement, XmlFragment, XmlText

from parvis.protocol.messages import Changed
from parvis.server.testing import Visitor


class Pen:
    """A client's copy of the content, kept in step with what its visitor receives."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.doc: Doc[Any] = Doc()
        self._made: list[bytes] = []
        self._seen = 0
        for update in visitor.joined.updates:
            self.doc.apply_update(update)
        self._kept = self.doc.observe(self._changed)
        self._listening = True

    def _changed(self, event: TransactionEvent) -> None:
        if self._listening:
            self._made.append(event.update)

    @property
    def fragment(self) -> XmlFragment:
        found: XmlFragment = self.doc.get("default", type=XmlFragment)
        return found

    def read(self) -> None:
        """Apply what has come."""
        self._listening = False
        for message in self.visitor.received[self._seen :]:
            if isinstance(message, Changed):
                self.doc.apply_update(message.update)
        self._seen = len(self.visitor.received)
        self._listening = True

    def paragraph(self, text: str, tag: str = "paragraph", **attributes: Any) -> None:
        """Write a block at the end, unsent."""
        with self.doc.transaction():
            block = XmlElement(tag, attributes)
            self.fragment.children.append(block)
            block.children.append(XmlText(text))

    async def send(self, ref: int = 1) -> None:
        """Send what was written since."""
        made, self._made = self._made, []
        for update in made:
            await self.visitor.update(update, ref)

    async def write(self, text: str, tag: str = "paragraph", **attributes: Any) -> None:
        """Write a block at the end."""
        self.paragraph(text, tag, **attributes)
        await self.send()

    @property
    def text(self) -> str:
        """What the document says, as XML."""
        self.read()
        return str(self.fragment)


def texts(pen: Pen) -> list[str]:
    """Return the text of each block."""
    pen.read()
    return lines(pen.fragment)


def lines(fragment: XmlFragment) -> list[str]:
    """Return the text of each block of a fragment."""
    blocks = [block for block in fragment.children if isinstance(block, XmlElement)]
    return ["".join(str(child) for child in block.children) for block in blocks]
