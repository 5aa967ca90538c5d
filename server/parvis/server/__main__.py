"""``parvis`` and ``python -m parvis.server``."""

import sys

from .commands.program import main as run


def main() -> int:
    """Run the command line and return the exit code."""
    return run()


if __name__ == "__main__":
    sys.exit(main())
