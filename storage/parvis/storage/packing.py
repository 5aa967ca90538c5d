"""How large states lie on disk: compressed if that makes them smaller, and with a digest."""

import hashlib
import logging
import zlib
from dataclasses import dataclass
from typing import Final

from parvis.storage.api import Address, Snapshot

logger = logging.getLogger(__name__)

PLAIN: Final = 0
ZLIB: Final = 1
"""Kinds of packing, as the tables name them."""

WORTH_IT: Final = 256
"""Bytes below which packing gains nothing."""


def pack(state: bytes) -> tuple[int, bytes]:
    """Return the kind of packing and what is to be kept."""
    if len(state) > WORTH_IT:
        packed = zlib.compress(state)
        if len(packed) < len(state):
            return ZLIB, packed
    return PLAIN, state


def unpack(kind: int, kept: bytes) -> bytes:
    """Return what was packed.

    Raises:
        ValueError: If it is damaged, or of a kind that this version does not know.
    """
    if kind == PLAIN:
        return kept
    if kind != ZLIB:
        raise ValueError(f"packing {kind} is unknown")
    try:
        return zlib.decompress(kept)
    except zlib.error as error:
        raise ValueError(f"damaged: {error}") from error


@dataclass(frozen=True, slots=True)
class PackedSnapshot:
    """A snapshot as it lies on disk. `mark`: 16 bytes that no other state has."""

    incarnation: int
    offset: int
    packing: int
    kept: bytes
    index: bytes
    mark: bytes

    def unpacked(self, address: Address) -> Snapshot | None:
        """Return the snapshot; None if it is damaged, which is logged: it is a cache."""
        try:
            return self.opened()
        except ValueError as damage:
            logger.error("%s: snapshot at %d cannot be read: %s", address, self.offset, damage)
            return None

    def opened(self) -> Snapshot:
        """Return the snapshot. Raises `ValueError` if it is damaged."""
        state = unpack(self.packing, self.kept)
        # Versions before the first release kept no mark.
        if self.mark and self.mark != _digest(state):
            raise ValueError("damaged: its checksum is another one")
        return Snapshot(self.incarnation, self.offset, state, self.index)


def packed_snapshot(new: Snapshot) -> PackedSnapshot:
    """Pack a snapshot; takes a while for a large one."""
    packing, kept = pack(new.state)
    return PackedSnapshot(new.incarnation, new.offset, packing, kept, new.index, _digest(new.state))


def _digest(state: bytes) -> bytes:
    return hashlib.blake2b(state, digest_size=16).digest()
