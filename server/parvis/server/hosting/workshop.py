"""Work of room types in helper processes of their own, so that none of it delays the firewall's."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any, Final, cast

from parvis.plugins import ErrorCode, Refused, RoomType

from ..firewall.process import Confinement
from ..ports import HelperFailed, HelperMissing, Helpers, HelperStopped, HelperTimeout
from .registry import AnyType

logger = logging.getLogger(__name__)

HELPERS: Final = 3
"""Helper processes at a time for all room types together."""

FOR_PEOPLE: Final = HELPERS - 1
"""How many of them do what people wait for; the rest is kept for upkeep."""

CONFINED: Final = Confinement(largest_result=64 * 1024**2, nice=10)
"""They give way to the worker and to the firewall's helpers."""

MOST_WAITING: Final = 100
"""Tasks that may wait for a helper; then there is no more room for now."""

TASK: Final = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)", re.ASCII)


class Workshop:
    """Implements `parvis.plugins.Node.compute`.

    Args:
        helpers: Run nothing else, since what a room type imports there stays in memory.
    """

    def __init__(self, helpers: Helpers) -> None:
        self._helpers = helpers
        self._waiting = 0
        self._people = asyncio.Semaphore(FOR_PEOPLE)

    async def compute(
        self,
        kind: AnyType,
        task: str,
        args: tuple[Any, ...],
        within: float,
        *,
        upkeep: bool = False,
    ) -> Any:
        """Run a function of a room type's package.

        Raises:
            ValueError: If it is not one.
            Refused: See `parvis.plugins.Node.compute`.
        """
        found = TASK.fullmatch(task)
        if found is None or not any(_inside(found[1], home) for home in packages(kind)):
            raise ValueError(f"{kind.name}: {task!r} is no function of the room type's package")
        return await self.do(task, args, within, upkeep=upkeep)

    async def do(
        self, task: str, args: tuple[Any, ...], within: float, *, upkeep: bool = False
    ) -> Any:
        """Run a function of the server's own, or one that was looked at. Raises `Refused`."""
        if not upkeep and self._waiting >= MOST_WAITING:
            raise Refused(ErrorCode.TRY_AGAIN, "too much is being worked on")
        self._waiting += 1
        try:
            async with nullcontext() if upkeep else self._people:
                answer = await self._helpers.run("call", task, list(args), timeout=within)
        except HelperMissing:
            raise Refused(ErrorCode.TRY_AGAIN, "no helper could be started") from None
        except HelperTimeout:
            logger.warning("%s: took longer than %g s", task, within)
            raise Refused(ErrorCode.TOO_LARGE, "it takes too long") from None
        except HelperStopped as problem:
            logger.error("%s: %s", task, problem)
            if isinstance(problem, HelperFailed) and problem.kind == MemoryError.__name__:
                raise Refused(ErrorCode.TOO_LARGE, "it takes too much memory") from None
            raise Refused(ErrorCode.INTERNAL, "internal error") from None
        finally:
            self._waiting -= 1
        match answer:
            case {"refused": [int(code), str(reason)]}:
                raise Refused(ErrorCode(code), reason)
            case _:
                return cast("dict[str, Any]", answer)["result"]


def packages(kind: AnyType) -> Iterator[str]:
    """Name the packages in which a room type, and those it is derived from, stand."""
    for each in type(kind).__mro__:
        if issubclass(each, RoomType) and each is not RoomType:
            yield sys.modules[each.__module__].__package__ or each.__module__


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
