"""What a document amounts to: the check that it arrived. Done in helpers, where it hurts nobody."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.protocol import surrogates
from parvis.protocol.errors import Malformed
from parvis.protocol.update import STORED, Limits, scan
from parvis.server.firewall import tasks
from parvis.server.firewall.contents import KINDS, document, roots
from parvis.server.firewall.depth import DEEPEST
from parvis.server.firewall.order import Order

WHOLE: Final = Limits(max_bytes=2**40, max_blocks=2**24, type_depth=DEEPEST, lenient=True)
"""For the updates of a document that comes from elsewhere: as for clients, but for its size."""


def look(updates: Sequence[bytes]) -> dict[str, Any]:
    """Look through updates before anything applies them.

    Returns:
        ``broken``: why a room cannot take them, or empty; ``blank``: whether there is nothing in
        them; ``order``: the indexes of those that can be applied, each behind what it builds on;
        ``waiting``: of those that cannot.
    """
    blank = True
    for index, update in enumerate(updates):
        try:
            blank = scan(update, WHOLE).is_empty and blank
        except Malformed as problem:
            broken = f"update {index + 1} of {len(updates)}: {problem}"
            return {"broken": broken, "blank": False, "order": [], "waiting": []}
    order = Order()
    ready = [index for index, _ in order.ready(updates)]
    waiting = [index for index, _, _ in order.waiting]
    return {"broken": "", "blank": blank, "order": ready, "waiting": waiting}


def part_of(updates: Sequence[bytes], waiting: Sequence[bytes]) -> bytes:
    """Return what of updates that wait for others can be shown already; may be empty.

    A server keeps what waits inside the document's one update, so part of it may be complete.
    """
    doc = document(tasks.merge(_nowhere, updates))
    before, state = doc.get_state(), doc.get_update()
    for update in surrogates.mend([state, *waiting])[1:]:
        doc.apply_update(update)
    if doc.get_state() == before and scan(doc.get_update(), STORED).deletes == (
        scan(state, STORED).deletes
    ):
        return b""
    return doc.get_update(before)


def weigh(updates: Sequence[bytes]) -> dict[str, Any]:
    """Return what a document of these updates amounts to.

    Returns:
        ``clocks``, its state vector; ``deletes``, what of that is deleted; ``content``, SHA-256 of
        what its roots hold, formats included; ``size`` of its state in bytes.
    """
    squashed = tasks.squash(_nowhere, updates)
    state: bytes = squashed["state"]
    return {
        "clocks": {client: clock for client, clock in squashed["clocks"].items() if clock},
        "deletes": scan(state, STORED).deletes,
        "content": content_hash(state),
        "size": len(state),
    }


def content_hash(state: bytes) -> str:
    """Return the SHA-256 of what a document shows, the same for equal contents."""
    kinds = roots(_nowhere, state)
    doc = document(state)
    with doc.transaction():  # one for all that is read: each costs
        shown = {name: shape(doc.get(name, type=KINDS[kind])) for name, kind in kinds.items()}
    # Texts can hold halves of surrogate pairs, which no UTF-8 spells.
    text = json.dumps(shown, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def shape(value: object) -> Any:
    """Return a shared type, or a value in one, as JSON that differs where the value does."""
    match value:
        case Map():
            entries = cast("Map[object]", value)
            return {"map": {key: shape(entries[key]) for key in entries.keys()}}  # noqa: SIM118
        case Array():
            return {"array": [shape(item) for item in cast("Array[object]", value)]}
        case Text() | XmlText():
            return {"text": _runs(value), "attributes": _attributes(value)}
        case XmlElement():
            children = [shape(child) for child in value.children]
            return {"tag": value.tag, "attributes": _attributes(value), "children": children}
        case XmlFragment():
            return {"fragment": [shape(child) for child in value.children]}
        case Doc():
            return {"document": value.guid}
        case bytes() | bytearray():
            return {"bytes": value.hex()}
        case list():
            return [shape(item) for item in cast("list[object]", value)]
        case dict():
            return {key: shape(item) for key, item in cast("dict[str, object]", value).items()}
        case float():
            return repr(value)  # also what is no number in JSON
        case _:
            return value


def _runs(text: "Text | XmlText") -> list[Any]:
    runs: list[Any] = []
    for piece, formats in text.diff():
        kept = {key: shape(value) for key, value in (formats or {}).items()}
        if runs and isinstance(piece, str) and isinstance(runs[-1][0], str) and runs[-1][1] == kept:
            runs[-1][0] += piece
        else:
            runs.append([piece if isinstance(piece, str) else {"embed": shape(piece)}, kept])
    return runs


def _attributes(value: "Text | XmlText | XmlElement") -> Mapping[str, Any]:
    if isinstance(value, Text):
        return {}
    pairs = cast("Iterable[tuple[str, object]]", value.attributes)
    return {name: shape(each) for name, each in pairs}


def _nowhere(step: int) -> None:
    """Take the place of a `Step` where nobody asks how far a task came."""
