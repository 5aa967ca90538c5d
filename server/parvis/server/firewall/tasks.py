"""Work on whole documents, done in helper processes, where a crash costs nobody anything.

Each task is a function of a `Step` and of MessagePack values; it returns a MessagePack value. By
calling `step(n)` *before* something dangerous it leaves behind how far it came, which survives
whatever happens next. `TASKS`, at the end, names them all.
"""

import dataclasses
import gc
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pycrdt import (
    Array,
    Doc,
    Map,
    Text,
    TransactionEvent,
    UndoManager,
    merge_updates,
)

from parvis.protocol import pieces, surrogates
from parvis.protocol.surrogates import Pairs
from parvis.protocol.update import CLIENT, STORED, Limits, Scan, scan as look_through
from parvis.protocol.yjs import decode_state_vector
from parvis.server.firewall.calling import call
from parvis.server.firewall.contents import KINDS, Step, document, roots, text, to_json
from parvis.server.firewall.order import Order

FAN_IN: Final = 50
"""Updates merged at a time: a flat merge is quadratic, this tree took 16 ms for 20,000 updates."""

LARGE: Final = 256 * 1024
"""Bytes of a state that is applied piece by piece; that many take yrs four milliseconds."""

PIECE: Final = 64 * 1024

TRIAL_BASE, TRIAL_BASE_READ, TRIAL_APPLY, TRIAL_USE, TRIAL_READ = range(5)
"""The steps of a trial; from `TRIAL_APPLY` on it is the candidate that is to blame."""

BLANK: Final = b"\x00\x00"
"""The update that changes nothing."""


def scan(step: Step, update: bytes, limits: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Look through an update; raises what `parvis.protocol.update.scan` raises.

    Says besides whether it cuts none of its own characters, which takes as long again.
    """
    seen = look_through(update, Limits(**limits) if limits is not None else CLIENT)
    return {
        "structs": seen.structs,
        "deletes": seen.deletes,
        "needs": seen.needs,
        "roots": sorted(seen.roots),
        "blocks": seen.blocks,
        "types": seen.types,
        "astral": seen.astral,
        "elements": sorted(seen.elements),
        "formats": sorted(seen.formats),
        "cuts_none": surrogates.mend([update]) == [update],
    }


def depth(step: Step, updates: Sequence[bytes], deepest: int) -> None:
    """Raise `TooDeep` if shared types are nested deeper than that in all of these together."""
    look_through(merge(step, updates), dataclasses.replace(STORED, type_depth=deepest))


def merge(step: Step, updates: Sequence[bytes]) -> bytes:
    """Merge updates, oldest first, without losing those that wait for a missing predecessor."""
    layer = surrogates.mend(update for update in updates if update)
    if not layer:
        return BLANK
    while len(layer) > 1:
        layer = [merge_updates(*layer[at : at + FAN_IN]) for at in range(0, len(layer), FAN_IN)]
    return layer[0]


def mend(step: Step, updates: Sequence[bytes]) -> dict[str, Any]:
    """Return ``updates`` as `parvis.protocol.surrogates.mend` does, and the ``astral`` of each."""
    mended = surrogates.mend(updates)
    return {"updates": mended, "astral": [surrogates.astral(update) for update in mended]}


def squash(step: Step, updates: Sequence[bytes]) -> dict[str, Any]:
    """Merge updates into the smallest one that is worth all of them.

    Returns:
        ``state`` and ``clocks`` of what can be integrated, the state's ``astral``, and the ``plan``
        of how to apply it in pieces, None if it is small or has none;
        ``waiting``, the indexes of those that wait for a missing predecessor and are not in the
        state; ``unreadable``, the indexes of those that are no updates.
    """
    order = Order()
    merged = merge(step, [update for _, update in order.ready(updates)])
    doc: Doc[Any] = Doc()
    doc.apply_update(merged)
    state = doc.get_update()
    seen = look_through(state, STORED)
    if not _covers(seen, look_through(merged, STORED)):
        raise ValueError("the document does not hold what it was given")
    return {
        "state": state,
        "astral": seen.astral,
        "clocks": decode_state_vector(doc.get_state()),
        "plan": _plan(state),
        "waiting": [index for index, _, _ in order.waiting],
        "unreadable": order.unreadable,
    }


def _plan(state: bytes) -> list[Any] | None:
    if len(state) <= LARGE:
        return None
    plan = pieces.plan(state, PIECE)
    return None if plan is None else [plan.blocks, plan.deletes]


def _covers(state: Scan, merged: Scan) -> bool:
    """Whether everything merged is integrated in the state."""
    clocks = state.reach({})
    if any(clocks.get(client, 0) < clock for client, clock in merged.max_clocks.items()):
        return False
    return state.delete_set.covers(merged.deletes)


def trial(step: Step, base: Sequence[bytes], candidate: bytes, read: bool = True) -> None:
    """Do to a document everything that a node would do, before and after a new update.

    Args:
        base: What the document holds already.
        candidate: The new update.
        read: Also read the contents as hooks and exports do. Very deep contents die of that
            alone, with the candidate or without it.
    """
    step(TRIAL_BASE)
    *base, candidate = surrogates.mend([*base, candidate])
    doc: Doc[Any] = Doc()
    for update in base:
        if update:
            doc.apply_update(update)
    before = doc.get_state()
    if read:
        step(TRIAL_BASE_READ)
        _read_all(doc.get_update())
    step(TRIAL_APPLY)
    subscription = doc.observe(_read_event)
    doc.apply_update(candidate)
    step(TRIAL_USE)
    doc.get_state()
    doc.get_update(before)
    whole = doc.get_update()
    merge_updates(whole, candidate)
    doc.unobserve(subscription)
    other: Doc[Any] = Doc()
    other.apply_update(whole)
    other.get_update()
    if read:
        step(TRIAL_READ)
        _read_all(whole)
    step(TRIAL_USE)
    del doc, other, subscription
    gc.collect()


def _read_event(event: TransactionEvent) -> None:
    event.update  # noqa: B018  Reading it encodes the change, which has panicked before.


def _read_all(update: bytes) -> None:
    # On a copy: asking for a root as some kind turns it into that kind.
    doc = document(update)
    for name in list(doc.keys()):
        for kind in KINDS.values():
            # As an array, yrs reads a text unit by unit, and for ever if they are not its letters.
            if kind is not Array or not str(doc.get(name, type=Text)):
                str(doc.get(name, type=kind))


def vet(step: Step, updates: Sequence[bytes], use: bool = True) -> list[int]:
    """Apply rows of a log one by one, as a load does.

    Before row `i` the step is `i`; before the document is used as a whole it is the number of
    rows. An empty row was set aside before.

    Returns:
        Indexes of the rows that raise an ordinary error, which leaves a document as it was.
    """
    broken: list[int] = []
    order = Order()
    doc: Doc[Any] = Doc()
    ready = list(order.ready(updates))
    mended = surrogates.mend(update for _, update in ready)
    for (index, _), update in zip(ready, mended, strict=True):
        step(index)
        try:
            doc.apply_update(update)
        except Exception:
            broken.append(index)
    broken += order.unreadable
    if use:
        step(len(updates))
        doc.get_state()
        whole = doc.get_update()
        del doc
        gc.collect()
        other: Doc[Any] = Doc()
        other.apply_update(whole)
        other.get_update()
    return broken


def invert(step: Step, base: Sequence[bytes], update: bytes) -> bytes:
    """Return an update that takes another one back.

    Args:
        base: What the document holds without it.

    Raises:
        ValueError: If undoing it does not bring the contents back to what they were.
    """
    *base, update = surrogates.mend([*base, update])
    whole = merge(step, [*base, update])
    doc: Doc[Any] = Doc(skip_gc=True)  # what is to be restored must still be there
    doc.apply_update(merge(step, base))
    before = to_json(step, doc.get_update())
    # Any kind will do for a scope: only the root's name counts.
    scopes: list[Any] = [doc.get(name, type=Map) for name in sorted(document(whole).keys())]
    undo = UndoManager(scopes=scopes, capture_timeout_millis=0)
    doc.apply_update(update)
    state = doc.get_state()
    while undo.can_undo() and undo.undo():
        pass
    inverse = doc.get_update(state)
    after = to_json(step, merge(step, [whole, inverse]))
    if {name: value for name, value in after.items() if value} != {
        name: value for name, value in before.items() if value
    }:
        raise ValueError("undoing the update does not restore the contents")
    return inverse


class Shadowed:
    """A replica that lives as long as its helper; its two tasks are `open` and `apply`."""

    def __init__(self) -> None:
        self._doc: Doc[Any] = Doc()
        self._pairs = False

    def open(self, step: Step, base: Sequence[bytes]) -> None:
        """Start from these updates."""
        self._doc = Doc()
        base = surrogates.mend(base)
        self._pairs = bool(Pairs(base))
        for index, update in enumerate(base):
            step(index)
            if update:
                self._doc.apply_update(update)

    def apply(self, step: Step, update: bytes) -> None:
        """Apply one more and do what the node does after it."""
        before = self._doc.get_state()
        self._pairs = self._pairs or bool(Pairs([update]))
        if self._pairs:
            state = self._doc.get_update()
            mended, update = surrogates.mend([state, update])
            if mended != state:
                self._doc = Doc()
                self._doc.apply_update(mended)
        self._doc.apply_update(update)
        self._doc.get_state()
        self._doc.get_update(before)


SHADOW: Final = Shadowed()

TASKS: Final[Mapping[str, Callable[..., Any]]] = {
    "scan": scan,
    "depth": depth,
    "merge": merge,
    "mend": mend,
    "squash": squash,
    "trial": trial,
    "vet": vet,
    "roots": roots,
    "text": text,
    "to_json": to_json,
    "invert": invert,
    "call": call,
    "shadow_open": SHADOW.open,
    "shadow_apply": SHADOW.apply,
}
