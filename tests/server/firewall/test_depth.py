import asyncio
from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, merge_updates

from parvis.protocol.errors import TooDeep
from parvis.protocol.update import STORED, scan
from parvis.server.firewall.depth import DEEPEST, TRUSTED, DepthGuard, most_types
from parvis.server.firewall.helpers import HelperPool
from parvis.server.ports import HelperMissing
from tests.faults.poison import kinds_of_updates, nested_maps


def flat(types: int, client: int = 3) -> bytes:
    """Many types beside each other, as the paragraphs of a long text are."""
    doc: Doc[Any] = Doc(client_id=client)
    paragraphs: Array[Any] = doc.get("paragraphs", type=Array)
    with doc.transaction():
        for _ in range(types):
            paragraphs.append(Map({}))
    return doc.get_update()


def typed(text: str) -> bytes:
    doc: Doc[Any] = Doc(client_id=9)
    content: Text = doc.get("text", type=Text)
    content += text
    return doc.get_update()


def test_a_scan_counts_types() -> None:
    assert scan(typed("no types here")).types == 0
    assert scan(nested_maps(17)).types == 17
    assert scan(flat(100)).types == 100


def test_no_update_has_more_types_than_the_quick_count_says() -> None:
    for update in [*kinds_of_updates(), nested_maps(1000), flat(1000), typed("gaggle")]:
        assert scan(update, STORED).types <= most_types([update])
    assert most_types([]) == 0


def test_text_is_never_measured() -> None:
    guard = DepthGuard()
    guard.start([flat(TRUSTED)])
    assert guard.fits(0)
    assert not guard.fits(1)


def test_a_document_with_few_types_is_trusted_until_it_has_many() -> None:
    guard = DepthGuard()
    guard.start([])
    assert guard.fits(TRUSTED)
    guard.add(TRUSTED - 1)
    assert guard.fits(1)
    assert not guard.fits(2)


async def test_a_broad_document_is_measured_now_and_then_and_grows_on(
    helpers: HelperPool,
) -> None:
    guard = DepthGuard()
    state = flat(TRUSTED + 1)
    guard.start([state])
    await guard.measure(helpers, [state], flat(10, client=4))
    assert guard.fits(TRUSTED - DEEPEST)
    assert not guard.fits(TRUSTED - DEEPEST + 1)


async def test_depth_that_grew_over_many_updates_is_found(helpers: HelperPool) -> None:
    guard = DepthGuard()
    guard.start([])
    taken: list[bytes] = []
    with pytest.raises(TooDeep, match=f"at most {DEEPEST}"):
        for start in range(0, 50_000, 200):
            update = nested_maps(200, start)
            if not guard.fits(200):
                state = merge_updates(*taken)
                await guard.measure(helpers, [state], update)
            guard.add(200)
            taken.append(update)
    assert len(taken) * 200 <= TRUSTED


async def test_depth_that_waits_for_its_root_is_found(helpers: HelperPool) -> None:
    waiting = [nested_maps(200, start) for start in range(200, TRUSTED, 200)]
    with pytest.raises(TooDeep):
        await DepthGuard().measure(helpers, waiting, nested_maps(200))


async def test_what_others_add_while_a_helper_looks_is_counted(helpers: HelperPool) -> None:
    guard = DepthGuard()
    guard.start([flat(TRUSTED)])
    measuring = asyncio.create_task(guard.measure(helpers, [flat(TRUSTED)], flat(1, client=4)))
    await asyncio.sleep(0)  # one turn: it has begun
    guard.add(TRUSTED - DEEPEST)
    await measuring
    assert guard.fits(0)
    assert not guard.fits(1)


async def test_without_a_helper_the_bound_stays(helpers: HelperPool) -> None:
    guard = DepthGuard()
    guard.start([flat(TRUSTED)])
    await helpers.close()
    with pytest.raises(HelperMissing):
        await guard.measure(helpers, [], flat(1))
    assert not guard.fits(1)
