"""A fresh document with the same content: no tombstones, one client. For helper processes.

The copy is made block by block and not value by value, so that it can hold whatever a document can:
formats, embeds, attributes, shared types inside each other, subdocuments, each as it was encoded.
Then both documents are read by yrs, too, and must say the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final, cast

from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.plugins import ErrorCode, Refused
from parvis.protocol import Malformed, surrogates
from parvis.protocol.blocks import Block, Content, Id, Parent, write
from parvis.protocol.ranges import DeleteSet
from parvis.protocol.update import ANY, BINARY, DOC, EMBED, FORMAT, STRING, TYPE
from parvis.protocol.yjs import decode_state_vector
from parvis.server.history.undoing import content
from parvis.server.history.weaving import Item, Shared, Weave

BLANK: Final = b"\x00\x00"
"""The update that changes nothing."""

COPIED: Final = frozenset((ANY, BINARY, DOC, EMBED, FORMAT, STRING, TYPE))
"""Kinds of content that can be copied: all that the firewall takes."""

LONGEST: Final = 8192
"""Clocks of a block at most: a document is loaded block by block."""

ELEMENTS: Final = frozenset((3, 6))
"""Shared types that stand in XML only: elements and their texts."""


def rebuild(updates: Sequence[bytes], client: int) -> dict[str, Any]:
    """Return a document that says what these updates say, and the figures of both.

    Args:
        updates: The document as it is; nothing in it waits for a predecessor.
        client: Id under which all of the copy is written.

    Returns:
        ``update``: the copy. ``figures``: see `Figures`.

    Raises:
        Refused: If something in it cannot be copied, or the copy does not say the same.
    """
    old = document(updates).get_update()
    try:
        weave = Weave(old)
    except Malformed as problem:
        reason = f"it holds what cannot be copied ({problem}): left as it is"
        raise Refused(ErrorCode.REFUSED, reason) from None
    work = _Copying(client)
    work.copy(weave)
    update = write({client: work.blocks}, DeleteSet())
    made: Doc[Any] = Doc()
    made.apply_update(update)
    clocks = {client: work.clock} if work.clock else {}
    if decode_state_vector(made.get_state()) != clocks:
        raise _different("it was not taken in whole")
    if content(old) != content(update):
        raise _different("blocks")
    for name, kinds in _kinds(weave).items():
        for kind in kinds:
            if _read(old, name, kind) != _read(update, name, kind):
                raise _different(f"root {name[:40]!r}")
    # Not as yrs encodes it, which puts the keys of values in any order.
    return {"update": update, "figures": work.figures(weave, len(old), len(update))}


def document(updates: Sequence[bytes]) -> Doc[Any]:
    """Return a document with these updates."""
    doc: Doc[Any] = Doc()
    for update in surrogates.mend([each for each in updates if each]):
        doc.apply_update(update)
    return doc


def _different(where: str) -> Refused:
    return Refused(ErrorCode.REFUSED, f"the copy would not say the same ({where}): left as it is")


@dataclass(slots=True)
class _Copying:
    client: int
    clock: int = 0
    positions: int = 0
    blocks: list[Block] = field(default_factory=list[Block])

    def copy(self, weave: Weave) -> None:
        todo: list[tuple[Shared, Parent]] = [
            (shared, name) for name, shared in sorted(weave.roots.items(), reverse=True)
        ]
        while todo:
            shared, home = todo.pop()
            inside = self._chain([item for item in shared.items if not item.deleted], home)
            for key in sorted(shared.keys):
                if not (newest := shared.keys[key]).deleted:
                    inside += self._chain([newest], home, key)
            todo += reversed(inside)

    def _chain(
        self, items: Sequence[Item], home: Parent, key: str | None = None
    ) -> list[tuple[Shared, Parent]]:
        """Write copies, each behind the one before; return the shared types among them."""
        held: list[tuple[Shared, Parent]] = []
        origin: Id | None = None
        for kind, run in groupby(items, _joined_with):
            if kind[0] not in COPIED:
                reason = f"it holds what cannot be copied (kind {kind[0]}): left as it is"
                raise Refused(ErrorCode.REFUSED, reason)
            neighbours = list(run)
            for piece, length in _pieces(neighbours):
                parent = home if origin is None else None
                block = Block(
                    self.client, self.clock, length, kind[0], origin, None, parent, key, piece
                )
                self.blocks.append(block)
                self.clock += length
                origin = block.last
                self.positions += _holds_position(piece)
            if (shared := neighbours[0].holds) is not None and origin is not None:
                held.append((shared, origin))
        return held

    def figures(self, weave: Weave, before: int, after: int) -> dict[str, int]:
        blocks = deleted = clocks = 0
        clients: set[int] = set()
        for item in weave.items():
            blocks += 1
            clocks += item.length
            deleted += item.length if item.deleted else 0
            clients.add(item.client)
        return {
            "before": before,
            "after": after,
            "blocks": blocks,
            "clocks": clocks,
            "deleted": deleted,
            "clients": len(clients),
            "positions": self.positions,
        }


def _joined_with(item: Item) -> tuple[int, Id | None]:
    """Name what neighbours that can be one block have in common."""
    return item.kind, None if item.kind in (STRING, ANY) else item.last


def _pieces(items: Sequence[Item]) -> Iterator[tuple[Content, int]]:
    """Yield the content of neighbours as few pieces, with their lengths in clocks."""
    first = items[0].content
    if isinstance(first, str):
        text = "".join(str(each.content) for each in items)
        for start in range(0, len(text), LONGEST):
            piece = text[start : start + LONGEST]
            yield piece, len(piece.encode("utf-16-le")) >> 1
    elif isinstance(first, list):
        values = [value for each in items for value in cast("Sequence[bytes]", each.content)]
        for start in range(0, len(values), LONGEST):
            some = values[start : start + LONGEST]
            yield some, len(some)
    else:
        yield first, items[0].length


def _holds_position(piece: Content) -> bool:
    """Whether a value looks like a relative position of Yjs, which would point to nothing."""
    if isinstance(piece, str) or piece is None:
        return False
    values = (piece,) if isinstance(piece, bytes) else piece
    return any(
        (b"\x06client" in value and b"\x05clock" in value)
        or (b'"client"' in value and b'"clock"' in value)
        for value in values
    )


# What yrs reads: another way to see that both say the same


def _kinds(weave: Weave) -> dict[str, list[type[Any]]]:
    """Return as what each root can be read; reading a text as an array never ends in yrs."""
    found: dict[str, list[type[Any]]] = {}
    for name, shared in weave.roots.items():
        alive = [item for item in shared.items if not item.deleted]
        kinds: list[type[Any]] = []
        if any(item.kind in (STRING, FORMAT, EMBED) for item in alive):
            kinds.append(Text)
        elif any(item.shared_type in ELEMENTS for item in alive):
            kinds.append(XmlFragment)
        elif alive:
            kinds.append(Array)
        if any(not item.deleted for item in shared.keys.values()):
            kinds.append(Map)
        found[name] = kinds
    return found


def _read(update: bytes, name: str, kind: type[Any]) -> Any:
    doc: Doc[Any] = Doc()
    doc.apply_update(update or BLANK)
    return _said(doc.get(name, type=kind))


def _said(value: object) -> Any:
    match value:
        case Map():
            entries = cast("Map[object]", value)
            return {key: _said(entries[key]) for key in entries.keys()}  # noqa: SIM118  no dict
        case Array():
            return [_said(item) for item in cast("Array[object]", value)]
        case Text() | XmlText():
            # Texts show a piece for each block, however they were cut.
            return _letters([(_said(piece), formats or {}) for piece, formats in value.diff()])
        case XmlElement():
            attributes = dict(cast("Iterable[tuple[str, object]]", value.attributes))
            return value.tag, attributes, [_said(child) for child in value.children]
        case XmlFragment():
            return [_said(child) for child in value.children]
        case Doc():
            return "subdocument", value.guid
        case float():
            return "nan" if math.isnan(value) else value
        case list():
            return [_said(item) for item in cast("list[object]", value)]
        case dict():
            return {key: _said(item) for key, item in cast("dict[str, object]", value).items()}
        case _:
            return value


def _letters(pieces: Sequence[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    joined: list[tuple[Any, Any]] = []
    for piece, formats in pieces:
        before = joined[-1] if joined else None
        if (
            before
            and before[1] == formats
            and isinstance(piece, str)
            and isinstance(before[0], str)
        ):
            joined[-1] = (before[0] + piece, formats)
        else:
            joined.append((piece, formats))
    return joined
