"""What a storm tells while it lasts, and in the end."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
import time
from statistics import median
from typing import Any, Final, TextIO

from tests.faults.storm import Storm

EVERY: Final = 50
"""Faults between two lines."""


class Progress:
    """Prints a line now and then."""

    def __init__(self, name: str, out: TextIO = sys.stderr) -> None:
        self._name = name
        self._out = out
        self._began = time.monotonic()
        self._told = 0

    def __call__(self, storm: Storm) -> None:
        faults, plan = storm.faults.total(), storm.plan
        if faults - self._told < EVERY and faults < plan.faults:
            return
        self._told = faults
        seconds = time.monotonic() - self._began
        print(
            f"{self._name}: {faults:,} of {plan.faults:,} faults, {storm.acked:,} acknowledged,"
            f" {storm.lost:,} lost, {len(storm.full):,} rooms full, {seconds:,.0f} s",
            file=self._out,
            flush=True,
        )


def report(storm: Storm, name: str, seconds: float) -> dict[str, Any]:
    """The figures of a storm that is over."""
    return {
        "what": f"faults against real processes: {name}",
        "when": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}",
        "seed": storm.plan.seed,
        "seconds": round(seconds),
        "acked": storm.acked,
        "lost": storm.lost,
        "faults": storm.faults.total(),
        "faults_with_a_loss": storm.lossy,
        "rooms": len(storm.full),
        "until_the_next_ack_ms": {
            fault: {
                "times": len(outages),
                "p50": round(1000 * median(outages)),
                "max": round(1000 * max(outages)),
            }
            for fault, outages in sorted(storm.outages.items())
        },
    }
