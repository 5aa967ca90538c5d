"""Updates that pycrdt-store was told to compress: by what, its database does not say."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Final

from .sources import DocumentBroken, looks_like_update

LARGEST: Final = 1024**3
"""Bytes of an update; what unpacks to more is a bomb."""


def _zlib(data: bytes) -> bytes:
    return _bounded(zlib.decompressobj().decompress, data)


def _gzip(data: bytes) -> bytes:
    return _bounded(zlib.decompressobj(wbits=31).decompress, data)


def _bounded(unpack: Callable[[bytes, int], bytes], data: bytes) -> bytes:
    whole = unpack(data, LARGEST + 1)
    if len(whole) > LARGEST:
        raise DocumentBroken(f"an update of more than {LARGEST} bytes")
    return whole


FORMS: Final[Mapping[bytes, tuple[str, Callable[[bytes], bytes]]]] = {
    b"\x1f\x8b": ("gzip", _gzip),
    b"BZh": ("bz2", lambda data: _bounded(bz2.BZ2Decompressor().decompress, data)),
    b"\xfd7zXZ\x00": ("xz", lambda data: _bounded(lzma.LZMADecompressor().decompress, data)),
    b"\x78": ("zlib", _zlib),
}
"""How compressed data begins → its name, and what unpacks it."""


def unpacked(data: bytes, what: str) -> bytes:
    """Return an update, unpacked if it is packed in one of the ways of Python's library.

    Args:
        what: Names it, for people.

    Raises:
        DocumentBroken: If it is neither an update nor one that is packed so.
    """
    if looks_like_update(data):
        return data
    for head, (name, unpack) in FORMS.items():
        if data.startswith(head):
            try:
                whole = unpack(data)
            except (zlib.error, gzip.BadGzipFile, OSError, lzma.LZMAError, EOFError) as error:
                raise DocumentBroken(f"{what} is packed by {name} and damaged: {error}") from None
            if looks_like_update(whole):
                return whole
            raise DocumentBroken(f"{what} is packed by {name}, and what is in it is no Yjs update")
    names = ", ".join(name for name, _ in FORMS.values())
    raise DocumentBroken(f"{what} is no Yjs update, nor one packed by {names}")
