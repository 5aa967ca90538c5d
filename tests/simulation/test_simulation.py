"""Thousands of simulated worlds; and the judge finds bugs that were planted.

A failure names the command that replays the seed with its trace.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import pytest

from tests import checkout
from tests.simulation.mutants import MUTANTS
from tests.simulation.scenarios import SCENARIOS
from tests.simulation.world import simulate

SEEDS: Final = {name: 180 for name in SCENARIOS} | {"crowd": 40}
"""How many of each scenario; more than 2,000 together."""

REPEATED: Final = 10
"""How many of each scenario are run a second time, which must be the same."""

MINUTES: Final = float(os.environ.get("PARVIS_SIMULATION_MINUTES", "30"))
"""How long the long form draws random seeds."""


def start(*options: str, hash_seed: str = "random") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.simulation", *options],
        cwd=checkout.CHECKOUT,
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(processes: Sequence[subprocess.Popen[str]]) -> list[str]:
    """Return what they said; fail with it if one of them found something."""
    said = [process.communicate()[0] for process in processes]
    for process, text in zip(processes, said, strict=True):
        assert process.returncode == 0, text
    return said


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_promise_is_broken_in_any_seed(scenario: str) -> None:
    ended([start("--scenario", scenario, "--seeds", f"{REPEATED}:{SEEDS[scenario]}")])


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_promise_is_broken_and_each_seed_repeats_itself(scenario: str) -> None:
    ended([start("--scenario", scenario, "--seeds", f"0:{REPEATED}", "--twice")])


def test_a_seed_is_the_same_in_every_process() -> None:
    runs = [start("--seeds", "0:3", "--json", hash_seed=seed) for seed in ("1", "2")]
    first, second = ended(runs)
    assert first == second
    assert first.count("\n") == 3 * len(SCENARIOS)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_found(name: str) -> None:
    mutant = MUTANTS[name]
    for seed in range(mutant.seeds):
        outcome = simulate(mutant.scenario, seed, mutant=mutant.plant)
        if outcome.violations:
            assert outcome.violations[0].invariant in mutant.found_as, outcome.violations[0]
            return
    pytest.fail(f"{name} came to light in none of {mutant.seeds} seeds")


def test_a_failure_names_the_command_that_replays_it() -> None:
    outcome = simulate("crashes", 0, mutant=MUTANTS["ack_before_append"].plant)
    assert outcome.violations
    assert outcome.command.endswith("-m tests.simulation --scenario crashes --seed 0")
    assert "VIOLATION" in "".join(outcome.trace)


@pytest.mark.soak
def test_no_promise_is_broken_in_random_seeds() -> None:
    options = ("--minutes", str(MINUTES))
    for said in ended([start(*options) for _ in range(2)]):
        print(said)
