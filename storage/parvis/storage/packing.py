"""How large states lie on disk: compressed if that makes them smaller, and with a digest."""

import hashlib
import zlib
from typing import Final

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


def digest(state: bytes) -> bytes:
    """Return 16 bytes that no other state has."""
    return hashlib.blake2b(state, digest_size=16).digest()
