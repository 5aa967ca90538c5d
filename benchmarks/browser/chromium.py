"""Plays one of this folder's scenarios in Debian's Chromium, and keeps what it found."""

import argparse
import asyncio
import gc
import json
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

import uvloop
from benchmarks.browser.site import EMAIL, PASSWORD, Site, site
from benchmarks.measure import RESULTS, Figures, keep, show

HERE: Final = Path(__file__).parent
PACKAGES: Final = HERE.parents[1] / "tests" / "browser" / "node_modules"
LONGEST_LINE: Final = 64 * 1024 * 1024

Answer = Callable[[Any], Awaitable[Any]]
Measurement = Callable[[Site, argparse.Namespace], Awaitable[Figures]]


async def play(
    file: str,
    site: Site,
    settings: Mapping[str, object],
    answers: Mapping[str, Answer] | None = None,
) -> Any:
    """Run ``<file>.mjs`` and return what it measured.

    Args:
        settings: What the scenario gets, beside the address, Chromium and who signs in.
        answers: What to do when it asks for something, by name; gets and gives JSON.

    Raises:
        SystemExit: If it fails; Node has said why.
    """
    given = {"url": site.url, "chromium": _chromium(), "email": EMAIL, "password": PASSWORD}
    argv = ["node", str(HERE / "play.mjs"), file, json.dumps({**given, **settings})]
    pipe = asyncio.subprocess.PIPE
    # Not pinned, as this process may be: Chromium takes every core that a person's browser had.
    node = await asyncio.create_subprocess_exec(
        *argv, stdin=pipe, stdout=pipe, limit=LONGEST_LINE, preexec_fn=_unpin
    )
    assert node.stdin is not None and node.stdout is not None
    try:
        async for line in node.stdout:
            said = json.loads(line)
            if "result" in said:
                return said["result"]
            answer = await (answers or {})[said["ask"]](said["with"])
            node.stdin.write(json.dumps(answer).encode() + b"\n")
            await node.stdin.drain()
        raise SystemExit(f"{file}.mjs ended with {await node.wait()}")
    finally:
        if node.returncode is None:
            node.stdin.close()
            try:
                async with asyncio.timeout(10):
                    await node.wait()
            except TimeoutError:
                node.kill()
                await node.wait()


def _unpin() -> None:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _chromium() -> str:
    if not PACKAGES.is_dir():
        raise SystemExit(f"{PACKAGES}: npm packages are missing. Hint: make bench installs them")
    if found := shutil.which("chromium"):
        return found
    raise SystemExit("chromium is not installed. Hint: apt-get install chromium")


def options(description: str) -> argparse.ArgumentParser:
    """The options that every script here takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--short", action="store_true", help="a quick run, for CI: proves nothing")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON files")
    return parser


def run(name: str, measure: Measurement, arguments: argparse.Namespace) -> Figures:
    """Measure against a fresh node, print and keep the figures."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # so that the node ends too
    busy = {"load average before": round(os.getloadavg()[0], 1)}
    with site() as measured:
        gc.collect()
        gc.freeze()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(_once(measure, measured, arguments)) | busy
    show(name, figures)
    if not arguments.short:
        keep(name, figures, arguments)
    return figures


async def _once(measure: Measurement, site: Site, arguments: argparse.Namespace) -> Figures:
    return await measure(site, arguments)
