"""Looks through a Yjs update (v1) before anything else touches it.

``scan`` raises ``Malformed`` unless the update can be given to yrs without a panic or a stack
overflow, and says which clocks it holds and which it needs. It reads as Yjs *and* as yrs reads:
where the two differ, bytes that one takes for text are structure to the other, so that a scan of
one reading would protect nobody. Such content is refused (SPEC.md section 13).

It is one long function with every step in line, because it runs for each keystroke of each
person; the functions below it are for what does not come as often.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NoReturn

from parvis.protocol.errors import Malformed, NotAllowed, TooDeep, TooLarge
from parvis.protocol.lib0 import MAX_UINT
from parvis.protocol.nesting import Links, Target, deepest_block, json_depth
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

ANY_BYTES: Final = 0x74
ANY_ARRAY: Final = 0x75
ANY_OBJECT: Final = 0x76
ANY_STRING: Final = 0x77
ANY_INTEGER: Final = 0x7D
# undefined, null, 32 and 64 bit float, 64 bit integer, false, true
ANY_WIDTH: Final = {0x7F: 0, 0x7E: 0, 0x7C: 4, 0x7B: 8, 0x7A: 8, 0x79: 0, 0x78: 0}

_NONE: Final[set[str]] = set()
"""Stands for the names that most updates do not bring; never added to."""

_PLAIN_JSON: Final = frozenset((b"null", b"true", b"false", b"{}", b'""'))


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
    """In how many shared types inside each other a block may stand, as far as the update shows."""
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
    types: int = 0
    """How many of them hold a shared type."""
    astral: Sequence[tuple[int, int, bytes]] = ()
    """Texts that hold characters of two UTF-16 units: client, first clock, UTF-8."""
    elements: set[str] = field(default_factory=set[str])
    """Names of the XML elements that it brings."""
    formats: set[str] = field(default_factory=set[str])
    """Keys of the formats that it brings, where they begin and where they end."""
    cuts_none: bool = False
    """Somebody has looked, and it cuts no character of its own; a scan alone does not know."""

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

    def halves(self, state_vector: Mapping[int, int]) -> bool:
        """Whether a state ends between the two UTF-16 units of one of its characters.

        yrs would then have to take half a character, drops it, counts wrong and may panic, so such
        an update must be mended first, as `parvis.protocol.surrogates` does. Honest clients get
        there only if they first typed the halves one by one.
        """
        for client, clock, text in self.astral:
            at = 2 * (state_vector.get(client, 0) - clock) + 1
            if at > 0:
                units = text.decode().encode("utf-16-le")
                if at < len(units) and units[at] & 0xFC == 0xDC:
                    return True
        return False

    def is_whole(self, state_vector: Mapping[int, int]) -> bool:
        """Whether its blocks are exactly those of a state, from the first clock on.

        An encoded document must be whole. yrs writes other clocks than it holds if it had to cut
        half an emoji off, and who loads that loses what comes later.
        """
        held = {client: clock for client, clock in state_vector.items() if clock}
        return self.structs == {client: [(0, clock)] for client, clock in held.items()}

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
    astral: list[tuple[int, int, bytes]] = []
    elements: set[str] = _NONE
    formats: set[str] = _NONE
    blocks = types = 0
    hollow = False
    # A shared type takes at least four bytes, so that smaller updates, which are nearly all of
    # them, are spared the bookkeeping.
    watched = end > 4 * limits.type_depth
    links: dict[int, Links] = {}
    starts: list[int] = []
    targets: list[Target | None] = []

    clients, pos = _uint(data, 0)
    while clients:
        clients -= 1
        count, pos = _uint(data, pos)
        blocks += count
        if blocks > limits.max_blocks:
            raise TooLarge(f"at most {limits.max_blocks} blocks", pos)
        at = pos
        client, pos = _uint(data, pos)
        own = data[at:pos]
        own_length = pos - at
        if client in structs:
            raise Malformed(f"client {client} once in an update", at)
        clock, pos = _uint(data, pos)
        runs: list[Range] = []
        structs[client] = runs
        run = first = clock
        if watched:
            links[client] = link = Links()
            starts, targets = link.starts, link.targets
        while count:
            count -= 1
            info = data[pos]
            pos += 1
            target: Target | None = None

            # Where the block stands.
            if info >= HAS_RIGHT_ORIGIN:
                if info & HAS_ORIGIN:
                    if data.startswith(own, pos):  # what most blocks in a text have
                        pos += own_length
                        other = data[pos]
                        pos += 1
                        if other > 0x7F:
                            other, pos = _uint(data, pos - 1)
                        if other >= clock:
                            raise Malformed("an origin older than its block", pos)
                        if watched:
                            target = (client, other, 0)
                    else:
                        target, pos = _reference(data, pos, client, clock, needs, 0)
                if info & HAS_RIGHT_ORIGIN:
                    right, pos = _reference(data, pos, client, clock, needs, 0)
                    if target is None:
                        target = right
            elif info in (GC, SKIP):
                length, pos = _length(data, pos)
                if watched:
                    starts.append(clock)
                    targets.append(None)
                if info == SKIP:
                    if clock > run:
                        runs.append((run, clock))
                    run = clock + length
                clock += length
                continue
            else:
                named = data[pos]
                if named > 1:
                    raise Malformed("a root's name (1) or a parent's id (0)", pos)
                if named:
                    at, pos = _string(data, pos + 1)
                    roots.add(data[at:pos].decode())
                else:
                    target, pos = _reference(data, pos + 1, client, clock, needs, 1)
                if info & HAS_PARENT_SUB:
                    at, pos = _string(data, pos)
                    data[at:pos].decode()

            # What it holds.
            kind = info & 0x1F
            if kind == STRING:
                length = data[pos]
                pos += 1
                if length > 0x7F:
                    length, pos = _uint(data, pos - 1)
                at = pos
                pos += length
                if pos > end:
                    raise Malformed(f"a text of {length} bytes", at)
                text = data[at:pos]
                if not text.isascii():
                    characters = text.decode()
                    length = len(characters.encode("utf-16-le")) >> 1
                    if length > len(characters):
                        astral.append((client, clock, text))
                elif not length and not limits.lenient:
                    raise Malformed("a text of at least one character", at)
            elif kind == DELETED:
                length, pos = _length(data, pos)
            elif kind == ANY:
                length, pos = _length(data, pos)
                pos = _skip_any(data, pos, length, limits.any_depth)
            else:
                length = 1
                if kind == FORMAT:
                    at, pos = _string(data, pos)
                    if formats is _NONE:
                        formats = set()
                    formats.add(data[at:pos].decode())
                    pos = _skip_json(data, pos, limits.json_depth)
                elif kind == TYPE:
                    types += 1
                    at = pos
                    pos = _skip_type(data, pos)
                    if data[at] == XML_ELEMENT:
                        if elements is _NONE:
                            elements = set()
                        elements.add(data[_string(data, at + 1)[0] : pos].decode())
                elif kind == EMBED:
                    pos = _skip_json(data, pos, limits.json_depth)
                elif kind == BINARY:
                    pos = _string(data, pos)[1]
                elif kind == DOC:
                    if not limits.subdocuments:
                        raise NotAllowed("no subdocument", pos)
                    at, pos = _string(data, pos)
                    data[at:pos].decode()
                    pos = _skip_any(data, pos, 1, limits.any_depth)
                elif kind == JSON:
                    raise NotAllowed("values as Yjs 13 writes them, not as JSON", pos)
                else:
                    raise Malformed(f"a known kind of content, not {kind}", pos)
            if watched:
                starts.append(clock)
                targets.append(target)
            clock += length

        if clock == first:
            raise Malformed("blocks of a client", pos)  # yrs panics if it waits for earlier ones
        if clock > MAX_CLOCK:
            raise Malformed("clocks up to 2^31", pos)
        if clock > run:
            runs.append((run, clock))
        if not runs:
            hollow = True  # gaps only

    if types > limits.type_depth:
        depth = deepest_block(links)
        if depth > limits.type_depth:
            raise TooDeep(f"blocks in at most {limits.type_depth} shared types, not {depth}")
    deletes, pos = _read_deletes(data, pos)
    if pos != end:
        raise Malformed("the end of the update", pos)
    if hollow:
        structs = {client: runs for client, runs in structs.items() if runs}
    return Scan(structs, deletes, needs, roots, blocks, types, astral, elements, formats)


def _uint(data: bytes, pos: int) -> tuple[int, int]:
    """Read a varUint; like all of these, return what was read and the position behind it."""
    value = data[pos]
    pos += 1
    if value < 0x80:
        return value, pos
    value &= 0x7F
    shift = 7
    while True:
        byte = data[pos]
        pos += 1
        if byte < 0x80:
            value |= byte << shift
            if value > MAX_UINT:
                raise Malformed("a varUint below 2^53", pos)
            return value, pos
        value |= (byte & 0x7F) << shift
        if shift == 49:
            raise Malformed("a varUint of at most 8 bytes", pos)
        shift += 7


def _length(data: bytes, pos: int) -> tuple[int, int]:
    length, pos = _uint(data, pos)
    if not 0 < length <= MAX_CLOCK:
        raise Malformed("a length of at least 1", pos)
    return length, pos


def _string(data: bytes, pos: int) -> tuple[int, int]:
    """Find a text or byte string; return its first byte and the one behind it."""
    length = data[pos]
    pos += 1
    if length > 0x7F:
        length, pos = _uint(data, pos - 1)
    stop = pos + length
    if stop > len(data):
        raise Malformed(f"{length} bytes", pos)
    return pos, stop


def _reference(
    data: bytes, pos: int, client: int, clock: int, needs: dict[int, int], step: int
) -> tuple[Target, int]:
    """Read a reference from a block to another, which must be older if it is the same client's."""
    other, pos = _uint(data, pos)
    other_clock, pos = _uint(data, pos)
    if other == client:
        if other_clock >= clock:
            raise Malformed("a reference to an older block", pos)
    elif other_clock >= needs.get(other, 0):
        if other_clock >= MAX_CLOCK:
            raise Malformed("a clock below 2^31", pos)
        needs[other] = other_clock + 1
    return (other, other_clock, step), pos


def _skip_type(data: bytes, pos: int) -> int:
    reference = data[pos]
    if reference == XML_ELEMENT:
        at, stop = _string(data, pos + 1)
        data[at:stop].decode()
        return stop
    if reference in (XML_HOOK, WEAK_LINK):
        raise NotAllowed("a shared type that is no hook and no weak link", pos)
    if reference > XML_TEXT:
        raise Malformed(f"a known shared type, not {reference}", pos)
    return pos + 1


def _skip_any(data: bytes, pos: int, count: int, max_depth: int) -> int:
    """Skip ``count`` values of lib0's "any" encoding."""
    end = len(data)
    keyed = False
    outer: list[tuple[int, bool]] = []
    while True:
        while not count:
            if not outer:
                return pos
            count, keyed = outer.pop()
        count -= 1
        if keyed:
            at, pos = _string(data, pos)
            data[at:pos].decode()
        tag = data[pos]
        pos += 1
        if tag == ANY_STRING:
            at, pos = _string(data, pos)
            data[at:pos].decode()
        elif tag == ANY_INTEGER:
            at = pos
            while data[pos] > 0x7F:
                pos += 1
            pos += 1
            if pos - at > 8:
                raise Malformed("a varInt of at most 8 bytes", at)
        elif tag in ANY_WIDTH:
            pos += ANY_WIDTH[tag]
        elif tag in (ANY_OBJECT, ANY_ARRAY):
            outer.append((count, keyed))
            if len(outer) > max_depth:
                raise TooDeep(f"values nested at most {max_depth} deep", pos)
            count, pos = _uint(data, pos)
            keyed = tag == ANY_OBJECT
            # yrs makes room for this many at once.
            if count > end - pos:
                raise Malformed(f"{count} values", pos)
        elif tag == ANY_BYTES:
            pos = _string(data, pos)[1]
        else:
            raise Malformed(f"a known kind of value, not {tag:#04x}", pos - 1)


def _skip_json(data: bytes, pos: int, max_depth: int) -> int:
    at, stop = _string(data, pos)
    json_text = data[at:stop]
    if json_text not in _PLAIN_JSON:
        try:
            (_check_json_once if stop - at <= 64 else _check_json)(json_text, max_depth)
        except Malformed as error:
            raise type(error)(error.expected, at) from None
    return stop


def _check_json(encoded: bytes, max_depth: int) -> None:
    text = encoded.decode()
    if json_depth(text, max_depth) > max_depth:
        raise TooDeep(f"JSON nested at most {max_depth} deep")
    try:
        json.loads(text, parse_constant=_refuse_constant)
    except ValueError:
        raise Malformed("JSON") from None


_check_json_once = lru_cache(4096)(_check_json)  # the same few colours and sizes, again and again


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _read_deletes(data: bytes, pos: int) -> tuple[dict[int, list[Range]], int]:
    """Read the delete set, which is the second half of an update."""
    deletes: dict[int, list[Range]] = {}
    clients = data[pos]
    pos += 1
    if not clients:
        return deletes, pos
    if clients > 0x7F:
        clients, pos = _uint(data, pos - 1)
    while clients:
        clients -= 1
        at = pos
        client, pos = _uint(data, pos)
        if client in deletes:
            raise Malformed(f"client {client} once in a delete set", at)
        count, pos = _uint(data, pos)
        # yrs makes room for this many at once.
        if not 0 < count * 2 <= len(data) - pos:
            raise Malformed(f"ranges of a delete set, not {count},", pos)
        ranges: list[Range] = []
        last = -1
        sorted_so_far = True
        while count:
            count -= 1
            clock, pos = _uint(data, pos)
            length, pos = _length(data, pos)
            stop = clock + length
            if stop > MAX_CLOCK:
                raise Malformed("clocks up to 2^31", pos)
            if clock <= last:
                sorted_so_far = False
            last = stop
            ranges.append((clock, stop))
        deletes[client] = ranges if sorted_so_far else merge(ranges)
    return deletes, pos
