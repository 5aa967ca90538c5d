"""Looks through large updates in a helper, as the worker itself does through small ones."""

import dataclasses
from typing import Any, Final, cast

from parvis.protocol.errors import Malformed, NotAllowed, TooDeep, TooLarge
from parvis.protocol.ranges import Range
from parvis.protocol.update import CLIENT, Limits, Scan
from parvis.server.ports import HelperFailed, Helpers

REFUSALS: Final[dict[str, type[Malformed]]] = {
    kind.__name__: kind for kind in (Malformed, TooDeep, TooLarge, NotAllowed)
}


async def scan_in_helper(helpers: Helpers, update: bytes, limits: Limits = CLIENT) -> Scan:
    """Look through an update without holding up this process.

    Raises:
        Malformed: As `parvis.protocol.update.scan`.
        HelperStopped: If it could not be read for another reason.
    """
    try:
        seen = await helpers.run("scan", update, dataclasses.asdict(limits))
    except HelperFailed as error:
        if error.kind in REFUSALS:
            # The helper's text begins with where it comes from: "scan: TooDeep: expected …".
            reason = str(error).partition("expected ")[2]
            raise REFUSALS[error.kind](reason) from None
        raise
    return Scan(
        structs=_ranges(seen["structs"]),
        deletes=_ranges(seen["deletes"]),
        needs=cast("dict[int, int]", seen["needs"]),
        roots=set(cast("list[str]", seen["roots"])),
        blocks=cast(int, seen["blocks"]),
    )


def _ranges(packed: dict[int, list[list[int]]]) -> dict[int, list[Range]]:
    return {
        client: [(start, end) for start, end in cast(Any, runs)] for client, runs in packed.items()
    }
