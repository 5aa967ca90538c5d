"""Minimal clients of the stock dialects, y-websocket and Hocuspocus, on Parvis' own codecs.

They behave as the JavaScript providers do on the wire, for load and crash tests in which hundreds
of them run in one process. An application uses `connect`, or the real providers.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

from pycrdt import Doc, TransactionEvent

from parvis.protocol import ErrorCode, Malformed, hocuspocus, update as yupdate, yjs

from .errors import Disconnected, Refused
from .events import Event
from .ports import Socket
from .transport import dial

S = TypeVar("S", bound="StockClient")


class StockClient(ABC):
    """A document over one connection; ends with it and is made anew around the same `doc`.

    Local edits of `doc` are sent. `saved` says when the server has acknowledged all of them.

    Attributes:
        doc: The shared document.
        edits: How many local edits there were on this connection.
        acked: Number of the newest acknowledged one; 0 also stands for what `doc` held before.
        on_ack: Called with `acked` each time the server acknowledges something.
        on_refused: Called with the number of an edit that was turned down; Hocuspocus only.
        on_update: Called with each update of others, before it is merged.
        on_awareness: Called with each awareness update.
        closed: How the connection ended, once it has.
    """

    def __init__(self, socket: Socket, doc: Doc[Any]) -> None:
        self.doc = doc
        self.edits = 0
        self.acked = 0
        self.on_ack: Event[[int]] = Event()
        self.on_refused: Event[[int]] = Event()
        self.on_update: Event[[bytes]] = Event()
        self.on_awareness: Event[[bytes]] = Event()
        self._socket = socket
        self._outgoing: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._synced = asyncio.Event()
        self._news = asyncio.Event()
        self._remote = False
        self._tasks: list[asyncio.Task[None]] = []
        self.closed: asyncio.Future[Disconnected | Refused] = (
            asyncio.get_running_loop().create_future()
        )
        self._subscription = doc.observe(self._observed)
        self._greet()
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]

    async def synced(self) -> None:
        """Return once the server has answered the first sync. Raises `Disconnected`, `Refused`."""
        await self._until(self._synced.is_set)

    async def saved(self) -> None:
        """Return once every local edit so far is acknowledged. Raises `Disconnected`."""
        edits = self.edits
        await self._until(lambda: self.acked >= edits)

    def send_update(self, update: bytes) -> int:
        """Send an update that is not in `doc`, as it is; return its number as an edit."""
        self.edits += 1
        self._edited(update)
        return self.edits

    def send_frame(self, frame: bytes) -> None:
        """Queue a frame as it is."""
        self._outgoing.append(frame)
        self._wake.set()

    async def close(self) -> None:
        """End the connection; the document stays."""
        self._finish(Disconnected(1000, "closed by the application"))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._socket.close()

    async def __aenter__(self: S) -> S:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # For the dialects

    @abstractmethod
    def _greet(self) -> None:
        """Queue what a provider says first."""

    @abstractmethod
    def _received(self, frame: bytes) -> None:
        """Act on a frame; raise anything if it is none."""

    @abstractmethod
    def _edited(self, update: bytes) -> None:
        """Queue a local edit, the one with the number `edits`."""

    def _apply(self, update: bytes) -> None:
        self.on_update.emit(update)
        self._remote = True
        try:
            self.doc.apply_update(update)
        finally:
            self._remote = False

    def _acked(self, edit: int) -> None:
        self.acked = max(self.acked, edit)
        self._news.set()
        self.on_ack.emit(self.acked)

    def _finish(self, end: Disconnected | Refused) -> None:
        if not self.closed.done():
            self.closed.set_result(end)
            self.doc.unobserve(self._subscription)
            self._news.set()
            for task in self._tasks:
                task.cancel()

    def _observed(self, event: TransactionEvent) -> None:
        if not self._remote:
            self.edits += 1
            self._edited(event.update)

    async def _until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            if self.closed.done():
                raise self.closed.result()
            self._news.clear()
            await self._news.wait()

    async def _read(self) -> None:
        try:
            while True:
                self._received(await self._socket.receive())
        except (Disconnected, Refused) as end:
            self._finish(end)
        except asyncio.CancelledError:
            raise
        except BaseException as problem:  # not a message, or an update that makes yrs panic
            self._finish(Disconnected(1002, repr(problem), final=True))

    async def _write(self) -> None:
        try:
            while True:
                while self._outgoing:
                    await self._socket.send(self._outgoing.popleft())
                self._wake.clear()
                await self._wake.wait()
        except Disconnected:
            return  # the reader knows the close code


class YClient(StockClient):
    """y-websocket: a writer's own update comes back, and that is its acknowledgement.

    An edit that only deletes has no clock, so it counts as acknowledged with the next insertion.
    """

    def __init__(self, socket: Socket, doc: Doc[Any]) -> None:
        self._clocks: deque[tuple[int, int]] = deque()
        self._newest = 0
        super().__init__(socket, doc)

    def _greet(self) -> None:
        clock = yjs.decode_state_vector(self.doc.get_state()).get(self.doc.client_id, 0)
        self._newest = clock
        if clock:
            self._clocks.append((clock, 0))
        self.send_frame(yjs.encode_sync_step1(self.doc.get_state()))

    def _edited(self, update: bytes) -> None:
        try:
            own = yupdate.scan(update).max_clocks.get(self.doc.client_id, 0)
        except Malformed:  # sent on purpose, and never to come back
            own = yupdate.MAX_CLOCK
        if own:
            self._newest = own
        self._clocks.append((own or self._newest + 1, self.edits))
        self.send_frame(yjs.encode_update(update))

    def _received(self, frame: bytes) -> None:
        for message in yjs.decode(frame):
            if isinstance(message, yjs.SyncStep1):
                lacking = self.doc.get_update(message.state_vector)
                self.send_frame(yjs.encode_sync_step2(lacking))
            elif isinstance(message, (yjs.SyncStep2, yjs.YUpdate)):
                self._apply(message.update)
                self._look_for_own(message.update)
                if isinstance(message, yjs.SyncStep2):
                    self._synced.set()
                    self._news.set()
            elif isinstance(message, yjs.Awareness):
                self.on_awareness.emit(message.payload)
            elif isinstance(message, yjs.PermissionDenied):
                raise Refused(ErrorCode.PERMISSION_DENIED, message.reason)

    def _look_for_own(self, update: bytes) -> None:
        own = yupdate.scan(update, yupdate.STORED).max_clocks.get(self.doc.client_id, 0)
        newest = -1
        while self._clocks and self._clocks[0][0] <= own:
            newest = self._clocks.popleft()[1]
        if newest >= 0:
            self._acked(newest)


class HocuspocusClient(StockClient):
    """Hocuspocus: each update, and the first sync's answer, is acknowledged by a SyncStatus."""

    def __init__(self, socket: Socket, doc: Doc[Any], name: str, token: str) -> None:
        self._name = name
        self._token = token
        self._unanswered: deque[int] = deque()
        super().__init__(socket, doc)

    @property
    def unanswered(self) -> int:
        """How many statuses are still to come; only at 0 is it certain what was saved.

        Providers count them, and so does `acked`; an update that was put off is answered behind
        later ones.
        """
        return len(self._unanswered)

    def _greet(self) -> None:
        self.send_frame(hocuspocus.encode_token(self._name, self._token, "4.0.0"))
        self.send_frame(hocuspocus.encode_sync_step1(self._name, self.doc.get_state()))

    def _edited(self, update: bytes) -> None:
        self._unanswered.append(self.edits)
        self.send_frame(hocuspocus.encode_update(self._name, update))

    def _received(self, frame: bytes) -> None:
        arrived = hocuspocus.decode_from_server(frame)
        if isinstance(arrived, hocuspocus.Ping):
            self.send_frame(hocuspocus.encode_pong())
            return
        if isinstance(arrived, hocuspocus.Pong) or arrived.address != self._name:
            return
        message = arrived.message
        if isinstance(message, yjs.SyncStep1):
            self._unanswered.append(self.edits)
            lacking = self.doc.get_update(message.state_vector)
            self.send_frame(hocuspocus.encode_sync_step2(self._name, lacking))
        elif isinstance(message, (yjs.SyncStep2, yjs.YUpdate)):
            self._apply(message.update)
            if isinstance(message, yjs.SyncStep2):
                self._synced.set()
                self._news.set()
        elif isinstance(message, hocuspocus.SyncStatus):
            if not self._unanswered:
                raise ValueError("expected as many SyncStatus as updates, got one more")
            edit = self._unanswered.popleft()
            if message.applied:
                self._acked(edit)
            else:
                self.on_refused.emit(edit)
        elif isinstance(message, yjs.Awareness):
            self.on_awareness.emit(message.payload)
        elif isinstance(message, yjs.PermissionDenied):
            raise Refused(ErrorCode.PERMISSION_DENIED, message.reason)
        elif isinstance(message, hocuspocus.Close):
            raise Disconnected(1000, message.reason)


async def connect_y(
    url: str, room: str, *, token: str = "", doc: Doc[Any] | None = None
) -> YClient:
    """Connect as y-websocket does, e.g. to ``ws://host/yjs`` and ``plain/key``.

    Raises:
        Disconnected: If the websocket cannot be opened.
    """
    query = f"?token={quote(token)}" if token else ""
    socket = await dial(f"{url}/{quote(room, safe='/:')}{query}")
    return YClient(socket, Doc() if doc is None else doc)


async def connect_hocuspocus(
    url: str, room: str, *, token: str = "", doc: Doc[Any] | None = None
) -> HocuspocusClient:
    """Connect as a Hocuspocus provider does, e.g. to ``ws://host/hocuspocus`` and ``plain/key``.

    Raises:
        Disconnected: If the websocket cannot be opened.
    """
    socket = await dial(url)
    return HocuspocusClient(socket, Doc() if doc is None else doc, room, token)
