"""The structural scan of an update too large to be looked through in the worker's own loop."""

from collections.abc import Mapping, Sequence
from typing import cast

from parvis.protocol.update import Scan

from ..ports import Helpers

Table = Mapping[int, Sequence[Sequence[int]]]


async def scan_in_helper(helpers: Helpers, update: bytes) -> Scan:
    """Return what `parvis.protocol.update.scan` returns.

    Raises:
        HelperFailed: If the update is malformed; the text says how.
        HelperDied, HelperTimeout: If reading it ended the helper.
    """
    found = cast(Mapping[str, object], await helpers.run("scan", update))
    return Scan(
        structs=_ranges(found["structs"]),
        deletes=_ranges(found["deletes"]),
        needs=dict(cast(Mapping[int, int], found["needs"])),
        roots=set(cast(Sequence[str], found["roots"])),
        blocks=cast(int, found["blocks"]),
    )


def _ranges(table: object) -> dict[int, list[tuple[int, int]]]:
    return {
        client: [(start, end) for start, end in ranges]
        for client, ranges in cast(Table, table).items()
    }
