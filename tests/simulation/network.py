"""Connections with delays: ordered like TCP, until they are cut or stand half-open."""

from __future__ import annotations

import asyncio
import contextvars
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from parvis.client import Disconnected
from parvis.protocol import Malformed, decode, decode_from_server, messages as m

if TYPE_CHECKING:
    from tests.simulation.history import History

NOBODY: Final = contextvars.Context()
"""The world's own doing, which belongs to no life."""

LONGEST_STRAY: Final = 1.0
"""Seconds that an update may stay behind."""

SILENCE: Final = 40.0
"""Seconds after which a half-open connection is noticed by both ends."""


@dataclass(slots=True)
class NetWeather:
    """How connections behave.

    Attributes:
        delay: Mean seconds that a frame is under way.
        slow: How probably a new connection is a slow one, whose frames take 50 times as long.
        repeats: How probably an update, which may come twice, does.
        strays: How probably an update stays behind while later ones overtake it, as a careless
            client may send them.
    """

    delay: float = 0.005
    slow: float = 0.0
    repeats: float = 0.0
    strays: float = 0.0


class Pipe:
    """One direction of a connection.

    Args:
        deliver: Takes each frame when it arrives.
    """

    def __init__(
        self, connection: Connection, name: str, deliver: Callable[[bytes | Disconnected], None]
    ) -> None:
        self._connection = connection
        self._name = name
        self._deliver = deliver
        self._queue: deque[bytes | Disconnected] = deque()
        self._last = 0.0
        self.bytes = 0

    def send(self, frame: bytes | Disconnected, *, update: bool = False) -> None:
        connection = self._connection
        if connection.over:
            return
        weather, random = connection.weather, connection.random
        if update and random.random() < weather.strays:
            wait = random.uniform(0.0, LONGEST_STRAY)
            asyncio.get_running_loop().call_later(wait, self._put, frame, context=NOBODY)
            return
        self._put(frame)
        if update and random.random() < weather.repeats:
            self._put(frame)

    def _put(self, frame: bytes | Disconnected) -> None:
        connection, loop = self._connection, asyncio.get_running_loop()
        if connection.over:
            return
        delay = connection.random.expovariate(1 / connection.delay)
        self._last = max(self._last, loop.time() + delay)
        self._queue.append(frame)
        if isinstance(frame, bytes):
            self.bytes += len(frame)
        loop.call_at(self._last, self._arrive, context=NOBODY)

    def _arrive(self) -> None:
        if self._connection.over or not self._queue:
            return
        frame = self._queue.popleft()
        if isinstance(frame, bytes):
            self.bytes -= len(frame)
        if self._connection.half_open:
            return
        if isinstance(frame, bytes):
            self._connection.history.note(self._name, f"{len(frame)} bytes {zlib.crc32(frame):08x}")
        self._deliver(frame)

    def drop(self) -> None:
        self._queue.clear()
        self.bytes = 0


class Connection:
    """Between a client's socket and a node's transport.

    Attributes:
        over: Nothing comes through any more, and both ends know or will know.
        half_open: Nothing comes through any more, and nobody knows.
    """

    def __init__(
        self, name: str, random: Random, weather: NetWeather, history: History, dialect: str
    ) -> None:
        self.name = name
        self.random = random
        self.weather = weather
        self.history = history
        self.dialect = dialect
        self.over = False
        self.half_open = False
        self.delay = weather.delay * (50 if random.random() < weather.slow else 1)
        self.client = End()
        self.server = End()
        self.up = Pipe(self, f"{name} >", self.server.take)
        self.down = Pipe(self, f"{name} <", self._down)

    def is_update(self, frame: bytes) -> bool:
        """Whether a client's frame is one that may come twice, or behind the next one."""
        if self.dialect == "yjs":
            return frame[:2] == b"\x00\x02"
        if self.dialect != "native":
            return False
        try:
            return isinstance(decode(frame), m.Update)
        except Malformed:
            return False

    def _is_change(self, frame: bytes) -> bool:
        if self.dialect == "yjs":
            return frame[:2] == b"\x00\x02"
        return self.dialect == "native" and isinstance(decode_from_server(frame), m.Changed)

    def write_up(self, frame: bytes) -> None:
        self.up.send(frame, update=self.is_update(frame))

    def write_down(self, frame: bytes) -> None:
        # Frames are repeated, but none stays behind: a server sends its updates in order.
        self.down.send(frame)
        repeats = self.weather.repeats
        if repeats and self._is_change(frame) and self.random.random() < repeats:
            self.down.send(frame)

    def _down(self, frame: bytes | Disconnected) -> None:
        self.client.take(frame)
        if isinstance(frame, Disconnected):  # the client's answer to a close frame
            self.up.send(frame)

    def cut(self) -> None:
        """Break it; both ends learn of it."""
        if not self.over:
            self.over = True
            self.history.note(self.name, "is cut")
            self.up.drop()
            self.down.drop()
            self.client.take(Disconnected(1006, "the connection broke"))
            self.server.take(Disconnected(1006, "the connection broke"))

    def halve(self) -> None:
        """Swallow everything from now on; the ends notice the silence one day."""
        if not self.over and not self.half_open:
            self.half_open = True
            self.history.note(self.name, "is half-open")
            asyncio.get_running_loop().call_later(SILENCE, self.cut, context=NOBODY)


class End:
    """What has arrived at one end."""

    def __init__(self) -> None:
        self._arrived: deque[bytes | Disconnected] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self.ended: Disconnected | None = None

    def take(self, frame: bytes | Disconnected) -> None:
        if self.ended is not None:
            return
        self._arrived.append(frame)
        if isinstance(frame, Disconnected):
            self.ended = frame
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            if not waiting.done():
                waiting.set_result(None)

    async def receive(self) -> bytes:
        """Return the next frame. Raises `Disconnected`."""
        while not self._arrived:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        frame = self._arrived.popleft()
        if isinstance(frame, Disconnected):
            self._arrived.appendleft(frame)
            raise Disconnected(frame.code, frame.reason)
        return frame


class ClientSocket:
    """Implements `parvis.client.ports.Socket`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def send(self, frame: bytes) -> None:
        if self._connection.client.ended is not None:
            raise Disconnected(1006, "the connection broke")
        self._connection.write_up(frame)

    async def receive(self) -> bytes:
        return await self._connection.client.receive()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not self._connection.over:
            self._connection.client.take(Disconnected(code, reason))
            self._connection.up.send(Disconnected(code, reason))


class ServerTransport:
    """Implements `parvis.server.ports.Transport`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._closing = False

    def write(self, frame: bytes) -> None:
        if not self._closing:
            self._connection.write_down(payload(frame))

    def buffered(self) -> int:
        return self._connection.down.bytes

    def close(self, code: int, reason: str) -> None:
        if not self._closing:
            self._closing = True
            self._connection.down.send(Disconnected(code, reason))

    def abort(self) -> None:
        self._closing = True
        self._connection.cut()


def payload(frame: bytes) -> bytes:
    """Cut the websocket header off (RFC 6455 section 5.2); a server's frames have no mask."""
    return frame[{126: 4, 127: 10}.get(frame[1], 2) :]
