"""Awareness clocks that nobody counts up to: whoever sends them harms nobody else."""

from parvis.protocol import messages as m
from parvis.protocol.awareness import AwarenessEntry, decode_awareness, encode_awareness
from parvis.protocol.lib0 import MAX_UINT
from tests.server.rooms.lab import Person, counted, lab


def tell(person: Person, client: int, clock: int, state: str | None = "{}") -> None:
    states = encode_awareness([AwarenessEntry(client, clock, state)])
    person.say(m.Awareness(person.channel, states))


def present(states: bytes) -> list[int]:
    return [entry.client for entry in decode_awareness(states) if entry.state is not None]


async def test_a_clock_that_cannot_grow_is_ignored() -> None:
    async with lab() as it:
        mallory = await it.join("mallory")
        tell(mallory, 7, MAX_UINT)
        tell(mallory, 7, MAX_UINT, None)
        await it.pass_time(1)
        assert mallory.of(m.Awareness) == []


async def test_whoever_sends_the_largest_clock_again_and_again_keeps_nobody_out() -> None:
    async with lab() as it:
        for clock in (MAX_UINT, 2**32, 2**32, 1):
            mallory = await it.join("mallory")
            tell(mallory, 7, clock)
            tell(mallory, 7, clock, None)
            await it.pass_time(1)
            mallory.disconnect()
        mallory = await it.join("mallory")
        tell(mallory, 7, 2)
        await it.pass_time(1)
        ada = await it.join("ada")
        assert present(ada.joined.awareness) == [7]
        tell(ada, 8, 1)
        mallory.disconnect()
        await it.pass_time(1)
        last = ada.of(m.Awareness)[-1]
        assert present(last.states) == [8]
        assert counted(it.core.metrics.sessions("native")) == 1
