"""How commands answer: lines for people, or one JSON value; errors in one line and a hint."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ..errors import ServerError

USAGE: Final = 2
"""Exit code when the command line or the settings are wrong."""
FAULT: Final = 1
"""Exit code when something else went wrong."""


class CommandError(ServerError):
    """The command ends here.

    Attributes:
        code: Stable, for programs.
        hint: What to do about it, or empty.
        exit_code: `USAGE` or `FAULT`.
    """

    def __init__(
        self, message: str, hint: str = "", *, code: str = "failed", exit_code: int = FAULT
    ) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.exit_code = exit_code


def show_error(error: CommandError, *, as_json: bool) -> None:
    """Write an error to stderr."""
    if as_json:
        shown = {"code": error.code, "message": str(error), "hint": error.hint}
        print(json.dumps({"error": shown}, ensure_ascii=False), file=sys.stderr)
        return
    print(f"parvis: {error}", file=sys.stderr)
    if error.hint:
        print(f"hint: {error.hint}", file=sys.stderr)


def show_json(value: Any) -> None:
    """Write a value to stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write aligned columns to stdout."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def show_facts(facts: Mapping[str, object]) -> None:
    """Write one line per fact to stdout."""
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name.ljust(width)}  {value}")


def size(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
