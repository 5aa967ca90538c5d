"""Loading: from what a snapshot remembers, in pieces, and never with less than the log holds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pytest

from parvis.server.firewall.order import Order
from parvis.server.rooms import squashing
from parvis.storage import Batch, Entry, Snapshot, Status, Store
from parvis.storage.factory import open_store
from tests.server.rooms.lab import Draft, Lab, lab, read

ADDRESS = ("kit", "board/r")
SOME = "some words 📜 and more "


async def append(store: Store, *updates: bytes) -> int:
    """Take the room over and log updates; return its fence."""
    opened = await store.open_room(*ADDRESS, creator="ada", now=1.0)
    end = opened.parts[""].offset if opened.parts else 0
    entries = tuple(
        Entry(update, "ada", 1.0, (end + at).to_bytes(4, "big"))
        for at, update in enumerate(updates)
    )
    (answer,) = await store.append("kit", [Batch("board/r", "", opened.fence, end, entries)])
    assert answer.status is Status.LOGGED
    return opened.fence


async def snapshot_of(it: Lab, fence: int, updates: Sequence[bytes]) -> Snapshot:
    """Keep the snapshot that a node makes of these rows."""
    squashed = await squashing.squash(it.core.helpers, updates)
    snapshot = squashed.snapshot(1, len(updates))
    assert await it.store.inner.save_snapshot(it.address(), fence, snapshot)
    return snapshot


async def test_what_a_snapshot_remembers_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = open_store("memory:")
    draft = Draft(7)
    rows = [draft.write("first "), draft.write("📜 second ")]
    fence = await append(store, *rows)
    async with lab(store=store) as it:
        await snapshot_of(it, fence, rows)
        await append(store, draft.write("third"))
        seen: list[bytes] = []
        ready = Order.ready

        def watched(order: Order, updates: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
            updates = list(updates)
            seen.extend(updates)
            return ready(order, updates)

        monkeypatch.setattr(Order, "ready", watched)
        assert (await it.join("ada")).text == "first 📜 second third"
        assert [read(*rows, update) for update in seen] == ["first 📜 second third"]
        assert it.part.document.clocks == {7: 21}
    await store.close()


async def test_a_large_state_is_applied_in_pieces_between_which_others_have_their_turn() -> None:
    store, _ = open_store("memory:")
    draft = Draft(7)
    for number in range(6000):
        draft.text.insert(number % 50, f"{number} {SOME}")
    whole = draft.doc.get_update()
    fence = await append(store, whole)
    async with lab(store=store) as it:
        snapshot = await snapshot_of(it, fence, [whole])
        remembered = squashing.remembered(snapshot)
        assert remembered is not None
        pieces = list(remembered.pieces())
        assert len(pieces) > 3
        assert max(map(len, pieces)) < len(whole) / 2
        ada = await it.join("ada")
        assert it.part.replica.doc.get_update() == whole
        assert ada.text == str(draft)
        late = draft.write("end")
        ada.update(late)
        await it.turns()
        assert (await it.join("bob")).text == str(draft)
    await store.close()


async def test_half_a_character_that_the_snapshot_holds_whole_is_taken_as_yjs_does() -> None:
    store, _ = open_store("memory:")
    draft = Draft(7)
    first = draft.write("a📜b")
    fence = await append(store, first)
    # It deletes the second half: clock 2 of client 7.
    await append(store, b"\x00\x01\x07\x01\x02\x01")
    async with lab(store=store) as it:
        await snapshot_of(it, fence + 1, [first])
        assert (await it.join("ada")).text == "a\N{REPLACEMENT CHARACTER}b"
    await store.close()


@pytest.mark.parametrize(
    "index", [b"", b"\x91\x07"], ids=["of an earlier version", "of a later one"]
)
async def test_a_snapshot_without_what_is_known_of_it_is_read(index: bytes) -> None:
    store, _ = open_store("memory:")
    draft = Draft(7)
    rows = [draft.write("first "), draft.write("📜 second ")]
    fence = await append(store, *rows)
    async with lab(store=store) as it:
        snapshot = await snapshot_of(it, fence, rows)
        assert await store.save_snapshot(it.address(), fence, replace(snapshot, index=index))
        assert (await it.join("ada")).text == "first 📜 second "
    await store.close()


async def test_a_part_in_which_something_waits_is_snapshotted_up_to_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, _ = open_store("memory:")
    draft, other = Draft(7), Draft(8)
    rows = [draft.write(letter) for letter in "abcd"]
    late, early = other.write("x"), other.write("y")
    await append(store, *rows, early, draft.write("e"))
    monkeypatch.setattr("parvis.server.rooms.snapshots.PAGE", 1)
    async with lab(store=store) as it:
        ada = await it.join("ada")
        ada.update(draft.write("f"))
        await it.turns()
        await it.empty()
        kept = await store.snapshot(it.address())
        assert kept is not None
        assert (kept.offset, read(kept.state)) == (4, "abcd")
        bob = await it.join("bob")
        assert bob.text == "abcdef"
        bob.update(late)
        await it.turns()
        assert sorted(await it.logged_text()) == sorted("abcdefxy")
    await store.close()


async def test_a_log_that_was_long_to_load_is_snapshotted_also_if_nobody_writes() -> None:
    store, _ = open_store("memory:")
    draft = Draft(7)
    await append(store, *[draft.write(letter) for letter in "abcd"])
    async with lab(store=store) as it:
        await it.join("ada")
        await it.empty()
        kept = await store.snapshot(it.address())
        assert kept is not None
        assert (kept.offset, read(kept.state)) == (4, "abcd")
        it.store.calls.clear()
        await it.join("ada")
        await it.empty()
        assert "save_snapshot" not in it.store.calls, "it lacks nothing"
    await store.close()
