"""Faults of every kind against real processes, seen through stock protocols only."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.checkout import CHECKOUT
from tests.faults.__main__ import STORES, node_on, play
from tests.faults.kinds import KINDS
from tests.faults.storm import Plan

FAULTS: Final = int(os.environ.get("PARVIS_STORM_FAULTS", "2000"))
ACKS: Final = int(os.environ.get("PARVIS_STORM_ACKS", "1000000"))
"""Faults and acknowledgements of the long form, on each store."""

REPORTS: Final = CHECKOUT / "benchmarks" / "results"


@pytest.mark.parametrize("store", STORES)
def test_what_was_acknowledged_survives_a_fault_of_every_kind(
    store: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with node_on(store, tmp_path) as target:
        plan = Plan(seed=4, lanes=2, faults=sum(kind.fits(target) for kind in KINDS.values()))
        figures = play(target, plan, store)
    record_property("storm", figures)
    assert figures["lost"] == 0
    assert figures["acked"] > plan.faults
    assert len(figures["until_the_next_ack_ms"]) == plan.faults, "not every kind was played"


@pytest.mark.soak
@pytest.mark.parametrize("store", ["sqlite", "pgbouncer"])
def test_what_was_acknowledged_survives_two_thousand_faults(
    store: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = Plan(random.randrange(2**32), lanes=8, faults=FAULTS, acks=ACKS, apart=1_000, window=64)
    with node_on(store, tmp_path) as target, capsys.disabled():
        figures = play(target, plan, store)
    record_property("storm", figures)
    day = figures["when"].split()[0]
    (REPORTS / f"storm-{store}-{day}.json").write_text(json.dumps(figures, indent=2) + "\n")
    assert figures["lost"] == 0
    assert figures["acked"] >= ACKS
