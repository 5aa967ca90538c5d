import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from parvis.server.firewall.watch import (
    MOST_DIGESTS,
    SIZE,
    Suspect,
    Watch,
    digest_of,
    make_note,
    read_mark,
    read_note,
)
from parvis.storage import Address
from tests.faults.poison import NESTED_ARRAYS

ROOM = Address("acme", "plain/plan", "notes")


@pytest.fixture
def note() -> Iterator[int]:
    file = make_note()
    yield file
    os.close(file)


def test_nothing_is_noted_before_and_after_the_dangerous_step(note: int) -> None:
    watch = Watch(note)
    assert read_note(note) is None
    watch.enter("apply", ROOM, [(b"update", "session")])
    watch.leave()
    assert read_note(note) is None


def test_the_note_says_what_was_being_done(note: int) -> None:
    Watch(note).enter("apply", ROOM, [(b"one", "alice"), (b"two", "bob")])
    assert read_note(note) == Suspect(
        kind="apply",
        address=ROOM,
        updates=(b"one", b"two"),
        digests=(digest_of(b"one"), digest_of(b"two")),
        sessions=("alice", "bob"),
    )


def test_a_note_is_read_once_so_that_the_next_death_is_not_taken_for_it(note: int) -> None:
    Watch(note).enter("load", ROOM)
    assert read_note(note) == Suspect(kind="load", address=ROOM)
    assert read_note(note) is None


def test_whoever_looks_at_it_sees_which_step_a_worker_is_in(note: int) -> None:
    watch = Watch(note)
    assert read_mark(note) is None
    watch.enter("apply", ROOM, [(b"update", "session")])
    assert read_mark(note) == read_mark(note) == 1
    watch.leave()
    assert read_mark(note) is None
    watch.enter("apply", ROOM, [(b"update", "session")])
    assert read_mark(note) == 2


def test_a_new_watch_begins_without_a_note(note: int) -> None:
    Watch(note).enter("load", ROOM)
    Watch(note)
    assert read_note(note) is None


def test_a_short_note_over_a_long_one_leaves_nothing_of_it(note: int) -> None:
    watch = Watch(note)
    watch.enter("apply", ROOM, [(b"long" * 1000, "alice")])
    watch.leave()
    watch.enter("apply", ROOM, [(b"short", "bob")])
    suspect = read_note(note)
    assert suspect is not None
    assert suspect.updates == (b"short",)


def test_large_updates_are_noted_by_digest_and_sender(note: int) -> None:
    large = b"x" * SIZE
    Watch(note).enter("apply", ROOM, [(large, "alice"), (b"small", "bob")])
    assert read_note(note) == Suspect(
        kind="apply",
        address=ROOM,
        digests=(digest_of(large), digest_of(b"small")),
        sessions=("alice", "bob"),
    )


def test_a_flood_of_updates_still_fits(note: int) -> None:
    flood = [(number.to_bytes(4), f"session {number:032}") for number in range(30_000)]
    Watch(note).enter("apply", ROOM, flood)
    suspect = read_note(note)
    assert suspect is not None
    assert suspect.digests == tuple(digest_of(update) for update, _ in flood[:MOST_DIGESTS])
    assert suspect.sessions == ()


def test_the_note_survives_the_process_that_wrote_it(note: int) -> None:
    code = """if True:
        import sys
        from parvis.server.firewall.watch import Watch
        from parvis.storage import Address
        from pycrdt import Doc
        watch = Watch(int(sys.argv[1]))
        update = bytes.fromhex(sys.stdin.read())
        watch.enter("apply", Address("acme", "plain/plan", "notes"), [(update, "mallory")])
        Doc().apply_update(update)
        watch.leave()
    """
    died = subprocess.run(
        [sys.executable, "-c", code, str(note)],
        input=NESTED_ARRAYS.hex(),
        text=True,
        pass_fds=[note],
        check=False,
    )
    assert died.returncode == -signal.SIGSEGV
    suspect = read_note(note)
    assert suspect is not None
    assert (suspect.address, suspect.updates, suspect.sessions) == (
        ROOM,
        (NESTED_ARRAYS,),
        ("mallory",),
    )
