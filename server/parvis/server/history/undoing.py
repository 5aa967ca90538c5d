"""Going back: to an earlier state, or on one author's changes only. For helper processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pycrdt import Doc

from parvis.protocol import Malformed
from parvis.protocol.blocks import Id
from parvis.protocol.update import STORED, scan

from .authorship import Index, Seen
from .reshaping import Reshaped, reshape
from .travelling import BLANK, forward, state
from .weaving import Item, Shared, Weave, alive


def restore(
    checkpoint: Mapping[str, Any], present: Sequence[bytes], then: bytes, client: int
) -> dict[str, Any]:
    """Return an update that makes a document's content what it was.

    Args:
        checkpoint: Worth the log, as far as it is durable.
        present: The document as it is, with what is not durable yet.
        then: As it was, with all it held until then.
        client: Id under which the update writes; another one if it is taken.

    Returns:
        ``update``, ``restored`` and ``removed`` (clocks), and ``left``: see `reshaping.Left`.
    """
    # The old one first: what it still says may have been thrown away since.
    base: dict[str, Any] = {"log": then, "waiting": []}
    log = _now(base, [checkpoint["log"], *checkpoint["waiting"], *present])
    weave = Weave(log)
    old = scan(then or BLANK, STORED)
    wanted = alive(weave, old.max_clocks, old.delete_set)
    made = reshape(weave, wanted.__contains__, _free(log, client))
    if not made.left.lost and not _says(log, made.update, then):
        raise ValueError("the change does not bring back what the document said")
    return _answer(made)


def rollback(
    checkpoint: Mapping[str, Any],
    present: Sequence[bytes],
    before: bytes,
    rows: Sequence[Sequence[Any]],
    author: str,
    packed: bytes,
    bound: Sequence[Sequence[Any]],
    client: int,
) -> dict[str, Any]:
    """Return an update that takes one author's changes of some rows back, and nobody else's.

    Args:
        before: The document before the rows, with all it held.
        rows: Pairs of sender and update, in the order of the log.
        packed: The document's `Index`; `bound` as in `blaming.blame`.

    Returns:
        As `restore`; ``left`` says besides how many clocks were ``relayed``: brought by the author,
        perhaps of somebody else, and therefore not touched.
    """
    log = _now(checkpoint, present)
    weave = Weave(log)
    came, went, relayed = _work_of(
        author, before, rows, Index.read(packed), dict(map(tuple, bound))
    )
    inserted = {item for client, ranges in came.items() for item in weave.within(client, ranges)}
    deleted = {item for client, ranges in went.items() for item in weave.within(client, ranges)}
    # Looking for the deleted ones may have cut the inserted ones.
    inserted = {item for client, ranges in came.items() for item in weave.within(client, ranges)}

    def wanted(item: Item) -> bool:
        if item in inserted:
            return False
        return not item.deleted or item in deleted

    made = reshape(weave, wanted, _free(log, client))
    answer = _answer(made)
    answer["left"]["relayed"] = relayed
    return answer


def _work_of(
    author: str,
    before: bytes,
    rows: Sequence[Sequence[Any]],
    index: Index,
    bound: Mapping[int, str],
) -> tuple[dict[int, list[Id]], dict[int, list[Id]], int]:
    """Return which clocks an author was the first to bring, and to delete, and what was relayed."""
    old = scan(before or BLANK, STORED)
    brought, gone = Seen(old.structs), Seen(old.deletes)
    came: dict[int, list[Id]] = {}
    went: dict[int, list[Id]] = {}
    relayed = 0
    for sender, update in rows:
        try:
            scanned = scan(update, STORED) if update else None
        except Malformed:
            continue
        if scanned is None:
            continue
        for client, ranges in scanned.structs.items():
            own = bound.get(client, index.owners.get(client, "")) == author
            for start, end in ranges:
                for new in brought.add(client, start, end):
                    if sender != author:
                        continue
                    if own:
                        came.setdefault(client, []).append(new)
                    else:
                        relayed += new[1] - new[0]
        for client, ranges in scanned.deletes.items():
            for start, end in ranges:
                new_ones = list(gone.add(client, start, end))
                if sender == author:
                    went.setdefault(client, []).extend(new_ones)
    return came, went, relayed


def _now(checkpoint: Mapping[str, Any], present: Sequence[bytes]) -> bytes:
    doc, _ = forward(checkpoint, present)
    return doc.get_update()


def _free(log: bytes, client: int) -> int:
    """Return an id that no block of the document has."""
    taken = scan(log, STORED).structs
    while client in taken:
        client = (client + 1) % 2**32
    return client


def _says(log: bytes, update: bytes, then: bytes) -> bool:
    """Whether a document says after an update what it said."""
    doc: Doc[Any] = Doc()
    doc.apply_update(log)
    doc.apply_update(update)
    return content(doc.get_update()) == content(state(then))


def content(update: bytes) -> dict[str, Any]:
    """Return what a document says, root by root, whoever wrote it and however it was cut."""
    weave = Weave(update)
    values = {name: _said(shared) for name, shared in weave.roots.items()}
    return {name: value for name, value in values.items() if value != ([], {})}


def _said(shared: Shared) -> tuple[list[Any], dict[str, Any]]:
    """Return what a shared type says: pycrdt's own texts show attributes in no certain order."""
    sequence: list[Any] = []
    for item in shared.items:
        if item.deleted:
            continue
        if isinstance(item.content, str | list):  # letters or values, however they are cut
            sequence.extend(item.content)
        else:
            sequence.append(_value(item))
    keys = {key: _value(item) for key, item in shared.keys.items() if not item.deleted}
    return sequence, keys


def _value(item: Item) -> Any:
    if item.holds is not None:
        return item.content, _said(item.holds)
    return item.content


def _answer(made: Reshaped) -> dict[str, Any]:
    return {
        "update": made.update,
        "restored": made.restored,
        "removed": made.removed,
        "left": asdict(made.left),
    }
