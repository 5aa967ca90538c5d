"""A process that writes is killed with SIGKILL; what it had acknowledged is there afterwards."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from parvis.storage import Address, Batch, LoggedUpdate, RoomDeleted, Statement, Status, Store
from parvis.storage.sqlite import open_sqlite
from tests.storage.writer_process import NOTES, ROOMS, TENANT, nth

WRITER = Path(__file__).with_name("writer_process.py")


def kill_while_writing(folder: Path, seed: int, lines: int) -> tuple[dict[str, int], list[str]]:
    """Start a writer, kill it after some acknowledgements, and return what it had acknowledged.

    Returns:
        The highest acknowledged offset of each room, and the rooms whose deletion was.
    """
    command = [sys.executable, str(WRITER), str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        output = b"".join(writer.stdout.readline() for _ in range(lines))
        writer.send_signal(signal.SIGKILL)
        output += writer.stdout.read()
        errors = writer.stderr.read()
    assert writer.returncode == -signal.SIGKILL, errors.decode()
    ends: dict[str, int] = {}
    deleted: list[str] = []
    for line in output.decode().splitlines():
        first, second, third = line.split()
        if first == "deleted":
            deleted.append(second)
        else:
            ends[first] = int(third)
    return ends, deleted


async def whole_log(store: Store, address: Address) -> list[LoggedUpdate]:
    rows: list[LoggedUpdate] = []
    while page := await store.read(address, after=len(rows)):
        rows += page
    return rows


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    await kill_and_look(tmp_path, rounds=20)


@pytest.mark.soak
async def test_nothing_acknowledged_is_lost_in_two_hundred_kills(tmp_path: Path) -> None:
    for start in range(10):
        await kill_and_look(tmp_path / str(start), rounds=20, seed=start)


async def kill_and_look(tmp_path: Path, *, rounds: int, seed: int = 20) -> None:
    """Write, kill, open again and compare, on the same folder round after round."""
    chance = random.Random(seed)
    known = dict.fromkeys(ROOMS, 0)
    for round in range(rounds):
        ends, deleted = kill_while_writing(tmp_path, round, chance.randint(1, 80))
        store, _ = open_sqlite(tmp_path)
        await store.migrate("notes", NOTES)
        noted = {
            str(row[0]) for row in await store.query(TENANT, Statement("SELECT key FROM note"))
        }
        for room in ROOMS:
            address = Address(TENANT, room)
            opened = await store.open_room(TENANT, room, creator="u_ann", now=1)
            rows = await whole_log(store, address)
            end, acknowledged = len(rows), ends.get(room, known[room])
            assert end >= acknowledged
            assert opened.parts[""].offset == end if end else not opened.parts
            for number, row in enumerate(rows, 1):
                sent = nth(room, number)
                assert row == LoggedUpdate(number, sent.update, "u_ann", number, sent.key)
            with_notes = {f"{room} {number}" for number in range(3, end + 1, 3)}
            assert {key for key in noted if key.startswith(f"{room} ")} == with_notes
            snapshot = await store.snapshot(address)
            if snapshot is not None:
                assert snapshot.state == f"{room} at {snapshot.offset}".encode()
                assert snapshot.offset <= end
            # The call that was under way is repeated whole, by a home that believes what it saw.
            entries = tuple(nth(room, acknowledged + 1 + n) for n in range(40))
            batch = Batch(room, "", opened.fence, acknowledged, entries)
            (answer,) = await store.append(TENANT, [batch])
            assert answer.status is Status.LOGGED
            assert answer.offsets == tuple(range(acknowledged + 1, acknowledged + 41))
            known[room] = acknowledged + 40
            assert len({row.key for row in await whole_log(store, address)}) == known[room]
        for number, room in enumerate(deleted):
            tenant = f"New {round} {number}" if number % 3 == 0 else TENANT
            with pytest.raises(RoomDeleted):
                await store.open_room(tenant, room, creator="u_ann", now=1)
        for tenant in await store.tenants():
            assert len(await store.rooms(tenant, prefix="passing/")) <= round + 1
        await store.close()
