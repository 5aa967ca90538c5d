"""A websocket by hand: frames as a well-behaved library would never send them, or never read."""

import asyncio
import base64
import os
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from tests.running import Server

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10


def frame(
    payload: bytes,
    opcode: int = BINARY,
    *,
    fin: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: int | None = None,
) -> bytes:
    """A frame of a client.

    Args:
        reserved: The three reserved bits, 0 to 7.
        length: What the header claims, if that is not the truth.
    """
    claimed = len(payload) if length is None else length
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    mask_bit = 0x80 if masked else 0
    if claimed < 126:
        head += bytes([mask_bit | claimed])
    elif claimed < 2**16:
        head += bytes([mask_bit | 126]) + struct.pack(">H", claimed)
    else:
        head += bytes([mask_bit | 127]) + struct.pack(">Q", claimed)
    # A mask of zeros leaves the payload as it is.
    return head + (bytes(4) if masked else b"") + payload


class RawSocket:
    """One connection after its handshake."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._received = bytearray()

    async def send(self, data: bytes) -> None:
        """Send bytes; a connection that the node has ended swallows them."""
        try:
            await asyncio.get_running_loop().sock_sendall(self._connection, data)
        except ConnectionError:
            return

    async def next(self) -> tuple[int, bytes] | None:
        """The opcode and payload of the next frame, or None at the end of the connection."""
        if (head := await self._take(2)) is None:
            return None
        length = head[1] & 0x7F
        if length > 125:
            size = 2 if length == 126 else 8
            if (more := await self._take(size)) is None:
                return None
            length = int.from_bytes(more, "big")
        payload = await self._take(length)
        return None if payload is None else (head[0] & 0x0F, payload)

    async def ending(self) -> int:
        """The code with which the node closes; 1006 if it just ends the connection."""
        while (arrived := await self.next()) is not None:
            opcode, payload = arrived
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big") if payload else 1005
        return 1006

    async def _take(self, count: int) -> bytes | None:
        while len(self._received) < count:
            try:
                more = await asyncio.get_running_loop().sock_recv(self._connection, 65536)
            except ConnectionError:
                return None
            if not more:
                return None
            self._received += more
        taken = bytes(self._received[:count])
        del self._received[:count]
        return taken


@asynccontextmanager
async def open_raw(
    server: Server, path: str, *, subprotocol: str = "", receive_buffer: int | None = None
) -> AsyncGenerator[RawSocket]:
    """Connect and shake hands.

    Args:
        receive_buffer: Bytes that the kernel takes for us while we do not read.
    """
    loop = asyncio.get_running_loop()
    with socket.socket() as connection:
        connection.setblocking(False)
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await loop.sock_connect(connection, ("127.0.0.1", server.port))
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
        ]
        if subprotocol:
            lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
        await loop.sock_sendall(connection, "\r\n".join([*lines, "", ""]).encode())
        answer = bytearray()
        while not answer.endswith(b"\r\n\r\n"):
            byte = await loop.sock_recv(connection, 1)
            assert byte, f"the node ended the handshake: {bytes(answer)!r}"
            answer += byte
        assert answer.startswith(b"HTTP/1.1 101 "), bytes(answer)
        yield RawSocket(connection)
