"""Many rooms with few people each: what does it cost when nothing can be shared?"""

import argparse

from benchmarks.measure import Figures, options, percentiles, run
from benchmarks.swarm import DIALECTS, Tally, gather, settled, type_for
from benchmarks.target import Target


async def measure(target: Target, arguments: argparse.Namespace) -> Figures:
    """Return the figures of one run."""
    tally = Tally()
    make = DIALECTS[arguments.dialect]
    each = arguments.clients
    clients = [
        make(room * each + at, f"plain/rooms/{room}", tally)
        for room in range(arguments.rooms)
        for at in range(each)
    ]
    await gather(target.url, clients)
    await type_for(arguments.warm_up, clients, arguments.rate, tally)
    await settled(tally, deliveries=tally.sent * (each - 1))
    tally.start_over()

    cpu = target.cpu()
    await type_for(arguments.seconds, clients, arguments.rate, tally)
    await settled(tally, deliveries=tally.sent * (each - 1))
    spent = target.cpu() - cpu
    for client in clients:
        client.close()
    return {
        "rooms": arguments.rooms,
        "updates sent": tally.sent,
        "deliveries": tally.delivered,
        "deliveries per CPU-second": tally.delivered / spent,
        "server CPU, share of a core": spent / arguments.seconds,
        "broadcast ms": percentiles(tally.broadcast),
        "ack ms": percentiles(tally.ack),
        "RSS MiB": target.memory() / 2**20,
        "load late ms": percentiles(tally.lag),
    }


def main(argv: list[str] | None = None) -> Figures:
    """Run it as the command line says."""
    parser = options(__doc__ or "")
    parser.add_argument("--rooms", type=int, default=500)
    parser.add_argument("--clients", type=int, default=2, help="in each room; all of them write")
    parser.add_argument("--rate", type=float, default=1, help="updates per second and client")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm-up", type=float, default=3, help="seconds")
    arguments = parser.parse_args(argv)
    if arguments.short:
        arguments.rooms, arguments.seconds, arguments.warm_up = 20, 1, 1
    return run("rooms", measure, arguments)


if __name__ == "__main__":
    main()
