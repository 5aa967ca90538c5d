"""What all files of LevelDB have in common: numbers, byte strings, and CRC-32C checksums."""

import struct
import sys
from collections.abc import Iterable
from typing import Final

from ...errors import ServerError


class Damaged(ServerError):
    """What is read is not what LevelDB writes, or not all of it is there."""


_POLYNOMIAL: Final = 0x82F63B78
_MASK: Final = 0xA282EAD8


def _step(value: int, bits: int) -> int:
    for _ in range(bits):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_BYTES: Final = tuple(_step(value, 8) for value in range(256))
_PAIRS: Final = tuple(_step(value, 16) for value in range(65_536))
"""By two bytes at a time: half the turns of a loop that is the slowest part of reading."""


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of some bytes; Python has none of its own."""
    crc = 0xFFFFFFFF
    even = len(data) & ~1
    pairs = _PAIRS
    for pair in _pairs(data, even):
        crc = crc >> 16 ^ pairs[(crc ^ pair) & 0xFFFF]
    if len(data) > even:
        crc = crc >> 8 ^ _BYTES[(crc ^ data[even]) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _pairs(data: bytes, even: int) -> Iterable[int]:
    if sys.byteorder == "little":
        return memoryview(data)[:even].cast("H")
    return struct.unpack(f"<{even // 2}H", data[:even])


def masked(data: bytes) -> int:
    """Return a checksum as LevelDB writes it down."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def number(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, at most 64 bits; return it and where it ends."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Damaged("a number that does not end")


def string(data: bytes, at: int) -> tuple[bytes, int]:
    """Read bytes led by their length; return them and where they end."""
    length, at = number(data, at)
    if at + length > len(data):
        raise Damaged(f"{length} bytes, of which {len(data) - at} are there")
    return data[at : at + length], at + length
