"""What somebody sends to make others wait, and documents that break while they are read."""

from typing import Any, ClassVar

import pytest
from pycrdt import Doc

from parvis.plugins import Refused, YDoc
from parvis.protocol import ErrorCode, lib0, messages as m
from parvis.protocol.yjs import encode_state_vector
from tests.clocks import SetClock
from tests.server.rooms.brittle import Panic
from tests.server.rooms.lab import Board, Draft, lab, read


class Unreadable(YDoc):
    """Panics the first time that its state is encoded, as yrs may over a damaged document."""

    class Document(Doc[Any]):
        panics: ClassVar[list[str]] = []

        def get_update(self, state: bytes | None = None) -> bytes:
            if self.panics:
                raise Panic(self.panics.pop())
            return super().get_update(state)

    def __init__(self, client_id: int) -> None:
        super().__init__(client_id)
        self.doc = self.Document(client_id=client_id)


class UnreadableBoard(Board):
    replica = Unreadable


class Sluggish(YDoc):
    """Takes a second for the updates of one client."""

    class Document(Doc[Any]):
        clock: ClassVar[SetClock | None] = None

        def apply_update(self, update: bytes) -> None:
            if self.clock is not None and b"slow" in update:
                self.clock.pass_time(1.0)
            super().apply_update(update)

    def __init__(self, client_id: int) -> None:
        super().__init__(client_id)
        self.doc = self.Document(client_id=client_id)


class SluggishBoard(Board):
    replica = Sluggish


def crowd(count: int) -> bytes:
    """Many clients that have typed one character each."""
    blocks = [
        b"\x01" + lib0.var_uint(1_000 + at) + b"\x00" + b"\x04\x01\x04text\x01x"
        for at in range(count)
    ]
    return lib0.var_uint(count) + b"".join(blocks) + b"\x00"


async def test_a_document_that_breaks_while_it_is_read_is_rebuilt() -> None:
    async with lab(UnreadableBoard()) as it:
        ada = await it.join("ada")
        ada.update(Draft(7).write("a"))
        await it.turns()
        it.part.document.cache.clear()
        Unreadable.Document.panics.append("index out of bounds")
        with pytest.raises(Refused, match="being rebuilt"):
            await it.join("bob")
        await it.until(lambda: not it.part.recovery.working)
        assert (await it.join("carl")).text == "a"


async def test_a_state_vector_far_larger_than_the_document_is_malformed() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        absurd = encode_state_vector({client: 1 for client in range(40_000)})
        ada.say(m.Sync(ada.channel, 5, absurd))
        await it.turns()
        assert [(r.ref, r.code) for r in ada.of(m.Refuse)] == [(5, ErrorCode.MALFORMED)]


async def test_so_many_waiting_updates_are_kept_and_the_rest_is_asked_for_again() -> None:
    async with lab() as it:
        ada, draft = await it.join("ada"), Draft(7)
        first = draft.write("a")
        for ref in range(1, 301):
            ada.update(draft.write("b"), ref=ref)
        await it.turns()
        put_off = [r for r in ada.of(m.Refuse) if r.code == ErrorCode.TRY_AGAIN]
        assert len(put_off) == 300 - 256
        ada.update(first, ref=999)
        await it.turns()
        await it.pass_time(1)
        asked = ada.of(m.Resync)[-1].state
        ada.update(draft.doc.get_update(asked), ref=1000)
        await it.turns()
        assert (await it.join("bob")).text == "a" + "b" * 300


async def test_after_an_update_that_made_everybody_wait_a_shadow_takes_them_first() -> None:
    async with lab(SluggishBoard()) as it:
        Sluggish.Document.clock = it.clock
        try:
            ada, draft = await it.join("ada"), Draft(7)
            ada.update(draft.write("slow"), ref=1)
            await it.turns()
            assert it.room.guarded
            ada.update(draft.write(" and quick"), ref=2)
            await it.until(lambda: len(ada.acked) == 2)
            assert (await it.join("bob")).text == "slow and quick"
        finally:
            Sluggish.Document.clock = None


async def test_an_update_of_very_many_blocks_is_tried_out_by_a_helper_and_taken() -> None:
    async with lab() as it:
        ada = await it.join("ada")
        ada.update(crowd(3_500), ref=1)
        await it.until(lambda: ada.acked)
        assert read(*(await it.join("bob")).joined.updates) == "x" * 3_500
