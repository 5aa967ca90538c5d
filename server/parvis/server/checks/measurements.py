"""Small measurements of a store, kept in the data folder: how large it was on which day.

``DATA/measurements.json`` holds the first and the newest one of each day, of `KEPT` days.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from ..backup.standing import write_whole

NAME: Final = "measurements.json"
KEPT: Final = 40
DAY: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """How large a store was.

    Attributes:
        time: Seconds since the epoch.
        store: Which one; another one's measurements are no measure.
        tables: Name → rows and bytes; empty if there was no time to look.
    """

    time: float
    store: str
    total: int
    tables: Mapping[str, tuple[int, int]]


def kept(data: Path, store: str) -> Sequence[Measurement]:
    """Return the measurements of a store, oldest first; none if they cannot be read."""
    try:
        found: Any = json.loads((data / NAME).read_bytes())
        measurements = [
            Measurement(
                float(each["time"]),
                str(each["store"]),
                int(each["total"]),
                {name: (int(rows), int(size)) for name, (rows, size) in each["tables"].items()},
            )
            for each in found["measurements"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return sorted((each for each in measurements if each.store == store), key=_time)


def keep(data: Path, before: Sequence[Measurement], new: Measurement) -> None:
    """Add one to those of before, and forget what is too old. Raises OSError."""
    left = [each for each in before if 0 <= new.time - each.time < KEPT * DAY]
    today = [each for each in left if each.time // DAY == new.time // DAY]
    others = [each for each in left if each.time // DAY != new.time // DAY]
    whole = [*others, *today[:1], new]
    write_whole(data / NAME, json.dumps({"measurements": [asdict(each) for each in whole]}) + "\n")


def about(before: Sequence[Measurement], now: float, days: float) -> Measurement | None:
    """Return the measurement that is as nearly as possible so many days old, not much younger."""
    old = [each for each in before if now - each.time >= days * DAY * 0.8]
    return min(old, key=lambda each: abs(now - each.time - days * DAY), default=None)


def _time(measurement: Measurement) -> float:
    return measurement.time
