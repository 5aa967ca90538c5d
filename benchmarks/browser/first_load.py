"""What does a cold browser load before the first edit, and how long does that take?

    python -m benchmarks.browser.first_load [--runs 5]

Signing in is not counted: the browser has its cookie, and nothing else. Bytes are bodies as sent,
without headers; the files of a run are those of its last visit, up to the moment in which the first
letter is seen. What the service worker keeps ahead of time is loaded later, behind the page.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from benchmarks.browser.chromium import options, play, run
from benchmarks.browser.site import Site, api
from benchmarks.measure import Figures, percentiles

KINDS = {".js": "JavaScript", ".css": "CSS", ".woff2": "fonts", "": "page and API"}


async def measure(site: Site, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    async with api(site) as calls:
        key = await calls.make("A short one", "text", "The first line.\n\nThe second line.")
    found = await play("first_load", site, {"key": key, "runs": arguments.runs})
    documents = found["documents"]
    return {
        "chromium": found["version"],
        "list painted ms": percentiles([ms / 1000 for ms in found["lists"]]),
        "document editable ms": percentiles([each["editable"] / 1000 for each in documents]),
        "first letter shown ms": percentiles([each["shown"] / 1000 for each in documents]),
        "list, bytes sent": by_kind(found["listFiles"]),
        "document, bytes sent": by_kind(found["files"]),
        "both, bytes sent": by_kind(_together(found["listFiles"], found["files"])),
        "files before the first edit, bytes sent": {
            file["name"]: file["sent"]
            for file in sorted(found["files"], key=lambda file: -int(file["sent"]))
            if PurePosixPath(file["name"]).suffix in (".js", ".css", ".woff2")
        },
    }


def by_kind(files: list[dict[str, Any]]) -> Figures:
    """Sum up what was sent, by kind of file."""
    sums: Counter[str] = Counter()
    for file in files:
        sums[KINDS.get(PurePosixPath(file["name"]).suffix, "other")] += int(file["sent"])
    return dict(sums)


def _together(*visits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({file["name"]: file for files in visits for file in files}.values())


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.runs = 1
    return run("browser-first-load", measure, arguments)


if __name__ == "__main__":
    main()
