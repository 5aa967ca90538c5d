"""A joined ordered part: send updates, and read everyone's in the order of the log."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from parvis.protocol.messages import Changed, Joined, Sync, Synced

from .errors import ClientError, Refused, Rescue, SetAside
from .log import LogCopy, Logged, Sending
from .part import Host, Part


class LogPart(Part):
    """Updates in an order that is the same for everyone; the server cannot read them."""

    def __init__(self, host: Host, name: str, *, after: int, schema: int) -> None:
        super().__init__(host, name, host.random.below(2**32), schema)
        self._copy = LogCopy(name, self._submit, after)
        self._offsets: dict[int, asyncio.Future[int]] = {}
        self._news: deque[Logged] = deque()
        self._arrived = asyncio.Event()

    @property
    def offset(self) -> int:
        """Of the last update that came."""
        return self._copy.offset

    @property
    def unsaved(self) -> int:
        """How many updates were sent without an ack."""
        return self._copy.unsaved

    @property
    def updates(self) -> AsyncIterator[Logged]:
        """Everyone's updates, own ones included, each once; ends with the part.

        What nobody reads is kept in memory.
        """
        return self._read()

    async def send(self, update: bytes) -> int:
        """Log an update, once, and return its offset when it is durable.

        A lost connection only delays the answer: the update is sent again with the same key.

        Raises:
            Refused: If the server turns it down; with `retryable` it may be sent again.
            SetAside: If the part was reset before an ack.
            Closed: If the session ends before an ack.
        """
        if self.ended is not None:
            raise self.ended
        sending = self._copy.send(update, self._host.random.below(2**128).to_bytes(16, "big"))
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._offsets[id(sending)] = future
        try:
            return await future
        finally:
            self._offsets.pop(id(sending), None)

    async def _read(self) -> AsyncIterator[Logged]:
        while True:
            while self._news:
                yield self._news.popleft()
            if self.ended is not None:
                return
            self._arrived.clear()
            await self._arrived.wait()

    # For the session

    def _state(self) -> bytes:
        return self._copy.state()

    def _incarnation(self) -> int:
        return self._copy.incarnation

    def _take(self, message: Joined) -> None:
        self._turn_page(self._copy.joined(message.incarnation, message.updates, message.state))

    def _synced(self, message: Synced) -> None:
        self._turn_page(self._copy.page(message.updates, message.state))

    def _turn_page(self, missed: list[Logged]) -> None:
        self._news.extend(missed)
        self._arrived.set()
        if self._copy.behind:
            self._host.send(Sync(self.channel, self._host.next_ref(), self._copy.state()))

    def _changed(self, message: Changed) -> None:
        logged = self._copy.changed(message)
        if logged is not None:
            self._news.append(logged)
            self._arrived.set()

    def _acked(self, ref: int, offset: int) -> None:
        self._settle(self._copy.acked(ref, offset))

    def _turned_down(self, ref: int, refusal: Refused) -> None:
        self._settle(self._copy.turned_down(ref, refusal))

    def _resync(self, state: bytes) -> None:
        """A log lacks nothing that was acknowledged, and what was not is on its way."""

    def _start_over(self, code: int, reason: str) -> None:
        unsent = self._copy.give_up()
        rescue = Rescue(self.name, b"", frozenset(), self._copy.incarnation, code, reason)
        self._copy.start_over()
        for sending in unsent:
            self._fail(sending, SetAside(rescue))

    def _lost(self) -> None:
        self._copy.lost()

    def _end(self, reason: ClientError) -> None:
        for sending in self._copy.give_up():
            self._fail(sending, reason)
        self._arrived.set()

    def _settle(self, sending: Sending | None) -> None:
        if sending is None:
            return
        if sending.refusal is not None:
            self._fail(sending, sending.refusal)
            return
        future = self._offsets.get(id(sending))
        if future is not None and not future.done():
            future.set_result(sending.offset)

    def _fail(self, sending: Sending, reason: ClientError) -> None:
        future = self._offsets.get(id(sending))
        if future is not None and not future.done():
            future.set_exception(reason)
