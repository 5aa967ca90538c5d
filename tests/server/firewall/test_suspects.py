import dataclasses
from pathlib import Path

import pytest

from parvis.server.firewall.suspects import FILE, FORGET, MOST, Suspects
from parvis.server.firewall.watch import Suspect, digest_of
from parvis.storage import Address

ROOM = Address("acme", "plain/plan", "notes")
NOON = 1_795_176_000.0


def death_over(*updates: bytes, time: float = NOON) -> Suspect:
    return Suspect(
        kind="apply",
        address=ROOM,
        updates=updates,
        digests=tuple(map(digest_of, updates)),
        sessions=tuple(f"session {at}" for at in range(len(updates))),
        time=time,
        cause="SIGSEGV",
    )


def test_deaths_are_remembered_by_the_next_supervisor(tmp_path: Path) -> None:
    loading = Suspect(kind="load", address=ROOM, time=NOON, cause="SIGABRT")
    suspects = Suspects(tmp_path, NOON)
    suspects.add(death_over(b"one", b"two"), NOON)
    suspects.add(loading, NOON)
    assert Suspects(tmp_path, NOON).kept == (death_over(b"one", b"two"), loading)


def test_a_settled_update_is_dropped_but_its_death_still_counts(tmp_path: Path) -> None:
    suspects = Suspects(tmp_path, NOON)
    suspects.add(death_over(b"one", b"two"), NOON)
    suspects.settle([digest_of(b"one")])
    (left,) = Suspects(tmp_path, NOON).kept
    assert (left.updates, left.sessions) == ((b"two",), ("session 1",))
    suspects.settle([digest_of(b"two")])
    (left,) = Suspects(tmp_path, NOON).kept
    assert left == dataclasses.replace(death_over(b"one"), updates=(), digests=(), sessions=())


def test_deaths_are_forgotten_after_a_day(tmp_path: Path) -> None:
    suspects = Suspects(tmp_path, NOON)
    suspects.add(death_over(b"old"), NOON)
    assert Suspects(tmp_path, NOON + FORGET).kept == ()
    newer = death_over(b"new", time=NOON + FORGET)
    suspects.add(newer, NOON + FORGET)
    assert suspects.kept == (newer,)


def test_only_the_newest_deaths_are_kept(tmp_path: Path) -> None:
    suspects = Suspects(tmp_path, NOON)
    for number in range(MOST + 5):
        suspects.add(death_over(str(number).encode()), NOON)
    assert [each.updates[0] for each in suspects.kept] == [
        str(number).encode() for number in range(5, MOST + 5)
    ]


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x91\x01", b"\x91\x92\xa5apply\x01", b"\x00"])
def test_a_spoilt_file_does_not_keep_the_node_from_starting(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert Suspects(tmp_path, NOON).kept == ()


def test_others_cannot_read_what_people_typed(tmp_path: Path) -> None:
    Suspects(tmp_path, NOON).add(death_over(b"private"), NOON)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
