"""Changes that bring back what was deleted and take away what came, as one forward update.

What is wanted is said per item of a weave. An item that is there and wanted keeps its identity, and
with it cursors, comments and the work of people who are away. One that was deleted and is wanted
comes back as a copy beside its old place; one that is there and not wanted is deleted. Nothing else
is touched. For helper processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import cast

from parvis.protocol.blocks import Block, Content, Id, write
from parvis.protocol.ranges import DeleteSet, Range
from parvis.protocol.update import ANY, STRING

from .weaving import Item, Shared, Weave

Wanted = Callable[[Item], bool]


@dataclass(slots=True)
class Left:
    """What could not be done, in clocks: letters, values, elements.

    Attributes:
        lost: Deleted, and nobody has kept what it said.
        homeless: What it stood in is gone, and not to come back.
        overtaken: Of a key that has got another value since.
        lived_in: To be deleted, but others have put something into it.
    """

    lost: int = 0
    homeless: int = 0
    overtaken: int = 0
    lived_in: int = 0


@dataclass(slots=True)
class Reshaped:
    """A change.

    Attributes:
        update: As Yjs takes it.
        restored: Clocks that came back.
        removed: Clocks that were deleted.
    """

    update: bytes
    restored: int
    removed: int
    left: Left


def reshape(weave: Weave, wanted: Wanted, client: int) -> Reshaped:
    """Return the update that makes of a document what is wanted.

    Args:
        client: Id under which it writes; the document must not know it.
    """
    work = _Reshaping(weave, wanted, client)
    for shared in weave.roots.values():
        work.mend(shared)
    return Reshaped(
        write({client: work.blocks}, DeleteSet().union(DeleteSet(work.deletes))),
        work.restored,
        work.removed,
        work.left,
    )


@dataclass(slots=True)
class _Reshaping:
    weave: Weave
    wanted: Wanted
    client: int
    clock: int = 0
    restored: int = 0
    removed: int = 0
    blocks: list[Block] = field(default_factory=list[Block])
    deletes: dict[int, list[Range]] = field(default_factory=dict[int, list[Range]])
    left: Left = field(default_factory=Left)

    def mend(self, shared: Shared) -> None:
        """Make a shared type, which is there and stays, hold what is wanted."""
        # Shared types inside each other are few levels deep in honest documents, but need not be.
        todo = [shared]
        while todo:
            todo += self._mend_one(todo.pop())

    def _mend_one(self, shared: Shared) -> list[Shared]:
        stay: list[Shared] = []
        copies: list[Item] = []
        for item in shared.items:
            wanted = self.wanted(item)
            if item.deleted and not wanted:
                self._note_homeless(item)
            elif item.deleted:
                copies.append(item)
            else:
                self._come_back(copies)
                copies = []
                if wanted or self._is_lived_in(item):
                    stay += [item.holds] if item.holds is not None else []
                else:
                    self._delete(item)
        self._come_back(copies)
        for key in sorted(shared.keys):
            stay += self._mend_key(shared, key)
        return stay

    def _mend_key(self, shared: Shared, key: str) -> list[Shared]:
        newest = shared.keys[key]
        wish = self._wish(newest)
        self._note_overtaken(wish)
        if wish is newest and not newest.deleted:
            return [newest.holds] if newest.holds is not None else []
        if wish is None and not newest.deleted and self._is_lived_in(newest):
            return [newest.holds] if newest.holds is not None else []
        if not newest.deleted:
            self._delete(newest)
        if wish is not None:
            self._insert([wish], newest.last, None, None, key)
        return []

    def _note_overtaken(self, wish: Item | None) -> None:
        older = wish.before if wish is not None else None
        while older is not None:
            if older.deleted and self.wanted(older):
                self.left.overtaken += older.length
            older = older.before

    def _note_homeless(self, item: Item) -> None:
        todo = [item.holds] if item.holds is not None else []
        while todo:
            shared = todo.pop()
            for each in _everything(shared):
                if self.wanted(each):
                    self.left.homeless += each.length
                if each.holds is not None:
                    todo.append(each.holds)

    def _is_lived_in(self, item: Item) -> bool:
        """Whether something that is wanted stands in what is not."""
        todo = [item.holds] if item.holds is not None else []
        while todo:
            shared = todo.pop()
            for each in _everything(shared):
                if not each.deleted and self.wanted(each):
                    self.left.lived_in += item.length
                    return True
                if each.holds is not None and not each.deleted:
                    todo.append(each.holds)
        return False

    def _delete(self, item: Item) -> None:
        self.deletes.setdefault(item.client, []).append((item.clock, item.end))
        self.removed += item.length

    # Copies

    def _come_back(self, items: Sequence[Item]) -> None:
        """Put copies of neighbours that were deleted behind the first of them."""
        if items:
            right = items[0].after
            beyond = (right.client, right.clock) if right is not None else None
            self._insert(items, items[0].last, beyond, None)

    def _insert(
        self,
        items: Sequence[Item],
        origin: Id | None,
        right: Id | None,
        parent: Id | None,
        key: str | None = None,
    ) -> None:
        """Write copies, each behind the one before, and of all that stood in them."""
        todo = self._chain(items, origin, right, parent, key)
        while todo:
            shared, home = todo.pop()
            inside = [each for each in shared.items if self.wanted(each)]
            todo += self._chain(inside, None, None, home)
            for name in sorted(shared.keys):
                wish = self._wish(shared.keys[name])
                if wish is not None:
                    todo += self._chain([wish], None, None, home, name)

    def _chain(
        self,
        items: Iterable[Item],
        origin: Id | None,
        right: Id | None,
        parent: Id | None,
        key: str | None = None,
    ) -> list[tuple[Shared, Id]]:
        """Write copies, each behind the one before; return shared types with the copies' ids."""
        held: list[tuple[Shared, Id]] = []
        for _, run in groupby(items, _joined_with):
            neighbours = [each for each in run if self._has_content(each)]
            if not neighbours:
                continue
            length = sum(each.length for each in neighbours)
            block = Block(
                self.client,
                self.clock,
                length,
                neighbours[0].kind,
                origin,
                right,
                parent if origin is None and right is None else None,
                key,
                _content(neighbours),
            )
            self.blocks.append(block)
            self.clock += length
            self.restored += length
            origin = block.last
            if (shared := neighbours[0].holds) is not None:
                held.append((shared, (block.client, block.clock)))
        return held

    def _has_content(self, item: Item) -> bool:
        if item.content is None:
            self.left.lost += item.length
        return item.content is not None

    def _wish(self, newest: Item) -> Item | None:
        """Return the last of a key's values that is wanted."""
        wish: Item | None = newest
        while wish is not None and not self.wanted(wish):
            wish = wish.before
        return wish


def _joined_with(item: Item) -> tuple[int, Id | None]:
    """Name what neighbours that can be one block have in common."""
    return item.kind, None if item.kind in (STRING, ANY) else item.last


def _content(items: Sequence[Item]) -> Content:
    """Return the content of neighbours as one."""
    if items[0].kind == STRING:
        return "".join(str(each.content) for each in items)
    if items[0].kind == ANY:
        return [value for each in items for value in cast("Sequence[bytes]", each.content)]
    return items[0].content


def _everything(shared: Shared) -> Iterable[Item]:
    yield from shared.items
    for newest in shared.keys.values():
        item: Item | None = newest
        while item is not None:
            yield item
            item = item.before
