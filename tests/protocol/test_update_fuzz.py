"""Nothing that passes the scan harms yrs: real updates, mutated, a million times."""

import os
import random
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from parvis.protocol.update import scan
from tests.checkout import CHECKOUT
from tests.protocol.mutation import (
    BATCH,
    Corpus,
    Finding,
    Note,
    Replica,
    mutate,
    report,
    run,
    run_batch,
)

MUTATIONS = int(os.environ.get("PARVIS_FUZZ_MUTATIONS", "1000000"))
SEED = int(os.environ.get("PARVIS_FUZZ_SEED", "20261120"))


def test_nothing_that_passes_the_scan_harms_yrs(capsys: pytest.CaptureFixture[str]) -> None:
    fuzz(SEED, MUTATIONS, capsys)


@pytest.mark.soak
def test_nothing_new_that_passes_the_scan_harms_yrs(capsys: pytest.CaptureFixture[str]) -> None:
    fuzz(secrets.randbits(32), 10 * MUTATIONS, capsys)


def fuzz(seed: int, mutations: int, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    tally = run(seed, mutations)
    with capsys.disabled():
        print(f"\nPARVIS_FUZZ_SEED={seed}: {report(tally, time.monotonic() - started)}")
    assert tally.findings == [], f"PARVIS_FUZZ_SEED={seed}"
    assert tally.mutations >= mutations
    # Else this would be a test of nothing: mutations that are all refused, or all wait.
    assert tally.passed > tally.mutations / 20
    assert tally.passed - tally.held - tally.declined > tally.mutations / 20


def test_the_same_seed_makes_the_same_mutations(tmp_path: Path) -> None:
    corpus = Corpus()
    note = Note(str(tmp_path / "note"))
    assert run_batch(7, 3, corpus, note) == run_batch(7, 3, corpus, note)
    one, other = (mutate(corpus.every[0], random.Random(5), corpus) for _ in range(2))
    assert one == other


# The first of these waits for its predecessor; if yrs has to hold it, the second kills the process.
WAITING = bytes.fromhex("01 01 05 02 00 01 00")
FATAL = bytes.fromhex("01 02 05 00 00 01 84 05 00 02 3232 00")
KILL = f"""if True:
    import sys
    from parvis.protocol.update import scan
    from tests.protocol.mutation import Note, Replica

    waiting, fatal = {WAITING!r}, {FATAL!r}
    replica = Replica(Note(sys.argv[1]), 9)
    replica.doc.apply_update(waiting)  # what a node must not do
    replica.given.append(waiting)
    replica.take(fatal, scan(fatal))
"""


def test_a_death_leaves_a_note_of_its_cause(tmp_path: Path) -> None:
    note = str(tmp_path / "note")
    died = subprocess.run([sys.executable, "-c", KILL, note], cwd=CHECKOUT, check=False)
    assert died.returncode == -signal.SIGSEGV
    assert Note.read(note) == (False, 9, [WAITING], FATAL)


def test_the_same_updates_are_harmless_if_the_first_is_held_back(tmp_path: Path) -> None:
    replica = Replica(Note(str(tmp_path / "note")), 0)
    assert replica.take(WAITING, scan(WAITING)) is None
    assert replica.take(FATAL, scan(FATAL))
    assert replica.clocks == {5: 3}
    assert scan(replica.doc.get_update()).is_whole(replica.clocks)


def test_a_run_counts_whole_batches() -> None:
    tally = run(1, 2 * BATCH + 1)
    assert tally.mutations == 3 * BATCH
    assert tally.findings == list[Finding]()
