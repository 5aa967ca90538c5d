"""What no document may be given is refused with a code, and nobody else notices."""

from typing import Any

import pytest
from pycrdt import Array, Doc, Map

from parvis.protocol import ErrorCode, messages as m
from parvis.server.limits import Limits
from tests.faults.poison import DELETE_OF_ROOT, NESTED_ARRAYS, PANIC, nested_maps
from tests.server.rooms.lab import Draft, lab

QUICK = Limits()
IN_HELPERS = Limits(quick_update=0)


def subdocument() -> bytes:
    doc: Doc[Any] = Doc(client_id=7)
    values: Map[Any] = doc.get("map", type=Map)
    values["inner"] = Doc()
    return doc.get_update()


@pytest.mark.parametrize("limits", [QUICK, IN_HELPERS], ids=["at once", "in a helper"])
@pytest.mark.parametrize(
    ("update", "code"),
    [
        (b"", ErrorCode.MALFORMED),
        (b"\xff\xff\xff", ErrorCode.MALFORMED),
        (Draft(7).write("text")[:-3], ErrorCode.MALFORMED),
        (NESTED_ARRAYS, ErrorCode.MALFORMED),
        (PANIC, ErrorCode.MALFORMED),
        (nested_maps(5000), ErrorCode.MALFORMED),
        (bytes(3000), ErrorCode.TOO_LARGE),
        (subdocument(), ErrorCode.MALFORMED),
    ],
    ids=["empty", "noise", "cut", "arrays", "panic", "maps", "large", "subdocument"],
)
async def test_bad_updates_are_refused_and_their_sender_told_to_start_over(
    update: bytes, code: ErrorCode, limits: Limits
) -> None:
    most = 2000 if code is ErrorCode.TOO_LARGE else 1 << 20
    async with lab(limits=limits, settings={"max_update": most}) as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.update(update, ref=5)
        await it.until(lambda: ada.of(m.Reset))
        await it.turns()
        assert [(each.ref, each.code) for each in ada.of(m.Refuse)] == [(5, code)]
        assert [each.code for each in ada.of(m.Reset)] == [code]
        assert ada.transport.closed is None
        assert bob.heard == []
        assert await it.log() == []
        bob.update(Draft(9).write("goes on"), ref=6)
        await it.until(lambda: bob.acked)
        assert ada.text == "goes on"


async def test_the_delete_of_a_root_that_is_not_there_waits_and_harms_nobody() -> None:
    async with lab() as it:
        ada, bob = await it.join("ada"), await it.join("bob")
        ada.update(DELETE_OF_ROOT, ref=1)
        bob.update(Draft(9).write("goes on"), ref=2)
        await it.turns()
        assert [ref for ref, _ in bob.acked] == [2]
        assert ada.acked == []


async def test_one_bad_update_in_a_window_is_refused_alone() -> None:
    async with lab() as it:
        people = [await it.join(name) for name in ("ada", "bob", "eve")]
        updates = [Draft(7).write("a"), b"\x01\x01\x08\x00\xff", Draft(9).write("e")]
        for person, update in zip(people, updates, strict=True):
            person.update(update, ref=1)
        await it.turns()
        assert [len(person.acked) for person in people] == [1, 0, 1]
        assert sorted(await it.logged_text()) == ["a", "e"]


async def test_a_large_update_keeps_its_place_among_its_senders() -> None:
    async with lab(limits=Limits(quick_update=1000)) as it:
        ada, draft = await it.join("ada"), Draft(7)
        for ref, text in enumerate(("a", "b" * 2000, "c"), 1):
            ada.update(draft.write(text), ref=ref)
        await it.until(lambda: len(ada.acked) == 3)
        assert ada.acked == [(1, 1), (2, 2), (3, 3)]
        assert await it.logged_text() == str(draft)


async def test_a_tree_of_arrays_as_deep_as_people_make_them_is_taken() -> None:
    doc: Doc[Any] = Doc(client_id=7)
    inner: Array[Any] = doc.get("array", type=Array)
    for _ in range(50):
        inner.append(Array([]))
        inner = inner[0]
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(doc.get_update(), ref=1)
        await it.turns()
        assert ada.acked == [(1, 1)]
