"""The blocks of a Yjs update (v1) one by one, to be looked at, cut, and written anew.

`parvis.protocol.update.scan` says in one go what an update holds, for every keystroke; this reads
stored updates whole, for whoever must know what stands where (SPEC.md section 13).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from parvis.protocol.errors import Malformed
from parvis.protocol.lib0 import Reader, var_bytes, var_uint
from parvis.protocol.ranges import DeleteSet, Range
from parvis.protocol.surrogates import skip_content, skip_values
from parvis.protocol.update import (
    ANY,
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
    STRING,
    TYPE,
)

Id: TypeAlias = tuple[int, int]
"""A client and one of its clocks."""

Parent: TypeAlias = str | Id | None
"""Name of a root, or the block that holds the shared type; None: that of a neighbour."""

Content: TypeAlias = str | bytes | Sequence[bytes] | None
"""A text; values, each encoded; whatever else as its bytes; None: it was deleted."""

ONE: Final = frozenset((BINARY, EMBED, FORMAT, TYPE, DOC))
"""Kinds of content that take one clock."""


@dataclass(slots=True, eq=False)  # Not frozen: they are cut.
class Block:
    """What one client did at once: a run of clocks.

    Attributes:
        kind: Of its content, as in `parvis.protocol.update`; `GC` or `SKIP` for those without.
        origin: What stood to its left when it was made.
        right: The same to its right.
        key: In a map, or among attributes; else None.
    """

    client: int
    clock: int
    length: int
    kind: int
    origin: Id | None = None
    right: Id | None = None
    parent: Parent = None
    key: str | None = None
    content: Content = None

    @property
    def end(self) -> int:
        """The clock behind it."""
        return self.clock + self.length

    @property
    def last(self) -> Id:
        """Its last clock, as an origin for others."""
        return self.client, self.clock + self.length - 1

    @property
    def shared_type(self) -> int:
        """Which kind of shared type its content is; -1 if it is none."""
        return self.content[0] if self.kind == TYPE and isinstance(self.content, bytes) else -1

    def cut(self, at: int) -> Content:
        """Shorten the content to `at` clocks; return the rest of it. The caller mends the rest."""
        content = self.content
        if isinstance(content, str):
            self.content, rest = cut_text(content, self.length, at)
            return rest
        if content is None or isinstance(content, bytes):
            return content
        self.content = content[:at]
        return content[at:]


def units(text: str) -> int:
    """Count UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) >> 1


def cut_text(text: str, length: int, at: int) -> tuple[str, str]:
    """Cut a text of `length` UTF-16 units behind `at` of them; half a character is U+FFFD."""
    if len(text) == length:
        return text[:at], text[at:]
    encoded = text.encode("utf-16-le")
    first, rest = encoded[: 2 * at], encoded[2 * at :]
    return first.decode("utf-16-le", "replace"), rest.decode("utf-16-le", "replace")


def read(update: bytes) -> tuple[dict[int, list[Block]], DeleteSet]:
    """Return the blocks of each client, in the order of their clocks, and what is deleted.

    Raises:
        Malformed: If it is no update, though not for every reason that `scan` knows.
    """
    reader = Reader(update)
    clients: dict[int, list[Block]] = {}
    for _ in range(reader.var_uint()):
        count, client, clock = reader.var_uint(), reader.var_uint(), reader.var_uint()
        blocks = clients.setdefault(client, [])
        for _ in range(count):
            block = _block(reader, client, clock)
            clock += block.length
            if block.length:
                blocks.append(block)
    deleted: dict[int, list[Range]] = {}
    for _ in range(reader.var_uint()):
        client = reader.var_uint()
        ranges = deleted.setdefault(client, [])
        for _ in range(reader.var_uint()):
            start = reader.var_uint()
            ranges.append((start, start + reader.var_uint()))
    if not reader.at_end:
        raise Malformed("the end of the update", reader.pos)
    return clients, DeleteSet().union(DeleteSet(deleted))


def _block(reader: Reader, client: int, clock: int) -> Block:
    info = reader.byte()
    if info in (GC, SKIP):
        return Block(client, clock, reader.var_uint(), info)
    origin = (reader.var_uint(), reader.var_uint()) if info & HAS_ORIGIN else None
    right = (reader.var_uint(), reader.var_uint()) if info & HAS_RIGHT_ORIGIN else None
    parent: Parent = None
    key: str | None = None
    if info < HAS_RIGHT_ORIGIN:
        if reader.var_uint():
            parent = reader.var_string()
        else:
            parent = (reader.var_uint(), reader.var_uint())
        if info & HAS_PARENT_SUB:
            key = reader.var_string()
    kind = info & 0x1F
    length, content = _content(reader, kind)
    return Block(client, clock, length, kind, origin, right, parent, key, content)


def _content(reader: Reader, kind: int) -> tuple[int, Content]:
    if kind == STRING:
        text = reader.var_string()
        return units(text), text
    start = reader.pos
    if kind == ANY:
        values: list[bytes] = []
        for _ in range(reader.var_uint()):
            start = reader.pos
            skip_values(reader, 1)
            values.append(reader.data[start : reader.pos])
        return len(values), values
    length = skip_content(reader, kind)
    return length, None if kind == DELETED else reader.data[start : reader.pos]


def write(blocks: Mapping[int, Sequence[Block]], deletes: DeleteSet) -> bytes:
    """Encode blocks, of each client without a hole, and deletions as an update."""
    parts = [var_uint(sum(1 for each in blocks.values() if each))]
    for client in sorted(blocks, reverse=True):  # higher clients first, as Yjs does
        theirs = blocks[client]
        if theirs:
            parts += (var_uint(len(theirs)), var_uint(client), var_uint(theirs[0].clock))
            for block in theirs:
                parts += _written(block)
    return b"".join((*parts, deletes.encode()))


def _written(block: Block) -> Iterator[bytes]:
    if block.kind in (GC, SKIP):
        yield bytes((block.kind,))
        yield var_uint(block.length)
        return
    origin, right, key = block.origin, block.right, block.key
    info = block.kind
    info |= HAS_ORIGIN if origin is not None else 0
    info |= HAS_RIGHT_ORIGIN if right is not None else 0
    info |= HAS_PARENT_SUB if key is not None else 0
    yield bytes((info,))
    for id in (origin, right):
        if id is not None:
            yield var_uint(id[0]) + var_uint(id[1])
    if origin is None and right is None:
        yield from _parent(block.parent)
        if key is not None:
            yield var_bytes(key.encode())
    content = block.content
    if isinstance(content, str):
        yield var_bytes(content.encode())
    elif content is None:
        yield var_uint(block.length)
    elif isinstance(content, bytes):
        yield content
    else:
        yield var_uint(len(content))
        yield from content


def _parent(parent: Parent) -> Iterator[bytes]:
    if parent is None:
        raise ValueError("a block without a neighbour names its parent")
    if isinstance(parent, str):
        yield var_uint(1) + var_bytes(parent.encode())
    else:
        yield var_uint(0) + var_uint(parent[0]) + var_uint(parent[1])
