"""What an update holds, without applying it; made in a helper, since it may be anything."""

from typing import Any, Final

from parvis.protocol.errors import Malformed
from parvis.protocol.update import STORED, scan

MOST: Final = 20
"""Clients that are listed."""

NAMES: Final = 50


def outline(update: bytes) -> dict[str, Any]:
    """Return what the firewall reads in an update, as JSON values.

    Returns:
        ``error``: why it cannot be read, or nothing; then, if it can: ``blocks``, ``types``,
        ``units`` (characters and elements), ``deleted`` (how many it deletes), ``clients`` and
        ``deletes`` (client to ranges of clocks), ``needs`` (client to the clock that it builds
        on), ``roots``, ``elements`` and ``formats``.
    """
    try:
        seen = scan(update, STORED)
    except (Malformed, RecursionError) as problem:
        return {"error": str(problem) or type(problem).__name__}
    return {
        "error": "",
        "blocks": seen.blocks,
        "types": seen.types,
        "units": _length(seen.structs),
        "deleted": _length(seen.deletes),
        "clients": _ranges(seen.structs),
        "deletes": _ranges(seen.deletes),
        "needs": {str(client): clock for client, clock in sorted(seen.needs.items())[:MOST]},
        "roots": sorted(seen.roots)[:NAMES],
        "elements": sorted(seen.elements)[:NAMES],
        "formats": sorted(seen.formats)[:NAMES],
    }


def _length(table: dict[int, list[tuple[int, int]]]) -> int:
    return sum(end - start for ranges in table.values() for start, end in ranges)


def _ranges(table: dict[int, list[tuple[int, int]]]) -> dict[str, list[list[int]]]:
    return {
        str(client): [[start, end] for start, end in ranges[:MOST]]
        for client, ranges in sorted(table.items())[:MOST]
    }
