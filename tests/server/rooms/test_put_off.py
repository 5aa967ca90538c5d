"""What there is no room for now is asked for again later; nothing is lost by it."""

from parvis.plugins import Peer, Refused, Room, Submission, YDoc
from parvis.protocol import ErrorCode, messages as m
from parvis.server.limits import Limits
from tests.server.rooms.lab import Board, Draft, lab

FEW = Limits(unlogged=2000)


async def test_updates_over_the_bound_are_put_off_until_the_store_answers() -> None:
    async with lab(limits=FEW) as it:
        ada, draft = await it.join("ada"), Draft(7)
        it.store.fail()
        ada.update(draft.write("x" * 2500), ref=1)
        await it.turns()
        ada.update(draft.write("y"), ref=2)
        await it.turns()
        refusal = m.Refuse(ada.channel, 2, ErrorCode.TRY_AGAIN, "too much waits for the store")
        assert ada.of(m.Refuse) == [refusal]
        await it.pass_time(5)
        assert ada.of(m.Resync) == [], "there is no room yet"
        it.store.resume()
        for _ in range(5):
            await it.pass_time(1)
        assert ada.acked == [(1, 1)]
        assert len(ada.of(m.Resync)) == 1
        ada.update(draft.doc.get_update(ada.of(m.Resync)[0].state), ref=3)
        await it.turns()
        assert ada.acked == [(1, 1), (3, 2)]
        assert await it.logged_text() == str(draft)


class Throttled(Board):
    """Takes one update, then asks for patience once."""

    def __init__(self) -> None:
        super().__init__()
        self.patience = 1

    async def on_update(self, room: Room[YDoc], peer: Peer, submission: Submission) -> None:
        if b"wait" in submission.update and self.patience:
            self.patience -= 1
            raise Refused(ErrorCode.RATE_LIMITED, "one after the other")


async def test_a_room_type_may_put_an_update_off_and_the_peer_is_asked_for_it_again() -> None:
    async with lab(Throttled()) as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("wait"), ref=1)
        await it.turns()
        refusal = m.Refuse(ada.channel, 1, ErrorCode.RATE_LIMITED, "one after the other")
        assert ada.heard_all() == [refusal]
        await it.pass_time(1)
        assert ada.heard_all() == [m.Resync(ada.channel, b"\x00")]
        ada.update(draft.doc.get_update(b"\x00"), ref=2)
        await it.turns()
        assert ada.acked == [(2, 1)]


async def test_who_left_is_not_asked() -> None:
    async with lab(Throttled()) as it:
        ada, draft = await it.join("ada"), Draft(7)
        await it.join("bob")
        ada.update(draft.write("wait"), ref=1)
        await it.turns()
        ada.disconnect()
        await it.pass_time(1)
        assert ada.of(m.Resync) == []
