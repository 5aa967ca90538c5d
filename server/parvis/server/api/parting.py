"""Bodies against time: how long one may take, and answers that come before the body has."""

import asyncio
import logging
from collections.abc import AsyncIterable
from typing import Final

from aiohttp import ClientError, web
from aiohttp.http import HttpProcessingError

from parvis.storage import StorageError

logger = logging.getLogger(__name__)

PATIENCE: Final = 15.0
"""Seconds that a body may take: a modem needs as many for the largest one of the API's own."""

PACE: Final = 64 * 1024
"""Bytes for each of which a larger body may take another second."""

UNWANTED: Final = 32 * 1024 * 1024
"""Bytes of a body that nobody wants and that are read all the same."""


def seconds_for(size: int) -> float:
    """Return how many seconds a body of so many bytes may take."""
    return PATIENCE + size / PACE


async def send(request: web.Request, answer: web.Response) -> None:
    """Send a large answer, or cut the connection off if it is not taken in the time for it."""
    size = len(answer.body) if isinstance(answer.body, bytes) else 0
    try:
        async with asyncio.timeout(seconds_for(size)):
            await answer.prepare(request)
            await answer.write_eof()
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()


async def pour(
    request: web.Request, answer: web.StreamResponse, pieces: AsyncIterable[bytes], size: int
) -> None:
    """Send an answer piece by piece; cut the connection off if it takes longer than it may.

    So is it if the pieces end with a fault: the reader sees that the answer is not whole.
    """
    try:
        async with asyncio.timeout(seconds_for(size)):
            await answer.prepare(request)
            async for piece in pieces:
                await answer.write(piece)
            await answer.write_eof()
    except (TimeoutError, StorageError) as fault:
        if isinstance(fault, StorageError):
            logger.warning("an answer ended before its end: %s", fault)
        if request.transport is not None:
            request.transport.abort()


async def part(
    request: web.Request,
    answer: web.Response,
    *,
    most: int = UNWANTED,
    patience: float | None = None,
) -> None:
    """Send an answer, then read and forget what still comes of the request's body.

    Who closes a connection on bytes that were not read resets it, and the reset takes along an
    answer that has not been read yet. Browsers send a body to its end before they read, so people
    would see a broken network where they were told no.

    Args:
        most: Bytes that are forgotten; a sender of more is cut off.
        patience: Seconds in which nothing need come; None for `PATIENCE`. What comes brings more,
            at `PACE`.
    """
    await answer.prepare(request)
    await answer.write_eof()
    body, got = request.content, 0
    begun = asyncio.get_running_loop().time() + (PATIENCE if patience is None else patience)
    try:
        async with asyncio.timeout_at(begun) as bound:
            while got < most and not body.at_eof():
                got += len(await body.readany())
                bound.reschedule(begun + got / PACE)
    except (TimeoutError, OSError, ClientError, HttpProcessingError, web.RequestPayloadError):
        pass  # Too slow, gone, or not HTTP: there is nobody to be polite to.
    if not body.at_eof():
        request.protocol.force_close()
