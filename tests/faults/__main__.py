"""Plays faults against a node of ours, or against any other Yjs server; docs/faults.md has more.

    python -m tests.faults --store postgres --faults 100
    python -m tests.faults --url ws://127.0.0.1:1234 --start "node server.js" --dialect yjs

Exit code 1 means that something acknowledged was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.faults.cluster import Cluster
from tests.faults.report import Progress, report
from tests.faults.storm import Plan, rage
from tests.faults.target import DIALECTS, Command, Parvis, ParvisOnPostgres, Target

STORES = ("sqlite", "postgres", "pgbouncer")


@contextmanager
def node_on(store: str, folder: Path) -> Generator[Parvis]:
    """A node of ours on one of `STORES`; its log is printed in the end."""
    if store == "sqlite":
        with _killed(Parvis(folder)) as target:
            yield target
    else:
        with (
            Cluster(pooled=store == "pgbouncer") as cluster,
            _killed(ParvisOnPostgres(folder, cluster)) as target,
        ):
            yield target


@contextmanager
def _killed(target: Parvis) -> Generator[Parvis]:
    try:
        yield target
    finally:
        target.kill()
        print("".join(target.server.log[-200:]))


def play(target: Target, plan: Plan, name: str) -> dict[str, Any]:
    """Play a storm and return its report.

    Raises:
        AssertionError: As `rage`, with the command that plays it again.
    """
    began = time.monotonic()
    try:
        storm = asyncio.run(rage(target, plan, Progress(name)))
    except AssertionError as broken:
        raise AssertionError(f"{broken}\nagain: {again(plan, name)}") from broken
    return report(storm, name, time.monotonic() - began)


def again(plan: Plan, name: str) -> str:
    """The command for the same faults in the same order; when each strikes is up to the machine."""
    words = f"--lanes {plan.lanes} --faults {plan.faults} --apart {plan.apart} --acks {plan.acks}"
    store = f"--store {name} " if name in STORES else ""
    return f"python -m tests.faults {store}--seed {plan.seed} {words} --window {plan.window}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    ours = parser.add_argument_group("a node of ours")
    ours.add_argument("--store", choices=STORES, default="sqlite")
    other = parser.add_argument_group("another server")
    other.add_argument("--url", help="of its websocket, on the loopback; the room follows")
    other.add_argument("--start", help="the command that starts it, without a shell")
    other.add_argument("--dialect", choices=list(DIALECTS), default="yjs")
    other.add_argument("--room", default="storm", help="how the rooms' names begin")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--acks", type=int, default=0, help="the fewest before it ends")
    parser.add_argument("--apart", type=int, default=1_000, help="most acks between two faults")
    parser.add_argument("--lanes", type=int, default=8, help="rooms at a time")
    parser.add_argument("--window", type=int, default=64, help="a writer's updates on their way")
    parser.add_argument("--report", type=Path, help="JSON file for the figures")
    options = parser.parse_args(arguments)
    plan = Plan(
        options.seed,
        lanes=options.lanes,
        faults=options.faults,
        acks=options.acks,
        apart=options.apart,
        window=options.window,
    )
    try:
        figures = _foreign(options, plan) if options.url else _own(options, plan)
    except AssertionError as broken:
        print(broken, file=sys.stderr)
        return 1
    print(json.dumps(figures, indent=2))
    if options.report:
        options.report.write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if figures["lost"] else 0


def _own(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="parvis-storm-") as folder,
        node_on(options.store, Path(folder)) as target,
    ):
        return play(target, plan, options.store)


def _foreign(options: argparse.Namespace, plan: Plan) -> dict[str, Any]:
    if not options.start:
        raise SystemExit("--url needs --start, the command that starts the server")
    address = urlsplit(str(options.url))
    if address.hostname not in ("127.0.0.1", "localhost") or address.port is None:
        raise SystemExit("--url: expected ws://127.0.0.1:PORT, with a path perhaps")
    target = Command(options.start, address.port)
    plan = replace(
        plan,
        dialects=[options.dialect],
        path=address.path.rstrip("/"),
        room=options.room,
        forgiving=True,
    )
    try:
        return play(target, plan, options.start)
    finally:
        target.kill()


if __name__ == "__main__":
    sys.exit(main())
