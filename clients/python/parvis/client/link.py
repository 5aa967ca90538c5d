"""Keeps a session connected: opens, reads, writes, refreshes, notices silence, comes back."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from parvis.protocol.messages import (
    ClientMessage,
    Drain,
    Error,
    Ping,
    Refresh,
    Refreshed,
    ServerMessage,
    Welcome,
)

from .backoff import Backoff
from .errors import ClientError, Closed, Disconnected
from .ports import Dial, Timer
from .session import Session
from .wire import Wire, open_wire

Ticket: TypeAlias = str | Callable[[], Awaitable[str]]
"""An access token, or a function that brings a fresh ticket or token each time it is asked."""

PING_INTERVAL = 20.0
"""Seconds between pings; a connection on which nothing came for two of them is given up."""

REFRESH_AT = 0.75
"""Part of a token's life after which the next one is fetched."""

logger = logging.getLogger(__name__)


class Link:
    """The connections of one session, one after the other.

    Args:
        client: Name and version of the software, for the server's operator.
    """

    def __init__(self, session: Session, url: str, ticket: Ticket, dial: Dial, client: str) -> None:
        self._session = session
        self._url = url
        self._ticket = ticket
        self._dial = dial
        self._client = client
        self._backoff = Backoff(session.random)

    async def open(self) -> Wire:
        """Return a connection that was welcomed. Raises `Disconnected`."""
        ticket = self._ticket if isinstance(self._ticket, str) else await self._ticket()
        return await open_wire(self._url, ticket, client=self._client, dial=self._dial)

    async def run(self, wire: Wire) -> None:
        """Serve the session on this connection and its successors until one ends for good."""
        while True:
            end = await Connection(self._session, wire, self._ticket).run()
            if not end.comes_back:
                self._session.ended(Closed(end.code, end.reason))
                return
            logger.info("%s: %s", self._url, end)
            self._backoff.reset()
            while True:
                await self._session.clock.sleep(self._backoff.next())
                try:
                    wire = await self.open()
                    break
                except Disconnected as problem:
                    if not problem.comes_back:
                        self._session.ended(Closed(problem.code, problem.reason))
                        return
                except Exception as problem:  # the application could not bring a ticket
                    logger.warning("%s: no ticket: %r", self._url, problem)


class Connection:
    """One connection from its welcome to its end."""

    def __init__(self, session: Session, wire: Wire, ticket: Ticket) -> None:
        self._session = session
        self._clock = session.clock
        self._wire = wire
        self._ticket = ticket
        self._outgoing: deque[ClientMessage] = deque()
        self._wake = asyncio.Event()
        self._end: asyncio.Future[Disconnected] = asyncio.get_running_loop().create_future()
        self._timers: dict[str, Timer] = {}
        self._refreshing: asyncio.Task[None] | None = None
        self._heard = self._clock.monotonic()

    async def run(self) -> Disconnected:
        """Return how it ended; the session has been told."""
        welcome = self._wire.welcome
        assert welcome is not None
        tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._write())]
        end: ClientError = Closed(1000, "closed by the application")
        try:
            self._session.opened(welcome, self._send)
            self._after("ping", self._ping_interval(welcome), self._ping)
            self._refresh_before(welcome.expires)
            end = await self._end
            return end
        finally:
            for timer in self._timers.values():
                timer.cancel()
            if self._refreshing is not None:
                tasks.append(self._refreshing)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._session.lost(end)
            await self._wire.close()

    async def _read(self) -> None:
        try:
            while True:
                message = await self._wire.receive()
                self._heard = self._clock.monotonic()
                self._received(message)
        except Disconnected as end:
            self._finish(end)
        except Exception as problem:
            logger.exception("a message from the server could not be handled")
            self._finish(Disconnected(1002, repr(problem), final=True))

    async def _write(self) -> None:
        try:
            while True:
                while self._outgoing:
                    await self._wire.send(self._outgoing.popleft())
                self._wake.clear()
                await self._wake.wait()
        except Disconnected as problem:
            # The reader knows the close code, if there is one; without it this is all we know.
            end = problem
            self._after("broken", 1.0, lambda: self._finish(end))

    def _send(self, message: ClientMessage) -> None:
        self._outgoing.append(message)
        self._wake.set()

    def _received(self, message: ServerMessage) -> None:
        if isinstance(message, Drain):
            moment = self._session.random.uniform(0.0, message.within)
            end = Disconnected(1012, message.reason or "the node is about to go")
            self._after("drain", moment, lambda: self._finish(end))
        elif isinstance(message, Error):
            logger.warning("the server is about to close: %d %s", message.code, message.reason)
        else:
            self._session.received(message)

    def _finish(self, end: Disconnected) -> None:
        if not self._end.done():
            self._end.set_result(end)

    def _after(self, name: str, seconds: float, callback: Callable[[], None]) -> None:
        known = self._timers.pop(name, None)
        if known is not None:
            known.cancel()
        self._timers[name] = self._clock.call_later(seconds, callback)

    @staticmethod
    def _ping_interval(welcome: Welcome) -> float:
        silence = welcome.limits.get("silence")
        if isinstance(silence, (int, float)) and silence > 0:
            return min(PING_INTERVAL, silence / 3)
        return PING_INTERVAL

    def _ping(self) -> None:
        assert self._wire.welcome is not None
        interval = self._ping_interval(self._wire.welcome)
        if self._clock.monotonic() - self._heard > 2 * interval:
            self._finish(Disconnected(1006, f"nothing came for {2 * interval:.0f} seconds"))
            return
        self._send(Ping(self._session.next_ref()))
        self._after("ping", interval, self._ping)

    def _refresh_before(self, expires: float) -> None:
        # Who has one token for ever has nothing newer to show.
        if expires > 0 and not isinstance(self._ticket, str):
            self._after("refresh", expires * REFRESH_AT, self._start_refresh)

    def _start_refresh(self) -> None:
        self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        assert not isinstance(self._ticket, str)
        backoff = Backoff(self._session.random, first=1.0)
        while True:
            try:
                ticket = await self._ticket()
                ref = self._session.next_ref()
                answer = await self._session.ask(Refresh(ref, ticket), ref)
            except Disconnected:
                return
            except Exception as problem:  # the application's, or a refusal
                logger.warning("the token could not be refreshed: %r", problem)
                await self._clock.sleep(backoff.next())
                continue
            if isinstance(answer, Refreshed):
                self._refresh_before(answer.expires)
            return
