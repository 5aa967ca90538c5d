"""Many simulated clients in one process, in each dialect, and what they see.

A client joins a room, then only counts: the marks in the frames of others are deliveries, and the
acknowledgements of its own updates are acks. Latencies are taken in one process with one clock.
"""

import asyncio
from abc import ABC, abstractmethod
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final
from urllib.parse import quote

from benchmarks.lean_socket import LeanSocket, open_lean
from benchmarks.typist import MARK, Typist

from parvis.protocol import decode_from_server, encode, hocuspocus, yjs
from parvis.protocol.messages import (
    Ack,
    Hello,
    Join,
    Joined,
    Refuse,
    ServerMessage,
    Update,
    Welcome,
)

PATIENCE: Final = 60.0
"""Seconds after which something that must come has not come."""


class Tally:
    """What a swarm saw.

    Attributes:
        delivered: Updates of others, counted once for each client that saw them.
        broadcast: Seconds from the sending of an update to each delivery, in order of arrival.
        ack: Seconds from the sending of an update to its acknowledgement.
        lag: Seconds by which the load itself was late to send.
    """

    def __init__(self) -> None:
        self.sent_at = array("d")
        self.writers: list[int] = []
        self.delivered = 0
        self.acked = 0
        self.refused = 0
        self.broadcast = array("d")
        self.ack = array("d")
        self.lag = array("d")
        self.since = 0
        self.progress = asyncio.Event()

    @property
    def sent(self) -> int:
        return len(self.writers) - self.since

    def number(self, writer: int) -> int:
        """Note that a writer sends an update now, and return its number."""
        self.writers.append(writer)
        self.sent_at.append(perf_counter())
        return len(self.writers) - 1

    def start_over(self) -> None:
        """Count from here on; what was sent before counts no more."""
        self.since = len(self.writers)
        self.delivered = self.acked = self.refused = 0
        self.broadcast, self.ack, self.lag = array("d"), array("d"), array("d")

    def see(self, client: int, frame: bytes) -> int:
        """Count the marks in a frame; return the client's own newest one, or -1."""
        now = perf_counter()
        own = -1
        for found in MARK.finditer(frame):
            number = int(found[1], 16)
            if number < self.since:
                continue
            if self.writers[number] == client:
                own = number
            else:
                self.delivered += 1
                self.broadcast.append(now - self.sent_at[number])
        return own

    def acknowledge(self, number: int) -> None:
        if number >= self.since:
            self.acked += 1
            self.ack.append(perf_counter() - self.sent_at[number])
            self.progress.set()


class Client(ABC):
    """One simulated client in one room."""

    def __init__(self, id: int, room: str, tally: Tally) -> None:
        self.id = id
        self.room = room
        self.tally = tally
        self.typist = Typist(1_000_000 + id)
        self.synced = asyncio.get_running_loop().create_future()
        self.socket: LeanSocket | None = None

    async def connect(self, url: str) -> None:
        """Connect and join; return once the room's content has come."""
        await self.open(url)
        self.join()
        async with asyncio.timeout(PATIENCE):
            await self.synced

    def type(self) -> int:
        """Send one update; return its number."""
        number = self.tally.number(self.id)
        self.send_update(self.typist.type(number), number)
        return number

    def attach(self, socket: LeanSocket) -> None:
        """Take the socket, before its first frame."""
        self.socket = socket

    def send(self, payload: bytes) -> None:
        assert self.socket is not None
        self.socket.send(payload)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()

    def is_synced(self) -> None:
        if not self.synced.done():
            self.synced.set_result(None)

    @abstractmethod
    async def open(self, url: str) -> None:
        """Connect, up to where a join can be sent."""

    @abstractmethod
    def join(self) -> None: ...
    @abstractmethod
    def send_update(self, update: bytes, number: int) -> None: ...
    @abstractmethod
    def on_frame(self, frame: bytes) -> None: ...


class NativeClient(Client):
    """Speaks the native dialect."""

    def __init__(self, id: int, room: str, tally: Tally) -> None:
        super().__init__(id, room, tally)
        self.channel = 0
        self._welcomed = asyncio.get_running_loop().create_future()

    async def open(self, url: str) -> None:
        await open_lean(f"{url}/ws", self.on_frame, self.attach, subprotocol="parvis.v1")
        self.send(encode(Hello(1, "")))
        async with asyncio.timeout(PATIENCE):
            await self._welcomed

    def join(self) -> None:
        self.send(encode(Join(1, self.room)))

    def send_update(self, update: bytes, number: int) -> None:
        # 1 was the join.
        self.send(encode(Update(self.channel, number + 2, update)))

    def on_frame(self, frame: bytes) -> None:
        if frame[1] == 36:  # Changed, which is nearly every frame
            self.tally.see(self.id, frame)
            return
        message: ServerMessage = decode_from_server(frame)
        if isinstance(message, Ack):
            self.tally.acknowledge(message.ref - 2)
        elif isinstance(message, Joined):
            self.channel = message.channel
            self.is_synced()
        elif isinstance(message, Welcome):
            self._welcomed.set_result(None)
        elif isinstance(message, Refuse):
            if message.ref == 1:
                self.synced.set_exception(ConnectionError(message.reason))
            self.tally.refused += 1


class YClient(Client):
    """Speaks y-websocket; its own update comes back as the acknowledgement."""

    def __init__(self, id: int, room: str, tally: Tally) -> None:
        super().__init__(id, room, tally)
        self._unacked: deque[int] = deque()

    async def open(self, url: str) -> None:
        await open_lean(f"{url}/yjs/{quote(self.room)}", self.on_frame, self.attach)

    def join(self) -> None:
        self.send(yjs.encode_sync_step1(b"\x00"))

    def send_update(self, update: bytes, number: int) -> None:
        self._unacked.append(number)
        self.send(yjs.encode_update(update))

    def on_frame(self, frame: bytes) -> None:
        if frame[0] != yjs.SYNC:
            return
        if frame[1] == yjs.UPDATE:
            own = self.tally.see(self.id, frame)
            while self._unacked and self._unacked[0] <= own:
                self.tally.acknowledge(self._unacked.popleft())
        elif frame[1] == yjs.STEP1:
            self.send(yjs.encode_sync_step2(b"\x00\x00"))
        else:
            self.is_synced()


class HocuspocusClient(Client):
    """Speaks Hocuspocus; a SyncStatus acknowledges its oldest update."""

    def __init__(self, id: int, room: str, tally: Tally) -> None:
        super().__init__(id, room, tally)
        self._unacked: deque[int] = deque()
        self._skip = len(hocuspocus.with_address(room, b""))

    async def open(self, url: str) -> None:
        await open_lean(f"{url}/hocuspocus", self.on_frame, self.attach)

    def join(self) -> None:
        self.send(hocuspocus.encode_token(self.room, "", "4.0.0"))
        self.send(hocuspocus.encode_sync_step1(self.room, b"\x00"))

    def send_update(self, update: bytes, number: int) -> None:
        self._unacked.append(number)
        self.send(hocuspocus.encode_update(self.room, update))

    def on_frame(self, frame: bytes) -> None:
        if len(frame) < self._skip + 2:
            return
        kind, step = frame[self._skip], frame[self._skip + 1]
        if kind == hocuspocus.SYNC:
            if step == yjs.UPDATE:
                self.tally.see(self.id, frame)
            elif step == yjs.STEP1:
                self._unacked.append(-1)
                self.send(hocuspocus.encode_sync_step2(self.room, b"\x00\x00"))
            else:
                self.is_synced()
        elif kind == hocuspocus.SYNC_STATUS and self._unacked:
            number = self._unacked.popleft()
            if number >= 0:
                self.tally.acknowledge(number)
        elif kind == hocuspocus.AUTH and step == hocuspocus.AUTH_DENIED:
            self.synced.set_exception(ConnectionError("permission denied"))


DIALECTS: Final[dict[str, Callable[[int, str, Tally], Client]]] = {
    "native": NativeClient,
    "yjs": YClient,
    "hocuspocus": HocuspocusClient,
}


async def gather(url: str, clients: Sequence[Client], *, at_once: int = 50) -> None:
    """Connect many clients, some at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(client: Client) -> None:
        async with gate:
            await client.connect(url)

    await asyncio.gather(*(one(client) for client in clients))


async def type_for(seconds: float, writers: Sequence[Client], rate: float, tally: Tally) -> None:
    """Have each writer send `rate` updates a second, evenly spread over time and writers."""
    loop = asyncio.get_running_loop()
    pause = 1 / (rate * len(writers))
    begin = loop.time()
    count = round(seconds * rate * len(writers))
    at = 0
    while at < count:
        now = loop.time()
        while at < count and begin + at * pause <= now:
            tally.lag.append(now - (begin + at * pause))
            writers[at % len(writers)].type()
            at += 1
        await asyncio.sleep(max(0.0, begin + at * pause - loop.time()))


async def settled(tally: Tally, *, deliveries: int) -> None:
    """Return once everything that was sent has arrived everywhere and is acknowledged."""
    seen = -1
    for _ in range(round(PATIENCE / 0.05)):
        if tally.delivered >= deliveries and tally.acked + tally.refused >= tally.sent:
            return
        await asyncio.sleep(0.05)
        seen = tally.delivered
    raise TimeoutError(
        f"{seen} of {deliveries} deliveries and {tally.acked} of {tally.sent} acks came"
    )
