"""Looks through a Yjs update (v1) before anything else touches it.

``scan`` raises ``Malformed`` unless the update can be given to yrs without a panic or a stack
overflow, and says which clocks it holds and which it needs. It reads as Yjs *and* as yrs reads:
where the two differ, bytes that one takes for text are structure to the other, so that a scan of
one reading would protect nobody. Such content is refused (SPEC.md section 13).

It is one long function with every step in line, because it runs for each keystroke of each
person; ``_uint`` and the like are for the bytes that do not come as often.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from parvis.protocol.errors import Malformed, NotAllowed, TooDeep, TooLarge
from parvis.protocol.nesting import Links, deepest, json_depth
from parvis.protocol.ranges import DeleteSet, Range, merge

MAX_CLOCK: Final = 2**31
"""No clock or length reaches further: yrs counts in 32 bits."""

HAS_ORIGIN: Final = 0x80
HAS_RIGHT_ORIGIN: Final = 0x40
HAS_PARENT_SUB: Final = 0x20

GC: Final = 0
DELETED: Final = 1
JSON: Final = 2
BINARY: Final = 3
STRING: Final = 4
EMBED: Final = 5
FORMAT: Final = 6
TYPE: Final = 7
ANY: Final = 8
DOC: Final = 9
SKIP: Final = 10

XML_ELEMENT: Final = 3
XML_HOOK: Final = 5
XML_TEXT: Final = 6
WEAK_LINK: Final = 7

_ANY_WIDTH: Final = {0x7F: 0, 0x7E: 0, 0x7C: 4, 0x7B: 8, 0x7A: 8, 0x79: 0, 0x78: 0}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an update may hold."""

    max_bytes: int = 16 * 1024 * 1024
    max_blocks: int = 100_000
    any_depth: int = 64
    """Objects and arrays inside one value; yrs overflows its stack at about 25,000."""
    json_depth: int = 64
    """The same for embeds and formats, which are JSON; yrs refuses more than 127."""
    type_depth: int = 256
    """Shared types inside each other, as far as this update shows."""
    subdocuments: bool = False
    lenient: bool = False
    """Take texts of no length, which old versions of yrs have left in stored documents."""


CLIENT: Final = Limits()
"""For updates from clients."""

STORED: Final = Limits(
    max_bytes=2**40, max_blocks=2**31, type_depth=2**31, subdocuments=True, lenient=True
)
"""For what has been taken before: logs and snapshots."""


@dataclass(slots=True, eq=False)  # Not frozen: that costs a tenth of a keystroke's scan.
class Scan:
    """What an update holds. Not to be changed."""

    structs: dict[int, list[Range]]
    """The clocks of its blocks: client to ranges, ascending, none touching another."""
    deletes: dict[int, list[Range]]
    """The clocks that it deletes: client to ranges, ascending, none touching another."""
    needs: dict[int, int]
    """Client to the clock up to which its work must exist, because blocks of others refer to it."""
    roots: set[str]
    """Names of the root types that its blocks name; blocks beside others name none."""
    blocks: int
    """How many blocks it has, gaps included."""

    @property
    def is_empty(self) -> bool:
        """Whether it holds neither blocks nor deletions."""
        return not self.structs and not self.deletes

    @property
    def min_clocks(self) -> dict[int, int]:
        """Client to the clock of its first block."""
        return {client: ranges[0][0] for client, ranges in self.structs.items()}

    @property
    def max_clocks(self) -> dict[int, int]:
        """Client to the clock after its last block."""
        return {client: ranges[-1][1] for client, ranges in self.structs.items()}

    def reach(self, state_vector: Mapping[int, int]) -> dict[int, int]:
        """Return how far each of its clients gets, without a gap, on top of a state."""
        clocks: dict[int, int] = {}
        for client, ranges in self.structs.items():
            clock = state_vector.get(client, 0)
            for start, end in ranges:
                if start > clock:
                    break
                if end > clock:
                    clock = end
            clocks[client] = clock
        return clocks

    def gap(self, state_vector: Mapping[int, int]) -> bool:
        """Whether something that it builds on is neither in the state nor in itself.

        It then cannot be integrated as a whole, and part of it would wait unseen. An update made
        on purpose, whose blocks wait for each other in a circle, has no gap and still waits; so
        after an apply the state is what counts.
        """
        reach = self.reach(state_vector)
        for client, ranges in self.structs.items():
            if ranges[-1][1] > reach[client]:
                return True
        for client, clock in self.needs.items():
            if clock > state_vector.get(client, 0) and clock > reach.get(client, 0):
                return True
        for client, ranges in self.deletes.items():
            clock = ranges[-1][1]
            if clock > state_vector.get(client, 0) and clock > reach.get(client, 0):
                return True
        return False

    def covered_by(self, state_vector: Mapping[int, int], deleted: DeleteSet) -> bool:
        """Whether it adds nothing to a state."""
        for client, ranges in self.structs.items():
            if ranges[-1][1] > state_vector.get(client, 0):
                return False
        return not self.deletes or deleted.covers(self.deletes)

    @property
    def delete_set(self) -> DeleteSet:
        """Its deletions as a set."""
        return DeleteSet(self.deletes)


def scan(update: bytes, limits: Limits = CLIENT) -> Scan:
    """Look through an update.

    Raises:
        TooLarge: If it has too many bytes or blocks.
        TooDeep: If values, JSON or shared types are nested too deep.
        NotAllowed: If it holds a kind of content that is not taken here.
        Malformed: If it is not an update that both Yjs and yrs read alike.
    """
    if len(update) > limits.max_bytes:
        raise TooLarge(f"an update of at most {limits.max_bytes} bytes, not {len(update)}")
    try:
        return _scan(update, limits)
    except IndexError:
        raise Malformed("the rest of an update", len(update)) from None
    except UnicodeDecodeError:
        raise Malformed("valid UTF-8 in an update") from None


def read_delete_set(update: bytes) -> DeleteSet:
    """Return what a stored update deletes.

    Raises:
        Malformed: If the update cannot be read.
    """
    return scan(update, STORED).delete_set


def _scan(data: bytes, limits: Limits) -> Scan:
    end = len(data)
    structs: dict[int, list[Range]] = {}
    needs: dict[int, int] = {}
    roots: set[str] = set()
    blocks = types = 0
    lenient = limits.lenient
    # Nesting needs more than a type's four bytes a level. Smaller updates, which are nearly all,
    # are spared the bookkeeping.
    nested = end > 4 * limits.type_depth
    links: dict[int, Links] = {}

    clients = data[0]
    pos = 1
    if clients > 0x7F:
        clients, pos = _uint(data, 0)
    while clients:
        clients -= 1
        count, pos = _uint(data, pos)
        blocks += count
        if blocks > limits.max_blocks:
            raise TooLarge(f"at most {limits.max_blocks} blocks", pos)
        start = pos
        client, pos = _uint(data, pos)
        own = data[start:pos]
        own_length = pos - start
        if client in structs:
            raise Malformed(f"client {client} once in an update", start)
        clock = data[pos]
        pos += 1
        if clock > 0x7F:
            clock, pos = _uint(data, pos - 1)
        runs: list[Range] = []
        structs[client] = runs
        run = clock
        if nested:
            link = Links()
            links[client] = link
            starts = link.starts
            targets = link.targets
        while count:
            count -= 1
            info = data[pos]
            pos += 1
            target: tuple[int, int, int] | None = None

            # Where it stands.
            if info & HAS_ORIGIN:
                if data.startswith(own, pos):
                    pos += own_length
                    other = data[pos]
                    pos += 1
                    if other > 0x7F:
                        other, pos = _uint(data, pos - 1)
                    if other >= clock:
                        raise Malformed("an origin older than its block", pos)
                    if nested:
                        target = (client, other, 0)
                else:
                    target, pos = _foreign(data, pos, client, clock, needs, 0)
            if info & HAS_RIGHT_ORIGIN:
                if data.startswith(own, pos):
                    pos += own_length
                    other = data[pos]
                    pos += 1
                    if other > 0x7F:
                        other, pos = _uint(data, pos - 1)
                    if other >= clock:
                        raise Malformed("a right origin older than its block", pos)
                    if nested and target is None:
                        target = (client, other, 0)
                else:
                    right, pos = _foreign(data, pos, client, clock, needs, 0)
                    if target is None:
                        target = right
            elif info < HAS_RIGHT_ORIGIN:
                if info == GC or info == SKIP:
                    length, pos = _uint(data, pos)
                    if not length:
                        raise Malformed("a length of at least 1", pos)
                    if info == SKIP:
                        if clock > run:
                            runs.append((run, clock))
                        run = clock + length
                    if nested:
                        starts.append(clock)
                        targets.append(None)
                    clock += length
                    continue
                kind = data[pos]
                pos += 1
                if kind == 1:
                    stop = _text(data, pos)
                    pos, name = stop[1], data[stop[0] : stop[1]]
                    roots.add(name.decode())
                elif kind == 0:
                    target, pos = _foreign(data, pos, client, clock, needs, 1)
                else:
                    raise Malformed("a root's name (1) or a parent's id (0)", pos - 1)
                if info & HAS_PARENT_SUB:
                    first, stop_at = _text(data, pos)
                    data[first:stop_at].decode()
                    pos = stop_at

            # What it is.
            kind = info & 0x1F
            if kind == STRING:
                length = data[pos]
                pos += 1
                if length > 0x7F:
                    length, pos = _uint(data, pos - 1)
                stop_at = pos + length
                if stop_at > end:
                    raise Malformed(f"a text of {length} bytes", pos)
                text = data[pos:stop_at]
                if not text.isascii():
                    length = len(text.decode().encode("utf-16-le")) >> 1
                elif not length and not lenient:
                    raise Malformed("a text of at least one character", pos)
                pos = stop_at
            elif kind == ANY:
                length, pos = _uint(data, pos)
                if not length:
                    raise Malformed("at least one value", pos)
                pos = _skip_any(data, pos, length, limits.any_depth)
            elif kind == DELETED:
                length, pos = _uint(data, pos)
                if not length:
                    raise Malformed("a length of at least 1", pos)
            elif kind == TYPE:
                types += 1
                length = 1
                reference = data[pos]
                pos += 1
                if reference == XML_ELEMENT:
                    first, pos = _text(data, pos)
                    data[first:pos].decode()
                elif reference == XML_HOOK or reference == WEAK_LINK:
                    raise NotAllowed("a shared type other than hook and weak link", pos - 1)
                elif reference > XML_TEXT:
                    raise Malformed(f"a known shared type, not {reference}", pos - 1)
            elif kind == FORMAT:
                length = 1
                first, pos = _text(data, pos)
                data[first:pos].decode()
                pos = _skip_json(data, pos, limits.json_depth)
            elif kind == EMBED:
                length = 1
                pos = _skip_json(data, pos, limits.json_depth)
            elif kind == BINARY:
                length = 1
                pos = _text(data, pos)[1]
            elif kind == DOC:
                length = 1
                if not limits.subdocuments:
                    raise NotAllowed("no subdocument", pos)
                first, pos = _text(data, pos)
                data[first:pos].decode()
                pos = _skip_any(data, pos, 1, limits.any_depth)
            elif kind == JSON:
                raise NotAllowed("values of Yjs 13 or later, not as JSON", pos)
            else:
                raise Malformed(f"a known kind of content, not {kind}", pos)
            if nested:
                starts.append(clock)
                targets.append(target)
            clock += length

        if clock > MAX_CLOCK:
            raise Malformed("clocks below 2^31", pos)
        if clock > run:
            runs.append((run, clock))
        if not runs:
            structs[client] = runs

    if nested and types > limits.type_depth:
        depth = deepest(links)
        if depth > limits.type_depth:
            raise TooDeep(f"shared types nested at most {limits.type_depth} deep, not {depth}")
    deletes, pos = _read_deletes(data, pos)
    if pos != end:
        raise Malformed("the end of the update", pos)
    return Scan(structs, deletes, needs, roots, blocks)
