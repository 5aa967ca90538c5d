"""Whose client ids are, where the log alone does not say it: the session helps."""

from __future__ import annotations

from typing import Any

import pytest
from pycrdt import Doc, Text

from parvis.protocol.awareness import AwarenessEntry, encode_awareness
from parvis.protocol.update import scan
from parvis.server.history.binding import bindings
from parvis.server.rooms.seat import Submission
from parvis.server.testing import Lobby, Visitor, live_room
from tests.server.history.crowd import replay
from tests.server.history.desk import Desk
from tests.server.history.test_past import asked


def typed(client: int, text: str) -> bytes:
    doc: Doc[Any] = Doc(client_id=client)
    doc.get("text", type=Text).insert(0, text)
    return doc.get_update()


def both(*updates: bytes) -> bytes:
    return replay(*updates).get_update()


async def ada_with(lobby: Lobby, client: int | None) -> Visitor:
    """Return ada, who says that she writes under a client id."""
    ada = await lobby.join("ada")
    if client is not None:
        await ada.awareness(encode_awareness([AwarenessEntry(client, 1, "{}")]))
    return ada


async def test_ones_own_work_is_known_among_what_one_hands_on() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada = await ada_with(lobby, 7)
        await ada.update(both(typed(7, "mine "), typed(9, "theirs")))
        (text,) = (await asked(ada, "blame"))["types"]
        runs = [(run["author"], run["relayed"]) for run in text["runs"]]
        assert runs == [("ada", False), ("ada", True)]


async def test_what_was_noted_first_stays() -> None:
    async with live_room(Desk(), "d1") as lobby:
        ada = await ada_with(lobby, 7)
        await ada.update(both(typed(7, "mine "), typed(9, "theirs")))
        past = lobby.core.history
        assert past is not None
        await ada.leave()
        bob = await lobby.join("bob")
        await bob.awareness(encode_awareness([AwarenessEntry(7, 5, "{}")]))
        await bob.update(both(typed(7, "mine "), typed(11, "more")))
        rows = await lobby.node.query("kit", "SELECT client, person FROM core_history_client")
        assert rows == [(7, "ada")]


@pytest.mark.parametrize(
    ("client", "complete", "update", "expected"),
    [
        (7, False, typed(7, "a"), {}),  # the log says it
        (None, False, typed(7, "a"), {}),
        (None, True, typed(7, "a"), {}),  # nobody knows better
        (7, True, typed(7, "a"), {}),
        (7, True, typed(9, "a"), {9: ""}),  # handed on
        (7, True, both(typed(7, "a"), typed(9, "b")), {7: "ada"}),
        (None, True, both(typed(7, "a"), typed(9, "b")), {}),
        (7, True, b"\x00\x00", {}),
    ],
)
async def test_what_is_noted_of_an_update(
    client: int | None, complete: bool, update: bytes, expected: dict[int, str]
) -> None:
    async with live_room(Desk(), "d1") as lobby:
        await ada_with(lobby, client)
        (seat,) = lobby.room.parts[""].seats
        submission = Submission(seat, 0, update, complete=complete, scan=scan(update))
        assert bindings(submission) == expected
