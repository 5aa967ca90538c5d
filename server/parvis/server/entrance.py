"""What a socket may send before its session has shown for whom it speaks: little."""

import asyncio
from typing import cast


class Entrance(asyncio.Protocol):
    """Stands between a connection and its protocol, and counts, until it is opened.

    aiohttp has one limit on the size of a message, for a socket's whole life. The one for people
    who are known would let a thousand strangers make the node hold gigabytes of unfinished frames.
    So after `most` bytes a stranger is read no more: the rest waits in the network, where it costs
    the node nothing, and nothing is lost to a client that is admitted a moment later.

    Args:
        most: Bytes; what comes in one piece is passed on whole, so it can be a little more.
    """

    def __init__(self, transport: asyncio.Transport, most: int) -> None:
        self._transport = transport
        self._left = most
        self._inner = cast("asyncio.Protocol", transport.get_protocol())
        self._held = False
        self._open = False
        transport.set_protocol(self)

    def open(self) -> None:
        """Step aside for good."""
        if self._open:
            return
        self._open = True
        if not self._transport.is_closing():
            self._transport.set_protocol(self._inner)
            if self._held:
                self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        self._inner.data_received(data)
        # Where the inner protocol has stopped the reading itself, it will also resume it: then
        # this is called again.
        if self._left <= 0 and not self._open and self._transport.is_reading():
            self._held = True
            self._transport.pause_reading()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
