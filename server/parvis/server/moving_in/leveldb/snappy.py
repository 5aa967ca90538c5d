"""Unpacks Snappy, in which LevelDB keeps its blocks; the format is Snappy's format description."""

from typing import Final

from .checks import Damaged, number

LARGEST: Final = 2**30
"""Bytes of one block unpacked; LevelDB's have some kilobytes, or one value."""


def unpack(data: bytes) -> bytes:
    """Return what was packed. Raises `Damaged`."""
    length, at = number(data, 0)
    if length > LARGEST:
        raise Damaged(f"a block of {length} bytes")
    out, end = bytearray(), len(data)
    try:
        while at < end:
            tag = data[at]
            at += 1
            if tag & 3 == 0:
                at, size = _literal(data, at, tag >> 2)
                if at + size > end:
                    raise Damaged("a block that is packed wrongly")
                out += data[at : at + size]
                at += size
                continue
            if tag & 3 == 1:
                size, offset = (tag >> 2 & 7) + 4, tag >> 5 << 8 | data[at]
                at += 1
            else:
                wide = 2 if tag & 3 == 2 else 4
                size, offset = (tag >> 2) + 1, int.from_bytes(data[at : at + wide], "little")
                at += wide
            _copy(out, offset, size)
            if len(out) > length:
                break
    except IndexError:
        raise Damaged("a block that is packed wrongly") from None
    if len(out) != length:
        raise Damaged(f"a block of {length} bytes, of which {len(out)} came")
    return bytes(out)


def _literal(data: bytes, at: int, size: int) -> tuple[int, int]:
    if size < 60:
        return at, size + 1
    wide = size - 59
    return at + wide, int.from_bytes(data[at : at + wide], "little") + 1


def _copy(out: bytearray, offset: int, size: int) -> None:
    start = len(out) - offset
    if offset == 0 or start < 0:
        raise Damaged("a block that is packed wrongly")
    if offset >= size:
        out += out[start : start + size]
    else:
        # What is copied overlaps what it makes: a pattern, repeated.
        pattern = bytes(out[start:])
        out += (pattern * (size // offset + 1))[:size]
