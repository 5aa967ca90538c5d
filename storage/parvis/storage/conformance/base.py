"""What all parts of the suite share: the store under test, and a home that appends to it."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import pytest

from parvis.storage.api import (
    Address,
    Appended,
    Batch,
    Entry,
    LoggedUpdate,
    Migration,
    Statement,
    Status,
    Store,
)

TENANT = "acme"
ROOM = "plain/board"

BOOKINGS = (
    Migration(
        1,
        "bookings",
        {
            "sqlite": (
                "CREATE TABLE booking (slot INTEGER PRIMARY KEY, who TEXT NOT NULL) STRICT;"
                "CREATE TABLE guest (slot INTEGER NOT NULL REFERENCES booking (slot)) STRICT"
            ),
            "postgres": (
                "CREATE TABLE booking (slot BIGINT, who TEXT NOT NULL,"
                " tenant TEXT NOT NULL DEFAULT parvis_tenant(), PRIMARY KEY (tenant, slot));"
                "CREATE TABLE guest (slot BIGINT NOT NULL,"
                " tenant TEXT NOT NULL DEFAULT parvis_tenant(),"
                " FOREIGN KEY (tenant, slot) REFERENCES booking (tenant, slot))"
            ),
        },
    ),
)
"""A plugin's tables: a slot is booked once, and has guests."""


class StoreSuite:
    """The store under test. An adapter's test class overrides `open`."""

    async def open(self, place: Path) -> Store:
        """Open the store kept at a place of its own; the same place gives the same data again."""
        raise NotImplementedError

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncGenerator[Store]:
        """An empty store, closed after the test."""
        store = await self.open(tmp_path)
        yield store
        await store.close()


class Home:
    """A room's home, as far as the store sees it: it has a fence, and knows where its log ends."""

    def __init__(self, store: Store, address: Address, fence: int, end: int) -> None:
        self.store = store
        self.address = address
        self.fence = fence
        self.end = end

    async def try_append(self, *entries: Entry, expected: int | None = None) -> Appended:
        """Append entries, by default at the end, and return the answer whatever it is."""
        (answer,) = await self.store.append(
            self.address.tenant, [self.batch(*entries, expected=expected)]
        )
        if answer.status is Status.LOGGED:
            self.end = answer.end
        return answer

    async def log(self, *updates: str) -> tuple[int, ...]:
        """Append updates at the end and return their offsets."""
        answer = await self.try_append(*map(entry, updates))
        assert (answer.status, dict(answer.refusals)) == (Status.LOGGED, {}), answer
        return answer.offsets

    def batch(self, *entries: Entry, expected: int | None = None) -> Batch:
        """Return a batch for this room."""
        end = self.end if expected is None else expected
        return Batch(self.address.room, self.address.part, self.fence, end, entries)

    async def rows(self) -> list[LoggedUpdate]:
        """Return the whole log."""
        rows: list[LoggedUpdate] = []
        while page := await self.store.read(self.address, after=len(rows)):
            rows += page
        return rows

    async def updates(self) -> list[str]:
        """Return the updates of the whole log, as text; fails if its offsets have a gap."""
        rows = await self.rows()
        assert [row.offset for row in rows] == list(range(1, len(rows) + 1))
        return [row.update.decode() for row in rows]


async def home_of(store: Store, room: str = ROOM, part: str = "", *, tenant: str = TENANT) -> Home:
    """Take a room over, creating it if it is missing."""
    opened = await store.open_room(tenant, room, creator="u_ann", now=1000)
    head = opened.parts.get(part)
    return Home(store, Address(tenant, room, part), opened.fence, head.offset if head else 0)


def entry(
    update: str,
    *,
    key: str | None = None,
    preconditions: Sequence[Statement] = (),
    statements: Sequence[Statement] = (),
) -> Entry:
    """Return an entry with this update, whose beginning is its key if no other is given."""
    return Entry(
        update=update.encode(),
        sender="u_ann",
        time=1000.25,
        key=update.encode()[:64] if key is None else key.encode(),
        preconditions=tuple(preconditions),
        statements=tuple(statements),
    )


def book(slot: int, who: str = "ann") -> Statement:
    """Return the statement that books a slot."""
    return Statement("INSERT INTO booking (slot, who) VALUES (?, ?)", (slot, who))


BOOKED = Statement("SELECT slot, who FROM booking ORDER BY slot")
"""Asks for all bookings."""
