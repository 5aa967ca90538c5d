"""Websockets by aiohttp: the only place of the client that knows the library."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

import aiohttp

from .errors import Disconnected
from .ports import Socket

MAX_FRAME = 256 * 1024 * 1024
"""Largest frame that is taken from a server."""

CLOSE_TIMEOUT = 2.0
"""Seconds that a peer has to answer a close."""

DIAL_TIMEOUT = 20.0
"""Seconds that a server has to open a websocket."""

RETRYABLE_STATUS = frozenset({408, 425, 429})
"""Below 500, the answers to an upgrade after which another attempt may succeed."""


class AiohttpSocket:
    """A websocket and the HTTP session it came from."""

    __slots__ = ("_http", "_socket")

    def __init__(
        self, http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse[bool]
    ) -> None:
        self._http = http
        self._socket = socket

    async def send(self, frame: bytes) -> None:
        try:
            await self._socket.send_bytes(frame)
        except (aiohttp.ClientError, OSError) as problem:
            raise Disconnected(1006, str(problem)) from problem

    async def send_text(self, text: str) -> None:
        """Send a text frame, which no dialect of Parvis takes; for tests."""
        await self._socket.send_str(text)

    async def receive(self) -> bytes:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            return bytes(message.data)
        if message.type is aiohttp.WSMsgType.CLOSE:
            raise Disconnected(int(message.data or 1005), str(message.extra or ""))
        if message.type is aiohttp.WSMsgType.TEXT:
            raise Disconnected(1003, "expected a binary frame, got a text frame")
        if message.type is aiohttp.WSMsgType.ERROR:
            raise Disconnected(self._socket.close_code or 1006, str(message.data))
        raise Disconnected(1006, "the connection broke")

    async def close(self, code: int = 1000, reason: str = "") -> None:
        try:
            # A peer that is gone, or does not read, must not keep us.
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await self._socket.close(code=code, message=reason.encode()[:123])
        finally:
            await self._http.close()


async def dial(
    url: str,
    *,
    subprotocols: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> AiohttpSocket:
    """Open a websocket.

    Raises:
        Disconnected: If the server cannot be reached in time or refuses; final if the HTTP status
            says that asking again is useless.
    """
    http = aiohttp.ClientSession()
    try:
        async with asyncio.timeout(DIAL_TIMEOUT):
            socket = await http.ws_connect(
                url, protocols=subprotocols, headers=headers, max_msg_size=MAX_FRAME
            )
    except aiohttp.WSServerHandshakeError as refusal:
        await http.close()
        final = refusal.status < 500 and refusal.status not in RETRYABLE_STATUS
        reason = f"HTTP {refusal.status} {refusal.message}"
        raise Disconnected(1006, reason, final=final) from refusal
    except (aiohttp.ClientError, OSError, TimeoutError) as problem:
        await http.close()
        raise Disconnected(1006, str(problem) or type(problem).__name__) from problem
    except BaseException:
        await http.close()
        raise
    return AiohttpSocket(http, socket)


async def dial_native(url: str, *, subprotocols: Sequence[str] = ()) -> Socket:
    """`dial` as the `Dial` that a session takes by default."""
    return await dial(url, subprotocols=subprotocols)
