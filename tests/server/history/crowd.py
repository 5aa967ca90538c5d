"""People who write in one document at random, as a log would have it: rows with their senders."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from pycrdt import Array, Doc, Map, Text, TransactionEvent, XmlElement, XmlFragment, XmlText

NAMES: tuple[str, ...] = ("ada", "bob", "cy")


class Writer:
    """Somebody with a copy of the document.

    Attributes:
        made: Updates that were made here and not taken yet.
    """

    def __init__(self, name: str, client: int) -> None:
        self.name = name
        self.doc = blank(client)
        self.made: list[bytes] = []
        self._hears = True
        self._observed = self.doc.observe(self._changed)

    def _changed(self, event: TransactionEvent) -> None:
        if self._hears:
            self.made.append(event.update)

    def hear(self, update: bytes) -> None:
        """Take in what somebody else wrote."""
        self._hears = False
        self.doc.apply_update(update)
        self._hears = True


class Crowd:
    """Three people, each seeing what the others do sooner or later.

    Attributes:
        rows: Sender and update, in the order in which a server would have got them.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        clients = self.random.sample(range(1, 2**32), len(NAMES))
        self.writers = [Writer(*each) for each in zip(NAMES, clients, strict=True)]
        self.rows: list[tuple[str, bytes]] = []
        self._heard = dict.fromkeys(NAMES, 0)

    def write(self, rows: int) -> Crowd:
        """Go on until there are so many rows."""
        while len(self.rows) < rows:
            writer = self.random.choice(self.writers)
            if self.random.random() < 0.4:
                self.catch_up(writer)
            with writer.doc.transaction():
                self.random.choice(DEEDS)(self.random, writer.doc)
            self.rows += [(writer.name, update) for update in writer.made]
            writer.made.clear()
        return self

    def catch_up(self, writer: Writer) -> None:
        """Show somebody all that was written so far."""
        for name, update in self.rows[self._heard[writer.name] :]:
            if name != writer.name:
                writer.hear(update)
        self._heard[writer.name] = len(self.rows)

    @property
    def updates(self) -> list[bytes]:
        return [update for _, update in self.rows]


def blank(client: int = 1) -> Doc[Any]:
    """Return a document whose roots are known for what they are."""
    doc: Doc[Any] = Doc(client_id=client)
    doc.get("text", type=Text)
    doc.get("list", type=Array)
    doc.get("map", type=Map)
    doc.get("xml", type=XmlFragment)
    return doc


def replay(*updates: bytes) -> Doc[Any]:
    """Return a document with these updates, applied one by one."""
    doc = blank()
    for update in updates:
        doc.apply_update(update)
    return doc


def said(doc: Doc[Any]) -> tuple[Any, ...]:
    """Return all that a document says, with formats, without the order of attributes."""
    return (
        [(piece, formats or {}) for piece, formats in doc.get("text", type=Text).diff()],
        doc.get("list", type=Array).to_py(),
        doc.get("map", type=Map).to_py(),
        [_xml(child) for child in doc.get("xml", type=XmlFragment).children],
    )


def _xml(part: Any) -> Any:
    if isinstance(part, XmlText):
        return [(piece, formats or {}) for piece, formats in part.diff()]
    return part.tag, dict(part.attributes), [_xml(child) for child in part.children]


def _type(random: Random, doc: Doc[Any]) -> None:
    text: Text = doc.get("text", type=Text)
    text.insert(_place(random, str(text)), random.choice(("a", "bc", "déf", "🦊", "g h ")))


def _erase(random: Random, doc: Doc[Any]) -> None:
    text: Text = doc.get("text", type=Text)
    said = str(text)
    first, last = sorted((_place(random, said), _place(random, said)))
    if first < last:
        del text[first:last]


def _format(random: Random, doc: Doc[Any]) -> None:
    text: Text = doc.get("text", type=Text)
    said = str(text)
    first, last = sorted((_place(random, said), _place(random, said)))
    if first < last:
        text.format(first, last, {"bold": random.choice((True, None))})


def _list(random: Random, doc: Doc[Any]) -> None:
    items: Array[Any] = doc.get("list", type=Array)
    if len(items) and random.random() < 0.4:
        del items[random.randrange(len(items))]
    elif random.random() < 0.5:
        items.insert(random.randint(0, len(items)), random.randrange(99))
    else:
        inner = Map({"n": random.randrange(9), "more": Array([1, 2])})
        items.insert(random.randint(0, len(items)), inner)


def _map(random: Random, doc: Doc[Any]) -> None:
    values: Map[Any] = doc.get("map", type=Map)
    key = random.choice("xyz")
    if key in values and random.random() < 0.3:
        del values[key]
    else:
        values[key] = random.choice((Text("inside"), random.randrange(99), [1, {"a": None}]))


def _paragraph(random: Random, doc: Doc[Any]) -> None:
    children = doc.get("xml", type=XmlFragment).children
    if len(children) and random.random() < 0.3:
        del children[random.randrange(len(children))]
        return
    block = XmlElement("p", {"id": str(random.randrange(99)), "level": "1"})
    children.insert(random.randint(0, len(children)), block)
    block.children.append(XmlText("paragraph"))


def _within(random: Random, doc: Doc[Any]) -> None:
    children = doc.get("xml", type=XmlFragment).children
    if not len(children):
        return
    block: Any = children[random.randrange(len(children))]
    if random.random() < 0.4:
        block.attributes["id"] = str(random.randrange(99))
        return
    text = block.children[0]
    if len(str(text)) > 2 and random.random() < 0.5:
        del text[0:2]
    else:
        text.insert(0, "zz")


def _place(random: Random, said: str) -> int:
    """Return a place between two characters, as pycrdt counts them."""
    return len(said[: random.randint(0, len(said))].encode())


DEEDS: tuple[Callable[[Random, Doc[Any]], None], ...] = (
    *(_type, _type, _type, _erase, _erase, _format),
    *(_list, _map, _paragraph, _within, _within),
)
