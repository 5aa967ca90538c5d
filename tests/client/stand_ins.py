"""What the client's tests put in the place of time, chance and the network."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from parvis.client import Disconnected, Socket
from parvis.protocol import decode, encode
from parvis.protocol.messages import ClientMessage, ServerMessage


@dataclass(eq=False)
class Call:
    """A call to come."""

    at: float
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class HandClock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[Call] = []

    def monotonic(self) -> float:
        return self.now

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Call:
        call = Call(self.now + seconds, callback)
        self.calls.append(call)
        return call

    async def sleep(self, seconds: float) -> None:
        done = asyncio.Event()
        self.call_later(seconds, done.set)
        await done.wait()

    @property
    def due(self) -> list[float]:
        """When the calls to come are due."""
        return sorted(call.at for call in self.calls if not call.cancelled)

    def advance(self, seconds: float) -> None:
        """Move on, and make the calls that become due on the way, in their order."""
        end = self.now + seconds
        while True:
            ready = [call for call in self.calls if call.at <= end and not call.cancelled]
            if not ready:
                break
            call = min(ready, key=lambda call: call.at)
            self.calls.remove(call)
            self.now = max(self.now, call.at)
            call.callback()
        self.now = end


class Dice:
    """Chance that always falls on the upper side, and counts."""

    def __init__(self) -> None:
        self.drawn = 100

    def below(self, bound: int) -> int:
        self.drawn += 1
        return self.drawn % bound

    def uniform(self, low: float, high: float) -> float:
        return high


class PipeSocket:
    """The client's end of a pipe to a test that plays the server."""

    def __init__(self) -> None:
        self.to_client: asyncio.Queue[bytes | Disconnected] = asyncio.Queue()
        self.to_server: asyncio.Queue[ClientMessage] = asyncio.Queue()
        self.closed_with: int | None = None

    async def send(self, frame: bytes) -> None:
        self.to_server.put_nowait(decode(frame))

    async def receive(self) -> bytes:
        arrived = await self.to_client.get()
        if isinstance(arrived, Disconnected):
            raise arrived
        return arrived

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed_with = code

    def say(self, *messages: ServerMessage) -> None:
        for message in messages:
            self.to_client.put_nowait(encode(message))

    def end(self, code: int, reason: str = "") -> None:
        self.to_client.put_nowait(Disconnected(code, reason))

    async def hear(self) -> ClientMessage:
        async with asyncio.timeout(10):
            return await self.to_server.get()


@dataclass
class Exchange:
    """Where dialled connections wait for the test; `refuse` makes the next ones fail."""

    dialled: asyncio.Queue[PipeSocket] = field(default_factory=asyncio.Queue[PipeSocket])
    refuse: list[Disconnected] = field(default_factory=list[Disconnected])
    attempts: int = 0

    async def dial(self, url: str, *, subprotocols: Sequence[str] = ()) -> Socket:
        self.attempts += 1
        if self.refuse:
            raise self.refuse.pop(0)
        socket = PipeSocket()
        self.dialled.put_nowait(socket)
        return socket

    async def next(self) -> PipeSocket:
        async with asyncio.timeout(10):
            return await self.dialled.get()
