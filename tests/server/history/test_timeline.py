"""The timeline: what belongs together, and pages of it that hold every change once."""

import pytest

from parvis.server.history import timeline
from parvis.server.history.timeline import grouped
from parvis.server.testing import live_room
from parvis.storage import LoggedUpdate
from tests.clocks import SetClock
from tests.server.history.desk import Desk, typist


def row(offset: int, time: float, sender: str, update: bytes = b"u") -> LoggedUpdate:
    return LoggedUpdate(offset, update, sender, time, b"k%d" % offset)


def spans(*rows: LoggedUpdate) -> list[tuple[int, int, list[str], int]]:
    return [(each.first, each.last, each.authors, each.updates) for each in grouped(rows, 300)]


def test_changes_without_a_long_pause_belong_together() -> None:
    rows = [row(n, n * 10.0, "ada") for n in range(1, 4)]
    assert spans(*rows, row(4, 331, "ada")) == [(1, 3, ["ada"], 3), (4, 4, ["ada"], 1)]


def test_people_who_write_at_the_same_time_share_an_entry() -> None:
    rows = [row(n, n * 5.0, "ada" if n % 2 else "bob") for n in range(1, 7)]
    assert spans(*rows) == [(1, 6, ["ada", "bob"], 6)]


def test_somebody_who_comes_a_little_later_begins_an_entry() -> None:
    assert spans(row(1, 0, "ada"), row(2, 61, "bob")) == [
        (1, 1, ["ada"], 1),
        (2, 2, ["bob"], 1),
    ]


def test_rows_that_change_nothing_do_not_count() -> None:
    assert spans(row(1, 0, "ada"), row(2, 1, "bob", b"")) == [(1, 1, ["ada"], 1)]


async def test_pages_of_a_long_history_hold_every_change_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(timeline, "ROWS", 20)
    monkeypatch.setattr(timeline, "CHUNK", 7)
    clock = SetClock()
    async with live_room(Desk(), "d1", clock=clock) as lobby:
        ada = await typist(lobby, "ada")
        for n in range(70):
            clock.pass_time(400 if n % 9 == 0 else 1)
            await ada.type(f"{n} ")
        seen: list[int] = []
        before: int | None = 0
        while before is not None:
            page = await lobby.node.history.timeline("kit", "d1", before=before, limit=2)
            for entry in page.entries:
                offsets = range(entry.last, entry.first - 1, -1)
                assert entry.updates == len(offsets)
                seen += offsets
            before = page.following
        assert seen == list(range(70, 0, -1))
