"""Connections on which nothing happens: how much memory does each take?"""

import argparse
import asyncio
from functools import partial
from time import perf_counter
from typing import Final

from benchmarks.measure import Figures, options, run
from benchmarks.swarm import DIALECTS, Tally, gather
from benchmarks.target import Target

SHARED: Final = "plain/idle"
OWN: Final = "plain/idle/{at}"


async def measure(room: str, target: Target, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run; `room` may hold the number of the client."""
    count, make, tally = arguments.connections, DIALECTS[arguments.dialect], Tally()
    # What the first connections bring along is not the price of one.
    first = [make(at, f"plain/first/{at}", tally) for at in range(10)]
    await gather(target.url, first)
    await asyncio.sleep(arguments.rest)
    memory, cpu, began = target.memory(), target.cpu(), perf_counter()
    clients = [make(100 + at, room.format(at=at), tally) for at in range(count)]
    await gather(target.url, clients)
    took, spent = perf_counter() - began, target.cpu() - cpu
    await asyncio.sleep(arguments.rest)
    grown = target.memory() - memory
    resting = target.cpu()
    await asyncio.sleep(arguments.rest)
    rest = target.cpu() - resting
    for client in (*first, *clients):
        client.close()
    return {
        "connections": count,
        "kB each": grown / count / 1000,
        "joins per second": count / took,
        "joins per CPU-second": count / spent,
        "CPU at rest, share of a core": rest / arguments.rest,
        "RSS MiB": target.memory() / 2**20,
    }


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--rest", type=float, default=5, help="seconds before memory is read")
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.connections, arguments.rest = 100, 0.5
    # Each on a fresh server: memory that the first has left behind would make the second look thin.
    return run("idle-one-room", partial(measure, SHARED), arguments) | run(
        "idle-own-rooms", partial(measure, OWN), arguments
    )


if __name__ == "__main__":
    main()
