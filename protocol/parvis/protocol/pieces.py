"""Divides a large update (v1) into small ones, so that applying it can be interrupted.

yrs applies an update in one go, which for twenty megabytes keeps everybody waiting. A `Plan` says
where to cut; nothing in a piece builds on a later one, and what is in a piece is copied as it is.

Example: in the state "1: a b, 2: c", where b was written behind c, a plan of three pieces takes a,
then c, then b.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from parvis.protocol.blocks import units
from parvis.protocol.lib0 import Reader, var_uint
from parvis.protocol.surrogates import skip_content
from parvis.protocol.update import GC, HAS_ORIGIN, HAS_PARENT_SUB, HAS_RIGHT_ORIGIN, SKIP, STRING

Run: TypeAlias = tuple[int, int, int, int, int]
"""Client, first clock, number of blocks, and where their bytes begin and end."""

Deletions: TypeAlias = tuple[int, int, int, int]
"""Client, number of ranges, and where their bytes begin and end."""

RANGE: Final = 16
"""Bytes of blocks that one deleted range counts as: it costs a look-up and perhaps a cut."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to cut one update.

    Attributes:
        blocks: For each piece the runs of blocks in it, one per client.
        deletes: For each piece, behind those, what is deleted.
    """

    blocks: Sequence[Sequence[Run]]
    deletes: Sequence[Sequence[Deletions]]


@dataclass(slots=True)
class _Client:
    """The blocks of a client, and how many of them have a place in a piece."""

    clocks: list[int]
    """The first clock of each block, and the one behind the last."""
    starts: list[int]
    """Where the bytes of each begin, and where the last ends."""
    needs: list[Sequence[tuple[int, int]]]
    """Blocks of others that each builds on."""
    placed: int = 0

    @property
    def reached(self) -> int:
        return self.clocks[self.placed]


def plan(update: bytes, size: int) -> Plan | None:
    """Say how an update without gaps is cut into pieces of about so many bytes.

    Returns:
        None if its blocks build on each other in a circle: then it must be applied whole.

    Raises:
        Malformed: If it is no update.
    """
    reader = Reader(update)
    clients = _read_blocks(reader)
    pieces: list[Sequence[Run]] = []
    began = dict.fromkeys(clients, 0)
    filled = 0
    for client in _in_order(clients):
        if client is None:
            return None
        theirs = clients[client]
        filled += theirs.starts[theirs.placed] - theirs.starts[theirs.placed - 1]
        if filled >= size:
            pieces.append(_runs(clients, began))
            filled = 0
    if filled:
        pieces.append(_runs(clients, began))
    return Plan(pieces, list(_read_deletes(reader, max(1, size // RANGE))))


def cut(update: bytes, plan: Plan) -> Iterator[bytes]:
    """Yield the pieces of the update that a plan was made for, in the order to apply them."""
    for runs in plan.blocks:
        parts = [var_uint(len(runs))]
        for client, clock, count, start, end in runs:
            parts += (var_uint(count), var_uint(client), var_uint(clock), update[start:end])
        yield b"".join((*parts, b"\x00"))
    for deletions in plan.deletes:
        parts = [b"\x00", var_uint(len(deletions))]
        for client, count, start, end in deletions:
            parts += (var_uint(client), var_uint(count), update[start:end])
        yield b"".join(parts)


def _read_blocks(reader: Reader) -> dict[int, _Client]:
    clients: dict[int, _Client] = {}
    for _ in range(reader.var_uint()):
        count, client, clock = reader.var_uint(), reader.var_uint(), reader.var_uint()
        theirs = clients[client] = _Client([clock], [reader.pos], [])
        for _ in range(count):
            length, needs = _block(reader, client)
            clock += length
            theirs.needs.append(needs)
            theirs.clocks.append(clock)
            theirs.starts.append(reader.pos)
    return clients


def _block(reader: Reader, client: int) -> tuple[int, Sequence[tuple[int, int]]]:
    """Skip a block; return its length and what of others it builds on."""
    info = reader.byte()
    if info in (GC, SKIP):
        return reader.var_uint(), ()
    needs: list[tuple[int, int]] = []
    if info & HAS_ORIGIN:
        needs.append((reader.var_uint(), reader.var_uint()))
    if info & HAS_RIGHT_ORIGIN:
        needs.append((reader.var_uint(), reader.var_uint()))
    if info < HAS_RIGHT_ORIGIN:
        if reader.var_uint():
            reader.var_bytes()
        else:
            needs.append((reader.var_uint(), reader.var_uint()))
        if info & HAS_PARENT_SUB:
            reader.var_bytes()
    kind = info & 0x1F
    if kind == STRING:
        text = reader.var_bytes()
        length = len(text) if text.isascii() else units(text.decode())
    else:
        length = skip_content(reader, kind)
    return length, [need for need in needs if need[0] != client]


def _in_order(clients: Mapping[int, _Client]) -> Iterator[int | None]:
    """Place block after block, none before what it builds on; yield whose was placed.

    Yields None, and ends, if that cannot be done.
    """
    for first in sorted(clients):
        waiting = [first]
        while waiting:
            client = waiting[-1]
            theirs = clients[client]
            if theirs.placed == len(theirs.needs):
                waiting.pop()
                continue
            blocker = _blocker(clients, theirs.needs[theirs.placed])
            if blocker is None:
                theirs.placed += 1
                yield client
                if len(waiting) > 1:
                    waiting.pop()
            elif blocker in waiting:
                yield None
                return
            else:
                waiting.append(blocker)


def _blocker(clients: Mapping[int, _Client], needs: Sequence[tuple[int, int]]) -> int | None:
    """Return a client whose next blocks must come first."""
    for client, clock in needs:
        other = clients.get(client)
        if other is not None and other.reached <= clock < other.clocks[-1]:
            return client
    return None


def _runs(clients: Mapping[int, _Client], began: dict[int, int]) -> list[Run]:
    """Close a piece: return what was placed since the last one."""
    runs: list[Run] = []
    for client, theirs in clients.items():
        first, last = began[client], theirs.placed
        if last > first:
            began[client] = last
            starts = theirs.starts
            runs.append((client, theirs.clocks[first], last - first, starts[first], starts[last]))
    return runs


def _read_deletes(reader: Reader, most: int) -> Iterator[Sequence[Deletions]]:
    piece: list[Deletions] = []
    room = most
    for _ in range(reader.var_uint()):
        client, left = reader.var_uint(), reader.var_uint()
        while left:
            start, count = reader.pos, min(left, room)
            for _ in range(count):
                reader.var_uint()
                reader.var_uint()
            piece.append((client, count, start, reader.pos))
            left -= count
            room -= count
            if not room:
                yield piece
                piece, room = [], most
    if piece:
        yield piece
