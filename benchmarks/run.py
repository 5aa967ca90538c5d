"""Runs every benchmark, each against a fresh server: ``python -m benchmarks.run [--short]``."""

import subprocess
import sys
from typing import Final

BENCHMARKS: Final = ("fanout", "rooms", "idle", "joins")


def main() -> int:
    """Run them one after the other, each in a process of its own; the options go to all."""
    failed = [
        name
        for name in BENCHMARKS
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]]).returncode
    ]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
