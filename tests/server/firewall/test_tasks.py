"""What the tasks compute, run in this process: the inputs here are harmless."""

from typing import Any

import pytest
from pycrdt import Array, Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.protocol.yjs import decode_state_vector
from parvis.server.firewall import contents, tasks
from parvis.server.firewall.tasks import BLANK


def no_step(step: int) -> None:
    pass


def letters(text: str, client: int = 5) -> list[bytes]:
    """One update for each letter typed."""
    doc: Doc[Any] = Doc(client_id=client)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    content: Text = doc.get("text", type=Text)
    for letter in text:
        content += letter
    doc.unobserve(subscription)
    return updates


def document() -> Doc[Any]:
    doc: Doc[Any] = Doc(client_id=1)
    title: Text = doc.get("title", type=Text)
    title += "Grüße 🙂"
    title.format(0, 5, {"bold": True})
    cells: Map[Any] = doc.get("cells", type=Map)
    cells["A1"] = 3
    cells["B2"] = Array([1.5, "two", {"three": [None, True]}])
    steps: Array[Any] = doc.get("steps", type=Array)
    steps += ["a", "b", Text("inner")]
    page: XmlFragment = doc.get("page", type=XmlFragment)
    paragraph = page.children.append(XmlElement("p", {"class": "big"}))
    paragraph.children.append(XmlText("first"))
    return doc


def test_merging_keeps_every_update_even_those_that_wait() -> None:
    first, lost, last = letters("abc")
    merged = tasks.merge(no_step, [first, last])
    doc: Doc[Any] = Doc()
    doc.apply_update(merged)
    assert str(doc.get("text", type=Text)) == "a"
    doc.apply_update(lost)
    assert str(doc.get("text", type=Text)) == "abc"


def test_merging_thousands_is_the_same_as_applying_them() -> None:
    text = "the quick brown fox " * 150
    doc: Doc[Any] = Doc()
    doc.apply_update(tasks.merge(no_step, letters(text)))
    assert str(doc.get("text", type=Text)) == text


def test_merging_nothing_gives_the_update_that_changes_nothing() -> None:
    assert tasks.merge(no_step, []) == BLANK
    assert tasks.merge(no_step, [b"", b""]) == BLANK


def test_squashing_makes_a_small_state_of_many_updates() -> None:
    updates = letters("hello" * 100)
    squashed = tasks.squash(no_step, updates)
    doc: Doc[Any] = Doc()
    doc.apply_update(squashed["state"])
    assert str(doc.get("text", type=Text)) == "hello" * 100
    assert squashed["waiting"] == []
    assert squashed["clocks"] == decode_state_vector(doc.get_state())
    assert len(squashed["state"]) < sum(map(len, updates)) / 10


def test_squashing_with_a_gap_loses_nothing() -> None:
    first, missing, last = letters("abc")
    squashed = tasks.squash(no_step, [first, last])
    assert squashed["waiting"] == [1]
    again = tasks.squash(no_step, [squashed["state"], last, missing])
    assert again["waiting"] == []
    doc: Doc[Any] = Doc()
    doc.apply_update(again["state"])
    assert str(doc.get("text", type=Text)) == "abc"


def test_squashing_a_deletion_whose_target_is_missing_loses_nothing() -> None:
    doc: Doc[Any] = Doc(client_id=5)
    updates: list[bytes] = []
    subscription = doc.observe(lambda event: updates.append(event.update))
    content: Text = doc.get("text", type=Text)
    content += "a"
    content += "b"
    del content[1]
    doc.unobserve(subscription)
    first, missing, deletion = updates
    squashed = tasks.squash(no_step, [first, deletion])
    assert squashed["waiting"] == [1]
    again = tasks.squash(no_step, [squashed["state"], deletion, missing])
    later: Doc[Any] = Doc()
    later.apply_update(again["state"])
    assert str(later.get("text", type=Text)) == "a"


def test_squashing_rows_that_are_no_updates_names_them() -> None:
    first, second = letters("ab")
    squashed = tasks.squash(no_step, [first, b"\xff", second])
    assert squashed["unreadable"] == [1]


def test_roots_are_told_by_their_contents() -> None:
    assert contents.roots(no_step, document().get_update()) == {
        "cells": "map",
        "page": "xml",
        "steps": "array",
        "title": "text",
    }


def test_a_document_as_json() -> None:
    assert contents.to_json(no_step, document().get_update()) == {
        "cells": {"A1": 3, "B2": [1.5, "two", {"three": [None, True]}]},
        "page": '<p class="big">first</p>',
        "steps": ["a", "b", "inner"],
        "title": "Grüße 🙂",
    }


def test_who_knows_better_what_a_root_is_may_say_so() -> None:
    update = letters("ab")[-1:]
    state = tasks.merge(no_step, letters("ab"))
    assert contents.to_json(no_step, state, {"text": "array"}) == {"text": ["a", "b"]}
    assert contents.to_json(no_step, update[0]) == {}


@pytest.mark.parametrize(
    ("root", "text"),
    [
        ("title", "Grüße 🙂"),
        ("page", "first"),
        ("steps", "a\nb\ninner"),
        ("cells", "two"),
        ("absent", ""),
    ],
)
def test_the_text_of_a_root(root: str, text: str) -> None:
    assert contents.text(no_step, document().get_update(), root) == text


def test_a_trial_of_honest_work_passes() -> None:
    updates = letters("abc")
    tasks.trial(no_step, updates[:2], updates[2])


def test_vetting_names_rows_that_raise_and_passes_over_empty_ones() -> None:
    first, second, third = letters("abc")
    assert tasks.vet(no_step, [first, b"", b"\xff\xff", second, third]) == [2]
