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
"""Bytes of a document's updates together; what unpacks to more is a bomb."""


Unpack = Callable[[bytes, int], bytes]
"""Unpacks no more than so many bytes."""

FORMS: Final[Mapping[bytes, tuple[str, Unpack]]] = {
    b"\x1f\x8b": ("gzip", lambda data, most: zlib.decompressobj(wbits=31).decompress(data, most)),
    b"BZh": ("bz2", lambda data, most: bz2.BZ2Decompressor().decompress(data, most)),
    b"\xfd7zXZ\x00": ("xz", lambda data, most: lzma.LZMADecompressor().decompress(data, most)),
    b"\x78": ("zlib", lambda data, most: zlib.decompressobj().decompress(data, most)),
}
"""How compressed data begins → its name, and what unpacks it."""


def unpacked(data: bytes, what: str, most: int = LARGEST) -> bytes:
    """Return an update, unpacked if it is packed in one of the ways of Python's library.

    Args:
        what: Names it, for people.
        most: Bytes that it may unpack to.

    Raises:
        DocumentBroken: If it is too much, or neither an update nor one that is packed so.
    """
    if looks_like_update(data):
        return data
    for head, (name, unpack) in FORMS.items():
        if data.startswith(head):
            try:
                whole = unpack(data, max(0, most) + 1)
            except (zlib.error, gzip.BadGzipFile, OSError, lzma.LZMAError, EOFError) as error:
                raise DocumentBroken(f"{what} is packed by {name} and damaged: {error}") from None
            if len(whole) > most:
                raise DocumentBroken(f"{what} makes it larger than {LARGEST} bytes unpacked")
            if looks_like_update(whole):
                return whole
            raise DocumentBroken(f"{what} is packed by {name}, and what is in it is no Yjs update")
    names = ", ".join(name for name, _ in FORMS.values())
    raise DocumentBroken(f"{what} is no Yjs update, nor one packed by {names}")
