"""Frames that make no sense, in each dialect: a clear answer, and nobody else notices."""

import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Final

import aiohttp
import pytest

from parvis.client import Disconnected
from parvis.client.transport import AiohttpSocket, dial
from parvis.protocol import Malformed, decode, decode_from_server, encode, hocuspocus, lib0, yjs
from parvis.protocol.messages import Error, Hello, Join, Joined, Ping, Pong, Refuse, Update
from tests.faults import raw, ways_in
from tests.faults.bystander import undisturbed, within, works
from tests.faults.poison import mutations
from tests.running import Server, start_server

ROOM: Final = "plain/attacked"

NATIVE_CLOSES: Final = {1002, 1003, 1007, 1009, 3500, 3502, 3503}
STOCK_CLOSES: Final = {1002, 1003, 1007, 1009, 4400, 4403, 4413, 4422}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("frames")) as server:
        yield server


# Each dialect: how to get in, how to send an update, how to learn that all before was looked at


@dataclass
class Inside:
    """A connection that is in `ROOM`; `update` makes a frame of an update."""

    socket: AiohttpSocket
    update: Callable[[bytes], bytes]

    async def send(self, frame: bytes) -> None:
        """Send a frame; if the connection is gone, what came before says why."""
        with suppress(Disconnected):
            await self.socket.send(frame)


async def native_in(server: Server) -> Inside:
    socket = await dial(ways_in.native(server), subprotocols=["parvis.v1"])
    await socket.send(encode(Hello(1, "")))
    await socket.send(encode(Join(1, ROOM)))
    while not isinstance(joined := decode_from_server(await within(socket.receive())), Joined):
        pass
    return Inside(socket, lambda update: encode(Update(joined.channel, 9, update)))


async def yjs_in(server: Server) -> Inside:
    socket = await dial(f"{ways_in.yjs(server)}/{ROOM}")
    await socket.send(yjs.encode_sync_step1(b"\x00"))
    while not yjs_answered(await within(socket.receive())):
        pass
    return Inside(socket, yjs.encode_update)


async def hocuspocus_in(server: Server) -> Inside:
    socket = await dial(ways_in.hocuspocus(server))
    await socket.send(hocuspocus.encode_token(ROOM, ""))
    await socket.send(hocuspocus.encode_sync_step1(ROOM, b"\x00"))
    while not hocuspocus_answered(await within(socket.receive())):
        pass
    return Inside(socket, lambda update: hocuspocus.encode_update(ROOM, update))


def native_answered(frame: bytes) -> bool:
    return isinstance(decode_from_server(frame), Pong)


def yjs_answered(frame: bytes) -> bool:
    return any(isinstance(message, yjs.SyncStep2) for message in yjs.decode(frame))


def hocuspocus_answered(frame: bytes) -> bool:
    arrived = hocuspocus.decode_from_server(frame)
    return isinstance(arrived, hocuspocus.ServerFrame) and isinstance(
        arrived.message, yjs.SyncStep2
    )


def native_turned_down(frame: bytes) -> bool:
    return isinstance(decode_from_server(frame), (Refuse, Error))


def hocuspocus_turned_down(frame: bytes) -> bool:
    arrived = hocuspocus.decode_from_server(frame)
    return isinstance(arrived, hocuspocus.ServerFrame) and isinstance(
        arrived.message, (yjs.PermissionDenied, hocuspocus.Close)
    )


@dataclass(frozen=True)
class Dialect:
    """How the tests speak one dialect.

    Attributes:
        enter: Opens a connection that is in `ROOM`.
        question, answered: A frame that is answered after everything before it, and the answer.
        turned_down: Tells a refusal.
        closes: Codes that say clearly what was wrong.
    """

    name: str
    enter: Callable[[Server], Awaitable[Inside]]
    question: bytes
    answered: Callable[[bytes], bool]
    turned_down: Callable[[bytes], bool]
    closes: set[int]
    path: str
    subprotocol: str = ""


DIALECTS: Final = (
    Dialect(
        "native",
        native_in,
        encode(Ping(77)),
        native_answered,
        native_turned_down,
        NATIVE_CLOSES,
        "/ws",
        "parvis.v1",
    ),
    Dialect(
        "yjs",
        yjs_in,
        yjs.encode_sync_step1(b"\x00"),
        yjs_answered,
        lambda frame: False,
        STOCK_CLOSES,
        f"/yjs/{ROOM}",
    ),
    Dialect(
        "hocuspocus",
        hocuspocus_in,
        hocuspocus.encode_sync_step1(ROOM, b"\x00"),
        hocuspocus_answered,
        hocuspocus_turned_down,
        STOCK_CLOSES,
        "/hocuspocus",
    ),
)

each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


@asynccontextmanager
async def entered(dialect: Dialect, server: Server) -> AsyncGenerator[Inside]:
    """A connection that is in `ROOM` while the block runs."""
    inside = await dialect.enter(server)
    try:
        yield inside
    finally:
        await inside.socket.close()


async def outcome(dialect: Dialect, inside: Inside) -> str:
    """What the node makes of what it was sent: ``refused``, ``answered`` or ``closed <code>``."""
    try:
        await inside.send(dialect.question)
        while True:
            frame = await within(inside.socket.receive())
            if dialect.turned_down(frame):
                return "refused"
            if dialect.answered(frame):
                return "answered"
    except Disconnected as end:
        return f"closed {end.code}"


def clear(dialect: Dialect) -> set[str]:
    return {"refused", *(f"closed {code}" for code in dialect.closes)}


# Frames that are no message of the dialect, whatever comes with them

NATIVE_NONSENSE: Final = {
    "empty": b"",
    "no array": b"\xc0",
    "an empty array": b"\x90",
    "an unknown kind": b"\x91\xcc\xfe",
    "a server's message": encode(Ping(1)).replace(b"\x0a", b"\x2a", 1),
    "truncated": encode(Update(1, 2, b"\x00\x00"))[:-2],
    "fields missing": b"\x92\x04\x01",
    "a wrong type": b"\x94\x04\xa1a\x01\xc4\x00",
    "a negative number": b"\x94\x04\xff\x01\xc4\x00",
    "something after it": encode(Ping(1)) + b"\x00",
    "an array that claims four billion items": b"\xdd\xff\xff\xff\xff",
    "a map that claims four billion entries": b"\xdf\xff\xff\xff\xff",
    "bytes that claim four gigabytes": b"\x94\x04\x01\x01\xc6\xff\xff\xff\xff",
    "arrays nested a hundred thousand deep": b"\x95\x07\x01\x01\xa1x" + b"\x91" * 100_000 + b"\xc0",
    "an invalid string": b"\x95\x07\x01\x01\xa1\xff\xc0",
    "an extension type": b"\xd4\x01\x00",
    "a second hello": encode(Hello(1, "")),
}

YJS_NONSENSE: Final = {
    "empty": b"",
    "an unknown kind": b"\x09",
    "an unknown sync step": b"\x00\x07\x00",
    "no length": b"\x00\x02",
    "truncated": yjs.encode_update(b"\x00" * 40)[:-7],
    "an endless number": b"\x80" * 30,
    "a length of nine bytes": b"\x00\x02" + b"\xff" * 9 + b"\x01",
    "a length of four gigabytes": b"\x00\x02\xff\xff\xff\xff\x0f",
    "a broken message behind a good one": yjs.encode_query_awareness() + b"\x00\x02\x05",
    "awareness that is cut off": yjs.encode_awareness(b"\x01\x05"),
    "awareness of a million entries": yjs.encode_awareness(lib0.var_uint(1_000_000)),
    "a state vector that is none": yjs.encode_sync_step1(b"\x05\x01"),
}

HOCUSPOCUS_NONSENSE: Final = {
    "empty": b"",
    "one unknown byte": b"\x05",
    "an address that is cut off": b"\x20pl",
    "an address that is no text": b"\x02\xff\xfe\x00",
    "no message": lib0.var_string(ROOM),
    "a broadcast that only servers send": hocuspocus.encode_broadcast_stateless(ROOM, "x"),
} | {
    kind: hocuspocus.with_address(ROOM, frame)
    for kind, frame in YJS_NONSENSE.items()
    if kind not in ("empty", "an unknown kind", "a broken message behind a good one")
}

NONSENSE: Final = [
    (dialect, frame, kind)
    for dialect, frames in zip(
        DIALECTS, (NATIVE_NONSENSE, YJS_NONSENSE, HOCUSPOCUS_NONSENSE), strict=True
    )
    for kind, frame in frames.items()
]


@pytest.mark.parametrize(
    ("dialect", "frame"),
    [(dialect, frame) for dialect, frame, _ in NONSENSE],
    ids=[f"{dialect.name}: {kind}" for dialect, _, kind in NONSENSE],
)
async def test_nonsense_gets_a_clear_answer(server: Server, dialect: Dialect, frame: bytes) -> None:
    async with undisturbed(server), entered(dialect, server) as inside:
        await inside.send(frame)
        assert await outcome(dialect, inside) in clear(dialect)


# Updates that are none

BAD_UPDATES: Final = {
    "empty": b"",
    "truncated": b"\x01\x01\x05",
    "a billion clients": b"\xff\xff\xff\xff\x03\x00",
    "a billion blocks": b"\x01\xff\xff\xff\xff\x03\x01\x00",
    "an unknown kind of content": b"\x01\x01\x01\x00\x1f\x00",
    "a string that ends outside": b"\x01\x01\x01\x00\x04\x01\x01t\x7fab\x00",
    "a client of 60 bits": b"\x01\x01" + b"\xff" * 8 + b"\x0f\x00\x04\x01\x01t\x01a\x00",
    "something after it": b"\x00\x00\x00",
}


@each_dialect
@pytest.mark.parametrize("update", BAD_UPDATES.values(), ids=BAD_UPDATES)
async def test_an_update_that_is_none_gets_a_clear_answer(
    server: Server, dialect: Dialect, update: bytes
) -> None:
    async with undisturbed(server), entered(dialect, server) as inside:
        await inside.send(inside.update(update))
        assert await outcome(dialect, inside) in clear(dialect)


@each_dialect
async def test_a_frame_over_the_limit_is_turned_down_by_its_header(
    server: Server, dialect: Dialect
) -> None:
    async with (
        undisturbed(server),
        raw.open_raw(server, dialect.path, subprotocol=dialect.subprotocol) as socket,
    ):
        await socket.send(raw.frame(bytes(1000), length=9 * 1024 * 1024))
        assert await within(socket.ending()) in {1009} | dialect.closes


@each_dialect
async def test_a_frame_over_the_limit_costs_its_sender_only(
    server: Server, dialect: Dialect
) -> None:
    async with undisturbed(server), entered(dialect, server) as inside:
        await inside.send(inside.update(bytes(9 * 1024 * 1024)))
        # Who goes on sending after the close may lose the close frame to the reset that follows.
        assert await outcome(dialect, inside) in clear(dialect) | {"closed 1006"}
    await works(server, ROOM)


@each_dialect
async def test_a_text_frame_closes(server: Server, dialect: Dialect) -> None:
    async with undisturbed(server), entered(dialect, server) as inside:
        await inside.socket.send_text("hello")
        assert await outcome(dialect, inside) in clear(dialect)


@each_dialect
async def test_random_frames_harm_nobody(server: Server, dialect: Dialect) -> None:
    chance = random.Random(7)
    async with undisturbed(server):
        for _ in range(100):
            async with entered(dialect, server) as inside:
                await inside.send(chance.randbytes(chance.randrange(1, 300)))
                assert await outcome(dialect, inside) in clear(dialect) | {"answered"}
    await works(server, ROOM)


async def looked_at(dialect: Dialect, inside: Inside) -> bool:
    """Return once everything sent was looked at; False if the node ended the connection."""
    try:
        await inside.send(dialect.question)
        while not dialect.answered(await within(inside.socket.receive())):
            pass
    except Disconnected:
        return False
    return True


async def pelt(server: Server, dialect: Dialect, seed: int, count: int) -> int:
    """Send mutated updates, many on one connection, and return how many connections it took."""
    connections = 0
    left = mutations(seed, count)
    while batch := list(islice(left, 20)):
        connections += 1
        async with entered(dialect, server) as inside:
            while batch:
                for update in batch:
                    await inside.send(inside.update(update))
                if not await looked_at(dialect, inside):
                    break
                batch = list(islice(left, 20))
    return connections


@each_dialect
async def test_mutated_updates_harm_nobody(server: Server, dialect: Dialect) -> None:
    async with undisturbed(server):
        await pelt(server, dialect, seed=11, count=1_000)
    await works(server, ROOM)


@pytest.mark.soak
@each_dialect
async def test_very_many_mutated_updates_harm_nobody(server: Server, dialect: Dialect) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    async with undisturbed(server):
        await pelt(server, dialect, seed=seed, count=100_000)
    await works(server, ROOM)


# Websocket frames


WEBSOCKET_NONSENSE: Final = {
    "a reserved bit": raw.frame(b"\x00", reserved=4),
    "another reserved bit": raw.frame(b"\x00", reserved=2),
    "all reserved bits": raw.frame(b"\x00", reserved=7),
    "an unknown opcode": raw.frame(b"\x00", opcode=3),
    "an unknown control opcode": raw.frame(b"", opcode=11),
    "no mask": raw.frame(b"\x00", masked=False),
    "a fragmented ping": raw.frame(b"", opcode=raw.PING, fin=False),
    "a ping of 126 bytes": raw.frame(bytes(126), opcode=raw.PING),
    "a continuation of nothing": raw.frame(b"\x00", opcode=raw.CONTINUATION),
    "a new message inside a fragmented one": raw.frame(b"\x00", fin=False) + raw.frame(b"\x00"),
    "a close of one byte": raw.frame(b"\x03", opcode=raw.CLOSE),
    "a close with a forbidden code": raw.frame(b"\x03\xed", opcode=raw.CLOSE),
    "a length of 2^62": raw.frame(b"", length=2**62),
    "a text that is no UTF-8": raw.frame(b"\xff\xfe", opcode=raw.TEXT),
}


@each_dialect
@pytest.mark.parametrize("data", WEBSOCKET_NONSENSE.values(), ids=WEBSOCKET_NONSENSE)
async def test_a_broken_websocket_frame_ends_its_connection_only(
    server: Server, dialect: Dialect, data: bytes
) -> None:
    async with (
        undisturbed(server),
        raw.open_raw(server, dialect.path, subprotocol=dialect.subprotocol) as socket,
    ):
        await socket.send(data)
        code = await within(socket.ending())
        assert code in {1000, 1002, 1003, 1005, 1006, 1007, 1009} | dialect.closes


@each_dialect
async def test_a_message_in_a_thousand_fragments_is_one_message(
    server: Server, dialect: Dialect
) -> None:
    async with (
        undisturbed(server),
        raw.open_raw(server, dialect.path, subprotocol=dialect.subprotocol) as socket,
    ):
        ping = encode(Ping(5)) if dialect.name == "native" else yjs.encode_sync_step1(b"\x00")
        if dialect.name == "hocuspocus":
            await socket.send(raw.frame(hocuspocus.encode_token(ROOM, "")))
            ping = hocuspocus.with_address(ROOM, ping)
        await socket.send(raw.frame(ping[:1], fin=False))
        for _ in range(1_000):
            await socket.send(raw.frame(b"", opcode=raw.CONTINUATION, fin=False))
        await socket.send(raw.frame(ping[1:], opcode=raw.CONTINUATION))
        while (arrived := await within(socket.next())) is not None:
            if arrived[0] == raw.BINARY and dialect.answered(arrived[1]):
                return
        raise AssertionError("the node ended the connection")


async def test_a_client_that_only_connects_costs_little(server: Server) -> None:
    async with undisturbed(server), aiohttp.ClientSession() as http:
        for path in ("/ws", f"/yjs/{ROOM}", "/hocuspocus"):
            async with http.get(f"{server.url}{path}") as answer:
                assert 400 <= answer.status < 500


WRONG_INSIDE: Final = {
    "a second hello",
    "awareness that is cut off",
    "awareness of a million entries",
    "a state vector that is none",
    "a broadcast that only servers send",
}
"""Well-formed as far as the first decoder looks."""


@pytest.mark.parametrize(
    ("dialect", "frame"),
    [(dialect, frame) for dialect, frame, kind in NONSENSE if kind not in WRONG_INSIDE],
)
def test_every_piece_of_nonsense_is_nonsense(dialect: Dialect, frame: bytes) -> None:
    """The table must not hold what the codec takes, or the tests above would prove nothing."""
    decoders: dict[str, Callable[[bytes], object]] = {
        "native": decode,
        "yjs": yjs.decode,
        "hocuspocus": hocuspocus.decode_from_client,
    }
    with pytest.raises(Malformed):
        decoders[dialect.name](frame)
