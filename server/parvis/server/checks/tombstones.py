"""How much of a document is deleted; counted in a helper, which may take long over a large one."""

from parvis.protocol.update import STORED, scan


def count(state: bytes) -> list[int]:
    """Return how many characters and elements a state has, and how many of them are deleted."""
    seen = scan(state, STORED)
    units = sum(end - start for ranges in seen.structs.values() for start, end in ranges)
    deleted = sum(end - start for ranges in seen.deletes.values() for start, end in ranges)
    return [units, deleted]
