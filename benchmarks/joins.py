"""A document with a history: how long until someone who joins sees it, alone and in a crowd?"""

import argparse
import asyncio
import random
from time import perf_counter
from typing import Any

from benchmarks.measure import Figures, options, percentiles, run
from benchmarks.swarm import DIALECTS, Client, Tally, settled
from benchmarks.target import Target
from pycrdt import Doc, Text

ROOM = "plain/joins"
WORDS = "the quick brown fox jumps over a lazy dog and writes it down".split()  # noqa: SIM905  # reads better


def history(size: int, seed: int = 1) -> list[bytes]:
    """Updates of someone who writes all over a text, worth `size` bytes together."""
    chance = random.Random(seed)
    doc: Doc[Any] = Doc(client_id=7)
    text: Text = doc.get("text", type=Text)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    while len(doc.get_update()) < size:
        for _ in range(20):
            with doc.transaction():
                for _ in range(100):
                    at = chance.randrange(len(text) + 1)
                    text.insert(at, chance.choice(WORDS) + " ")
    doc.unobserve(subscription)
    return updates


async def join(target: Target, client: Client) -> tuple[float, float]:
    """Seconds from the connect, and from the join, until the document is there."""
    began = perf_counter()
    await client.open(target.url)
    asked = perf_counter()
    client.join()
    await client.synced
    return perf_counter() - began, perf_counter() - asked


async def measure(target: Target, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    make = DIALECTS[arguments.dialect]
    tally = Tally()
    author = make(0, ROOM, tally)
    await author.connect(target.url)
    updates = history(arguments.size)
    for update in updates:
        author.send_update(update, tally.number(author.id))
    if arguments.dialect != "yjs":  # whose acks are found by marks, which these have not
        await settled(tally, deliveries=0)
    await asyncio.sleep(1)

    alone: list[tuple[float, float]] = []
    size = 0
    cpu = target.cpu()
    for at in range(arguments.joiners):
        client = make(1 + at, ROOM, tally)
        alone.append(await join(target, client))
        size = client.socket.received if client.socket else 0
        client.close()
    spent_alone = target.cpu() - cpu

    crowd = [make(10_000 + at, ROOM, tally) for at in range(arguments.joiners)]
    cpu, began = target.cpu(), perf_counter()
    together = await asyncio.gather(*(join(target, client) for client in crowd))
    last = perf_counter() - began
    spent_together = target.cpu() - cpu
    for client in (author, *crowd):
        client.close()
    return {
        "bytes of one join": size,
        "updates in the log": len(updates),
        "alone: connect to document ms": percentiles([whole for whole, _ in alone]),
        "alone: join to document ms": percentiles([asked for _, asked in alone]),
        "alone: CPU ms each": spent_alone / arguments.joiners * 1000,
        f"{arguments.joiners} at once: last one ms": last * 1000,
        f"{arguments.joiners} at once: each ms": percentiles([whole for whole, _ in together]),
        f"{arguments.joiners} at once: CPU ms each": spent_together / arguments.joiners * 1000,
        "RSS MiB": target.memory() / 2**20,
    }


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--size", type=int, default=1_000_000, help="bytes of the document")
    parser.add_argument("--joiners", type=int, default=100)
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.size, arguments.joiners = 100_000, 20
    return run("joins", measure, arguments)


if __name__ == "__main__":
    main()
