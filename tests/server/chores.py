"""Functions that the room types of these tests have done in helper processes."""

import os
from typing import Any

from parvis.plugins import Refused
from parvis.protocol import ErrorCode


def echo(*values: Any) -> list[Any]:
    return list(values)


def whose(priority: int) -> tuple[int, int]:
    """Which process this is, and by how much it gives way."""
    return os.getpid(), os.nice(priority)


def decline(reason: str) -> None:
    raise Refused(ErrorCode.CONFLICT, reason)


def stumble() -> None:
    raise ZeroDivisionError("a bug in a chore")


def die() -> None:
    os._exit(3)


def swell() -> None:
    bytearray(3 * 1024**3)


def forever() -> None:
    while True:
        pass
