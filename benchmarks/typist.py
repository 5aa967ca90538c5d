"""Makes the updates of simulated writers: valid, cheap to make, each with a mark of its own.

A writer inserts text behind its own last insertion, as someone does who types. The mark is inside
that text, so it is found in whatever frame carries the update, also in one that the server merged
from several.
"""

import re
from typing import Final

from parvis.protocol.lib0 import var_string, var_uint

MARK: Final = re.compile(rb"@([0-9a-f]{8})")
"""What every update's text contains; the digits are its number."""

STRING: Final = 4
HAS_ORIGIN: Final = 0x80


def mark(number: int) -> str:
    """Return the text that `MARK` finds."""
    return f"@{number:08x}"


class Typist:
    """One writer with a Yjs client id of its own.

    Args:
        root: Name of the text that is typed into.
        padding: Letters beside the mark in each update.
    """

    __slots__ = ("_clock", "_head", "_padding", "_root", "client")

    def __init__(self, client: int, *, root: str = "text", padding: int = 0) -> None:
        self.client = client
        self._root = root
        self._padding = "x" * padding
        self._clock = 0
        self._head = b"\x01\x01" + var_uint(client)

    def type(self, number: int) -> bytes:
        """Return the update that inserts the mark with this number."""
        text = mark(number) + self._padding
        clock = self._clock
        self._clock += len(text)
        if clock == 0:
            # The first has no neighbour, so it names the root it stands in.
            where = bytes([STRING]) + b"\x01" + var_string(self._root)
        else:
            where = bytes([STRING | HAS_ORIGIN]) + var_uint(self.client) + var_uint(clock - 1)
        return self._head + var_uint(clock) + where + var_string(text) + b"\x00"
