"""Updates that cut a character of two UTF-16 units in half, and what Yjs then shows."""

from collections.abc import Mapping, Sequence
from typing import Final

from parvis.protocol.lib0 import var_string, var_uint

FOX: Final = "\U0001f98a"
LOST: Final = "\ufffd"


def text(value: str, *, clock: int = 0, left: int | None = None, right: int | None = None) -> bytes:
    """A text of client 1 in root "text"; its origins are clocks of client 1."""
    return block(1, clock, value, left, right)


def block(client: int, clock: int, value: str, left: int | None, right: int | None) -> bytes:
    info = 4 | (0x80 if left is not None else 0) | (0x40 if right is not None else 0)
    stands = b"".join(b"\x01" + var_uint(at) for at in (left, right) if at is not None)
    start = b"\x01\x01" + var_uint(client) + var_uint(clock) + bytes((info,))
    return start + (stands or b"\x01\x04text") + var_string(value) + b"\x00"


def deletion(*ranges: tuple[int, int]) -> bytes:
    """Clocks of client 1, from and up to."""
    parts = [var_uint(start) + var_uint(end - start) for start, end in ranges]
    return b"\x00\x01\x01" + var_uint(len(parts)) + b"".join(parts)


# What Yjs 13.6 shows once it has these updates.
CUTS: Final[Mapping[str, tuple[Sequence[bytes], str]]] = {
    "the first half is deleted": ([text(FOX + "ab"), deletion((0, 1))], f"{LOST}ab"),
    "the second half is deleted": ([text(FOX + "ab"), deletion((1, 2))], f"{LOST}ab"),
    "a deletion ends inside": ([text("x" + FOX + "ab"), deletion((0, 2))], f"{LOST}ab"),
    "a deletion starts inside": ([text(FOX + "ab"), deletion((1, 4))], LOST),
    "one of several ranges cuts": (
        [text(FOX + FOX + "abc"), deletion((5, 6), (3, 4))],
        f"{FOX}{LOST}ac",
    ),
    "a left origin stands inside": (
        [text(FOX + "ab"), block(2, 0, "X", 0, 1)],
        f"{LOST}X{LOST}ab",
    ),
    "only a right origin stands inside": (
        [text(FOX + "ab"), block(2, 0, "X", None, 1)],
        f"{LOST}X{LOST}ab",
    ),
    "the halves came one by one, then the whole": (
        [text(LOST), text(FOX + "ab")],
        f"{LOST}{LOST}ab",
    ),
    "a replica that knows of the cut says the same": (
        [text(FOX + "ab"), text(LOST), text(f"{LOST}ab", clock=1, left=0), deletion((1, 2))],
        f"{LOST}ab",
    ),
}

HARMLESS: Final[Mapping[str, tuple[Sequence[bytes], str]]] = {
    "all of it is deleted": ([text(FOX + "ab"), deletion((0, 2))], "ab"),
    "what surrounds it is deleted": ([text("x" + FOX + "ab"), deletion((0, 1), (3, 4))], FOX + "b"),
    "something stands behind it": ([text(FOX + "ab"), block(2, 0, "X", 1, 2)], f"{FOX}Xab"),
    "something stands between two": ([text(FOX + FOX), block(2, 0, "X", 1, 2)], f"{FOX}X{FOX}"),
    "the same text came twice": ([text(FOX + "ab"), text(FOX + "ab")], f"{FOX}ab"),
    "nothing takes two units": ([text("äb"), deletion((1, 2))], "ä"),
}
