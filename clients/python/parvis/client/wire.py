"""One connection in the native dialect: whole messages out and in, and nothing else.

For load scripts and hostile tests, and the lowest layer of `Session`.
"""

from types import TracebackType
from typing import TypeVar

from parvis.protocol import Malformed, decode_from_server, encode
from parvis.protocol.messages import ClientMessage, Error, Hello, Refuse, ServerMessage, Welcome

from .errors import Disconnected, Refused
from .ports import Dial, Socket
from .transport import dial_native

SUBPROTOCOL = "parvis.v1"
M = TypeVar("M")


class Wire:
    """Messages over a socket. `welcome` is what the server said after the hello."""

    __slots__ = ("socket", "welcome")

    def __init__(self, socket: Socket, welcome: Welcome | None = None) -> None:
        self.socket = socket
        self.welcome = welcome

    async def send(self, message: ClientMessage) -> None:
        await self.socket.send(encode(message))

    async def receive(self) -> ServerMessage:
        """Return the next message.

        Raises:
            Disconnected: When the connection ends, or if what came is no message (1002).
        """
        frame = await self.socket.receive()
        try:
            return decode_from_server(frame)
        except Malformed as problem:
            raise Disconnected(1002, str(problem), final=True) from problem

    async def expect(self, kind: type[M], *, ref: int | None = None) -> M:
        """Return the next message of a kind, and with a ref if one is given; skip all others.

        Raises:
            Refused: If the server refuses the request with this ref.
            Disconnected: When the connection ends.
        """
        while True:
            message = await self.receive()
            if isinstance(message, kind) and ref in (None, getattr(message, "ref", None)):
                return message
            if isinstance(message, Refuse) and ref is not None and message.ref == ref:
                raise Refused(message.code, message.reason)

    async def close(self, code: int = 1000) -> None:
        await self.socket.close(code)

    async def __aenter__(self) -> "Wire":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def open_wire(
    url: str, ticket: str = "", *, client: str = "", dial: Dial = dial_native
) -> Wire:
    """Connect and say hello.

    Raises:
        Disconnected: If the server cannot be reached, or turns the ticket down.
    """
    wire = Wire(await dial(url, subprotocols=(SUBPROTOCOL,)))
    try:
        await wire.send(Hello(1, ticket, client))
        while not isinstance(answer := await wire.receive(), Welcome):
            if isinstance(answer, Error):
                reason = answer.reason
                try:
                    await wire.receive()
                except Disconnected as end:
                    raise Disconnected(end.code, end.reason or reason) from None
    except BaseException:
        await wire.close()
        raise
    wire.welcome = answer
    return wire
