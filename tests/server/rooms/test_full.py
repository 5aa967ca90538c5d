"""A document may take only so much; what makes it smaller is always taken."""

from parvis.protocol import ErrorCode, messages as m
from parvis.server.limits import Limits
from tests.server.rooms.lab import Draft, lab

SMALL = {"max_part": 64 * 1024}
QUICK = Limits(quick_update=1024 * 1024)
"""No update of these tests needs a helper."""


async def test_a_full_document_takes_deletions_only() -> None:
    async with lab(settings=SMALL, limits=QUICK) as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("a" * 66_000), ref=1)
        await it.turns()
        ada.update(draft.erase(0, 66_000), ref=2)
        await it.turns()
        assert ada.acked == [(1, 1), (2, 2)]
        ada.update(draft.write("b"), ref=3)
        await it.turns()
        assert [(r.ref, r.code) for r in ada.of(m.Refuse)] == [(3, ErrorCode.TOO_LARGE)]


async def test_a_document_that_was_emptied_has_room_again_once_it_is_squashed() -> None:
    async with lab(settings=SMALL, limits=QUICK) as it:
        ada, draft = await it.join("ada"), Draft(7)
        ada.update(draft.write("a" * 66_000))
        ada.update(draft.erase(0, 66_000))
        await it.turns()
        await it.empty()
        ada = await it.join("ada")
        ada.update(draft.write("b"), ref=3)
        await it.turns()
        assert ada.acked == [(3, 3)]
        assert (await it.join("bob")).text == "b"
