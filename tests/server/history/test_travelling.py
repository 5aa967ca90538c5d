"""A document as it was: the rows up to then, however they are put together."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from pycrdt import Doc, Text

from parvis.plugins import ErrorCode, Refused
from parvis.server.history import travelling
from parvis.server.history.travelling import advance, pack, state, travel, unpack
from tests.server.history.crowd import Crowd, replay, said

NOTHING: dict[str, Any] = {"log": b"", "waiting": []}
SEEDS = st.integers(0, 2**32)


def typed(*texts: str, client: int = 5) -> list[bytes]:
    """Return an update for each text, typed one behind the other."""
    doc: Doc[Any] = Doc(client_id=client)
    text: Text = doc.get("text", type=Text)
    updates: list[bytes] = []
    for each in texts:
        before = doc.get_state()
        text.insert(len(str(text).encode()), each)
        updates.append(doc.get_update(before))
    return updates


def text_of(update: bytes) -> str:
    return str(replay(update).get("text", type=Text))


@given(SEEDS, st.lists(st.integers(1, 12), max_size=6))
def test_a_state_is_the_replay_of_its_rows_from_checkpoint_to_checkpoint(
    seed: int, steps: list[int]
) -> None:
    updates = Crowd(seed).write(sum(steps)).updates
    checkpoint: dict[str, Any] = NOTHING
    at = 0
    for step in steps:
        there = travel(checkpoint, updates[at : at + step])
        at += step
        assert said(replay(there["state"])) == said(replay(*updates[:at]))
        checkpoint = {"log": there["log"], "waiting": there["waiting"]}
    assert checkpoint["waiting"] == []


@given(SEEDS, st.randoms(use_true_random=False))
def test_rows_that_came_before_what_they_build_on_are_there_in_the_end(
    seed: int, chance: Any
) -> None:
    crowd = Crowd(seed).write(25)
    rows = list(crowd.updates)
    chance.shuffle(rows)
    checkpoint = advance(advance(NOTHING, rows[:9]), rows[9:])
    assert checkpoint["waiting"] == []
    assert said(replay(state(checkpoint["log"]))) == said(replay(*crowd.updates))


def test_a_row_whose_predecessor_never_came_waits_and_is_not_lost() -> None:
    first, second, third = typed("a", "b", "c")
    gap = travel(NOTHING, [first, third])
    assert (text_of(gap["state"]), gap["waiting"]) == ("a", [third])
    closed = travel({"log": gap["log"], "waiting": gap["waiting"]}, [second])
    assert (text_of(closed["state"]), closed["waiting"]) == ("abc", [])


def test_rows_that_are_no_updates_are_passed_over() -> None:
    first, second = typed("a", "b")
    there = travel(NOTHING, [first, b"\xff\xff", b"", second])
    assert (text_of(there["state"]), there["waiting"]) == ("ab", [])


def test_blocks_that_wait_for_each_other_in_a_circle_stop_nobody() -> None:
    circle = bytes.fromhex("02" + "0105008409000161" + "0109008405000161" + "00")
    (first,) = typed("a", client=7)
    there = travel(NOTHING, [first, circle])
    assert (text_of(there["state"]), there["waiting"]) == ("a", [circle])
    (second,) = typed("b", client=8)
    after = travel({"log": there["log"], "waiting": there["waiting"]}, [second])
    assert sorted(text_of(after["state"])) == ["a", "b"]


def test_halves_of_a_character_are_replacement_characters_as_yjs_shows_them() -> None:
    # "🦊ab" at client 1, then clock 1 deleted: the second half of the fox.
    whole, cut = "010101000401047465787406f09fa68a616200", "000101010101"
    there = travel(NOTHING, [bytes.fromhex(whole)])
    assert text_of(there["state"]) == "🦊ab"
    after = travel({"log": there["log"], "waiting": []}, [bytes.fromhex(cut)])
    assert text_of(after["state"]) == "\ufffdab"


def test_a_checkpoint_is_packed_and_unpacked_as_it_is() -> None:
    checkpoint = {"log": b"\x00\x00", "waiting": [b"one", b"two"]}
    assert unpack(pack(checkpoint)) == checkpoint


def test_before_the_first_row_a_document_is_empty() -> None:
    assert replay(state(b"")).get_state() == b"\x00"


def test_a_past_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(travelling, "LARGEST", 1000)
    with pytest.raises(Refused, match="larger than") as refusal:
        advance(NOTHING, typed("x" * 2000))
    assert refusal.value.code is ErrorCode.TOO_LARGE
