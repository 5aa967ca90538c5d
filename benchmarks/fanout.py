"""One room, many readers, some writers: what does a delivery cost, and how long does it take?"""

import argparse

from benchmarks.measure import Figures, options, percentiles, run
from benchmarks.swarm import DIALECTS, Tally, gather, settled, type_for
from benchmarks.target import Target


async def measure(target: Target, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    tally = Tally()
    make = DIALECTS[arguments.dialect]
    clients = [make(at, "plain/fanout", tally) for at in range(arguments.clients)]
    await gather(target.url, clients)
    writers = clients[: arguments.writers]
    await type_for(arguments.warm_up, writers, arguments.rate, tally)
    await settled(tally, deliveries=tally.sent * (len(clients) - 1))
    tally.start_over()

    memory, cpu = target.memory(), target.cpu()
    received = sum(client.socket.received for client in clients if client.socket)
    await type_for(arguments.seconds, writers, arguments.rate, tally)
    await settled(tally, deliveries=tally.sent * (len(clients) - 1))
    spent = target.cpu() - cpu
    received = sum(client.socket.received for client in clients if client.socket) - received
    for client in clients:
        client.close()
    return {
        "updates sent": tally.sent,
        "deliveries": tally.delivered,
        "deliveries per CPU-second": tally.delivered / spent,
        "server CPU, share of a core": spent / arguments.seconds,
        "broadcast ms": percentiles(tally.broadcast),
        "ack ms": percentiles(tally.ack),
        "bytes per delivery": received / tally.delivered,
        "RSS MiB": target.memory() / 2**20,
        "RSS growth MiB": (target.memory() - memory) / 2**20,
        "load late ms": percentiles(tally.lag),
    }


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--writers", type=int, default=10)
    parser.add_argument("--rate", type=float, default=10, help="updates per second and writer")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm-up", type=float, default=3, help="seconds")
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.clients, arguments.writers = 20, 5
        arguments.seconds, arguments.warm_up = 1, 0.5
    return run("fanout", measure, arguments)


if __name__ == "__main__":
    main()
