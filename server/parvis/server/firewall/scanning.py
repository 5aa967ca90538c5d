"""The structural scan of an update too large to be looked through in the worker's own loop."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Final, cast

from parvis.protocol.errors import Malformed, NotAllowed, TooDeep, TooLarge
from parvis.protocol.update import CLIENT, Limits, Scan
from parvis.server.ports import HelperFailed, Helpers

Table = Mapping[int, Sequence[Sequence[int]]]

REFUSALS: Final[Mapping[str, type[Malformed]]] = {
    kind.__name__: kind for kind in (Malformed, TooDeep, TooLarge, NotAllowed)
}


async def scan_in_helper(helpers: Helpers, update: bytes, limits: Limits = CLIENT) -> Scan:
    """Return what `parvis.protocol.update.scan` returns.

    Raises:
        Malformed: As the scan does, also its subclasses.
        HelperStopped: If the update could not be read for any other reason.
    """
    try:
        seen = await helpers.run("scan", update, dataclasses.asdict(limits))
    except HelperFailed as error:
        if error.kind not in REFUSALS:
            raise
        # The text of a refusal is "expected …", behind where it comes from.
        raise REFUSALS[error.kind](str(error).partition("expected ")[2]) from None
    found = cast(Mapping[str, object], seen)
    return Scan(
        structs=_ranges(found["structs"]),
        deletes=_ranges(found["deletes"]),
        needs=dict(cast(Mapping[int, int], found["needs"])),
        roots=set(cast(Sequence[str], found["roots"])),
        blocks=cast(int, found["blocks"]),
        types=cast(int, found["types"]),
        astral=[
            (client, clock, text)
            for client, clock, text in cast(Sequence[tuple[int, int, bytes]], found["astral"])
        ],
        elements=set(cast(Sequence[str], found["elements"])),
        formats=set(cast(Sequence[str], found["formats"])),
        cuts_none=cast(bool, found["cuts_none"]),
    )


def _ranges(table: object) -> dict[int, list[tuple[int, int]]]:
    return {
        client: [(start, end) for start, end in ranges]
        for client, ranges in cast(Table, table).items()
    }
