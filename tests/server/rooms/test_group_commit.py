"""What waits for the store together is made durable together."""

from parvis.server.limits import Limits
from tests.server.rooms.lab import Draft, Lab, lab

PAUSE = 0.004


def calls(it: Lab) -> float:
    """Return how often the store was asked to append."""
    (metric,) = it.core.metrics.flush_seconds.collect()
    return next(sample.value for sample in metric.samples if sample.name.endswith("_count"))


async def test_the_first_update_of_a_quiet_tenant_is_logged_at_once() -> None:
    async with lab(flush_pause=PAUSE) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"), ref=1)
        await it.turns()
        assert ada.acked == [(1, 1)]


async def test_updates_close_behind_one_another_wait_for_company() -> None:
    async with lab(flush_pause=PAUSE) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.update(Draft(7).write("a"), ref=1)
        await it.turns()
        ada.update(Draft(8).write("b"), ref=2)
        await it.turns()
        bob.update(Draft(9).write("c"), ref=1)
        await it.turns()
        assert (ada.acked, bob.acked) == ([(1, 1)], [])
        before = calls(it)
        await it.pass_time(PAUSE)
        assert (ada.acked, bob.acked) == ([(1, 1), (2, 2)], [(1, 3)])
        assert calls(it) == before + 1


async def test_others_see_an_update_while_it_waits() -> None:
    async with lab(flush_pause=PAUSE) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        draft = Draft(7)
        ada.update(draft.write("a"), ref=1)
        await it.turns()
        ada.update(draft.write("b"), ref=2)
        await it.turns()
        assert ada.acked == [(1, 1)]
        assert bob.text == "ab"


async def test_enough_updates_wait_for_nothing() -> None:
    async with lab(flush_pause=PAUSE, limits=Limits(flush_full=3)) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"), ref=1)
        await it.turns()
        for ref in (2, 3):
            ada.update(Draft(ref).write("b"), ref=ref)
        await it.turns()
        assert ada.acked == [(1, 1)]
        ada.update(Draft(4).write("b"), ref=4)
        await it.turns()
        assert ada.acked == [(1, 1), (2, 2), (3, 3), (4, 4)]
