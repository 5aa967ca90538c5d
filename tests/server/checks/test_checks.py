"""What the checks of the doctor make of disks, clocks, backups, sizes and settings."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from parvis.server.backup.standing import note
from parvis.server.checks import (
    backups,
    clocks,
    durability,
    growth,
    holding,
    measurements,
    place,
    schema,
)
from parvis.server.checks.examination import Check, Examination
from parvis.server.checks.finding import Finding, State
from parvis.server.checks.tombstones import count
from parvis.server.clock import SystemClock
from parvis.server.firewall.helpers import HelperPool
from parvis.server.settings import Settings, load
from parvis.storage.inspection import Drift, Sizes, TableSize
from parvis.storage.memory import MemoryStore
from parvis.storage.memory.inspection import MemoryInspection
from tests.clocks import SetClock
from tests.server.rooms.lab import Draft

DAY = 24 * 3600.0


class Told(MemoryInspection):
    """An inspection of an empty store that says what it is told to."""

    def __init__(self, kind: str = "memory") -> None:
        super().__init__(MemoryStore())
        self.kind = kind
        self.size = 1000
        self.now: float | None = None
        self.row = 0.0
        self.has: Mapping[str, str] = {}
        self.drifted: Sequence[Drift] = ()

    async def sizes(self, *, patience: float) -> Sizes:
        return Sizes(self.size, [TableSize("parvis_log", self.size // 10, self.size)])

    async def clock(self) -> float | None:
        return self.now

    async def newest(self) -> float:
        return self.row

    async def settings(self) -> Mapping[str, str]:
        return self.has

    async def drift(self, plugins: object) -> Sequence[Drift]:
        return self.drifted


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Examination]:
    """An examination of a data folder that exists, on a day of 2026."""
    (tmp_path / "data").mkdir()
    settings = settings_for(tmp_path / "data")
    helpers = HelperPool(1, SystemClock())
    clock = SetClock()
    yield Examination(settings, clock, helpers, inspection=Told())
    await helpers.close()


def settings_for(data: Path) -> Settings:
    """Return the settings of a node with this data folder."""
    return load(None, {"PARVIS_SERVER__DATA": str(data)})


async def found(check: Check, case: Examination) -> dict[str, Finding]:
    """Return what a check finds, by name."""
    return {each.name: each async for each in check(case)}


def told(case: Examination) -> Told:
    assert isinstance(case.inspection, Told)
    return case.inspection


def later(case: Examination, seconds: float) -> None:
    """Let time pass."""
    assert isinstance(case.clock, SetClock)
    case.clock.pass_time(seconds)


# Growth


async def test_growth_is_told_since_the_day_and_the_week_before(case: Examination) -> None:
    assert (await found(growth.look, case))["total"].detail == "1000 B"
    total: dict[str, Finding] = {}
    for day in range(1, 9):
        later(case, DAY)
        told(case).size = 1000 + day * 100
        total = await found(growth.look, case)
    assert total["total"].detail == "1.8 KiB, +100 B in 24 hours, +700 B in 7 days"
    assert total["parvis_log"].detail == "180 rows, 1.8 KiB, +100 B in 24 hours, +700 B in 7 days"
    assert case.daily == pytest.approx(100)
    assert len(total["total"].figures["earlier"]) == 8


async def test_growth_within_a_day_is_told_since_the_last_look(case: Examination) -> None:
    await found(growth.look, case)
    later(case, 600)
    told(case).size = 1500
    assert (await found(growth.look, case))["total"].detail == "1.5 KiB, +500 B in 10 minutes"
    assert case.daily is None


async def test_measurements_are_few_and_not_older_than_they_are_of_use(
    case: Examination,
) -> None:
    for _ in range(3 * (measurements.KEPT + 5)):
        await found(growth.look, case)
        later(case, DAY / 3)
    file = case.settings.data / measurements.NAME
    kept = json.loads(file.read_text())["measurements"]
    assert len(kept) <= 2 * measurements.KEPT + 2
    assert kept[-1]["time"] - kept[0]["time"] < measurements.KEPT * DAY


async def test_measurements_that_cannot_be_read_are_none(case: Examination) -> None:
    file = case.settings.data / measurements.NAME
    for content in ("", "[]", '{"measurements": [{"time": "x"}]}', '{"measurements": 3}'):
        file.write_text(content)
        assert list(measurements.kept(case.settings.data, "sqlite:///x")) == []


async def test_a_table_that_more_than_doubles_in_a_day_is_looked_at(case: Examination) -> None:
    await found(growth.look, case)
    later(case, DAY)
    told(case).size = growth.SUDDEN * 2
    assert (await found(growth.look, case))["parvis_log"].state is State.WARN


# Place


def test_the_disk_is_full_sooner_the_faster_the_store_grows() -> None:
    free = 10 * 1024**3
    assert place.space(free, None).state is State.OK
    for daily, state in ((free / 100, State.OK), (free / 5, State.WARN), (free, State.FAIL)):
        assert place.space(free, daily).state is state
    assert place.space(1024, None).state is State.FAIL


def test_a_network_file_system_is_no_place_for_sqlite() -> None:
    kinds = {
        kind: place.suitable(kind, sqlite=True).state for kind in ("ext4", "nfs4", "tmpfs", "")
    }
    expected = {"ext4": State.OK, "nfs4": State.FAIL, "tmpfs": State.WARN, "": State.OK}
    assert kinds == expected
    assert place.suitable("nfs4", sqlite=False).good


def test_the_file_system_below_a_folder_is_the_one_mounted_last_and_deepest(
    tmp_path: Path,
) -> None:
    mounts = tmp_path / "mounts"
    deep = tmp_path / "with blank"
    deep.mkdir()
    escaped = str(deep).replace(" ", "\\040")
    mounts.write_text(
        f"/dev/a / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\n/dev/b {tmp_path}x xfs rw 0 0\n"
    )
    assert place.file_system(deep / "data", mounts) == "nfs4"
    assert place.file_system(tmp_path, mounts) == "ext4"
    assert place.file_system(tmp_path, tmp_path / "none") == ""


# Clocks


@pytest.mark.parametrize(
    ("apart", "state"), [(0.5, State.OK), (-10.0, State.WARN), (120.0, State.FAIL)]
)
async def test_the_clock_is_compared_with_the_databases(
    case: Examination, apart: float, state: State
) -> None:
    told(case).now = case.clock.time() + apart
    assert (await found(clocks.look, case))["database's clock"].state is state


@pytest.mark.parametrize(
    ("ahead", "state"), [(-5.0, State.OK), (30.0, State.WARN), (3600.0, State.FAIL)]
)
async def test_a_row_from_the_future_tells_that_the_clock_was_set_back(
    case: Examination, ahead: float, state: State
) -> None:
    told(case).row = case.clock.time() + ahead
    assert (await found(clocks.look, case))["newest row"].state is state


def test_the_kernel_says_whether_the_clock_is_kept() -> None:
    assert clocks.is_kept() in (True, False, None)


# Settings, schema, backups


@pytest.mark.parametrize(
    ("kind", "name", "value", "state"),
    [
        ("postgres", "fsync", "on", State.OK),
        ("postgres", "fsync", "off", State.FAIL),
        ("postgres", "full_page_writes", "off", State.FAIL),
        ("postgres", "synchronous_commit", "off", State.WARN),
        ("postgres", "synchronous_commit", "remote_apply", State.OK),
        ("sqlite", "journal_mode", "delete", State.FAIL),
    ],
)
async def test_settings_on_which_a_promise_stands_are_judged(
    case: Examination, kind: str, name: str, value: str, state: State
) -> None:
    case.inspection = Told(kind)
    case.inspection.has = {name: value}
    assert (await found(durability.look, case))[name].state is state


async def test_what_has_drifted_is_told_with_what_brings_it_back(case: Examination) -> None:
    told(case).drifted = [
        Drift("parvis", "index", "parvis_job_due", "is missing", "CREATE INDEX …;"),
        Drift("parvis", "version", "chess", "nobody who is installed knows them"),
    ]
    drifted = await found(schema.look, case)
    index = drifted["index parvis_job_due"]
    assert (index.state, index.hint) == (State.FAIL, "CREATE INDEX …;")
    assert drifted["version chess"].state is State.WARN


async def test_backups_that_are_old_or_were_never_tried_are_told(case: Examination) -> None:
    assert {each.state for each in (await found(backups.look, case)).values()} == {State.WARN}
    now = case.clock.time()
    note(case.settings.data, created=now - DAY, verified=now - 10 * DAY)
    assert {each.state for each in (await found(backups.look, case)).values()} == {State.OK}
    later(case, 3 * DAY)
    old = await found(backups.look, case)
    assert (old["last backup"].state, old["last drill"].state) == (State.WARN, State.OK)


# A running node


def state(**other: Any) -> dict[str, Any]:
    """Return what a healthy node says."""
    healthy: dict[str, Any] = {
        "status": "ready",
        "checks": {"store": {"ok": True}},
        "sessions": 2,
        "rooms": 1,
        "unlogged": 0,
        "unsaved": [],
        "poison_unsaved": 0,
        "deaths": 0,
    }
    return healthy | other


@pytest.mark.parametrize(
    ("other", "name", "expected"),
    [
        ({}, "node", State.OK),
        ({}, "unsaved", State.OK),
        ({"unlogged": 3, "unsaved": ["acme plain/x"]}, "unsaved", State.FAIL),
        ({"poison_unsaved": 1}, "unsaved", State.WARN),
        ({"deaths": 2}, "deaths of workers", State.WARN),
        ({"checks": {"store": {"ok": False, "detail": "full"}}}, "node", State.FAIL),
        ({"status": "failing"}, "node", State.FAIL),
    ],
)
def test_what_a_running_node_has_not_saved_is_told(
    other: dict[str, Any], name: str, expected: State
) -> None:
    told = {each.name: each for each in holding.node(state(**other))}
    assert told[name].state is expected


# Tombstones


def test_tombstones_are_counted_in_characters() -> None:
    draft = Draft(7)
    draft.write("0123456789")
    draft.erase(2, 8)
    assert count(draft.doc.get_update()) == [10, 6]
