"""Blame: who wrote which part of a document, in the order in which people read it. For helpers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from parvis.plugins import ErrorCode, Refused

from .authorship import Credit, Index
from .weaving import Item, Shared, Weave

MOST: Final = 10_000
"""Runs in one answer."""

KINDS: Final = ("array", "map", "text", "element", "fragment", "hook", "text")
"""What the shared types of SPEC.md section 13 are called here."""


def blame(
    log: bytes,
    packed: bytes,
    bound: Sequence[Sequence[Any]],
    root: str | None,
    upto: int,
    pause: float,
) -> list[dict[str, Any]]:
    """Return whose each part of a document is.

    Args:
        log: The document with all it ever held.
        packed: Its `Index`.
        bound: Pairs of a client and the user it is bound to.
        root: Of this one only; None: of all.
        upto: Offset that `log` is worth.
        pause: Seconds up to which an author's changes beside each other are one run.

    Returns:
        For each shared type that holds something: ``path`` from the root, ``kind`` (of a root:
        ``root``, ``text`` if letters stand in it) and ``runs``, which cover it without a hole:
        ``from`` and ``to``, in UTF-16 units or children, or ``key``; and the fields of `Credit`.
    """
    weave = Weave(log)
    blamed = _Blaming(Index.read(packed), {client: user for client, user in bound}, upto, pause)
    found: list[dict[str, Any]] = []
    count = 0
    for name in sorted(weave.roots):
        if root is None or name == root:
            for each in blamed.walk(weave.roots[name]):
                count += len(each["runs"])
                if count > MOST:
                    reason = f"more than {MOST} runs: ask for one root, or with a longer pause"
                    raise Refused(ErrorCode.TOO_LARGE, reason)
                found.append(each)
    return found


class _Blaming:
    def __init__(self, index: Index, bound: Mapping[int, str], upto: int, pause: float) -> None:
        self._index = index
        self._bound = bound
        self._upto = upto
        self._pause = pause

    def walk(self, root: Shared) -> Iterator[dict[str, Any]]:
        """Yield what there is to say about a root and all that stands in it."""
        todo: list[tuple[Shared, list[str | int]]] = [(root, [root.name or ""])]
        while todo:
            shared, path = todo.pop()
            inside: list[tuple[Shared, list[str | int]]] = []
            runs = self._sequence(shared, path, inside)
            runs += self._keys(shared, path, inside)
            if runs:
                yield {"path": path, "kind": _kind(shared), "runs": runs}
            todo += reversed(inside)

    def _sequence(
        self, shared: Shared, path: list[str | int], inside: list[tuple[Shared, list[str | int]]]
    ) -> list[dict[str, Any]]:
        runs: list[tuple[int, int, Credit]] = []
        at = 0
        for item in shared.items:
            if not item.counts:
                continue
            if item.holds is not None:
                inside.append((item.holds, [*path, at]))
            for start, end, credit in self._credits(item):
                self._join(runs, at, at + end - start, credit)
                at += end - start
        return [{"from": start, "to": end, **asdict(credit)} for start, end, credit in runs]

    def _join(
        self, runs: list[tuple[int, int, Credit]], start: int, end: int, credit: Credit
    ) -> None:
        if runs:
            began, _, last = runs[-1]
            silence = max(credit.start - last.end, last.start - credit.end)
            same = (last.author, last.relayed) == (credit.author, credit.relayed)
            if same and silence <= self._pause:
                runs[-1] = (began, end, _both(last, credit))
                return
        runs.append((start, end, credit))

    def _keys(
        self, shared: Shared, path: list[str | int], inside: list[tuple[Shared, list[str | int]]]
    ) -> list[dict[str, Any]]:
        runs: list[dict[str, Any]] = []
        for key in sorted(shared.keys):
            item = shared.keys[key]
            if item.deleted:
                continue
            if item.holds is not None:
                inside.append((item.holds, [*path, key]))
            *_, (_, _, credit) = self._credits(item)  # of several values, the last one counts
            runs.append({"key": key, **asdict(credit)})
        return runs

    def _credits(self, item: Item) -> Iterator[tuple[int, int, Credit]]:
        return self._index.credits(item.client, item.clock, item.end, self._bound, self._upto)


def _both(one: Credit, other: Credit) -> Credit:
    return replace(
        one,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        start=min(one.start, other.start),
        end=max(one.end, other.end),
    )


def _kind(shared: Shared) -> str:
    if shared.item is not None:
        return KINDS[shared.item.shared_type]
    return "text" if shared.is_text else "root"
