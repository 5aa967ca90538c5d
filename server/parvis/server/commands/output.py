"""How commands answer: lines for people, or one JSON value; errors in one line and a hint."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ..errors import ServerError

USAGE: Final = 2
"""Exit code when the command line or the settings are wrong."""
FAULT: Final = 1
"""Exit code when something else went wrong."""

LINES: Final = "\n\t"
"""Characters that divide a text, and do nothing else."""


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
    print(f"parvis: {harmless(str(error), keep=LINES)}", file=sys.stderr)
    if error.hint:
        print(f"hint: {harmless(error.hint, keep=LINES)}", file=sys.stderr)


def show_json(value: Any) -> None:
    """Write a value to stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write aligned columns to stdout."""
    rows = [[harmless(cell) for cell in row] for row in rows]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    for row in (head, *rows):
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


def show_facts(facts: Mapping[str, object]) -> None:
    """Write one line per fact to stdout."""
    width = max(map(len, facts))
    for name, value in facts.items():
        print(f"{name.ljust(width)}  {harmless(str(value))}")


def harmless(text: str, keep: str = "") -> str:
    """Return what others wrote for a terminal, which takes orders from some characters.

    Args:
        keep: Characters that are left as they are all the same.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else repr(c)[1:-1] for c in text)


def refuse_terminal(output: str | None) -> None:
    """Raise `CommandError` if a Yjs update would be written to a terminal."""
    if output is None and sys.stdout.isatty():
        raise CommandError(
            "a Yjs update is no text for a terminal",
            "Name a file with --output, or take --format json or text.",
            code="usage",
            exit_code=USAGE,
        )


def write_out(data: bytes, output: str | None, *, as_json: bool) -> None:
    """Write what was exported to a file and say so, or to stdout and nothing else.

    Raises:
        CommandError: If the file cannot be written.
    """
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
        return
    try:
        Path(output).write_bytes(data)
    except OSError as error:
        raise CommandError(f"{output}: {error.strerror}", exit_code=FAULT) from None
    if as_json:
        show_json({"file": output, "size": len(data)})
    else:
        print(f"wrote {size(len(data))} to {output}")


def size(count: float) -> str:
    """Return a number of bytes as people read it."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
