"""Options that the scripts share, figures from samples, and the file a result is kept in."""

import argparse
import asyncio
import gc
import importlib.metadata
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final, cast

import uvloop
from benchmarks.swarm import DIALECTS
from benchmarks.target import Target, other_server, parvis_server, pin_load

RESULTS: Final = Path(__file__).parent / "results"
POSTGRES: Final = "postgres"
PACKAGES: Final = ("parvis", "aiohttp", "pycrdt", "uvloop", "msgpack")

Figures = dict[str, Any]
Measurement = Callable[[Target, argparse.Namespace], Awaitable[Figures]]


def options(description: str) -> argparse.ArgumentParser:
    """The options that every script takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--short", action="store_true", help="a quick run, for CI: proves nothing")
    parser.add_argument("--dialect", choices=list(DIALECTS), default="native")
    parser.add_argument("--server-url", help="measure this server (ws://host:port) instead")
    parser.add_argument("--pid", type=int, help="with --server-url: the process that serves")
    parser.add_argument("--server-name", default="other", help="with --server-url: for the result")
    parser.add_argument(
        "--store",
        default="",
        help="store URL of the node that is started; postgres: a server that is started with it",
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the JSON files")
    return parser


@contextmanager
def server(arguments: argparse.Namespace) -> Generator[Target]:
    """The server that the options name."""
    with ExitStack() as stack:
        if arguments.server_url:
            if arguments.pid is None:
                raise SystemExit("--server-url needs --pid, or its CPU time cannot be read")
            url, pid, name = arguments.server_url, arguments.pid, arguments.server_name
            yield stack.enter_context(other_server(url, pid, name))
            return
        store = arguments.store
        if store == POSTGRES:
            # Here, so that what needs no PostgreSQL runs without what the tests need.
            from tests.databases import Databases
            from tests.services import start_postgres

            databases = Databases(stack.enter_context(start_postgres()))
            database = stack.enter_context(databases.fresh())
            migrate = ["-m", "parvis.server", "store", "migrate", "--store", database.owner]
            subprocess.run([sys.executable, *migrate], check=True, stdout=subprocess.DEVNULL)
            store = database.node
        yield stack.enter_context(parvis_server(store=store))


def percentiles(samples: Sequence[float]) -> Figures:
    """p50, p95, p99 and the largest, in milliseconds."""
    if not samples:
        return {}
    ordered = sorted(samples)
    at = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "max": 1.0}
    return {
        name: round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] * 1000, 3)
        for name, part in at.items()
    }


def run(name: str, measure: Measurement, arguments: argparse.Namespace) -> Figures:
    """Measure, print and keep the figures."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))  # so that the server ends too
    with server(arguments) as target:
        pin_load()
        # Our own garbage collection must not look like the server's latency.
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(_once(measure, target, arguments))
        finally:
            gc.enable()
        server_name = target.name
    title = f"{name}-{arguments.dialect}"
    if arguments.store == POSTGRES:
        title += f"-{POSTGRES}"
    show(f"{server_name} {title}", figures)
    if not arguments.short:
        keep(title if server_name == "parvis" else f"{title}-{server_name}", figures, arguments)
    return figures


async def _once(measure: Measurement, target: Target, arguments: argparse.Namespace) -> Figures:
    return await measure(target, arguments)


def show(title: str, figures: Figures) -> None:
    """Print figures, one to a line."""
    print(f"\n{title}")
    for key, value in figures.items():
        if isinstance(value, dict):
            parts = cast(Figures, value)
            value = "  ".join(f"{name} {each}" for name, each in parts.items())
        elif isinstance(value, float):
            value = f"{value:,.2f}"
        elif isinstance(value, int):
            value = f"{value:,}"
        print(f"  {key:34} {value}")


def keep(title: str, figures: Figures, arguments: argparse.Namespace) -> None:
    """Write ``results/<title>-<date>.json``."""
    settings = {
        key: str(value) if isinstance(value, Path) else value
        for key, value in vars(arguments).items()
        if key not in ("results",)
    }
    record = {
        "benchmark": title,
        "date": date.today().isoformat(),
        "commit": commit(),
        "machine": machine(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "arguments": settings,
        "figures": figures,
    }
    arguments.results.mkdir(parents=True, exist_ok=True)
    path = arguments.results / f"{title}-{record['date']}.json"
    path.write_text(json.dumps(record, indent=2) + "\n")


def commit() -> str:
    """The checkout's commit, with a ``+`` if files differ from it."""
    git = ["git", "-c", "safe.directory=*", "-C", str(Path(__file__).parent)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    changed = subprocess.run(
        [*git, "status", "--porcelain", "-uno"], capture_output=True, text=True
    )
    return (head.stdout.strip() or "unknown") + ("+" if changed.stdout.strip() else "")


def machine() -> Figures:
    """What it ran on."""
    cpu = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
    }
