"""``parvis doctor``: looks at everything a node needs and says what is wrong.

Exit status: 0 if nothing is broken (there may be warnings), 1 if something is, 2 if the command
line or the settings cannot be read.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from ..checks.finding import Finding, State
from ..checks.registry import examine
from ..settings import Settings
from .output import FAULT, harmless, show_json


def doctor(settings: Settings, arguments: argparse.Namespace) -> int:
    """Check everything; the exit code is 1 if anything is broken."""
    found = asyncio.run(_all(settings, arguments))
    good = all(finding.good for _, finding in found)
    if arguments.json:
        show_json({"good": good, "findings": [_shown(*each) for each in found]})
    else:
        _tell(found)
    return 0 if good else FAULT


async def _all(settings: Settings, arguments: argparse.Namespace) -> list[tuple[str, Finding]]:
    on_terminal = sys.stderr.isatty() and not arguments.json
    report = _Progress(on_terminal if on_terminal or arguments.deep else None)
    try:
        return [each async for each in examine(settings, deep=arguments.deep, report=report)]
    finally:
        report.end()


class _Progress:
    """Says on stderr what is being done: over and over in one line, or in a line each."""

    def __init__(self, in_place: bool | None) -> None:
        self._in_place = in_place

    def __call__(self, what: str) -> None:
        if self._in_place:
            print(f"\r\033[K{harmless(what)[:78]}", end="", file=sys.stderr, flush=True)
        elif self._in_place is not None:
            print(harmless(what), file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._in_place:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _shown(group: str, finding: Finding) -> dict[str, object]:
    return {
        "group": group,
        "name": finding.name,
        "state": finding.state.value,
        "good": finding.good,
        "detail": finding.detail,
        "hint": finding.hint,
        "figures": dict(finding.figures),
    }


def _tell(found: Sequence[tuple[str, Finding]]) -> None:
    width = max(len(finding.name) for _, finding in found)
    groups = dict.fromkeys(group for group, _ in found)
    for group in groups:
        print(group)
        for finding in (finding for of, finding in found if of == group):
            detail = harmless(finding.detail)
            print(f"  {finding.state.value:4}  {finding.name.ljust(width)}  {detail}")
            if finding.state is not State.OK and finding.hint:
                print(f"        {'hint:'.rjust(width)}  {harmless(finding.hint)}")
    counts = {state: sum(finding.state is state for _, finding in found) for state in State}
    print(", ".join(f"{counts[state]} {state.value}" for state in State))
