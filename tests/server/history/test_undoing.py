"""Going back by one more update: to what was, or on one author's work only."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from pycrdt import Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.protocol.update import STORED, scan
from parvis.server.history.travelling import advance, state, travel
from parvis.server.history.undoing import restore, rollback
from parvis.server.history.weaving import Weave
from tests.server.history.crowd import DEEDS, Crowd, Writer, replay, said
from tests.server.history.test_blaming import Rows, index_of, typing
from tests.server.history.test_weaving import letters, log_of

NOTHING: dict[str, Any] = {"log": b"", "waiting": []}
SEEDS = st.integers(0, 2**32)
ME = 4_000_000_000


def restored(updates: list[bytes], at: int) -> dict[str, Any]:
    now, then = advance(NOTHING, updates), advance(NOTHING, updates[:at])
    return restore(now, [state(now["log"])], then["log"], ME)


def rolled_back(rows: Rows, author: str, first: int, last: int) -> dict[str, Any]:
    updates = [update for _, update in rows]
    period = [list(row) for row in rows[first - 1 : last]]
    before = log_of(updates[: first - 1])
    now = advance(NOTHING, updates)
    return rollback(now, [], before, period, author, index_of(rows), [], ME)


@given(SEEDS, st.data())
def test_everybody_who_is_connected_has_the_old_content(seed: int, data: st.DataObject) -> None:
    crowd = Crowd(seed).write(50)
    at = data.draw(st.integers(0, 50))
    back = restored(crowd.updates, at)["update"]
    scan(back)  # as every client's update is looked through
    was = said(replay(*crowd.updates[:at]))
    for writer in crowd.writers:  # who have forgotten what was deleted
        crowd.catch_up(writer)
        writer.hear(back)
        assert said(writer.doc) == was


@given(SEEDS, st.data())
def test_going_back_can_be_gone_back_on(seed: int, data: st.DataObject) -> None:
    crowd = Crowd(seed).write(40)
    at = data.draw(st.integers(0, 40))
    updates = [*crowd.updates, restored(crowd.updates, at)["update"]]
    assert said(replay(*updates, restored(updates, 40)["update"])) == said(replay(*crowd.updates))


@given(SEEDS)
def test_what_others_write_meanwhile_stays(seed: int) -> None:
    crowd = Crowd(seed).write(30)
    back = restored(crowd.updates, 15)["update"]
    crowd.write(45)
    one = replay(*crowd.updates, back)
    other = replay(*crowd.updates[:30], back, *crowd.updates[30:])
    assert said(one) == said(other)


def test_going_back_to_now_changes_nothing() -> None:
    updates = Crowd(7).write(30).updates
    assert restored(updates, 30)["update"] == b"\x00\x00"


def test_what_stays_keeps_its_identity() -> None:
    ada = Writer("ada", 1)
    text: Text = ada.doc.get("text", type=Text)
    text.insert(0, "keep this, not that")
    del text[9:]
    text.insert(9, "!")
    back = restored(ada.made, 1)
    assert (back["restored"], back["removed"]) == (10, 1)


def test_work_that_is_not_durable_yet_is_undone_too() -> None:
    ada = Writer("ada", 1)
    text: Text = ada.doc.get("text", type=Text)
    text.insert(0, "old")
    text.insert(3, " new")
    log = advance(NOTHING, ada.made[:1])
    back = restore(log, [ada.doc.get_update()], log["log"], ME)
    ada.hear(back["update"])
    assert str(text) == "old"


def test_an_id_that_is_taken_is_not_written_under() -> None:
    name, update = typing("ada", ME, b"", 0, "one")
    more = typing(name, ME, update, 3, " two")[1]
    gone = Writer("bob", 2)
    for each in (update, more):
        gone.hear(each)
    del gone.doc.get("text", type=Text)[0:3]
    back = restored([update, more, *gone.made], 2)["update"]
    assert list(scan(back).structs) == [ME + 1]


def test_content_that_nobody_has_kept_is_reported() -> None:
    # Ada's letters came deleted: clocks 0 to 3 of client 5, of which the server never saw a text.
    gone = bytes.fromhex("01010500" + "0101" + "0474657874" + "03" + "01" + "05" + "01" + "0003")
    now = advance(NOTHING, [gone])
    then = bytes.fromhex("01010500" + "0101" + "0474657874" + "03" + "00")
    back = restore(now, [], then, ME)
    assert (back["left"]["lost"], back["update"]) == (3, b"\x00\x00")


# --- one author's work ---------------------------------------------------------------------------


@given(SEEDS, st.data())
def test_a_rollback_never_touches_other_authors_text(seed: int, data: st.DataObject) -> None:
    crowd = Crowd(seed).write(50)
    first = data.draw(st.integers(1, 50))
    last = data.draw(st.integers(first, 50))
    back = rolled_back(crowd.rows, "ada", first, last)["update"]
    ada = crowd.writers[0].doc.client_id
    seen = scan(back)
    assert set(seen.deletes) <= {ada}
    before, after = Weave(log_of(crowd.updates)), Weave(log_of([*crowd.updates, back]))
    for client in (writer.doc.client_id for writer in crowd.writers[1:]):
        assert _visible(after, client) == _visible(before, client)


def _visible(weave: Weave, client: int) -> list[tuple[int, int]]:
    clocks = [
        (item.clock + at, item.kind)
        for item in weave.items()
        if item.client == client and not item.deleted
        for at in range(item.length)
    ]
    return sorted(clocks)


@given(SEEDS)
def test_all_of_the_only_authors_work_rolled_back_leaves_nothing(seed: int) -> None:
    crowd = Crowd(seed).write(30)
    rows = [("ada", update) for update in crowd.updates]
    index = index_of(rows)
    bound = [[writer.doc.client_id, "ada"] for writer in crowd.writers]
    now = advance(NOTHING, crowd.updates)
    period = [list(row) for row in rows]
    back = rollback(now, [], b"", period, "ada", index, bound, ME)
    assert said(replay(*crowd.updates, back["update"])) == said(replay())


@given(SEEDS, st.integers(1, 40))
def test_the_last_authors_work_rolled_back_is_what_was_before(seed: int, at: int) -> None:
    crowd = Crowd(seed).write(at)
    last = Crowd(seed + 1)
    writer = Writer("dan", 77)
    for update in crowd.updates:
        writer.hear(update)
    for _ in range(15):
        last.random.choice(DEEDS)(last.random, writer.doc)
    rows = [*crowd.rows, *(("dan", update) for update in writer.made)]
    if len(rows) == at:
        return
    back = rolled_back(rows, "dan", at + 1, len(rows))
    assert said(replay(*(u for _, u in rows), back["update"])) == said(replay(*crowd.updates))


def test_letters_go_and_those_that_were_deleted_come_back_where_they_stood() -> None:
    ada = typing("ada", 1, b"", 0, "hello world")
    bob = Writer("bob", 2)
    bob.hear(ada[1])
    text: Text = bob.doc.get("text", type=Text)
    del text[0:6]
    text.insert(0, "bye ")
    cy = typing("cy", 3, bob.doc.get_update(), 9, "!")
    rows = [ada, *(("bob", update) for update in bob.made), cy]
    back = rolled_back(rows, "bob", 1, len(rows))
    assert (back["restored"], back["removed"]) == (6, 4)
    everything = log_of([*(update for _, update in rows), back["update"]])
    assert letters(Weave(everything).roots["text"]) == "hello world!"


def test_an_element_that_others_have_filled_stays_and_is_reported() -> None:
    ada, bob = Writer("ada", 1), Writer("bob", 2)
    with ada.doc.transaction():
        block = XmlElement("p")
        ada.doc.get("xml", type=XmlFragment).children.append(block)
        block.children.append(XmlText("ada's "))
    bob.hear(ada.made[0])
    paragraph: Any = bob.doc.get("xml", type=XmlFragment).children[0]
    paragraph.children[0].insert(6, "bob's")
    rows = [("ada", ada.made[0]), ("bob", bob.made[0])]
    back = rolled_back(rows, "ada", 1, 2)
    assert back["left"]["lived_in"] == 2  # the element, and the text in it
    assert "bob's" in str(
        replay(*(u for _, u in rows), back["update"]).get("xml", type=XmlFragment)
    )
    assert "ada's" not in str(
        replay(*(u for _, u in rows), back["update"]).get("xml", type=XmlFragment)
    )


def test_a_value_that_somebody_has_set_anew_stays_and_the_older_one_is_reported() -> None:
    first, second, third = Writer("cy", 1), Writer("ada", 2), Writer("bob", 3)
    first.doc.get("map", type=Map)["x"] = "first"
    second.hear(first.made[0])
    second.doc.get("map", type=Map)["x"] = "second"
    for update in (first.made[0], second.made[0]):
        third.hear(update)
    third.doc.get("map", type=Map)["x"] = "third"
    rows = [("cy", first.made[0]), ("ada", second.made[0]), ("bob", third.made[0])]
    back = rolled_back(rows, "ada", 1, 3)
    assert back["left"]["overtaken"] == 1
    doc: Doc[Any] = replay(*(update for _, update in rows), back["update"])
    assert doc.get("map", type=Map).to_py() == {"x": "third"}


def test_a_value_comes_back_when_the_one_that_followed_is_taken_back() -> None:
    first, second = Writer("cy", 1), Writer("ada", 2)
    first.doc.get("map", type=Map)["x"] = "first"
    second.hear(first.made[0])
    second.doc.get("map", type=Map)["x"] = "second"
    rows = [("cy", first.made[0]), ("ada", second.made[0])]
    doc = replay(*(u for _, u in rows), rolled_back(rows, "ada", 2, 2)["update"])
    assert doc.get("map", type=Map).to_py() == {"x": "first"}


def test_what_stood_in_something_that_is_gone_does_not_come_back_and_is_reported() -> None:
    ada, bob, cy = Writer("ada", 1), Writer("bob", 2), Writer("cy", 3)
    with ada.doc.transaction():
        block = XmlElement("p")
        ada.doc.get("xml", type=XmlFragment).children.append(block)
        block.children.append(XmlText("words"))
    bob.hear(ada.made[0])
    paragraph: Any = bob.doc.get("xml", type=XmlFragment).children[0]
    del paragraph.children[0][0:5]
    for update in (ada.made[0], bob.made[0]):
        cy.hear(update)
    del cy.doc.get("xml", type=XmlFragment).children[0]
    rows = [("ada", ada.made[0]), ("bob", bob.made[0]), ("cy", cy.made[0])]
    back = rolled_back(rows, "bob", 1, 3)
    assert (back["left"]["homeless"], back["update"]) == (5, b"\x00\x00")


def test_what_an_author_only_handed_on_is_not_taken_back() -> None:
    ada, bob = typing("ada", 1, b"", 0, "mine"), typing("bob", 2, b"", 0, "theirs")
    rows = [("cy", replay(ada[1], bob[1]).get_update())]
    back = rolled_back(rows, "cy", 1, 1)
    assert (back["left"]["relayed"], back["update"]) == (10, b"\x00\x00")


def test_the_period_bounds_what_is_taken_back() -> None:
    ada = Writer("ada", 1)
    text: Text = ada.doc.get("text", type=Text)
    for word in ("one ", "two ", "three"):
        text.insert(len(str(text)), word)
    rows = [("ada", update) for update in ada.made]
    doc = replay(*ada.made, rolled_back(rows, "ada", 2, 2)["update"])
    assert str(doc.get("text", type=Text)) == "one three"


@pytest.mark.parametrize("at", [0, 20, 40])
def test_a_change_fits_what_the_node_takes_from_anybody(at: int) -> None:
    updates = Crowd(3).write(40).updates
    back = restored(updates, at)["update"]
    there = travel(advance(NOTHING, updates), [back])
    assert there["waiting"] == []
    assert scan(there["log"], STORED).max_clocks.get(ME, 0) >= 0
