"""Faults of every kind against real processes, seen through stock protocols only."""

import os
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.faults.storm import FAULTS, Storm, rage
from tests.faults.target import Parvis

FEW: Final = 40
MANY: Final = int(os.environ.get("PARVIS_STORM_FAULTS", "2000"))
"""Faults of the long form, which wants a million acknowledgements between them."""


@contextmanager
def parvis(folder: Path) -> Generator[Parvis]:
    target = Parvis(folder)
    try:
        yield target
    finally:
        target.kill()
        print("".join(target.server.log[-200:]))


def told(storm: Storm, record_property: Callable[[str, object], None]) -> None:
    counts = {**storm.faults, "acked": storm.acked, "lost": 0}
    record_property("storm", counts)
    print(counts)


async def test_what_was_acknowledged_survives_forty_faults_of_every_kind(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with parvis(tmp_path) as target:
        storm = await rage(
            target,
            rooms=["plain/storm/one", "plain/storm/two"],
            dialects=["yjs", "hocuspocus"],
            faults=FEW,
            seed=4,
        )
    told(storm, record_property)
    assert set(storm.faults) == set(FAULTS)


@pytest.mark.soak
async def test_what_was_acknowledged_survives_two_thousand_faults(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with parvis(tmp_path) as target:
        storm = await rage(
            target,
            rooms=[f"plain/storm/{at}" for at in range(8)],
            dialects=["yjs", "hocuspocus"],
            faults=MANY,
            seed=random.randrange(2**32),
            apart=1_000,
        )
    told(storm, record_property)
    assert storm.acked > 500 * MANY // 2
