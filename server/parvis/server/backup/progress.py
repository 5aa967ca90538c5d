"""How far something long has come: a bar on a terminal, nothing elsewhere."""

import sys
from collections.abc import Sequence
from typing import IO, Final

from parvis.storage.archive import Row

WIDTH: Final = 30
STEP: Final = 0.002
"""Part of the whole after which the bar is drawn again."""


class Progress:
    """Counts bytes towards a total, one phase after the other."""

    def __init__(self, *, show: bool, out: IO[str] | None = None) -> None:
        """Begin with nothing to do.

        Args:
            show: Draw a bar.
            out: Where; stderr if None.
        """
        self._show = show
        self._out = out or sys.stderr
        self.phase("", 0)

    def phase(self, doing: str, total: int) -> None:
        """Begin something of about so many bytes."""
        self._total, self._done, self._drawn = max(1, total), 0, -1.0
        self.doing(doing)

    def doing(self, what: str) -> None:
        """Say what is being worked on."""
        self._doing = what
        self._draw()

    def rows(self, rows: Sequence[Row]) -> None:
        """Count rows that are done."""
        self.bytes(sum(len(v) if isinstance(v, str | bytes) else 8 for row in rows for v in row))

    def bytes(self, count: int) -> None:
        """Count bytes that are done."""
        self._done += count
        if self._done / self._total - self._drawn >= STEP:
            self._draw()

    def end(self) -> None:
        """Take the bar away."""
        if self._show:
            self._out.write("\r\x1b[K")
            self._out.flush()

    def _draw(self) -> None:
        self._drawn = self._done / self._total
        if not self._show or not self._doing:
            return
        # The total is an estimate: a file has room in it, and rows are packed tighter.
        shown = min(1.0, self._drawn)
        filled = int(shown * WIDTH)
        bar = "█" * filled + "░" * (WIDTH - filled)
        self._out.write(f"\r\x1b[K{bar} {shown:4.0%}  {self._doing[:60]}")
        self._out.flush()
