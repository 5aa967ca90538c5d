"""Turns the content of a document into another one with few changes, as a revert does.

Blocks that stay keep their Yjs identity, so that cursors, comments and the edits of people who are
away stay in them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from re import findall
from typing import Any

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from .fragment import from_json, insert, read_text, read_tree, root
from .schema import Json, check
from .tree import Element, Part, Run, Text

_FINE = 4_000_000  # pairs of words up to which a text is compared word by word


def replace(doc: Doc[Any], document: Json) -> None:
    """Make a document of this content out of the present one.

    Raises:
        Invalid: If it does not fit the schema; nothing was changed.
    """
    rewrite(doc, from_json(check(document)))


def rewrite(doc: Doc[Any], wanted: Sequence[Part]) -> None:
    """Make a document of these parts out of the present ones; the schema is not asked."""
    with doc.transaction():
        fragment = root(doc)
        _rewrite_children(fragment, read_tree(fragment), wanted)


def _rewrite_children(
    parent: XmlFragment | XmlElement, now: Sequence[Part], wanted: Sequence[Part]
) -> None:
    if isinstance(parent, XmlElement) and len(now) == 1 and _same_kind(now[0], Text([])):
        # An emptied block keeps its text, for what others are typing into it.
        wanted = wanted or [Text([])]
    at = old = new = 0
    for kept_old, kept_new in [*_align(now, wanted), (len(now), len(wanted))]:
        if kept_old > old:
            del parent.children[at : at + kept_old - old]
        insert(parent, at, wanted[new:kept_new])
        at += kept_new - new
        if kept_old < len(now):
            if now[kept_old] != wanted[kept_new]:
                _rewrite_part(parent.children[at], now[kept_old], wanted[kept_new])
            at += 1
        old, new = kept_old + 1, kept_new + 1


def _rewrite_part(live: object, now: Part, wanted: Part) -> None:
    if isinstance(live, XmlText) and isinstance(now, Text) and isinstance(wanted, Text):
        _rewrite_text(live, now, wanted)
    elif isinstance(live, XmlElement) and isinstance(now, Element) and isinstance(wanted, Element):
        for name in now.attributes.keys() - wanted.attributes:
            del live.attributes[name]
        for name, value in wanted.attributes.items():
            if now.attributes.get(name) != value:
                live.attributes[name] = value
        _rewrite_children(live, now.children, wanted.children)


# --- which part becomes which --------------------------------------------------------------------


def _align(now: Sequence[Part], wanted: Sequence[Part]) -> list[tuple[int, int]]:
    """Return pairs of places that are the same part, rising in both."""
    start, end = 0, 0
    shorter = min(len(now), len(wanted))
    while start < shorter and now[start] == wanted[start]:
        start += 1
    while end < shorter - start and now[-1 - end] == wanted[-1 - end]:
        end += 1
    pairs = [(at, at) for at in range(start)]
    old, new = start, start
    anchors = _anchors(now[start : len(now) - end], wanted[start : len(wanted) - end])
    last = (len(now) - end, len(wanted) - end)
    for a, b in [*((a + start, b + start) for a, b in anchors), last]:
        pairs.extend(_similar(now, wanted, range(old, a), range(new, b)))
        if (a, b) != last:
            pairs.append((a, b))
        old, new = a + 1, b + 1
    pairs.extend((last[0] + at, last[1] + at) for at in range(end))
    return pairs


def _anchors(now: Sequence[Part], wanted: Sequence[Part]) -> list[tuple[int, int]]:
    """Return the longest rising row of parts with the same id, or the same content if without."""
    places = {key: place for place, key in enumerate(_keys(wanted))}
    pairs = [(old, places[key]) for old, key in enumerate(_keys(now)) if key in places]
    # Patience: the piles' tops rise, and each pair remembers the top to its left.
    tops: list[int] = []
    top_pairs: list[int] = []
    before: list[int | None] = []
    for index, (_, new) in enumerate(pairs):
        pile = bisect_left(tops, new)
        before.append(top_pairs[pile - 1] if pile else None)
        tops[pile : pile + 1] = [new]
        top_pairs[pile : pile + 1] = [index]
    row: list[tuple[int, int]] = []
    at: int | None = top_pairs[-1] if top_pairs else None
    while at is not None:
        row.append(pairs[at])
        at = before[at]
    return row[::-1]


def _keys(parts: Sequence[Part]) -> Iterator[tuple[object, int]]:
    count: Counter[object] = Counter()
    for part in parts:
        key = (part.tag, _id(part)) if isinstance(part, Element) and _id(part) else repr(part)
        count[key] += 1
        yield key, count[key]


def _id(part: Part) -> object:
    return part.attributes.get("id") if isinstance(part, Element) else None


def _similar(
    now: Sequence[Part], wanted: Sequence[Part], old: range, new: range
) -> Iterator[tuple[int, int]]:
    """Pair parts of the same kind, unless their ids say that they are different ones."""
    at = old.start
    for b in new:
        for a in range(at, old.stop):
            if _same_kind(now[a], wanted[b]):
                yield a, b
                at = a + 1
                break


def _same_kind(now: Part, wanted: Part) -> bool:
    if isinstance(now, Text) or isinstance(wanted, Text):
        return isinstance(now, Text) and isinstance(wanted, Text) and not now.foreign
    return now.tag == wanted.tag and not (_id(now) and _id(wanted))


# --- within a text -------------------------------------------------------------------------------


def _rewrite_text(live: XmlText, now: Text, wanted: Text) -> None:
    before, after = _string(now), _string(wanted)
    # From the end, so that what is still to do stays where it is.
    for start, stop, new_start, new_stop in reversed(list(_changes(before, after))):
        at = len(before[:start].encode())
        if stop > start:
            del live[at : at + len(before[start:stop].encode())]
        for run in _cut(wanted.runs, new_start, new_stop):
            live.insert(at, run.text, run.formats)
            at += len(run.text.encode())
    _format(live, wanted)


def _format(live: XmlText, wanted: Text) -> None:
    now = read_text(live).runs
    edges = sorted({*_edges(now), *_edges(wanted.runs)})
    at = 0
    for start, stop in zip([0, *edges], edges, strict=False):
        if start == stop:
            continue
        (old,), (new,) = _cut(now, start, stop), _cut(wanted.runs, start, stop)
        size = len(new.text.encode())
        change: dict[str, Any] = {n: None for n in old.formats if n not in new.formats}
        change |= {n: v for n, v in new.formats.items() if not _same(old.formats, n, v)}
        if change:
            live.format(at, at + size, change)
        at += size


def _same(formats: Mapping[str, Any], name: str, value: object) -> bool:
    return name in formats and formats[name] == value


def _string(text: Text) -> str:
    return "".join(run.text for run in text.runs)


def _edges(runs: Sequence[Run]) -> Iterator[int]:
    end = 0
    for run in runs:
        end += len(run.text)
        yield end


def _cut(runs: Sequence[Run], start: int, stop: int) -> list[Run]:
    cut: list[Run] = []
    at = 0
    for run in runs:
        piece = run.text[max(start - at, 0) : max(stop - at, 0)]
        if piece:
            cut.append(Run(piece, run.formats))
        at += len(run.text)
    return cut


def _changes(before: str, after: str) -> Iterator[tuple[int, int, int, int]]:
    """Yield ``before[a:b]`` becomes ``after[c:d]``, in order, whole words where that is cheap."""
    start, end = 0, 0
    shorter = min(len(before), len(after))
    while start < shorter and before[start] == after[start]:
        start += 1
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    old_words, new_words = _words(old), _words(new)
    if len(old_words) * len(new_words) > _FINE:
        yield start, start + len(old), start, start + len(new)
        return
    old_at, new_at = [start], [start]
    for word in old_words:
        old_at.append(old_at[-1] + len(word))
    for word in new_words:
        new_at.append(new_at[-1] + len(word))
    matcher = SequenceMatcher(None, old_words, new_words, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind != "equal":
            yield old_at[a], old_at[b], new_at[c], new_at[d]


def _words(text: str) -> list[str]:
    return findall(r"\w+|\s+|.", text)
