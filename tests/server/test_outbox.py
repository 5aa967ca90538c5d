"""The outbox: bounded in bytes, nothing queued, slow peers looked after and nobody else."""

import asyncio

from parvis.server.limits import Limits
from parvis.server.outbox import Outbox, SlowWatch
from parvis.server.testing import KeptTransport
from tests.clocks import SetClock

LIMITS = Limits(outbox=100, outbox_hard=1000, slow=60)


class Bench:
    """An outbox, its transport and what it reports."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.watch = SlowWatch(self.clock, LIMITS)
        self.events: list[str] = []
        self.transport = KeptTransport()
        self.outbox = self.make(self.transport, "")

    def make(self, transport: KeptTransport, name: str) -> Outbox:
        return Outbox(
            transport,
            self.watch,
            lambda: self.events.append(f"{name}drained"),
            lambda: self.events.append(f"{name}gave up"),
        )


def test_a_frame_goes_straight_to_the_transport() -> None:
    bench = Bench()
    assert bench.outbox.offer(b"one")
    bench.outbox.write(b"two")
    assert bench.transport.frames == [b"one", b"two"]
    assert len(bench.watch) == 0
    assert bench.clock.waiting == 0, "who is quick costs no timer"


def test_over_the_bound_what_can_be_had_again_is_not_written() -> None:
    bench = Bench()
    bench.transport.stuck = 101
    assert not bench.outbox.offer(b"lost")
    assert bench.outbox.full
    bench.transport.stuck = 0
    assert not bench.outbox.offer(b"lost too"), "it has not been told to start over yet"
    bench.outbox.write(b"kept")
    assert bench.transport.frames == [b"kept"]


def test_a_peer_that_has_read_half_is_told_once() -> None:
    bench = Bench()
    bench.transport.stuck = 101
    bench.outbox.offer(b"x")
    bench.transport.stuck = 51
    bench.clock.pass_time(1)
    assert bench.events == []
    bench.transport.stuck = 50
    bench.clock.pass_time(1)
    assert bench.events == ["drained"]
    assert not bench.outbox.full
    assert bench.outbox.offer(b"y")
    assert bench.clock.waiting == 0


def test_who_reads_nothing_for_a_minute_is_given_up_once() -> None:
    bench = Bench()
    bench.transport.stuck = 101
    bench.outbox.offer(b"x")
    bench.clock.pass_time(59)
    assert bench.events == []
    bench.clock.pass_time(120)
    assert bench.events == ["gave up"]
    assert not bench.outbox.offer(b"y")
    bench.outbox.write(b"z")
    assert bench.transport.frames == []


def test_reading_a_little_buys_time() -> None:
    bench = Bench()
    bench.transport.stuck = 900
    bench.outbox.offer(b"x")
    for _ in range(10):
        bench.clock.pass_time(50)
        bench.transport.stuck -= 10
    assert bench.events == []
    bench.clock.pass_time(61)
    assert bench.events == ["gave up"]


def test_what_piles_up_over_the_hard_bound_ends_it_at_once() -> None:
    bench = Bench()
    bench.transport.stuck = 1002
    bench.outbox.write(b"x")
    assert bench.events == ["gave up"]
    assert len(bench.watch) == 0


def test_one_frame_may_be_larger_than_the_hard_bound() -> None:
    bench = Bench()
    bench.transport.stuck = 5000
    bench.outbox.write(bytes(5000))
    assert bench.events == []
    assert bench.outbox.full


async def test_reading_stops_while_it_is_full_and_goes_on_afterwards() -> None:
    bench = Bench()
    await bench.outbox.ready()
    bench.transport.stuck = 101
    bench.outbox.offer(b"x")
    waiting = [asyncio.ensure_future(bench.outbox.ready()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    bench.transport.stuck = 0
    bench.clock.pass_time(1)
    await asyncio.gather(*waiting)


async def test_nobody_waits_for_a_closed_outbox() -> None:
    bench = Bench()
    bench.transport.stuck = 101
    bench.outbox.offer(b"x")
    waiting = asyncio.ensure_future(bench.outbox.ready())
    await asyncio.sleep(0)
    bench.outbox.close()
    await waiting
    assert len(bench.watch) == 0
    bench.clock.pass_time(100)
    assert bench.events == []


def test_a_session_that_ends_while_others_are_looked_at_disturbs_nobody() -> None:
    bench = Bench()
    transports = [KeptTransport() for _ in range(3)]
    outboxes: list[Outbox] = []

    def first_drained() -> None:
        outboxes[1].close()

    outboxes.append(Outbox(transports[0], bench.watch, first_drained, lambda: None))
    outboxes += [
        bench.make(transport, name) for transport, name in zip(transports[1:], "bc", strict=True)
    ]
    for transport, outbox in zip(transports, outboxes, strict=True):
        transport.stuck = 101
        outbox.offer(b"x")
        transport.stuck = 0
    bench.clock.pass_time(1)
    assert bench.events == ["cdrained"]


def test_a_bug_of_one_session_leaves_the_others_looked_after() -> None:
    bench = Bench()

    def bug() -> None:
        raise ZeroDivisionError

    slow = KeptTransport()
    outbox = Outbox(slow, bench.watch, bug, lambda: None)
    for transport, each in ((slow, outbox), (bench.transport, bench.outbox)):
        transport.stuck = 101
        each.offer(b"x")
        transport.stuck = 0
    bench.clock.pass_time(1)
    assert bench.events == ["drained"]
    bench.transport.stuck = 101
    bench.outbox.offer(b"y")
    bench.transport.stuck = 0
    bench.clock.pass_time(1)
    assert bench.events == ["drained", "drained"]
