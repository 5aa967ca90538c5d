"""Connections on which nothing happens: how much memory does each take?"""

import argparse
import asyncio
from time import perf_counter

from benchmarks.measure import Figures, options, run
from benchmarks.swarm import DIALECTS, Tally, gather
from benchmarks.target import Target


async def measure(target: Target, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    count = arguments.connections
    make = DIALECTS[arguments.dialect]
    figures: Figures = {"connections": count}
    for kind, room in (("one room", "plain/idle"), ("a room each", "plain/idle/{at}")):
        tally = Tally()
        # What the first connection brings along is not the price of one.
        first = [make(at, f"plain/first/{kind}", tally) for at in range(10)]
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
        figures[f"{kind}: kB each"] = grown / count / 1000
        figures[f"{kind}: joins per second"] = count / took
        figures[f"{kind}: joins per CPU-second"] = count / spent
        figures[f"{kind}: CPU at rest, share"] = (target.cpu() - resting) / arguments.rest
        for client in (*first, *clients):
            client.close()
        await asyncio.sleep(arguments.rest)
    figures["RSS MiB"] = target.memory() / 2**20
    return figures


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--rest", type=float, default=5, help="seconds before memory is read")
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.connections, arguments.rest = 100, 0.5
    return run("idle", measure, arguments)


if __name__ == "__main__":
    main()
