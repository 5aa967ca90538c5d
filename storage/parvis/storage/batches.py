"""What holds of batches in every store: which are plain, which repeat, which keys are wrong."""

from collections import Counter
from collections.abc import Sequence

from parvis.storage.api import Batch, Entry

LONGEST_KEY = 64
"""Bytes of an idempotency key."""


def wrong_key(entry: Entry) -> str:
    """Return what is wrong with an entry's key, or an empty string."""
    size = len(entry.key)
    return "" if 0 < size <= LONGEST_KEY else f"a key of {size} bytes; expected 1 to {LONGEST_KEY}"


def repeats(known: Sequence[int | None], expected: int, end: int) -> bool:
    """Tell whether a batch whose `expected` is not the log's end may be answered all the same.

    It may if nothing in it is new, or if all that was logged beyond `expected` came from it: then
    it is a repeated call whose answer got lost, perhaps with more entries than the first time.

    Args:
        known: The offset that each distinct key of the batch has in the log already.
    """
    if None not in known:
        return True
    beyond = sum(offset is not None and offset > expected for offset in known)
    return 0 < beyond == end - expected


def plain(batches: Sequence[Batch]) -> list[int]:
    """Return which batches carry rows only, and are the only ones of their part."""
    count = Counter((batch.room, batch.part) for batch in batches)
    return [
        at
        for at, batch in enumerate(batches)
        if count[batch.room, batch.part] == 1
        and all(
            not entry.statements and not entry.preconditions and 0 < len(entry.key) <= LONGEST_KEY
            for entry in batch.entries
        )
    ]
