"""How a document was: rows of a log put together, from checkpoint to checkpoint. For helpers.

A checkpoint is worth the log up to some offset: ``log``, one update with all that was deleted still
in it, and ``waiting``, the rows whose predecessor had not come by then.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgpack
from pycrdt import Doc, merge_updates

from parvis.plugins import ErrorCode, Refused
from parvis.protocol import Malformed, surrogates
from parvis.protocol.update import STORED, scan
from parvis.protocol.yjs import decode_state_vector
from parvis.server.firewall.order import Order

FAN_IN: Final = 50
"""Updates merged at a time: merging all at once takes time in proportion to their square."""

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of a document with all it ever held, beyond which nobody looks into its past."""

BLANK: Final = b"\x00\x00"
"""The update that changes nothing."""

BROKEN: Final = (Malformed, ValueError)
"""What is raised over rows that are no updates."""


def advance(checkpoint: Mapping[str, Any], rows: Sequence[bytes]) -> dict[str, Any]:
    """Return the checkpoint that is worth another one and the rows after it."""
    doc, waiting = forward(checkpoint, rows)
    log = doc.get_update()
    if len(log) > LARGEST:
        reason = f"the document's past is larger than {LARGEST >> 20} MiB"
        raise Refused(ErrorCode.TOO_LARGE, reason)
    return {"log": log, "waiting": waiting}


def pack(checkpoint: Mapping[str, Any]) -> bytes:
    """Return a checkpoint, compressed."""
    packed: bytes = msgpack.packb([checkpoint["log"], checkpoint["waiting"]])
    return zlib.compress(packed, 6)


def unpack(packed: bytes) -> dict[str, Any]:
    """Return the checkpoint that `pack` was given."""
    whole: Any = msgpack.unpackb(zlib.decompress(packed))
    log, waiting = whole
    return {"log": log, "waiting": waiting}


def travel(checkpoint: Mapping[str, Any], rows: Sequence[bytes]) -> dict[str, Any]:
    """Return the checkpoint as `advance` does, and ``state``: without what was deleted."""
    there = advance(checkpoint, rows)
    return there | {"state": state(there["log"])}


def state(log: bytes) -> bytes:
    """Return a document without what was deleted in it."""
    doc: Doc[Any] = Doc()
    doc.apply_update(log or BLANK)
    return doc.get_update()


def merge(updates: Sequence[bytes]) -> bytes:
    """Merge updates, which cut none of each other's characters, as a tree."""
    layer = list(updates) or [BLANK]
    while len(layer) > 1:
        layer = [merge_updates(*layer[at : at + FAN_IN]) for at in range(0, len(layer), FAN_IN)]
    return layer[0]


def forward(checkpoint: Mapping[str, Any], rows: Iterable[bytes]) -> tuple[Doc[Any], list[bytes]]:
    """Return a document that keeps what was deleted, and the rows that wait."""
    log, rows = checkpoint["log"] or BLANK, [row for row in rows if row]
    if not checkpoint["waiting"]:
        doc = _at_once(log, rows)
        if doc is not None:
            return doc, []
    return _in_order(log, [*checkpoint["waiting"], *rows])


def _at_once(log: bytes, rows: Sequence[bytes]) -> Doc[Any] | None:
    """Take in rows merged; None if one of them is no update, or waits for something."""
    doc = _keeping(log)
    clocks = decode_state_vector(doc.get_state())
    mended = surrogates.mend([log, *rows], clocks.items())
    try:
        merged = merge(mended[1:])
        seen = scan(merged, STORED)
    except BROKEN:
        return None
    if seen.gap(clocks):
        return None
    if mended[0] != log:
        doc = _keeping(mended[0])
    doc.apply_update(merged)
    clocks = decode_state_vector(doc.get_state())
    # Blocks can wait for each other in a circle, which is no gap.
    return doc if all(clocks.get(c, 0) >= end for c, end in seen.max_clocks.items()) else None


def _in_order(log: bytes, rows: Sequence[bytes]) -> tuple[Doc[Any], list[bytes]]:
    """Take in row after row, each when all it builds on has come."""
    doc = _keeping(log)
    clocks = decode_state_vector(doc.get_state())
    order = Order(dict(clocks))
    ready = [update for _, update in order.ready(rows)]
    waiting = [update for _, update, _ in order.waiting]
    log, *mended = surrogates.mend([log, *ready], clocks.items())
    doc = _keeping(log)
    for update in mended:
        try:
            doc.apply_update(update)
        except ValueError:
            continue  # the node could not take it in either
    clocks = decode_state_vector(doc.get_state())
    circles = [
        update
        for update in ready
        if any(clocks.get(c, 0) < end for c, end in scan(update, STORED).max_clocks.items())
    ]
    if circles:
        doc = _keeping(doc.get_update())  # without what yrs holds back
    return doc, [*waiting, *circles]


def _keeping(update: bytes) -> Doc[Any]:
    """Return a document that forgets nothing."""
    doc: Doc[Any] = Doc(skip_gc=True)
    doc.apply_update(update)
    return doc
