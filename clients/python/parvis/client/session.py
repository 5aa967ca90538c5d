"""A session: its parts, its requests, and what to do with each message. No I/O.

`Link` opens connections and tells the session of each: `opened`, then `received` for every message,
then `lost`; in the end `ended`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from pycrdt import Doc

from parvis.protocol.messages import (
    Answer,
    ClientMessage,
    Joined,
    Leave,
    Refreshed,
    Refuse,
    ServerMessage,
    Signaled,
    Welcome,
)

from .document_part import DocumentPart
from .errors import ClientError, Closed, Disconnected, Refused
from .events import Event
from .log_part import LogPart
from .part import Part
from .ports import Clock, Random

P = TypeVar("P", bound=Part)


class Session:
    """One user's parts on one server, over as many connections as it takes.

    Attributes:
        welcome: What the server said when the present, or last, connection was opened.
        on_connected: Called with each welcome.
        on_disconnected: Called with why each connection ended.
        on_signal: Called with each signal that concerns no part but the user.
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self.clock = clock
        self.random = random
        self.welcome: Welcome | None = None
        self.on_connected: Event[[Welcome]] = Event()
        self.on_disconnected: Event[[ClientError]] = Event()
        self.on_signal: Event[[Signaled]] = Event()
        self.closed: Closed | None = None
        self._parts: dict[str, Part] = {}
        self._channels: dict[int, Part] = {}
        self._joins: dict[int, Part] = {}
        self._answers: dict[int, asyncio.Future[ServerMessage]] = {}
        self._ref = 0
        self._outlet: Callable[[ClientMessage], None] | None = None

    @property
    def connected(self) -> bool:
        """Whether there is a connection that was welcomed."""
        return self._outlet is not None

    async def join(
        self, name: str, *, doc: Doc[Any] | None = None, schema: int = 0
    ) -> DocumentPart:
        """Enter a part that is a document.

        Args:
            doc: The local copy, e.g. one kept on disk; what is in it counts as an edit.
            schema: Version of the room type's schema that the application knows; 0 for none.

        Raises:
            Refused: If the server does not let us in.
            Closed: If the session has ended or ends meanwhile.
        """
        return await self._enter(DocumentPart(self, name, doc=doc, schema=schema))

    async def join_log(self, name: str, *, after: int = 0, schema: int = 0) -> LogPart:
        """Enter an ordered part and read on after an offset.

        Raises:
            Refused: If the server does not let us in.
            Closed: If the session has ended or ends meanwhile.
        """
        return await self._enter(LogPart(self, name, after=after, schema=schema))

    async def _enter(self, part: P) -> P:
        if self.closed is not None:
            raise self.closed
        if part.name in self._parts:
            raise ValueError(f"{part.name} is joined already")
        self._parts[part.name] = part
        self.rejoin(part)
        try:
            await part.wait_joined()
        except BaseException:
            if part.ended is None:  # the caller has given up
                await part.leave()
            raise
        return part

    # For the parts

    @property
    def frame_limit(self) -> int:
        """Bytes of the largest frame that the server takes; 0: unknown."""
        limit = self.welcome.limits.get("frame") if self.welcome else None
        return limit if isinstance(limit, int) else 0

    def send(self, message: ClientMessage) -> bool:
        """Put a message on its way; False while there is no connection."""
        if self._outlet is None:
            return False
        self._outlet(message)
        return True

    def next_ref(self) -> int:
        self._ref += 1
        return self._ref

    async def ask(self, message: ClientMessage, ref: int) -> ServerMessage:
        """Send a request and return its answer.

        Raises:
            Refused: If it is refused.
            Disconnected: If the connection ends first.
        """
        if not self.send(message):
            raise self.closed or Disconnected(1006, "there is no connection at the moment")
        answer: asyncio.Future[ServerMessage] = asyncio.get_running_loop().create_future()
        self._answers[ref] = answer
        try:
            return await answer
        finally:
            self._answers.pop(ref, None)

    def rejoin(self, part: Part) -> None:
        """Send the part's join, if there is a connection and the part is wanted."""
        if self.connected and self._parts.get(part.name) is part and not part.joined:
            if part in self._joins.values():
                return
            ref = self.next_ref()
            self._joins[ref] = part
            self.send(part.join_message(ref))

    def forget(self, part: Part) -> None:
        """The part is over."""
        if self._parts.get(part.name) is part:
            del self._parts[part.name]
        self._joins = {ref: each for ref, each in self._joins.items() if each is not part}
        self._channels = {at: each for at, each in self._channels.items() if each is not part}

    # For the link

    def opened(self, welcome: Welcome, outlet: Callable[[ClientMessage], None]) -> None:
        """A connection stands: join every part again. `outlet` takes messages and never waits."""
        self.welcome = welcome
        self._outlet = outlet
        self.on_connected.emit(welcome)
        for part in tuple(self._parts.values()):
            self.rejoin(part)

    def received(self, message: ServerMessage) -> None:
        """Act on a message."""
        if isinstance(message, Joined):
            self._joined(message)
        elif isinstance(message, (Answer, Refreshed)):
            self._answer(message.ref, message)
        elif isinstance(message, Refuse) and message.ref in self._answers:
            self._answer(message.ref, Refused(message.code, message.reason))
        elif isinstance(message, Refuse) and message.ref in self._joins:
            self._joins.pop(message.ref).join_refused(Refused(message.code, message.reason))
        elif isinstance(message, Signaled) and not message.channel:
            self.on_signal.emit(message)
        else:
            part = self._channels.get(getattr(message, "channel", 0))
            if part is not None:
                part.received(message)
                if not part.joined:
                    self._channels.pop(getattr(message, "channel", 0), None)

    def lost(self, reason: ClientError) -> None:
        """The connection is gone."""
        if self._outlet is None:
            return
        self._outlet = None
        self._joins.clear()
        self._channels.clear()
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(reason)
        for part in tuple(self._parts.values()):
            part.lost()
        self.on_disconnected.emit(reason)

    def ended(self, reason: Closed) -> None:
        """No connection will follow."""
        self.lost(reason)
        self.closed = reason
        for part in tuple(self._parts.values()):
            part.end(reason)

    def _joined(self, message: Joined) -> None:
        part = self._joins.pop(message.ref, None)
        if part is None:  # left before the answer came
            self.send(Leave(message.channel))
            return
        self._channels[message.channel] = part
        part.opened(message)
        if not part.joined:
            self._channels.pop(message.channel, None)

    def _answer(self, ref: int, answer: ServerMessage | Refused) -> None:
        waiting = self._answers.get(ref)
        if waiting is None or waiting.done():
            return
        if isinstance(answer, Refused):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)
