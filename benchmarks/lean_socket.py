"""A websocket client with a receive path as short as Python allows.

A load generator must cost less than what it measures: one `asyncio.Protocol` per connection, frames
cut out of what arrived, one call per frame, no task, no queue and no future.
"""

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from typing import Final, cast
from urllib.parse import urlsplit

BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10


def client_frame(payload: bytes, opcode: int = BINARY) -> bytes:
    """A whole message as a client sends it; its mask is zero, so that nothing needs masking."""
    length = len(payload)
    if length < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
    elif length < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
    return head + b"\x00\x00\x00\x00" + payload


class LeanSocket(asyncio.Protocol):
    """One connection.

    Attributes:
        on_frame: Called with the payload of each binary message.
        opened: Done once the handshake is over.
        closed: Done once the connection has ended, with the close code.
    """

    __slots__ = ("_fragments", "_rest", "_transport", "closed", "on_frame", "opened", "received")

    def __init__(self, on_frame: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.on_frame = on_frame
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self.received = 0
        self._rest = b""
        self._fragments: list[bytes] = []
        self._transport: asyncio.Transport | None = None

    def send(self, payload: bytes) -> None:
        """Send a message; waits for nothing."""
        assert self._transport is not None
        self._transport.write(client_frame(payload))

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(client_frame(b"\x03\xe8", CLOSE))
            self._transport.close()

    # For asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(1006)

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        if self._rest:
            data = self._rest + data
        if not self.opened.done():
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self.opened.set_exception(ConnectionError(data[:200].decode(errors="replace")))
                return
            self.opened.set_result(None)
            data = data[end + 4 :]
        self._rest = data[self._cut(data) :]

    def _cut(self, data: bytes) -> int:
        """Hand out every whole frame; return where the rest begins."""
        at, end = 0, len(data)
        while end - at >= 2:
            first, length = data[at], data[at + 1]
            body = at + 2
            if length == 126:
                if end - body < 2:
                    break
                length = int.from_bytes(data[body : body + 2], "big")
                body += 2
            elif length == 127:
                if end - body < 8:
                    break
                length = int.from_bytes(data[body : body + 8], "big")
                body += 8
            if end - body < length:
                break
            at = body + length
            if first == 0x82:
                self.on_frame(data[body:at])
            else:
                self._other(first, data[body:at])
        return at

    def _other(self, first: int, payload: bytes) -> None:
        opcode = first & 0x0F
        if opcode == PING and self._transport is not None:
            self._transport.write(client_frame(payload, PONG))
        elif opcode == CLOSE:
            self._finish(int.from_bytes(payload[:2], "big") if payload else 1005)
            if self._transport is not None:
                self._transport.close()
        elif opcode in (0, BINARY):
            self._fragments.append(payload)
            if first & 0x80:
                whole = b"".join(self._fragments)
                self._fragments.clear()
                self.on_frame(whole)

    def _finish(self, code: int) -> None:
        if not self.opened.done():
            self.opened.set_exception(ConnectionError("the connection ended in the handshake"))
        if not self.closed.done():
            self.closed.set_result(code)


async def open_lean(
    url: str,
    on_frame: Callable[[bytes], None],
    on_socket: Callable[[LeanSocket], None],
    *,
    subprotocol: str = "",
) -> None:
    """Connect to a ``ws://`` address and shake hands.

    Args:
        on_socket: Gets the socket before the first frame can come.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    loop = asyncio.get_running_loop()
    transport, socket = await loop.create_connection(lambda: LeanSocket(on_frame), host, port)
    on_socket(socket)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = [
        f"GET {path or '/'} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    transport.write("\r\n".join([*lines, "", ""]).encode())
    await socket.opened
