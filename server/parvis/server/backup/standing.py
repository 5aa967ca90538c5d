"""How backups stand: a small file in the data folder, which the node's metrics read.

``DATA/backups.json`` holds when a backup was last made and when one was last proven by a drill.
"""

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

NAME: Final = "backups.json"
METRICS: Final = {
    "created": (
        "parvis_backup_last_success_timestamp_seconds",
        "When the last backup was made; 0: never.",
    ),
    "verified": (
        "parvis_backup_last_verified_timestamp_seconds",
        "When a drill last restored a backup whole; 0: never.",
    ),
}
"""Field of `Standing` → the metric of it, and what it means."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Seconds since the epoch; 0: never."""

    created: float = 0.0
    verified: float = 0.0


def standing(data: Path) -> Standing:
    """Return how backups of a data folder stand, as far as is known."""
    try:
        values: Any = json.loads((data / NAME).read_bytes())
        return Standing(float(values["created"]), float(values["verified"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Standing()


def note(data: Path, **moments: float) -> Standing:
    """Write down what has happened now, beside what was known. Raises OSError."""
    now = replace(standing(data), **moments)
    write_whole(data / NAME, json.dumps(asdict(now)))
    return now


def textfile(now: Standing) -> str:
    """Return the metrics as node_exporter's textfile collector reads them."""
    lines: list[str] = []
    for field, (name, meaning) in METRICS.items():
        value: float = getattr(now, field)
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", f"{name} {value}"]
    return "\n".join(lines) + "\n"


def write_whole(path: Path, text: str) -> None:
    """Replace a file's content, whole or not at all. Raises OSError."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text)
    os.rename(unfinished, path)
