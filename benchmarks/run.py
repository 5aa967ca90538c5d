"""Runs every benchmark, each against a fresh server: ``python -m benchmarks.run [--short]``."""

import subprocess
import sys
from collections.abc import Sequence
from typing import Final

IN_BROWSER: Final = ("first_load", "documents", "crowd", "trace")
BENCHMARKS: Final = (
    "fanout",
    "rooms",
    "idle",
    "joins",
    *(f"browser.{name}" for name in IN_BROWSER),
)


def main(benchmarks: Sequence[str] = BENCHMARKS) -> int:
    """Run them one after the other, each in a process of its own; the options go to all."""
    failed = [
        name
        for name in benchmarks
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]]).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
