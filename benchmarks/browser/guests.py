"""People without a browser in one document: each has a paragraph of their own, and a cursor.

They come by a link, as guests do, and speak the native dialect over `lean_socket`. Their updates
are what an editor would send: made with Yjs' port in a copy of the document.
"""

from __future__ import annotations

import asyncio
import json
import random
from time import perf_counter
from typing import Any, Final

import pycrdt
from benchmarks.lean_socket import LeanSocket, open_lean
from benchmarks.swarm import PATIENCE

from parvis.plugins.docs.fragment import root
from parvis.plugins.docs.vocabulary import VERSION
from parvis.protocol import decode_from_server, encode
from parvis.protocol.awareness import AwarenessEntry, encode_awareness
from parvis.protocol.messages import (
    Ack,
    Awareness,
    Changed,
    Hello,
    Join,
    Joined,
    Refuse,
    Update,
    Welcome,
)

RENEW: Final = 15.0
"""Seconds after which a state is sent again, or others take it for gone; as y-protocols does."""

CHANGED: Final = 36


class Guest:
    """One of them.

    Args:
        paragraph: Which block of the document is theirs.

    Attributes:
        acks: Seconds from the sending of each update to its ack.
        heard: Updates of others that came.
    """

    def __init__(self, paragraph: int) -> None:
        self.acks: list[float] = []
        self.heard = 0
        self._paragraph = paragraph
        self._doc: pycrdt.Doc[Any] = pycrdt.Doc()
        self._typed = 0
        self._clock = 0
        self._channel = 0
        self._sent: dict[int, float] = {}
        self._socket: LeanSocket | None = None
        loop = asyncio.get_running_loop()
        self._welcome: asyncio.Future[None] = loop.create_future()
        self._joined: asyncio.Future[Joined] = loop.create_future()

    async def come(self, url: str, room: str, token: str) -> None:
        """Connect, join, and write the first letter."""
        await open_lean(f"{url}/ws", self.on_frame, self._attach, subprotocol="parvis.v1")
        self._send(encode(Hello(1, token)))
        async with asyncio.timeout(PATIENCE):
            await self._welcome
            self._send(encode(Join(1, room, schema=VERSION)))
            joined = await self._joined
        self._channel = joined.channel
        for update in joined.updates:
            self._doc.apply_update(update)
        self.type("a")

    def type(self, letter: str) -> None:
        """Write a letter at the end of the paragraph, and move the cursor behind it."""
        with self._doc.transaction():
            block = root(self._doc).children[self._paragraph]
            assert isinstance(block, pycrdt.XmlElement)
            text = block.children[0]
            assert isinstance(text, pycrdt.XmlText)
            state = self._doc.get_state()
            text.insert(len(text), letter)
        self._typed += 1
        ref = self._typed + 1  # 1 was the join
        self._sent[ref] = perf_counter()
        self._send(encode(Update(self._channel, ref, self._doc.get_update(state))))
        self.show()

    def show(self) -> None:
        """Send the cursor, anew."""
        self._clock += 1
        place = {
            "item": {"client": self._doc.client_id, "clock": self._typed - 1},
            "assoc": -1,
        }
        state = {"user": {"name": "", "color": ""}, "cursor": {"anchor": place, "head": place}}
        entry = AwarenessEntry(self._doc.client_id, self._clock, json.dumps(state))
        self._send(encode(Awareness(self._channel, encode_awareness([entry]))))

    def go(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()

    def on_frame(self, frame: bytes) -> None:
        """Take what the server sends."""
        if frame[1] == CHANGED:
            self.heard += 1
            return
        message = decode_from_server(frame)
        if isinstance(message, Ack):
            self.acks.append(perf_counter() - self._sent.pop(message.ref))
        elif isinstance(message, Joined):
            self._joined.set_result(message)
        elif isinstance(message, Welcome):
            self._welcome.set_result(None)
        elif isinstance(message, Refuse):
            raise SystemExit(f"refused: {message.code} {message.reason}")

    def _attach(self, socket: LeanSocket) -> None:
        self._socket = socket

    def _send(self, payload: bytes) -> None:
        assert self._socket is not None
        self._socket.send(payload)


class Watcher(Guest):
    """One who reads a paragraph, and notes when each character of it was first seen."""

    def __init__(self, paragraph: int, watched: int) -> None:
        super().__init__(paragraph)
        self.seen: dict[str, float] = {}
        self._watched = watched

    def on_frame(self, frame: bytes) -> None:
        """Take what the server sends."""
        if frame[1] != CHANGED:
            super().on_frame(frame)
            return
        now = perf_counter()
        self.heard += 1
        message = decode_from_server(frame)
        assert isinstance(message, Changed)
        self._doc.apply_update(message.update)
        for letter in self.text:
            self.seen.setdefault(letter, now)

    @property
    def text(self) -> str:
        """What the paragraph says."""
        block = root(self._doc).children[self._watched]
        assert isinstance(block, pycrdt.XmlElement)
        return "".join(str(text) for text in block.children)


async def write(writers: list[Guest], everyone: list[Guest], rate: float) -> None:
    """Have each writer type `rate` letters a second, and everyone renew their cursor; for ever."""
    chance = random.Random(1)
    loop = asyncio.get_running_loop()
    due = [(loop.time() + chance.uniform(0, 1 / rate), each) for each in writers]
    renewals = [(loop.time() + chance.uniform(0, RENEW), each) for each in everyone]
    while True:
        now = loop.time()
        for at, (when, guest) in enumerate(due):
            if when <= now:
                guest.type(chance.choice("etaoinshrdlu "))
                due[at] = (when + chance.uniform(0.5, 1.5) / rate, guest)
        for at, (when, guest) in enumerate(renewals):
            if when <= now:
                guest.show()
                renewals[at] = (when + RENEW, guest)
        next_due = min(when for when, _ in due + renewals)
        await asyncio.sleep(max(0.0, next_due - loop.time()))
