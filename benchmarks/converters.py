"""How long does it take to read, write and change a long document?

    python -m benchmarks.converters [--words 64000] [--runs 3] [--without-pdf]

Prints one JSON object: the best of the runs in milliseconds, and sizes in bytes. In one process
without a node: what helpers do, without the pipe.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from typing import Any

from benchmarks.documents import document

from parvis.plugins.docs import fragment
from parvis.plugins.docs.formats import convert
from parvis.plugins.docs.formats.html_reader import from_html
from parvis.plugins.docs.formats.html_writer import to_page
from parvis.plugins.docs.formats.markdown_reader import from_markdown
from parvis.plugins.docs.formats.markdown_writer import to_markdown
from parvis.plugins.docs.formats.text import digest
from parvis.plugins.docs.rewrite import replace
from parvis.plugins.docs.schema import check, content_of


def best(runs: int, work: Callable[[], Any]) -> float:
    """Return the shortest time that some work took, in milliseconds."""
    times: list[float] = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(min(times) * 1000, 1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measures the converters of documents.")
    parser.add_argument("--words", type=int, default=64_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--without-pdf", action="store_true")
    arguments = parser.parse_args()
    whole = document(arguments.words)
    doc = fragment.seed(whole)
    update = doc.get_update()
    page, markdown = to_page(whole, "Title", {}), to_markdown(whole)
    changed = whole | {"content": content_of(whole)[:50] + content_of(whole)[51:]}

    work: dict[str, Callable[[], Any]] = {
        "load": lambda: fragment.load([update]),
        "fragment to JSON, checked": lambda: fragment.read(doc),
        "check": lambda: check(whole),
        "JSON to fragment": lambda: fragment.seed(whole),
        "to HTML": lambda: to_page(whole, "Title", {}),
        "to Markdown": lambda: to_markdown(whole),
        "from HTML": lambda: from_html(page),
        "from Markdown": lambda: from_markdown(markdown),
        "digest": lambda: digest(whole),
        "replace, one block less": lambda: replace(fragment.load([update]), changed),
        "export as text": lambda: convert.export([update], "text", "Title", {}),
    }
    figures = {name: best(arguments.runs, task) for name, task in work.items()}
    if not arguments.without_pdf:
        figures["to PDF"] = best(1, lambda: convert.export([update], "pdf", "Title", {}))
    print(
        json.dumps(
            {
                "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
                "python": platform.python_version(),
                "load average": os.getloadavg(),
                "words": digest(whole).words,
                "blocks": len(content_of(whole)),
                "bytes": {"update": len(update), "html": len(page), "markdown": len(markdown)},
                "milliseconds": figures,
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
