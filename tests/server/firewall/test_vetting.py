from typing import Any

import pytest
from pycrdt import Doc, Text

from parvis.server.firewall.helpers import HelperPool
from parvis.server.firewall.vetting import find_poison
from parvis.server.ports import HelperDied
from tests.faults.poison import DELETE_OF_ROOT, NESTED_ARRAYS, PANIC, nested_maps


def keystrokes(count: int) -> list[bytes]:
    doc: Doc[Any] = Doc(client_id=77)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    text: Text = doc.get("text", type=Text)
    for number in range(count):
        text += chr(97 + number % 26)
    doc.unobserve(subscription)
    return updates


async def test_a_healthy_log_has_no_poison(helpers: HelperPool) -> None:
    assert await find_poison(helpers, keystrokes(3000)) == []


async def test_the_guilty_rows_are_named_among_thousands(helpers: HelperPool) -> None:
    rows = keystrokes(5000)
    rows[1234] = NESTED_ARRAYS
    rows[2500] = PANIC
    rows[4000] = b"\xff not an update"
    assert await find_poison(helpers, rows) == [1234, 2500, 4000]


async def test_depth_spread_over_shallow_rows_is_blamed_on_the_row_that_kills(
    helpers: HelperPool,
) -> None:
    # 500 updates of 100 maps each: every one of them is harmless, and so are all together.
    shallow = [nested_maps(100, start) for start in range(0, 50_000, 100)]
    assert await find_poison(helpers, shallow) == []
    rows = [*shallow, *keystrokes(10), DELETE_OF_ROOT, *keystrokes(5)]
    assert await find_poison(helpers, rows) == [510]


@pytest.mark.parametrize("rows", [[], [b""], [b"", b""]])
async def test_a_log_without_updates_has_no_poison(helpers: HelperPool, rows: list[bytes]) -> None:
    assert await find_poison(helpers, rows) == []


class KilledOnce:
    """Helpers of which the kernel, looking for memory, ends the first at some step."""

    def __init__(self, helpers: HelperPool, step: int) -> None:
        self._helpers = helpers
        self._step: int | None = step

    async def run(self, task: str, *args: Any, timeout: float = 30.0) -> Any:  # noqa: ASYNC109  the port's word
        if self._step is not None:
            step, self._step = self._step, None
            raise HelperDied("killed by signal 9", step=step)
        return await self._helpers.run(task, *args, timeout=timeout)


async def test_a_row_is_not_blamed_for_a_helper_that_was_ended_by_somebody_else(
    helpers: HelperPool,
) -> None:
    assert await find_poison(KilledOnce(helpers, 3), keystrokes(10)) == []
    rows = [*keystrokes(10), NESTED_ARRAYS]
    assert await find_poison(KilledOnce(helpers, 3), rows) == [10]
