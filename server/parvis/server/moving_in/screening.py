"""The firewall before documents of other servers: helpers try all of it before a room does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from parvis.plugins import ErrorCode, Refused

from ..firewall.depth import DEEPEST
from ..firewall.vetting import DEADLY, find_poison
from ..ports import HelperFailed, HelperMissing, Helpers, HelperStopped, HelperTimeout
from .sources import Row

WEIGHING: Final = "parvis.server.moving_in.weighing"

PATIENCE: Final = 300.0
"""Seconds that one step of looking at a document may take."""


class Screening:
    """Lets documents through that no room dies of."""

    def __init__(self, helpers: Helpers) -> None:
        self._helpers = helpers

    async def pass_through(
        self, rows: Sequence[Row]
    ) -> tuple[Sequence[Row], Sequence[Row], tuple[str, ...]]:
        """Return the rows in an order in which they can be applied, and what to know of them.

        Returns:
            What can be applied; what waits for updates that the source does not have; notes for
            people. Nothing of both if the document is empty.

        Raises:
            Refused: If a room cannot take them, with the reason.
        """
        updates = [row.update for row in rows]
        found: Any = await self._call("look", updates)
        if found["broken"]:
            raise Refused(ErrorCode.MALFORMED, str(found["broken"]))
        if found["blank"]:
            return [], [], ()
        try:
            if poison := await find_poison(self._helpers, updates):
                where = f"update {poison[0] + 1} of {len(rows)}"
                raise Refused(ErrorCode.POISON, f"{where} breaks documents; no room can hold it")
            await self._helpers.run("depth", updates, DEEPEST, timeout=PATIENCE)
        except HelperMissing:
            raise _no_helper() from None
        except HelperFailed as problem:
            raise Refused(ErrorCode.MALFORMED, f"all of it together: {problem}") from None
        except HelperStopped as problem:
            raise Refused(ErrorCode.POISON, f"it breaks whoever reads it: {problem}") from None
        ready: list[Row] = [rows[index] for index in found["order"]]
        waiting: list[Row] = [rows[index] for index in found["waiting"]]
        if not waiting:
            return ready, [], ()
        part: bytes = await self._call(
            "part_of", [row.update for row in ready], [row.update for row in waiting]
        )
        if part:
            ready.append(Row(part, waiting[-1].time))
        note = (
            f"{len(waiting)} of {len(rows)} updates build on others that the source does not have;"
            " they are kept, and are seen should those come"
        )
        return ready, waiting, (note,)

    async def weigh(self, updates: Sequence[bytes]) -> Any:
        """Return what a document amounts to; see `weighing.weigh`. Raises `Refused`."""
        return await self._call("weigh", list(updates))

    async def _call(self, task: str, *args: Any) -> Any:
        try:
            answer = await self._helpers.run(
                "call", f"{WEIGHING}:{task}", list(args), timeout=PATIENCE
            )
        except HelperMissing:
            raise _no_helper() from None
        except DEADLY as problem:
            late = isinstance(problem, HelperTimeout)
            code = ErrorCode.TOO_LARGE if late else ErrorCode.POISON
            raise Refused(code, f"it breaks whoever reads it: {problem}") from None
        except HelperStopped as problem:
            raise Refused(ErrorCode.INVALID_UPDATE, f"it cannot be read: {problem}") from None
        return answer["result"]


def _no_helper() -> Refused:
    return Refused(ErrorCode.TRY_AGAIN, "no helper could look at it")
