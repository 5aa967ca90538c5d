"""Mutates real updates and gives yrs whatever the scan lets through, in processes that may die.

``python -m tests.protocol.mutation --mutations 10000000`` runs for as long as it takes and prints
what it finds; the test beside this file runs the same for a shorter time.

The work is cut into batches, each made by its seed and number alone. A worker notes each update
before yrs gets it, so that its death names the culprit; another goes on with the next batch.

What a node does in its own process is tried: applying, encoding, merging, reading a text. yrs gets
only updates without a gap, and none that would have it take half a character: blocks that wait in
yrs itself for others make it go wrong in several ways, down to a death by 23 bytes. What has
children is not read, because yrs goes round for ever where an emoji stands among them, which no
scan of one update can foresee. That is why nodes leave it to helpers.
"""

import argparse
import base64
import contextlib
import faulthandler
import json
import os
import random
import secrets
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pycrdt import Doc, Text, merge_updates

from parvis.protocol.errors import Malformed
from parvis.protocol.update import STORED, Limits, Scan, scan
from parvis.protocol.yjs import decode_state_vector

CORPUS: Final = Path(__file__).parents[2] / "protocol" / "vectors" / "updates.json"
BATCH: Final = 100
"""Mutations of one batch; all that pass go to the same document, which holds real updates."""

PILE: Final = os.environ.get("PARVIS_FUZZ_PILE") == "1"
"""Whether a document keeps the mutated updates it took, so that the next one finds a forged past.

That is known to end yrs now and then: several updates with different contents for the same clocks
of the same client, the later ones overlapping what is there. No scan of one update can see it; in a
node it costs a worker, and the note in shared memory names the update (decision 8).
"""

LIMITS: Final = Limits(subdocuments=True)
PATIENCE: Final = 10.0
"""Seconds for a batch, which takes a twentieth of one; then yrs goes round for ever."""
BROKEN: Final = 3
"""The status with which a worker ends that itself went wrong."""

TEXTS: Final = frozenset(("", "text", "t", "quill"))
"""The roots that applications of the corpus take for a text."""


@dataclass
class Finding:
    """An update that passed the scan and that yrs did not survive."""

    batch: int
    what: str
    update: str
    """In hexadecimal."""
    before: list[str] = field(default_factory=list[str])
    """What the document had been given before, in order; empty for a fresh one."""


@dataclass
class Tally:
    """What a run has seen."""

    mutations: int = 0
    passed: int = 0
    held: int = 0
    """How many passed the scan and were kept from yrs, because something is missing before them."""
    declined: int = 0
    """How many were refused by yrs, with an ordinary error, or halve a character."""
    findings: list[Finding] = field(default_factory=list[Finding])

    def add(self, other: "Tally") -> None:
        """Count the other's too."""
        self.mutations += other.mutations
        self.passed += other.passed
        self.held += other.held
        self.declined += other.declined
        self.findings += other.findings


class Corpus:
    """The real updates, whole traces of them."""

    def __init__(self) -> None:
        traces = json.loads(CORPUS.read_text())["traces"]
        self.traces: list[list[bytes]] = [
            [base64.b64decode(update) for update in trace["updates"]] for trace in traces
        ]
        self.every = [update for trace in self.traces for update in trace if len(update) < 2000]

    def choose(self, chance: random.Random) -> list[bytes]:
        """Return the first updates of a trace; traces of few updates are chosen less often."""
        trace = chance.choice(self.traces)
        if len(trace) == 1 and chance.random() < 0.7:
            trace = chance.choice(self.traces)
        return trace[: 1 + chance.randrange(len(trace))]


def _flip(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    for _ in range(chance.randint(1, 4)):
        update[chance.randrange(len(update))] = chance.randrange(256)


def _nudge(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(update))
        update[at] = (update[at] + chance.choice((-2, -1, 1, 2))) & 0xFF


def _copy(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    """Write bytes of the update over others: numbers that fit, in places where they do not."""
    for _ in range(chance.randint(1, 3)):
        update[chance.randrange(len(update))] = update[chance.randrange(len(update))]


def _cut(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    at = chance.randrange(len(update))
    del update[at : at + chance.randint(1, 8)]


def _end(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    del update[chance.randrange(len(update)) :]


def _run(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    at = chance.randrange(len(update))
    length = chance.randint(1, 8)
    update[at : at + length] = b"\xff" * length


def _splice(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    other = chance.choice(corpus.every)
    start = chance.randrange(len(other))
    at = chance.randrange(len(update))
    piece = other[start : start + chance.randint(1, 40)]
    update[at : at + chance.choice((0, len(piece)))] = piece


def _swap(update: bytearray, chance: random.Random, corpus: Corpus) -> None:
    """Exchange two pieces of the same length, as of two blocks."""
    length = chance.randint(1, 12)
    if len(update) > 2 * length:
        one = chance.randrange(len(update) - 2 * length)
        other = chance.randrange(one + length, len(update) - length + 1)
        piece = update[one : one + length]
        update[one : one + length] = update[other : other + length]
        update[other : other + length] = piece


_MUTATIONS: Final[Sequence[Callable[[bytearray, random.Random, Corpus], None]]] = (
    *(_flip, _flip, _nudge, _nudge, _nudge, _copy, _copy, _cut, _end, _run, _splice, _splice),
    *(_swap,),
)


def mutate(update: bytes, chance: random.Random, corpus: Corpus) -> bytes:
    """Return an update with something wrong in it."""
    changed = bytearray(update)
    chance.choice(_MUTATIONS)(changed, chance, corpus)
    if changed and chance.random() < 0.1:
        chance.choice(_MUTATIONS)(changed, chance, corpus)
    return bytes(changed)


class Note:
    """A file that outlives its process, with what the process was about to do."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT)

    def write(self, batch: int, before: Sequence[bytes], update: bytes) -> None:
        """Note that an update is about to be applied."""
        parts = [struct.pack("<BII", 0, batch, len(before))]
        parts += (struct.pack("<I", len(each)) + each for each in before)
        os.pwrite(self._file, b"".join(parts) + struct.pack("<I", len(update)) + update, 0)

    def reading(self) -> None:
        """Note that the document is about to be read."""
        os.pwrite(self._file, b"\1", 0)

    @staticmethod
    def read(path: str) -> tuple[bool, int, list[bytes], bytes]:
        """Return whether it was about to read, the batch, what came before, and the update."""
        data = Path(path).read_bytes()
        reading, batch, count = struct.unpack_from("<BII", data)
        pos = 9
        updates: list[bytes] = []
        for _ in range(count + 1):
            (length,) = struct.unpack_from("<I", data, pos)
            updates.append(data[pos + 4 : pos + 4 + length])
            pos += 4 + length
        return bool(reading), batch, updates[:-1], updates[-1]


def load(update: bytes, clocks: dict[int, int] | None = None) -> None:
    """Give a new document what another encoded, or what was merged, as a node does after a look."""
    try:
        seen = scan(update, STORED)
    except Malformed:
        return  # yrs' own mistake, after half a character
    if not seen.gap({}) and (clocks is None or seen.is_whole(clocks)):
        with contextlib.suppress(ValueError, RuntimeError):
            Doc[Any]().apply_update(update)


class Replica:
    """A document as a node keeps it: what waits for others is kept beside it."""

    def __init__(self, note: Note, batch: int) -> None:
        self.doc: Doc[Any] = Doc()
        self.given: list[bytes] = []
        self.clocks: dict[int, int] = {}
        self._waiting: list[tuple[bytes, Scan]] = []
        self._note = note
        self._batch = batch

    def take(self, update: bytes, seen: Scan, *, real: bool = False) -> bool | None:
        """Apply an update, or hold it back; return whether yrs took it, ``None`` if it waits.

        Where yrs finds out in the middle that a block's parent can have no children, it says so
        with a RuntimeError. The document is then half changed, but whole enough to go on.
        """
        if seen.gap(self.clocks):
            self._waiting.append((update, seen))
            return None
        if seen.halves(self.clocks):
            return False
        if not real:
            self._note.write(self._batch, self.given, update)
        before = self.doc.get_state()
        self.given.append(update)
        taken = True
        try:
            self.doc.apply_update(update)
        except (ValueError, RuntimeError):
            taken = False
        after = self.doc.get_state()
        self.clocks = decode_state_vector(after)
        if not real:
            self.doc.get_update(before)
            load(self.doc.get_update(), self.clocks)
            load(merge_updates(*self.given[-8:]))
            self._note.reading()
            for root in TEXTS & seen.roots:
                str(self.doc.get(root, type=Text))
        if after != before and self._waiting:
            waiting, self._waiting = self._waiting, []
            for each, scanned in waiting:
                self.take(each, scanned, real=real)
        return taken


def run_batch(seed: int, batch: int, corpus: Corpus, note: Note) -> Tally:
    """Mutate, scan, and give yrs what passes: to a fresh document and to one with a past."""
    chance = random.Random(f"{seed}:{batch}")
    tally = Tally()
    base = corpus.choose(chance)
    past: Replica | None = None
    for _ in range(BATCH):
        update = mutate(base[-1], chance, corpus)
        tally.mutations += 1
        try:
            seen = scan(update, LIMITS)
        except Malformed:
            continue
        tally.passed += 1
        fresh = Replica(note, batch)
        if past is None:
            past = Replica(note, batch)
            for each in base[:-1]:
                past.take(each, scan(each, LIMITS), real=True)
        outcomes: list[bool | None] = []
        for replica in (fresh, past):
            try:
                outcomes.append(replica.take(update, seen))
            except BaseException as error:
                _raise_if_ours(error)
                *before, last = (each.hex() for each in replica.given)
                tally.findings.append(Finding(batch, repr(error), last, before))
                past = None
        if not PILE:
            past = None
        tally.held += all(outcome is None for outcome in outcomes)
        tally.declined += False in outcomes
    return tally


def _raise_if_ours(error: BaseException) -> None:
    """Let through what yrs did not do: an interrupted run, a mistake in this file."""
    if isinstance(error, KeyboardInterrupt | SystemExit | AttributeError | NameError):
        raise error


def work(seed: int, first: int, end: int, step: int, note_path: str) -> None:
    """Run every ``step``-th batch and print a line for each: its number, then the tally."""
    corpus = Corpus()
    note = Note(note_path)
    for batch in range(first, end, step):
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        tally = run_batch(seed, batch, corpus, note)
        findings = [vars(finding) for finding in tally.findings]
        counts = [batch, tally.mutations, tally.passed, tally.held, tally.declined, findings]
        sys.stdout.write(json.dumps(counts) + "\n")
        sys.stdout.flush()


def _supervise(seed: int, first: int, end: int, step: int, note_path: str) -> Tally:
    """Keep a worker at work until every batch has been run, or has cost its process."""
    tally = Tally()
    while first < end:
        arguments = [str(each) for each in (seed, first, end, step, note_path)]
        with subprocess.Popen(
            [sys.executable, "-m", _MODULE, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        ) as worker:
            assert worker.stdout is not None
            assert worker.stderr is not None
            for line in worker.stdout:
                batch, mutations, passed, held, declined, findings = json.loads(line)
                found = [Finding(**finding) for finding in findings]
                tally.add(Tally(mutations, passed, held, declined, found))
                first = batch + step
            complaint = worker.stderr.read()
        if worker.returncode == 0:
            break
        if worker.returncode == BROKEN:
            raise RuntimeError(complaint)
        reading, batch, before, update = Note.read(note_path)
        how = f"signal {-worker.returncode}" if worker.returncode < 0 else "no end"
        what = f"{how} while {'reading' if reading else 'applying'}"
        tally.findings.append(Finding(batch, what, update.hex(), [each.hex() for each in before]))
        first = batch + step
    return tally


_MODULE: Final = "tests.protocol.mutation"


def run(seed: int, mutations: int, processes: int = 2) -> Tally:
    """Run at least so many mutations, and return what they did."""
    batches = -(-mutations // BATCH)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(processes) as pool:
        parts = [
            pool.submit(_supervise, seed, first, batches, processes, f"{folder}/{first}")
            for first in range(processes)
        ]
        for part in parts:
            tally.add(part.result())
    return tally


def main() -> None:
    """Run from the command line, as a worker or as the one who starts workers."""
    if len(sys.argv) == 6 and sys.argv[1].isdigit():
        seed, first, end, step = map(int, sys.argv[1:5])
        try:
            work(seed, first, end, step, sys.argv[5])
        except Exception:
            traceback.print_exc()
            sys.exit(BROKEN)
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutations", type=int, default=1_000_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    started = time.monotonic()
    tally = run(options.seed, options.mutations, options.processes)
    print(report(tally, time.monotonic() - started))
    for finding in tally.findings:
        print(json.dumps(vars(finding)))
    sys.exit(bool(tally.findings))


def report(tally: Tally, seconds: float) -> str:
    """Say in a line what a run has seen."""
    return (
        f"{tally.mutations} mutations: {tally.passed} passed the scan, {tally.held} of them wait, "
        f"{tally.declined} were declined; {len(tally.findings)} panics and deaths; {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
