"""What a search shows of a text."""

from parvis.plugins.docs.snippets import ELLIPSIS, folded, snippet


def text(question: list[str], said: str) -> str:
    """Return a snippet with its hits in brackets."""
    return "".join(
        f"[{piece['text']}]" if piece["hit"] else piece["text"] for piece in snippet(said, question)
    )


def test_whole_words_are_hits_of_their_beginnings() -> None:
    assert text(["plan"], "Plans, a plan; explanation") == "[Plans], a [plan]; explanation"


def test_accents_and_capitals_make_no_difference() -> None:
    assert text(["ete", "CŒUR"], "L’été, au cœur") == "L’[été], au [cœur]"


def test_folding_keeps_every_letter_in_its_place() -> None:
    for said in ("Straße", "İstanbul", "ﬁn", "a\u0301b", "日本", "ΩΣ"):
        assert len(folded(said)) == len(said)


def test_a_long_text_is_cut_at_words_around_the_first_hit() -> None:
    shown = text(["needle"], "hay " * 100 + "needle" + " straw" * 100)
    assert shown.startswith(ELLIPSIS + "hay")
    assert shown.endswith("straw" + ELLIPSIS)
    assert "[needle]" in shown
    assert len(shown) < 220


def test_without_a_hit_the_beginning_is_shown() -> None:
    assert text(["x"], "Short") == "Short"
    assert text(["x"], "") == ""
    assert text(["x"], "a" * 500) == "a" * 140 + ELLIPSIS
