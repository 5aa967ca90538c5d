"""Blame: every letter has its author, and nobody is credited with what they only handed on."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pycrdt import Doc, Map, Text, XmlElement, XmlFragment, XmlText

from parvis.plugins import ErrorCode, Refused
from parvis.server.history import authorship, blaming
from parvis.server.history.authorship import Index, Seen
from parvis.server.history.blaming import blame
from tests.server.history.crowd import Crowd, Writer, blank, replay
from tests.server.history.test_weaving import log_of

SEEDS = st.integers(0, 2**32)
Rows = Sequence[tuple[str, bytes]]


def index_of(rows: Rows, *, apart: float = 1.0) -> bytes:
    numbered = enumerate(rows, 1)
    return authorship.index(b"", [[n, update, who, n * apart] for n, (who, update) in numbered])


def blamed(
    rows: Rows,
    *,
    bound: Sequence[tuple[int, str]] = (),
    root: str | None = None,
    pause: float = 300,
    apart: float = 1.0,
) -> list[dict[str, Any]]:
    log = log_of([update for _, update in rows])
    return blame(log, index_of(rows, apart=apart), bound, root, len(rows), pause)


def runs(types: list[dict[str, Any]], *path: str | int) -> list[tuple[int, int, str, bool]]:
    """Return what is said about one shared type, in short."""
    (found,) = [each["runs"] for each in types if each["path"] == list(path)]
    return [(run["from"], run["to"], run["author"], run["relayed"]) for run in found]


def typing(name: str, client: int, heard: bytes, at: int, text: str) -> tuple[str, bytes]:
    doc: Doc[Any] = Doc(client_id=client)
    if heard:
        doc.apply_update(heard)
    before = doc.get_state()
    doc.get("text", type=Text).insert(at, text)
    return name, doc.get_update(before)


@given(SEEDS, st.sampled_from([0.0, 300.0]))
def test_the_runs_cover_each_text_without_a_hole_or_an_overlap(seed: int, pause: float) -> None:
    crowd = Crowd(seed).write(50)
    text = str(replay(*crowd.updates).get("text", type=Text))
    found = [each for each in blamed(crowd.rows, pause=pause) if each["path"] == ["text"]]
    ends = [0, *(run["to"] for each in found for run in each["runs"] if "to" in run)]
    starts = [run["from"] for each in found for run in each["runs"] if "from" in run]
    assert starts == ends[:-1]
    assert ends[-1] == len(text.encode("utf-16-le")) // 2
    assert not any(run["relayed"] for each in found for run in each["runs"])


@given(SEEDS)
def test_each_letter_is_its_writers(seed: int) -> None:
    crowd = Crowd(seed).write(50)
    clients = {writer.doc.client_id: writer.name for writer in crowd.writers}
    index = Index.read(index_of(crowd.rows))
    for client, name in clients.items():
        for start, end, _, *_ in [tuple(each) for each in index.brought.get(client, [])]:
            for _, _, credit in index.credits(client, start, end, {}, len(crowd.rows)):
                assert (credit.author, credit.relayed) == (name, False)
                assert crowd.rows[credit.first - 1][0] == name


def test_the_parts_of_a_text_are_told_apart() -> None:
    ada = typing("ada", 1, b"", 0, "hello world")
    bob = typing("bob", 2, ada[1], 5, " brave")
    assert runs(blamed([ada, bob]), "text") == [
        (0, 5, "ada", False),
        (5, 11, "bob", False),
        (11, 17, "ada", False),
    ]


def test_what_somebody_hands_on_for_others_is_relayed() -> None:
    ada = typing("ada", 1, b"", 0, "mine")
    bob = typing("bob", 2, ada[1], 0, "theirs ")
    both = replay(ada[1], bob[1]).get_update()
    # Cy was the only one to whom both had sent their work.
    assert runs(blamed([("cy", both)]), "text") == [(0, 11, "cy", True)]
    # The server knew by cy's session which client was cy's own.
    assert runs(blamed([("cy", both)], bound=[(2, "cy")]), "text") == [
        (0, 7, "cy", False),
        (7, 11, "cy", True),
    ]


def test_nobody_can_write_under_somebody_elses_client_id_and_put_the_blame_on_them() -> None:
    ada = typing("ada", 1, b"", 0, "fine ")
    forged = typing("mallory", 1, ada[1], 5, "words")
    assert runs(blamed([ada, forged]), "text") == [(0, 5, "ada", False), (5, 10, "mallory", True)]


def test_who_hands_something_on_once_more_gets_no_part_of_it() -> None:
    ada = typing("ada", 1, b"", 0, "mine")
    assert runs(blamed([ada, ("bob", ada[1])]), "text") == [(0, 4, "ada", False)]


def test_a_long_pause_begins_a_new_run() -> None:
    ada = typing("ada", 1, b"", 0, "one ")
    more = typing("ada", 1, ada[1], 4, "two")
    found = blamed([ada, more], apart=1000.0)
    assert runs(found, "text") == [(0, 4, "ada", False), (4, 7, "ada", False)]
    assert [(run["first"], run["start"]) for run in found[0]["runs"]] == [(1, 1000.0), (2, 2000.0)]
    assert runs(blamed([ada, more], apart=1000.0, pause=5000), "text") == [(0, 7, "ada", False)]


def test_elements_attributes_and_their_texts_are_found_by_their_paths() -> None:
    ada = Writer("ada", 1)

    with ada.doc.transaction():
        block = XmlElement("p", {"id": "b1"})
        ada.doc.get("xml", type=XmlFragment).children.append(block)
        block.children.append(XmlText("hi"))
    types = blamed([("ada", update) for update in ada.made])
    assert [(each["path"], each["kind"]) for each in types] == [
        (["xml"], "root"),
        (["xml", 0], "element"),
        (["xml", 0, 0], "text"),
    ]
    element = types[1]["runs"]
    assert [(run.get("from"), run.get("key"), run["author"]) for run in element] == [
        (0, None, "ada"),
        (None, "id", "ada"),
    ]


def test_one_root_may_be_asked_for_alone() -> None:
    ada = Writer("ada", 1)
    ada.doc.get("text", type=Text).insert(0, "a")
    ada.doc.get("map", type=Map)["x"] = 1
    rows = [("ada", update) for update in ada.made]
    assert [each["path"] for each in blamed(rows)] == [["map"], ["text"]]
    assert [each["path"] for each in blamed(rows, root="map")] == [["map"]]
    assert blamed(rows, root="nothing") == []


def test_an_answer_with_too_many_runs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blaming, "MOST", 1)
    ada = typing("ada", 1, b"", 0, "hello")
    bob = typing("bob", 2, ada[1], 2, "X")
    with pytest.raises(Refused, match="one root") as refusal:
        blamed([ada, bob])
    assert refusal.value.code is ErrorCode.TOO_LARGE


@given(SEEDS, st.integers(1, 30))
def test_rows_that_are_read_bit_by_bit_make_the_same_index(seed: int, step: int) -> None:
    rows = [[n, u, who, n * 1.0] for n, (who, u) in enumerate(Crowd(seed).write(60).rows, 1)]
    packed = b""
    for at in range(0, len(rows), step):
        packed = authorship.index(packed, rows[at : at + step])
    one, other = Index.read(packed), Index.read(authorship.index(b"", rows))
    assert one.owners == other.owners
    assert {c: [(e[0], e[1]) for e in _joined(each)] for c, each in one.brought.items()} == {
        c: [(e[0], e[1]) for e in _joined(each)] for c, each in other.brought.items()
    }


def _joined(ranges: list[list[Any]]) -> list[list[Any]]:
    joined: list[list[Any]] = []
    for each in ranges:
        if joined and (joined[-1][1], joined[-1][2]) == (each[0], each[2]):
            joined[-1][1] = each[1]
        else:
            joined.append(each[:3])
    return joined


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=20))
def test_what_was_seen_before_is_not_new(ranges: list[tuple[int, int]]) -> None:
    seen, known = Seen(), set[int]()
    for start, length in ranges:
        clocks = set(range(start, start + length))
        new = {c for a, b in seen.add(1, start, start + length) for c in range(a, b)}
        assert new == clocks - known
        known |= clocks


def test_a_document_of_nobody_has_nothing_to_blame() -> None:
    assert blamed([]) == []
    assert blank().get_state() == b"\x00"
