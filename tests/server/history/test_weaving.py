"""Weaves put blocks where Yjs puts them."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from pycrdt import Doc, Text

from parvis.protocol import Malformed
from parvis.protocol.update import STORED, STRING, scan
from parvis.server.history.travelling import advance
from parvis.server.history.weaving import Shared, Weave, alive
from tests.server.history.crowd import Crowd, replay

NOTHING: dict[str, Any] = {"log": b"", "waiting": []}
SEEDS = st.integers(0, 2**32)


def log_of(updates: list[bytes]) -> bytes:
    log = advance(NOTHING, updates)["log"]
    assert isinstance(log, bytes)
    return log


def letters(shared: Shared | None, visible: set[Any] | None = None) -> str:
    if shared is None:
        return ""
    return "".join(
        str(item.content)
        for item in shared.items
        if item.kind == STRING and (not item.deleted if visible is None else item in visible)
    )


@given(SEEDS)
def test_letters_stand_in_the_order_in_which_people_read_them(seed: int) -> None:
    crowd = Crowd(seed).write(60)
    weave = Weave(log_of(crowd.updates))
    assert letters(weave.roots.get("text")) == str(replay(*crowd.updates).get("text", type=Text))


@given(SEEDS, st.integers(0, 40))
def test_an_earlier_state_is_seen_among_the_blocks_of_the_later_one(seed: int, at: int) -> None:
    crowd = Crowd(seed).write(40)
    weave, then = Weave(log_of(crowd.updates)), scan(log_of(crowd.updates[:at]), STORED)
    visible = alive(weave, then.max_clocks, then.delete_set)
    was = str(replay(*crowd.updates[:at]).get("text", type=Text))
    assert letters(weave.roots.get("text"), visible) == was


def test_many_who_insert_at_one_place_stand_in_the_order_of_their_ids() -> None:
    docs: list[Doc[Any]] = [Doc(client_id=client) for client in (30, 10, 20)]
    for doc in docs:
        doc.get("text", type=Text).insert(0, f"<{doc.client_id}>")
    weave = Weave(log_of([doc.get_update() for doc in docs]))
    assert letters(weave.roots["text"]) == "<10><20><30>"


def test_blocks_that_wait_for_what_is_not_there_are_no_weave() -> None:
    # Client 5, clock 0: "a" behind clock 3 of client 9, of whom there is nothing.
    with pytest.raises(Malformed, match="no block"):
        Weave(bytes.fromhex("010105008409030161" + "00"))


def test_blocks_that_wait_for_each_other_are_no_weave() -> None:
    circle = "02" + "0105008409000161" + "0109008405000161" + "00"
    with pytest.raises(Malformed, match="no block"):
        Weave(bytes.fromhex(circle))
