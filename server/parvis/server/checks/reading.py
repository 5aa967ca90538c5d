"""Which rows of a log the firewall would not let in; found in a helper."""

from collections.abc import Sequence

from parvis.protocol.errors import Malformed
from parvis.protocol.update import STORED, scan


def unreadable(updates: Sequence[bytes]) -> list[int]:
    """Return the indexes of updates that cannot be read; an empty one was set aside before."""
    found: list[int] = []
    for index, update in enumerate(updates):
        try:
            if update:
                scan(update, STORED)
        except (Malformed, RecursionError):
            found.append(index)
    return found
