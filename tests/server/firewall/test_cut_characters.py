"""Helpers' work on documents in which somebody has cut a character in half."""

from collections.abc import Sequence

import pytest

from parvis.protocol.update import STORED, scan
from parvis.server.firewall import contents, tasks
from tests.protocol.cuts import CUTS, FOX, HARMLESS, LOST, block, deletion, text

ALL = {**CUTS, **HARMLESS}


def no_step(_: int) -> None:
    """Nobody watches."""


@pytest.mark.parametrize(("updates", "shown"), ALL.values(), ids=ALL)
def test_a_merge_reads_as_yjs_shows_it(updates: Sequence[bytes], shown: str) -> None:
    merged = tasks.merge(no_step, updates)
    assert contents.to_json(no_step, merged) == {"text": shown}
    assert contents.text(no_step, merged, "text") == shown


@pytest.mark.parametrize(("updates", "shown"), ALL.values(), ids=ALL)
def test_what_is_squashed_is_whole(updates: Sequence[bytes], shown: str) -> None:
    squashed = tasks.squash(no_step, updates)
    state = scan(squashed["state"], STORED)
    assert state.is_whole(squashed["clocks"])
    assert squashed["astral"] == state.astral
    assert contents.text(no_step, squashed["state"], "text") == shown


@pytest.mark.parametrize(("updates", "shown"), ALL.values(), ids=ALL)
def test_no_row_of_it_is_found_to_be_poison(updates: Sequence[bytes], shown: str) -> None:
    assert tasks.vet(no_step, updates) == []
    *base, candidate = updates
    tasks.trial(no_step, base, candidate)


def test_a_trial_gets_through_letters_of_any_size() -> None:
    rows = [text("xäy"), block(2, 0, f"{FOX}日ä", 1, 2), deletion((0, 1))]
    tasks.trial(no_step, rows[:-1], rows[-1])


def test_a_shadow_takes_what_cuts_its_document() -> None:
    shadow = tasks.Shadowed()
    shadow.open(no_step, [text(FOX + "ab")])
    for update in (deletion((1, 2)), block(2, 0, f"x{FOX}", 3, None), block(3, 0, "y", 3, None)):
        shadow.apply(no_step, update)
    shadow.open(no_step, [text("ab")])
    shadow.apply(no_step, block(2, 0, FOX, 1, None))
    shadow.apply(no_step, block(3, 0, "y", 1, None))


@pytest.mark.parametrize("cut", [block(2, 0, "X", 0, 1), deletion((1, 2)), deletion((1, 3))])
def test_an_edit_that_cuts_can_be_taken_back_as_far_as_yjs_can(cut: bytes) -> None:
    base = [text(FOX + "ab")]
    inverse = tasks.invert(no_step, base, cut)
    after = tasks.merge(no_step, [*base, cut, inverse])
    assert contents.text(no_step, after, "text") == f"{LOST}{LOST}ab"
