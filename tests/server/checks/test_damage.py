"""Damage where it lies, on both stores: the doctor tells, the node heals, and nothing is lost."""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Text

from parvis.client import connect
from parvis.server.commands.program import main
from parvis.server.hosting.registry import installed
from parvis.server.settings import load
from parvis.server.tables import tables_of
from parvis.storage import Address, Batch, Entry, Quarantined, Snapshot, Status
from parvis.storage.factory import open_store
from parvis.storage.postgres import migrate_postgres
from tests.databases import Databases
from tests.faults import ways_in
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server
from tests.server.rooms.lab import Draft

ROOM = "plain/board"


@dataclass(frozen=True, slots=True)
class Place:
    """A store that a node can serve.

    Attributes:
        spoil: Runs SQL that no version of Parvis runs, ``{p}`` being the schema's prefix.
    """

    folder: Path
    url: str
    spoil: Callable[[str], object]
    capture: pytest.CaptureFixture[str]

    def node(self) -> Server:
        """Start a node on it."""
        return start_server(
            self.folder,
            args=["--store", self.url],
            # Rooms are let go at once, so that a snapshot is made.
            settings={"PARVIS_ROOMS__PLAIN__IDLE": "0"},
        )

    def parvis(self, *words: str) -> tuple[int, str, str]:
        """Run a command in this process; returns its exit code and what it said."""
        self.capture.readouterr()
        code = main([*words, "--data", str(self.folder / "data"), "--store", self.url])
        out, err = self.capture.readouterr()
        return code, out, err

    def findings(self, *words: str) -> tuple[int, dict[tuple[str, str], Any]]:
        """Run the doctor; returns its exit code, and the findings by group and name."""
        code, out, err = self.parvis("doctor", "--port", "0", "--json", *words)
        assert out, err
        found = json.loads(out)["findings"]
        return code, {(each["group"], each["name"]): each for each in found}


@pytest.fixture(params=["sqlite", "postgres"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Place]:
    """A store of each kind, with the tables of all room types."""
    data = tmp_path / "data"
    data.mkdir()
    if request.param == "sqlite":
        yield Place(
            tmp_path, f"sqlite:///{data}", lambda sql: _spoil(data, sql.format(p="")), capsys
        )
        return
    databases: Databases = request.getfixturevalue("databases")
    with databases.fresh() as database:
        tables = tables_of(installed(load(None, {})))
        asyncio.run(migrate_postgres(database.owner, tables))
        yield Place(
            tmp_path, database.node, lambda sql: database.execute(sql.format(p="parvis.")), capsys
        )


def _spoil(data: Path, sql: str) -> None:
    with closing(sqlite3.connect(data / "tenants" / "local.db")) as connection:
        connection.execute(sql)
        connection.commit()


async def fill(place: Place, words: list[str], *, snapshot_at: int = 0) -> None:
    """Log a word per row."""
    store, _ = open_store(place.url)
    draft = Draft(7)
    rows = [draft.write(word) for word in words]
    opened = await store.open_room("local", ROOM, creator="u_1", now=1_700_000_000.0)
    entries = tuple(
        Entry(row, "u_1", 1_700_000_000.0, bytes([at + 1])) for at, row in enumerate(rows)
    )
    (answer,) = await store.append("local", [Batch(ROOM, "", opened.fence, 0, entries)])
    assert answer.status is Status.LOGGED
    if snapshot_at:
        state = Draft(8, *rows[:snapshot_at]).doc.get_update()
        snapshot = Snapshot(1, snapshot_at, state)
        assert await store.save_snapshot(Address("local", ROOM), opened.fence, snapshot)
    await store.close()


def aside(update: bytes) -> Quarantined:
    """Return an update as the store keeps it in quarantine."""
    digest = hashlib.sha256(update).digest()
    return Quarantined(ROOM, "", 0, update, digest, "u_2", 1_700_000_000.0, "broke a document")


async def set_aside(place: Place, poison: list[Quarantined]) -> None:
    """Put updates into quarantine."""
    store, _ = open_store(place.url)
    for each in poison:
        await store.quarantine("local", each)
    await store.close()


async def text(server: Server) -> str:
    """Return what somebody who joins sees."""
    async with connect(ways_in.native(server), random=Promptly(1)) as session:
        room = await session.join(ROOM)
        return str(room.doc.get("text", type=Text))


def test_a_snapshot_that_fails_its_checksum_is_rebuilt_from_the_log_and_reported(
    place: Place,
) -> None:
    asyncio.run(fill(place, ["one ", "two ", "three"], snapshot_at=2))
    code, found = place.findings()
    assert found["documents", "snapshots"]["state"] == "ok"
    place.spoil("UPDATE {p}parvis_snapshot SET state = " + SPOILT[place.url[:6]])
    code, found = place.findings()
    assert (code, found["documents", ROOM]["state"]) == (1, "fail")
    assert "damaged" in found["documents", ROOM]["detail"]
    with place.node() as server:
        assert asyncio.run(text(server)) == "one two three"
        assert server.stop() == 0
        log = "".join(server.log)
    assert "snapshot at 2 cannot be read: damaged" in log
    code, found = place.findings()
    assert ("documents", ROOM) not in found
    assert found["documents", "snapshots"]["state"] == "ok"


SPOILT = {"sqlite": "x'0000ff'", "postgr": "'\\x0000ff'::bytea"}
"""First letters of a store's URL → a state that is none, as SQL."""


def test_a_row_that_fails_the_firewall_is_set_aside_and_the_rest_loads(
    place: Place,
) -> None:
    asyncio.run(fill(place, ["one ", "two", "three"]))
    place.spoil(f'UPDATE {{p}}parvis_log SET body = {SPOILT[place.url[:6]]} WHERE "offset" = 3')
    _, found = place.findings("--deep")
    assert found["documents", f"local {ROOM}"]["figures"]["offsets"] == [3]
    with place.node() as server:
        assert asyncio.run(text(server)) == "one two"
        code, found = place.findings()
        assert found["quarantine", "local"]["figures"]["updates"] == 1
        assert found["node", "unsaved"]["state"] == "ok"
        code, out, _ = place.parvis("quarantine", "list", "--json")
        (listed,) = json.loads(out)
        assert (listed["room"], listed["offset"], listed["sender"]) == (ROOM, 3, "u_1")
        code, out, _ = place.parvis("quarantine", "show", listed["id"])
        assert (code, "cannot be read" in out) == (0, True)
        assert "00 00 ff" in out
        code, _, err = place.parvis("quarantine", "replay", listed["id"])
        assert code == 1
        assert "hint" in err or "update" in err
        code, _, err = place.parvis("quarantine", "drop", listed["id"])
        assert (code, "cannot be undone" in err) == (2, True)
        kept = place.folder / "kept"
        code, _, _ = place.parvis("quarantine", "show", listed["id"], "--export", str(kept))
        assert kept.read_bytes() == b"\x00\x00\xff"
        code, out, _ = place.parvis("quarantine", "drop", listed["id"], "--yes")
        assert (code, "dropped" in out) == (0, True)
    code, found = place.findings()
    assert found["quarantine", "quarantine"]["detail"] == "empty"
    lines = (place.folder / "data" / "quarantine.log").read_text().splitlines()
    assert [json.loads(line)["what"] for line in lines] == ["dropped"]


def test_an_update_is_replayed_while_the_node_serves_and_while_it_does_not(
    place: Place,
) -> None:
    asyncio.run(fill(place, ["one "]))
    poison = [aside(Draft(client).write(word)) for client, word in ((9, "two "), (10, "three "))]
    asyncio.run(set_aside(place, poison))
    first, second = (each.digest.hex() for each in poison)
    code, out, err = place.parvis("quarantine", "replay", first[:12])
    assert (code, "logged at offset 2" in out) == (0, True), err
    with place.node() as server:
        assert sorted(asyncio.run(text(server))) == sorted("one two ")
        code, out, err = place.parvis("quarantine", "replay", "--all", "--json")
        assert code == 0, err
        (done,) = json.loads(out)["done"]
        assert (done["logged"], done["digest"]) == (3, second)
        assert sorted(asyncio.run(text(server))) == sorted("one two three ")
    _, found = place.findings()
    assert found["quarantine", "quarantine"]["detail"] == "empty"


def test_the_doctor_looks_at_everything_beside_a_node_that_serves(place: Place) -> None:
    asyncio.run(fill(place, ["one "]))
    with place.node() as server:
        assert asyncio.run(text(server)) == "one "
        code, found = place.findings("--deep")
    bad = [each for each in found.values() if each["state"] == "fail"]
    assert (code, bad) == (0, [])
    groups = {group for group, _ in found}
    assert groups >= {"program", "node", "store", "schema", "growth", "place", "clock", "backup"}
    assert found["schema", "tables"]["state"] == "ok"
    assert found["documents", "logs"]["detail"] == "every row of 1 rooms can be read"
    assert found["growth", "total"]["figures"]["bytes"] > 0
