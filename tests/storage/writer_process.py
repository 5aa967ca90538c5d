"""A process that appends to a store until it is killed, and prints what was acknowledged.

Usage: writer_process.py FOLDER SEED. One line per acknowledged batch: room, first and last offset.
The n-th update of a room is always the same, so that whoever comes after can tell what is missing.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

from parvis.storage import Batch, Entry, Migration, Snapshot, Statement, Status, Store
from parvis.storage.api import Address
from parvis.storage.sqlite import open_sqlite

TENANT = "acme"
ROOMS = [f"plain/{number}" for number in range(6)]
NOTES = [Migration(1, "notes", {"sqlite": "CREATE TABLE note (key TEXT PRIMARY KEY) STRICT"})]


def nth(room: str, number: int) -> Entry:
    """Return the n-th update of a room; every third one brings a row of a plugin along."""
    key = f"{room} {number}"
    note = Statement("INSERT INTO note (key) VALUES (?)", (key,))
    update = random.Random(key).randbytes(number * 7919 % 3000)
    return Entry(update, "u_ann", number, key.encode(), (), (note,) if number % 3 == 0 else ())


async def write(store: Store, room: str, chance: random.Random) -> None:
    """Append to one room for ever."""
    opened = await store.open_room(TENANT, room, creator="u_ann", now=1)
    end = opened.parts[""].offset if opened.parts else 0
    while True:
        entries = tuple(nth(room, end + 1 + n) for n in range(chance.randint(1, 20)))
        (answer,) = await store.append(TENANT, [Batch(room, "", opened.fence, end, entries)])
        assert answer.status is Status.LOGGED, answer
        assert answer.offsets == tuple(range(end + 1, end + 1 + len(entries))), answer
        os.write(1, f"{room} {end + 1} {answer.end}\n".encode())
        end = answer.end
        if chance.random() < 0.1:
            snapshot = Snapshot(1, end, f"{room} at {end}".encode())
            assert await store.save_snapshot(Address(TENANT, room), opened.fence, snapshot)


async def main(folder: Path, seed: int) -> None:
    """Append to all rooms at once, and create and delete others in between."""
    store, _ = open_sqlite(folder)
    await store.migrate("notes", NOTES)
    chance = random.Random(seed)
    async with asyncio.TaskGroup() as tasks:
        for room in ROOMS:
            tasks.create_task(write(store, room, random.Random(chance.random())))
        for number in range(10_000):
            name = f"passing/{seed}/{number}"
            tenant = f"New {seed} {number}" if number % 3 == 0 else TENANT
            opened = await store.open_room(tenant, name, creator="u_ann", now=1)
            batch = Batch(name, "", opened.fence, 0, tuple(nth(name, n) for n in range(1, 6)))
            await store.append(tenant, [batch])
            await store.delete_room(tenant, name, now=2)
            os.write(1, f"deleted {name} {number}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
