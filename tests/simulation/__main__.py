"""Runs seeds of the simulation, and replays one with its trace.

.venv/bin/python -m tests.simulation --scenario crashes --seed 17     replay, with its trace
.venv/bin/python -m tests.simulation --seeds 0:200                    every scenario
.venv/bin/python -m tests.simulation --minutes 30                     random seeds
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import SystemRandom

from tests.simulation.scenarios import SCENARIOS
from tests.simulation.world import Outcome, simulate


def main() -> int:
    options = _options()
    names = [options.scenario] if options.scenario else list(SCENARIOS)
    if options.seed is not None:
        return max(replay(name, options.seed, options.lines) for name in names)
    began, bad, totals = time.perf_counter(), 0, Counter[str]()
    for name, seed in _work(options, names):
        outcome = simulate(name, seed)
        failed = _judged(outcome, twice=options.twice)
        bad += failed
        totals.update(
            runs=1 + options.twice, edits=outcome.edits, acks=outcome.acks, faults=outcome.faults
        )
        if options.json:
            print(json.dumps({"scenario": name, "seed": seed, "digest": outcome.digest}))
    if not options.json:
        seconds = time.perf_counter() - began
        print(
            f"{dict(totals)} in {seconds:.1f} s, {totals['runs'] / seconds:.1f} runs/s, {bad} bad"
        )
    return 1 if bad else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--scenario", choices=list(SCENARIOS))
    parser.add_argument("--seed", type=int, help="replay this one and show its trace")
    parser.add_argument("--lines", type=int, default=10**9, help="of the trace, from its end")
    parser.add_argument("--seeds", default="0:20", help="from:to, for each scenario")
    parser.add_argument("--minutes", type=float, help="random seeds for so long")
    parser.add_argument("--twice", action="store_true", help="each seed must repeat itself")
    parser.add_argument("--json", action="store_true", help="print a line for each seed")
    return parser.parse_args()


def _work(options: argparse.Namespace, names: list[str]) -> Iterator[tuple[str, int]]:
    if options.minutes is None:
        first, last = map(int, options.seeds.split(":"))
        for seed in range(first, last):
            for name in names:
                yield name, seed
        return
    until = time.monotonic() + options.minutes * 60
    chance = SystemRandom()
    while time.monotonic() < until:
        for name in names:
            yield name, chance.randrange(2**40)


def _judged(outcome: Outcome, *, twice: bool) -> bool:
    if outcome.violations:
        print(f"{outcome.scenario}, seed {outcome.seed}:", file=sys.stderr)
        for violation in outcome.violations[:3]:
            print(f"  {violation}", file=sys.stderr)
        print(f"  {outcome.command}", file=sys.stderr)
        return True
    if twice and simulate(outcome.scenario, outcome.seed).digest != outcome.digest:
        print(f"{outcome.scenario}, seed {outcome.seed}: two runs differ", file=sys.stderr)
        return True
    return False


def replay(name: str, seed: int, lines: int) -> int:
    """Show everything that happens in one run."""
    outcome = simulate(name, seed, keep=10**9)
    for line in outcome.trace[-lines:]:
        print(line)
    print(
        f"{name}, seed {seed}: {outcome.edits} edits, {outcome.acks} acknowledged,"
        f" {outcome.faults} faults, digest {outcome.digest}"
    )
    for violation in outcome.violations:
        print(violation)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
