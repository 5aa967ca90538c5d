"""Characters of two UTF-16 units, of which an edit may take one half: Yjs can, yrs cannot.

Clocks count UTF-16 units, so an edit may stand, start or end inside a pair of surrogates, for
example when a naive editor replaces one emoji by another with the same first half. Yjs then shows
a replacement character for each half. yrs keeps the character whole on one side and writes other
clocks than it holds, so that whoever loads that loses what comes next (SPEC.md section 13.3).

So a parted pair is spelled as Yjs shows it before yrs gets to see it: two replacement characters,
which take as many clocks. What is cut that way can be cut anywhere.

Example: "🦊ab" under the clocks 0 to 3, and a deletion of clock 1. ``mend`` spells the text
"\\ufffd\\ufffdab"; the deletion stays as it is, and both programs show "\\ufffdab".
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from parvis.protocol.errors import Malformed
from parvis.protocol.lib0 import Reader, var_bytes
from parvis.protocol.update import (
    ANY,
    ANY_ARRAY,
    ANY_BYTES,
    ANY_INTEGER,
    ANY_OBJECT,
    ANY_STRING,
    ANY_WIDTH,
    BINARY,
    DELETED,
    DOC,
    EMBED,
    FORMAT,
    GC,
    HAS_ORIGIN,
    HAS_PARENT_SUB,
    HAS_RIGHT_ORIGIN,
    SKIP,
    STORED,
    STRING,
    TYPE,
    XML_ELEMENT,
    scan,
)

_ASTRAL: Final = re.compile(rb"[\xf0-\xf4][\x80-\xbf]{3}")
"""A character of two units in UTF-8; also found, by chance, in what is no text."""

_SECOND_HALVES: Final = bytes(0xDC <= high <= 0xDF for high in range(256))
_REPLACED: Final = "\ufffd\ufffd".encode("utf-16-le")

Cut: TypeAlias = tuple[int, int]
"""Client and clock of the unit in front of which an update cuts what it refers to."""

_Text: TypeAlias = tuple[int, int, int, int]
"""Client and first clock of a text, where its length stands, and where it ends."""


Astral: TypeAlias = tuple[int, int, bytes]
"""Client, first clock and UTF-8 of a text that holds characters of two units."""


def astral(update: bytes) -> Sequence[Astral]:
    """Return what `Scan.astral` says of a stored update; nothing of what is no update."""
    if not _ASTRAL.search(update):
        return ()
    try:
        return scan(update, STORED).astral
    except Malformed:
        return ()


class Pairs:
    """Where in some updates the second halves of characters stand."""

    def __init__(self, updates: Iterable[bytes] = ()) -> None:
        self._starts: dict[int, list[int]] = {}
        self._seconds: dict[int, list[bytes]] = {}
        for update in updates:
            self.add(astral(update))

    def __bool__(self) -> bool:
        return bool(self._starts)

    def add(self, texts: Iterable[Astral]) -> None:
        """Take in what `Scan.astral` says."""
        for client, clock, text in texts:
            seconds = text.decode().encode("utf-16-le")[1::2].translate(_SECOND_HALVES)
            starts = self._starts.setdefault(client, [])
            pieces = self._seconds.setdefault(client, [])
            first = bisect_right(starts, clock)
            if first and starts[first - 1] + len(pieces[first - 1]) > clock:
                first -= 1
            last = bisect_left(starts, clock + len(seconds), first)
            if first < last:  # the same clocks once more, perhaps divided into other texts
                known = zip(starts[first:last], pieces[first:last], strict=True)
                clock, seconds = _union([(clock, seconds), *known])
            starts[first:last] = [clock]
            pieces[first:last] = [seconds]

    def hold(self, client: int, clock: int) -> bool:
        """Whether the second half of a character stands there."""
        starts = self._starts.get(client)
        if starts is None:
            return False
        at = bisect_right(starts, clock) - 1
        if at < 0:
            return False
        seconds = self._seconds[client][at]
        clock -= starts[at]
        return clock < len(seconds) and seconds[clock] == 1

    def cut_by(self, update: bytes) -> bool:
        """Whether a well-formed update cuts one of the characters."""
        return bool(self) and any(self.hold(*cut) for cut in _cuts(update, []))

    def before(self, state_vector: Mapping[int, int]) -> dict[int, int]:
        """Return a state vector that ends inside of none of the characters, but before it."""
        return {client: clock - self.hold(client, clock) for client, clock in state_vector.items()}


def mend(updates: Iterable[bytes], cuts: Iterable[Cut] = ()) -> list[bytes]:
    """Return updates that mean to yrs, together, what these mean to Yjs.

    They can then be merged, or applied one after the other. What is no update stays as it is.
    Updates without characters of two units cost a glance; with them, a thorough look at each.

    Args:
        cuts: More places that something cuts; for a start, where the document ends that is to
            take the updates, as its state vector says.
    """
    updates = list(updates)
    pairs = Pairs(updates)
    if not pairs:
        return updates
    parted: dict[int, set[int]] = {}
    for client, clock in cuts:
        if pairs.hold(client, clock):
            parted.setdefault(client, set()).add(clock)
    texts: list[list[_Text]] = []
    for update in updates:
        found: list[_Text] = []
        try:
            for client, clock in _cuts(update, found):
                if pairs.hold(client, clock):
                    parted.setdefault(client, set()).add(clock)
        except (Malformed, ValueError, RecursionError):
            found.clear()
        texts.append(found)
    if not parted:
        return updates
    where = {client: sorted(clocks) for client, clocks in parted.items()}
    return [_respell(update, found, where) for update, found in zip(updates, texts, strict=True)]


def _union(pieces: Sequence[tuple[int, bytes]]) -> tuple[int, bytes]:
    """Return one piece that has a second half wherever any of these has one."""
    start = min(clock for clock, _ in pieces)
    end = max(clock + len(seconds) for clock, seconds in pieces)
    union = 0
    for clock, seconds in pieces:
        union |= int.from_bytes(seconds, "little") << 8 * (clock - start)
    return start, union.to_bytes(end - start, "little")


def _respell(update: bytes, texts: Sequence[_Text], cuts: Mapping[int, Sequence[int]]) -> bytes:
    parts: list[bytes] = []
    done = 0
    for client, clock, at, stop in texts:
        clocks = cuts.get(client, ())
        reader = Reader(update, at)
        units = bytearray(reader.var_bytes().decode().encode("utf-16-le"))
        changed = False
        end = clock + len(units) // 2
        for cut in clocks[bisect_right(clocks, clock) : bisect_left(clocks, end)]:
            second = 2 * (cut - clock)
            if _SECOND_HALVES[units[second + 1]]:
                units[second - 2 : second + 2] = _REPLACED
                changed = True
        if changed:
            parts += (update[done:at], var_bytes(units.decode("utf-16-le").encode()))
            done = stop
    return b"".join((*parts, update[done:])) if parts else update


def _cuts(update: bytes, texts: list[_Text]) -> Iterator[Cut]:
    """Yield where an update cuts: at its origins, its deletions, and its own blocks.

    Its blocks matter where others divide the same clocks differently, for then they overlap.

    Args:
        texts: Gets those texts of the update that hold characters of two units.

    Raises:
        Malformed: If it is no update, though not for every reason that `scan` knows.
    """
    reader = Reader(update)
    for _ in range(reader.var_uint()):
        count, client, clock = reader.var_uint(), reader.var_uint(), reader.var_uint()
        for _ in range(count):
            yield client, clock
            info = reader.byte()
            if info in (GC, SKIP):
                clock += reader.var_uint()
                continue
            if info & HAS_ORIGIN:
                yield reader.var_uint(), reader.var_uint() + 1
            if info & HAS_RIGHT_ORIGIN:
                yield reader.var_uint(), reader.var_uint()
            if info < HAS_RIGHT_ORIGIN:
                if reader.var_uint():
                    reader.var_bytes()
                else:
                    reader.var_uint()
                    reader.var_uint()
                if info & HAS_PARENT_SUB:
                    reader.var_bytes()
            if info & 0x1F == STRING:
                at = reader.pos
                text = reader.var_bytes()
                if _ASTRAL.search(text):
                    texts.append((client, clock, at, reader.pos))
                clock += (
                    len(text) if text.isascii() else len(text.decode().encode("utf-16-le")) >> 1
                )
            else:
                clock += skip_content(reader, info & 0x1F)
        yield client, clock
    for _ in range(reader.var_uint()):
        client = reader.var_uint()
        for _ in range(reader.var_uint()):
            start = reader.var_uint()
            yield client, start
            yield client, start + reader.var_uint()


def skip_content(reader: Reader, kind: int) -> int:
    """Skip a block's content, which is no text, and return how many clocks it takes."""
    if kind == DELETED:
        return reader.var_uint()
    if kind == ANY:
        length = reader.var_uint()
        skip_values(reader, length)
        return length
    if kind in (BINARY, EMBED):
        reader.var_bytes()
    elif kind == FORMAT:
        reader.var_bytes()
        reader.var_bytes()
    elif kind == TYPE:
        if reader.var_uint() == XML_ELEMENT:
            reader.var_bytes()
    elif kind == DOC:
        reader.var_bytes()
        skip_values(reader, 1)
    else:
        raise Malformed(f"a known kind of content, not {kind}", reader.pos)
    return 1


def skip_values(reader: Reader, count: int) -> None:
    """Skip values of lib0's "any" encoding, which the scan has seen to be nested a little only."""
    for _ in range(count):
        tag = reader.byte()
        if tag in (ANY_STRING, ANY_BYTES):
            reader.var_bytes()
        elif tag == ANY_INTEGER:
            while reader.byte() > 0x7F:
                pass
        elif tag == ANY_ARRAY:
            skip_values(reader, reader.var_uint())
        elif tag == ANY_OBJECT:
            for _ in range(reader.var_uint()):
                reader.var_bytes()
                skip_values(reader, 1)
        elif tag in ANY_WIDTH:
            reader.pos += ANY_WIDTH[tag]
        else:
            raise Malformed(f"a known kind of value, not {tag:#04x}", reader.pos)
