"""Turning the content into another one keeps what stays the same."""

from hypothesis import given, settings, strategies as st
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from parvis.plugins.docs.fragment import load, read, read_tree, root, seed
from parvis.plugins.docs.rewrite import replace, rewrite
from parvis.plugins.docs.schema import Json

from .documents import block, doc, documents, goldens, marked, paragraph


def blocks(written: Doc[XmlFragment]) -> list[XmlElement]:
    """Return the blocks as Yjs knows them; equal ones are the same."""
    return [child for child in root(written).children if isinstance(child, XmlElement)]


def changed(written: Doc[XmlFragment], wanted: Json) -> int:
    """Turn a document into another one; return how many bytes that took."""
    before = written.get_state()
    replace(written, wanted)
    assert read(written).document == wanted
    return len(written.get_update(before))


@given(documents(), documents())
@settings(max_examples=60, deadline=None)
def test_any_document_becomes_any_other(first: Json, second: Json) -> None:
    written = seed(first)
    changed(written, second)
    assert changed(written, first) > 0


@given(documents())
@settings(max_examples=50, deadline=None)
def test_the_same_content_changes_nothing(document: Json) -> None:
    written = seed(document)
    state = written.get_update()
    replace(written, document)
    assert written.get_update() == state


def test_blocks_that_stay_are_the_same_blocks() -> None:
    a, b, c = paragraph("A", id="a"), paragraph("B", id="b"), paragraph("C", id="c")
    written = seed(doc(a, b, c))
    before = blocks(written)
    replace(written, doc(paragraph("new", id="n"), a, paragraph("B changed", id="b")))
    new, first, second = blocks(written)
    assert [first, second] == before[:2]
    assert new not in before


def test_a_block_moved_past_others_leaves_them_alone() -> None:
    rows = [paragraph(word, id=word) for word in ("one", "two", "three", "four")]
    written = seed(doc(*rows))
    before = blocks(written)
    replace(written, doc(rows[3], *rows[:3]))
    assert blocks(written)[1:] == before[:3]


def test_blocks_without_ids_are_known_by_what_they_hold() -> None:
    written = seed(doc(paragraph("one"), paragraph("two"), paragraph("three")))
    before = blocks(written)
    replace(
        written, doc(block("horizontalRule"), paragraph("two"), paragraph("three"), paragraph())
    )
    assert blocks(written)[1:3] == before[1:]


def test_a_word_is_changed_within_its_text() -> None:
    long = "word " * 2000
    written = seed(doc(paragraph(f"{long}old {long}", id="a")))
    (before,) = blocks(written)
    size = changed(written, doc(paragraph(f"{long}new {long}", id="a")))
    assert blocks(written) == [before]
    assert size < 100


def test_what_another_person_typed_meanwhile_stays() -> None:
    now = seed(doc(paragraph("The quick fox jumps", id="a"), paragraph("second", id="b")))
    other = load([now.get_update()])
    (first, _) = blocks(other)
    (text,) = first.children
    assert isinstance(text, XmlText)
    text.insert(len(text), " over the dog")
    replace(now, doc(paragraph("The slow fox jumps", id="a")))
    now.apply_update(other.get_update())
    assert read(now).document == doc(paragraph("The slow fox jumps over the dog", id="a"))


def test_what_is_typed_into_an_emptied_block_stays() -> None:
    now = seed(doc(paragraph("old", id="a")))
    other = load([now.get_update()])
    ((text,),) = [list(element.children) for element in blocks(other)]
    assert isinstance(text, XmlText)
    text.insert(len(text), "new")
    replace(now, doc(paragraph(id="a")))
    now.apply_update(other.get_update())
    assert read(now).document == doc(paragraph("new", id="a"))


def test_marks_change_without_the_text() -> None:
    words = "many words " * 500
    written = seed(doc(paragraph(marked(words, "bold"), "plain 😀", id="a")))
    wanted = doc(paragraph(marked(words, "italic"), "plain ", marked("😀", "bold"), id="a"))
    assert changed(written, wanted) < 200


def test_attributes_change_alone() -> None:
    written = seed(doc(block("heading", "Title", id="a", level=1, textAlign="center")))
    assert changed(written, doc(block("heading", "Title", id="a", level=2))) < 100


def test_cells_of_a_table_are_changed_in_place() -> None:
    def table(word: str) -> Json:
        cells = [block("tableCell", paragraph(w)) for w in ("one", word, "three")]
        return doc(block("table", block("tableRow", *cells), id="t"))

    assert changed(seed(table("two")), table("2")) < 100


def test_what_the_schema_does_not_know_is_brought_back_as_it_was() -> None:
    for golden in goldens("coming"):
        then = load([golden.update])
        now = load([golden.update])
        wanted = read_tree(root(then))
        replace(now, doc(paragraph("all gone")))
        rewrite(now, wanted)
        assert read_tree(root(now)) == wanted
        assert read(now).document == golden.document


# --- several people at once ---------------------------------------------------------------------


@given(documents(), st.lists(st.tuples(*[documents()] * 3), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None)
def test_three_people_who_change_anything_at_once_leave_a_valid_document(
    start: Json, rounds: list[tuple[Json, Json, Json]]
) -> None:
    people = [load([seed(start).get_update()])]
    people += [load([people[0].get_update()]) for _ in range(2)]
    for wishes in rounds:
        for person, wish in zip(people, wishes, strict=True):
            rewritten = _mixed(read(person).document, wish)
            replace(person, rewritten)
        for person in people:
            for other in people:
                person.apply_update(other.get_update(person.get_state()))
        seen = [read(person) for person in people]
        assert seen[0] == seen[1] == seen[2]
        assert seen[0].problems == []


def _mixed(mine: Json, wish: Json) -> Json:
    """Return a document with every second block of mine, and the blocks of a wish between them."""
    kept, new = mine.get("content", [])[::2], wish.get("content", [])
    content = [b for pair in zip(kept, new, strict=False) for b in pair]
    content += kept[len(new) :] + new[len(kept) :]
    return {"type": "doc", "content": content} if content else {"type": "doc"}
