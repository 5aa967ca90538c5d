"""Writers for the crash test: each keeps book of what it sent and of what was acknowledged."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pycrdt import Doc, Map

from parvis.client import Disconnected, Refused, connect
from parvis.client.stock import StockClient, connect_hocuspocus, connect_y
from tests.faults import ways_in
from tests.faults.ways_in import Door, Promptly

WINDOW = 8
"""Updates that a writer has on their way without an ack."""


@dataclass
class Book:
    """What all writers of a room did.

    Attributes:
        on_ack, on_sent: Called after each entry; this is where the test kills.
    """

    sent: set[str] = field(default_factory=set[str])
    acked: set[str] = field(default_factory=set[str])
    on_ack: Callable[[], None] = lambda: None
    on_sent: Callable[[], None] = lambda: None

    def note_sent(self, mark: str) -> None:
        self.sent.add(mark)
        self.on_sent()

    def note_acked(self, marks: list[str]) -> None:
        for mark in marks:
            if mark not in self.acked:
                self.acked.add(mark)
                self.on_ack()


def marks_in(doc: Doc[Any]) -> set[str]:
    """The marks that a document shows."""
    marks: Map[Any] = doc.get("marks", type=Map)
    return set(marks.keys())


def unacked(client: StockClient) -> int:
    """How many edits of this connection wait for their ack."""
    return client.edits - client.acked


class Writer(ABC):
    """Writes marks into a room, over as many connections as it takes, until it is stopped.

    Attributes:
        window: Updates on their way without an ack, at most.
    """

    window = WINDOW

    def __init__(self, node: Door, room: str, name: str, book: Book, client_id: int) -> None:
        self.node = node
        self.room = room
        self.name = name
        self.book = book
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.stopped = False
        self._marks: Map[Any] = self.doc.get("marks", type=Map)
        self._written: list[str] = []
        self._acked = 0
        self._room_to_write = asyncio.Event()

    def write(self) -> None:
        """One more mark; it is in the book before it can be on its way."""
        mark = f"{self.name}-{len(self._written)}"
        self._written.append(mark)
        self.book.note_sent(mark)
        self._marks[mark] = len(self._written)

    def acknowledged(self, count: int) -> None:
        """The first `count` marks are durable, says the server."""
        fresh = self._written[self._acked : count]
        self._acked = max(self._acked, count)
        self._room_to_write.set()
        self.book.note_acked(fresh)

    async def write_on(self, unacked: Callable[[], int], gone: Callable[[], bool]) -> None:
        """Keep the window full until the connection is gone or the writer is stopped."""
        while not (self.stopped or gone()):
            while unacked() < self.window and not (self.stopped or gone()):
                self.write()
            self._room_to_write.clear()
            await self._room_to_write.wait()

    def wake(self) -> None:
        self._room_to_write.set()

    def stop(self) -> None:
        """Write no more; stay connected."""
        self.stopped = True
        self.wake()

    @abstractmethod
    async def run(self) -> None:
        """Connect, write, come back; return once stopped and everything is on the server."""


class NativeWriter(Writer):
    """Writes with a session, which comes back by itself."""

    async def run(self) -> None:
        async with connect(
            ways_in.native(self.node), random=Promptly(self.doc.client_id)
        ) as session:
            part = await session.join(self.room, doc=self.doc)
            part.on_ack(lambda edits, offset: self.acknowledged(max(edits)))
            await self.write_on(lambda: len(part.unsaved), lambda: part.ended is not None)
            await part.saved()


class StockWriter(Writer):
    """Writes with one stock client after the other around the same document.

    Attributes:
        path: Where the server has this dialect.
        tries_again: A refusal may be a passing one, such as of a store that is away; y-websocket
            tries again after each. What is refused for good is missing in the end.
    """

    path = ""
    tries_again = False

    async def run(self) -> None:
        while True:
            before = len(self._written)
            try:
                client = await self.connect()
            except Disconnected:
                await asyncio.sleep(0.02)  # as often as a provider in a great hurry would try
                continue
            try:
                client.on_ack(partial(self._acknowledged_since, before))
                client.closed.add_done_callback(lambda closed: self.wake())
                await client.synced()
                await self.write_on(partial(unacked, client), client.closed.done)
                if self.stopped:
                    # Its ack says that everything before it, by this client, is durable too.
                    self.write()
                    await client.saved()
                    return
            except Disconnected:
                continue
            except Refused as refusal:
                if self.tries_again:
                    await asyncio.sleep(0.02)
                    continue
                raise AssertionError(f"{self.name} was refused: {refusal}") from refusal
            finally:
                await client.close()

    def _acknowledged_since(self, before: int, edit: int) -> None:
        self.acknowledged(before + edit)

    @abstractmethod
    async def connect(self) -> StockClient: ...


class YWriter(StockWriter):
    path = "/yjs"

    async def connect(self) -> StockClient:
        return await connect_y(ways_in.url(self.node, self.path), self.room, doc=self.doc)


class HocuspocusWriter(StockWriter):
    path = "/hocuspocus"

    async def connect(self) -> StockClient:
        return await connect_hocuspocus(ways_in.url(self.node, self.path), self.room, doc=self.doc)
