"""The note that a worker leaves in shared memory before each dangerous step, for whoever survives.

Before native code gets an update, `Watch.enter` writes down what is about to happen; `leave` takes
it back. If the worker dies in between, its supervisor reads the note with `read_note` and knows
what to keep from the next worker. The memory belongs to the kernel, so it outlives the process.

It also shows whether a worker is stuck in one of these steps (`read_mark`).

Layout: one byte (`FREE` or `HELD`), four bytes of length, eight that count the notes, MessagePack.
The first byte is written last.
"""

import hashlib
import mmap
import os
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

import msgpack

from parvis.protocol.packing import pack
from parvis.storage import Address

Kind = Literal["apply", "load"]
"""``apply``: these updates, to a live room. ``load``: the part's log, while the room opens."""

Sent = tuple[bytes, str]
"""An update and the id of the session it came from, which may be empty."""

SIZE: Final = 1024 * 1024
"""Bytes of the memory; pages that are never written cost nothing."""

WHOLE: Final = SIZE - 64 * 1024
"""Updates larger than this together are noted as digests only."""

MOST_DIGESTS: Final = 10_000

FREE: Final = 0
HELD: Final = 1
_HEADER: Final = struct.Struct("=BIQ")
_LENGTH_AND_COUNT: Final = struct.Struct("=IQ")


def digest_of(update: bytes) -> bytes:
    """Return the SHA-256 by which an update is known to quarantine."""
    return hashlib.sha256(update).digest()


@dataclass(frozen=True, slots=True)
class Suspect:
    """What a worker was about to do when it died.

    Attributes:
        updates: The updates it was applying; empty if they were too large or it was loading.
        digests: SHA-256 of each of them.
        sessions: Ids of the sessions they came from, as far as known.
        time: Seconds since the epoch when the death was noticed; 0.0 before that.
        cause: What it died of, for people.
    """

    kind: Kind
    address: Address
    updates: tuple[bytes, ...] = ()
    digests: tuple[bytes, ...] = ()
    sessions: tuple[str, ...] = ()
    time: float = 0.0
    cause: str = ""


def make_note() -> int:
    """Return a new file for notes, to be inherited by a worker."""
    if sys.platform == "linux":
        file = os.memfd_create("parvis-watch")
    else:
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.truncate(file, SIZE)
    return file


class Watch:
    """Notes what this process is about to do.

    Args:
        file: From `make_note`, as inherited.
    """

    def __init__(self, file: int) -> None:
        self._memory = mmap.mmap(file, SIZE)
        self._count = 0
        self.leave()

    def enter(
        self, kind: Kind, address: Address, updates: Sequence[tuple[bytes, str]] = ()
    ) -> None:
        """Note what is done next; costs about a microsecond while updates are small.

        Args:
            updates: What is going to be applied.
        """
        digests: Sequence[bytes] = ()
        if updates and sum([len(update) for update, _ in updates]) > WHOLE:
            digests = [digest_of(update) for update, _ in updates]
            updates = [(b"", session) for _, session in updates]
        where = (address.tenant, address.room, address.part)
        note = pack((kind, where, updates, digests))
        if len(note) > SIZE - _HEADER.size:
            # Very many updates: who sent them is what can be spared.
            digests = digests or [digest_of(update) for update, _ in updates]
            note = pack((kind, where, (), digests[:MOST_DIGESTS]))
        memory = self._memory
        memory[_HEADER.size : _HEADER.size + len(note)] = note
        self._count += 1
        _LENGTH_AND_COUNT.pack_into(memory, 1, len(note), self._count)
        memory[0] = HELD

    def leave(self) -> None:
        """Take the note back: it went well, or raised."""
        self._memory[0] = FREE


def read_mark(file: int) -> int | None:
    """Return which of its dangerous steps a live worker is in, counted from 1; None if in none."""
    state, _, count = _HEADER.unpack(os.pread(file, _HEADER.size, 0))
    return count if state == HELD else None


def read_note(file: int) -> Suspect | None:
    """Take off the note of a worker that died: what it was doing, or None if nothing dangerous."""
    state, length, _ = _HEADER.unpack(os.pread(file, _HEADER.size, 0))
    if state != HELD:
        return None
    # From `Watch.enter`, in its shape.
    kind, where, updates, digests = cast(
        "tuple[Kind, tuple[str, str, str], list[Sent], list[bytes]]",
        msgpack.unpackb(os.pread(file, length, _HEADER.size)),
    )
    # The next worker may die before it has a watch of its own.
    os.pwrite(file, bytes([FREE]), 0)
    whole = tuple(update for update, _ in updates if not digests)
    return Suspect(
        kind=kind,
        address=Address(*where),
        updates=whole,
        digests=tuple(digests) or tuple(map(digest_of, whole)),
        sessions=tuple(session for _, session in updates),
    )
