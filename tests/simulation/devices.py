"""People at their devices: real documents behind the real clients of three dialects."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

from pycrdt import Array, Doc, Map, Text, TransactionEvent

from parvis.client import Closed, Disconnected, Refused, Rescue, SetAside
from parvis.client.document_part import DocumentPart
from parvis.client.link import Link
from parvis.client.log_part import LogPart
from parvis.client.ports import Socket
from parvis.client.session import Session
from parvis.client.stock import HocuspocusClient, StockClient, YClient
from parvis.protocol.update import STORED, scan
from tests.simulation.ground import ROOM
from tests.simulation.history import Edit
from tests.simulation.ledger import picture
from tests.simulation.loop import Life
from tests.simulation.ports import SeededRandom, VirtualClock

if TYPE_CHECKING:
    from tests.simulation.world import World

CLIENT_BACKOFF: Final = 0.5
LETTERS: Final = "the quick brown fox jumps over the lazy dog "


class Device(ABC):
    """One person's copy of the room, over as many connections, and reloads, as it takes.

    Attributes:
        user: Whom it signs in as.
        allowed: They may write, as far as they were told.
        rogue: They write without the right to.
        joined: The document is open on the present connection.
        given_up: Why the device will not come back by itself; empty while it does.
    """

    dialect: ClassVar[str]

    def __init__(self, world: World, user: str, *, allowed: bool, rogue: bool) -> None:
        self.world = world
        self.user = user
        self.allowed = allowed
        self.rogue = rogue
        self.random = SeededRandom(world.seed, user)
        self.joined = False
        self.given_up = ""
        self.connection_count = 0
        self.lives = 0
        self.node = ""
        self.pending: list[tuple[int, Edit]] = []
        self.doc: Doc[Any] = self._fresh()
        self._life: Life | None = None
        self._due: set[str] = set()
        self._captured: list[bytes] | None = None
        self._observe()
        self._number = 0
        self._mine: list[str] = []

    # Life

    def start(self) -> None:
        """Open the app."""
        self.lives += 1
        self._life = Life(f"{self.user}.{self.lives}")
        self._life.spawn(self._run())

    def reload(self, *, forget: bool) -> None:
        """Close the app without a goodbye and open it again.

        Args:
            forget: With nothing of the document; what was not acknowledged may be lost.
        """
        assert self._life is not None
        self.world.history.note(self.user, f"reloads, {'empty' if forget else 'with its copy'}")
        self._life.kill()
        self.world.hang_up(self)
        self.joined = False
        old = self.doc.get_update()
        self.doc = self._fresh()
        if forget:
            self.pending.clear()
        else:
            self.doc.apply_update(old)
            self.pending = [(self._first_number, edit) for _, edit in self.pending]
        self._observe()
        self.start()

    _first_number: ClassVar[int] = 0
    """Number under which the client counts what a document held before."""

    def _fresh(self) -> Doc[Any]:
        return Doc(client_id=self.random.below(2**32))

    async def _dial(self) -> Socket:
        socket, self.node = await self.world.dial(self, self.dialect)
        self._due = set(self.world.history.keys.get(self.node, ()))
        return socket

    async def _pause(self) -> None:
        await asyncio.sleep(self.random.uniform(0.05, CLIENT_BACKOFF))

    @abstractmethod
    async def _run(self) -> None: ...

    # Editing

    def act(self) -> None:
        """Change something, also while there is no connection."""
        acts: Sequence[tuple[int, Callable[[], tuple[str, str, str]]]] = (
            (6, self._mark),
            (3, self._raise),
            (2, self._unmark),
            (5, self._type),
            (2, self._erase),
            (2, self._push),
            (1, self._pull),
            (1, self._paste),
        )
        at = self.random.below(sum(weight for weight, _ in acts))
        for weight, act in acts:
            at -= weight
            if at < 0:
                self._edit(act)
                return

    def _edit(self, act: Callable[[], tuple[str, str, str]]) -> None:
        self._number += 1
        self._captured = []
        with self.doc.transaction():
            what, mark, unmarked = act()
        captured, self._captured = self._captured, None
        if not captured:
            return
        (update,) = captured
        scanned = scan(update, STORED)
        edit = Edit(
            f"{self.user}#{self._number} {what}",
            scanned.structs,
            scanned.deletes,
            mark,
            unmarked,
            self.allowed,
        )
        self.pending.append((self._edit_number(), edit))
        self.world.history.made(edit)

    def _observe(self) -> None:
        self.doc.observe(self._observed)

    def _observed(self, event: TransactionEvent) -> None:
        if self._captured is not None:
            self._captured.append(event.update)

    @abstractmethod
    def _edit_number(self) -> int:
        """Return the number that the client gave to the edit just made."""

    def _mark(self) -> tuple[str, str, str]:
        key = f"{self.user}-{self._number}"
        self._map("marks")[key] = self._number
        return "mark", key, ""

    def _raise(self) -> tuple[str, str, str]:
        key = f"{self.user}-{self._number}"
        self._map("mortal")[key] = self._number
        self._mine.append(key)
        return "raise", "", ""

    def _unmark(self) -> tuple[str, str, str]:
        here = [key for key in self._mine if key in self._map("mortal")]
        if not here:
            return self._raise()
        key = here[self.random.below(len(here))]
        self._mine.remove(key)
        del self._map("mortal")[key]
        return "unmark", "", key

    def _type(self) -> tuple[str, str, str]:
        text: Text = self.doc.get("text", type=Text)
        start = self.random.below(len(LETTERS) - 4)
        text.insert(self.random.below(len(text) + 1), LETTERS[start : start + 4])
        return "type", "", ""

    def _paste(self) -> tuple[str, str, str]:
        text: Text = self.doc.get("text", type=Text)
        text.insert(self.random.below(len(text) + 1), LETTERS * 30)
        return "paste", "", ""

    def _erase(self) -> tuple[str, str, str]:
        text: Text = self.doc.get("text", type=Text)
        if not len(text):
            return self._type()
        at = self.random.below(len(text))
        del text[at : min(len(text), at + 1 + self.random.below(6))]
        return "erase", "", ""

    def _push(self) -> tuple[str, str, str]:
        array: Array[Any] = self.doc.get("list", type=Array)
        array.insert(self.random.below(len(array) + 1), self._number)
        return "push", "", ""

    def _pull(self) -> tuple[str, str, str]:
        array: Array[Any] = self.doc.get("list", type=Array)
        if not len(array):
            return self._push()
        del array[self.random.below(len(array))]
        return "pull", "", ""

    def _map(self, name: str) -> Map[Any]:
        found: Map[Any] = self.doc.get(name, type=Map)
        return found

    # What the judge asks

    def _opened(self) -> None:
        """The document is open: all that this node acknowledged before must be in it."""
        self.joined = True
        missing = self._due - set(self._map("marks").keys())
        if missing:
            what = f"{self.user} was served a document by {self.node} without {sorted(missing)}"
            self.world.history.violate("I8", what)

    def _acked(self, edit: Edit, offset: int = 0) -> None:
        world = self.world
        if not edit.allowed:
            world.history.violate("I3", f"{edit.name} was acknowledged, and is not allowed")
        elif not world.durable(edit):
            world.history.violate("I1", f"{edit.name} was acknowledged and is not durable")
        elif offset > world.length:
            world.history.violate("I11", f"{edit.name} was acknowledged at {offset}, past the end")
        world.history.acked(edit, self.node)

    @property
    def at_rest(self) -> bool:
        """Whether it is connected, and everything it may send is durable."""
        return self.joined and all(
            self.world.durable(edit) for _, edit in self.pending if edit.allowed
        )

    @property
    def picture(self) -> str:
        return picture(self.doc)


class NativeDevice(Device):
    """Parvis' own client, in the document and in the ordered part."""

    dialect = "native"
    _first_number = 1

    _part: DocumentPart | None = None
    _log: LogPart | None = None

    def start(self) -> None:
        self._part = self._log = None
        self.read: list[tuple[int, bytes]] = []
        self.unsent = 0
        super().start()

    def _edit_number(self) -> int:
        return self._part.edits if self._part is not None else self._first_number

    async def _run(self) -> None:
        clock = VirtualClock()
        session = Session(clock, self.random)
        session.on_disconnected(lambda _: self._lost())

        async def dial(url: str, *, subprotocols: Sequence[str] = ()) -> Socket:
            return await self._dial()

        link = Link(session, "sim:", self.user, dial, "simulation")
        while True:
            try:
                wire = await link.open()
                break
            except Disconnected:
                await self._pause()
        serving = asyncio.get_running_loop().create_task(link.run(wire))
        try:
            part = await session.join(ROOM, doc=self.doc)
            self._part = part
            part.on_ack(lambda saved, offset: self._settle(offset))
            part.on_reset(self._reset)
            part.on_lost(self._lost)
            part.on_joined(self._joined)
            self._opened()
            self._settle(0)
            if part.joined:
                self._log = await session.join_log(f"{ROOM}:log")
                async for logged in self._log.updates:
                    self._heard(logged.offset, logged.update)
            await serving
        except (Closed, Refused) as end:
            self.given_up = str(end)
            self.joined = False
            self.world.history.note(self.user, f"gives up: {end}")

    def _joined(self) -> None:
        self._opened()

    def _lost(self) -> None:
        self.joined = False

    def _reset(self, rescue: Rescue) -> None:
        self.world.history.note(self.user, f"is reset: {rescue.code} {rescue.reason}")
        if self.allowed:
            self.world.history.violate("L2", f"{self.user} was told to start over: {rescue.reason}")
        self.pending = []
        assert self._part is not None
        self.doc = self._part.doc
        self._observe()

    def _settle(self, offset: int) -> None:
        assert self._part is not None
        unsaved = self._part.unsaved
        done = [edit for number, edit in self.pending if number not in unsaved]
        self.pending = [each for each in self.pending if each[0] in unsaved]
        for edit in done:
            self._acked(edit, offset)

    # The ordered part

    def write(self) -> None:
        """Send a message to the ordered part."""
        if self._log is None or self._life is None:
            return
        self._number += 1
        message = f"{self.user}!{self._number}".encode()
        if self.allowed:
            self.world.history.messages.add(message)
        self.unsent += 1
        self._life.spawn(self._write(self._log, message, self._life))

    async def _write(self, log: LogPart, message: bytes, life: Life) -> None:
        try:
            while True:
                try:
                    offset = await log.send(message)
                    break
                except Refused as refusal:
                    if not refusal.retryable:
                        return
                    await self._pause()
        except (Closed, SetAside):
            return
        finally:
            if life is self._life:
                self.unsent -= 1
        self.world.message_acked(self.user, message, offset)

    def command(self) -> None:
        """Have the room note something."""
        if self._part is not None and self._life is not None and self.allowed:
            self._number += 1
            self._life.spawn(self._command(self._part, f"{self.user}?{self._number}"))

    async def _command(self, part: DocumentPart, note: str) -> None:
        try:
            answer = await part.command("note", note)
        except (Closed, Disconnected, Refused) as end:
            self.world.history.note(self.user, f"{note}: {end}")
            return
        self.world.noted(self.user, note, answer.offset)

    def _heard(self, offset: int, message: bytes) -> None:
        if self.read and offset <= self.read[-1][0]:
            before = self.read[-1][0]
            what = f"{self.user} got row {offset} of the ordered part after row {before}"
            self.world.history.violate("I11", what)
        self.read.append((offset, message))

    @property
    def at_rest(self) -> bool:
        return super().at_rest and not (self.unsent and self.allowed)


class StockDevice(Device):
    """A stock provider: it knows nothing but its document, and comes back after every close."""

    _client: StockClient | None = None

    def start(self) -> None:
        self._client = None
        super().start()

    def _edit_number(self) -> int:
        return self._client.edits if self._client is not None else 0

    async def _run(self) -> None:
        while True:
            try:
                client = self._open(await self._dial())
            except Disconnected:
                await self._pause()
                continue
            self.pending = [(0, edit) for _, edit in self.pending]
            client.on_ack(self._settle)
            self._client = client
            try:
                await client.synced()
                self._opened()
                await asyncio.shield(client.closed)
            except (Disconnected, Refused):
                pass
            self.joined = False
            self._client = None
            await client.close()
            await self._pause()

    @abstractmethod
    def _open(self, socket: Socket) -> StockClient: ...

    def _settle(self, acked: int) -> None:
        done = [edit for number, edit in self.pending if number <= acked]
        self.pending = [each for each in self.pending if each[0] > acked]
        for edit in done:
            self._acked(edit)


class YjsDevice(StockDevice):
    dialect = "yjs"

    def _settle(self, acked: int) -> None:
        # The dialect has no ack for what only deletes.
        self.pending = [
            (number, edit)
            for number, edit in self.pending
            if number > acked or edit.structs or not self.world.durable(edit)
        ]
        deletions = [(number, edit) for number, edit in self.pending if not edit.structs]
        self.pending = [each for each in self.pending if each[1].structs]
        super()._settle(acked)
        self.pending += deletions

    def _open(self, socket: Socket) -> StockClient:
        return YClient(socket, self.doc)


class HocuspocusDevice(StockDevice):
    dialect = "hocuspocus"

    def _open(self, socket: Socket) -> StockClient:
        return HocuspocusClient(socket, self.doc, ROOM, self.user)

    def _settle(self, acked: int) -> None:
        # Providers say that there is nothing unsaved when all their statuses have come.
        if isinstance(self._client, HocuspocusClient) and not self._client.unanswered:
            super()._settle(acked)


DIALECTS: Final[dict[str, type[Device]]] = {
    kind.dialect: cast("type[Device]", kind) for kind in (NativeDevice, YjsDevice, HocuspocusDevice)
}
