"""A document of 100,000 words: how soon can it be edited, and how long does a key take?

    python -m benchmarks.browser.documents [--words 100000] [--keys 200] [--rate 8]

*Editable* is when the text first takes keys, *first letter shown* when the first one, pressed at
that moment, has been painted; both since the navigation began. Cold: the browser has its cookie,
and nothing else. Warm: the app and a copy of the document are on the device.

*Keystroke to paint* is the time from the key's event, as the browser's process got it, until just
behind the paint of the first frame after the text changed; some of it is waiting for the screen's
next beat, every 16.7 ms. *CPU per key* is what the page's main thread spent, which other load on
the machine changes little.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from benchmarks.browser.chromium import options, play, run
from benchmarks.browser.site import Site, api
from benchmarks.documents import document
from benchmarks.measure import Figures, percentiles


async def measure(site: Site, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    content = json.dumps(document(arguments.words))
    async with api(site) as calls:
        key = await calls.make("A long one", "json", content)
    settings = {"runs": arguments.runs, "keys": arguments.keys, "rate": arguments.rate}
    found = await play("documents", site, {"key": key, **settings})
    figures: Figures = {"chromium": found["version"]}
    for name in ("cold", "warm"):
        figures[f"{name}: editable ms"] = percentiles(_seconds(found[name], "editable"))
        figures[f"{name}: first letter shown ms"] = percentiles(_seconds(found[name], "shown"))
        figures[f"{name}: longest frame ms"] = max(each["longest"] for each in found[name])
    for place, seen in found["typing"].items():
        figures[f"{place}: keystroke to paint ms"] = keystrokes(seen)
        figures[f"{place}: Event Timing"] = event_timing(seen)
        figures[f"{place}: CPU ms per key"] = {
            kind: round(seconds * 1000, 2) for kind, seconds in seen["work"].items()
        }
        figures[f"{place}: frames of 50 ms or more"] = {
            "count": seen["long"],
            "longest ms": round(seen["longest"], 1),
        }
    for moment, bytes in found["memory"].items():
        figures[f"memory, {moment}"] = {
            "scripts MiB": round(bytes["scripts"] / 2**20, 1),
            "process MiB": round(bytes["process"] / 2**20, 1),
        }
    return figures


def keystrokes(seen: Any) -> Figures:
    """Sum up the times from keys to paints."""
    return percentiles([(key["shown"] - key["at"]) / 1000 for key in seen["keys"]])


def event_timing(seen: Any) -> Figures:
    """Sum up what Event Timing says: it keeps 16 ms and more, in steps of 8."""
    counted = len(seen["keys"])
    slow = sorted(seen["events"])
    return {
        "below 16 ms %": round(100 * (counted - len(slow)) / counted, 1),
        "above 24 ms %": round(100 * sum(ms > 24 for ms in slow) / counted, 1),
        "max ms": slow[-1] if slow else 0,
    }


def _seconds(visits: list[dict[str, float]], name: str) -> list[float]:
    return [visit[name] / 1000 for visit in visits]


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5, help="visits, cold and warm")
    parser.add_argument("--keys", type=int, default=200, help="in each of three places")
    parser.add_argument("--rate", type=float, default=8, help="keys per second")
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.words, arguments.runs, arguments.keys = 5_000, 1, 20
    return run("browser-documents", measure, arguments)


if __name__ == "__main__":
    main()
