"""Appends to PostgreSQL: each room for itself, durable whatever the role's settings are."""

import asyncio

import asyncpg
import pytest

from parvis.storage import Entry, Statement, Status, Store
from parvis.storage.conformance.base import BOOKED, book, entry, home_of
from parvis.storage.postgres.engine import Engine
from parvis.storage.postgres.transaction import transaction
from tests.databases import NODE, Database

FULL = """
    CREATE FUNCTION parvis.full_disk() RETURNS TRIGGER LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END
    $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON parvis.parvis_log
        FOR EACH ROW WHEN (NEW.body = 'large') EXECUTE FUNCTION parvis.full_disk();
"""
FREE = "DROP TRIGGER full_disk ON parvis.parvis_log; DROP FUNCTION parvis.full_disk()"


@pytest.mark.parametrize("carried", [False, True], ids=["plain", "with statements"])
async def test_a_room_that_fails_keeps_no_other_back(
    calendar: Store, database: Database, carried: bool
) -> None:
    homes = [await home_of(calendar, f"plain/{number}") for number in range(3)]
    database.execute(FULL)
    try:
        answers = await calendar.append(
            "acme",
            [
                home.batch(
                    entry("large" if number == 1 else "small"),
                    entry("next", statements=[book(10 + number)] if carried else []),
                )
                for number, home in enumerate(homes)
            ],
        )
    finally:
        database.execute(FREE)
    assert [answer.status for answer in answers] == [Status.LOGGED, Status.FAILED, Status.LOGGED]
    assert "no space left" in answers[1].detail
    assert [await home.updates() for home in homes] == [["small", "next"], [], ["small", "next"]]
    booked = [slot for slot, _ in await calendar.query("acme", BOOKED)]
    assert booked == ([1, 2, 10, 12] if carried else [1, 2])
    assert (await homes[1].try_append(entry("large"), entry("next"))).offsets == (1, 2)


async def test_plain_batches_go_beside_those_with_statements(calendar: Store) -> None:
    homes = [await home_of(calendar, f"plain/{number}") for number in range(4)]
    batches = [
        homes[0].batch(entry("a")),
        homes[1].batch(entry("a", statements=[book(1)]), entry("b")),
        homes[2].batch(entry("a"), entry("a")),
        homes[3].batch(entry("a"), expected=7),
    ]
    answers = await calendar.append("acme", batches)
    assert [answer.status for answer in answers] == [Status.LOGGED] * 3 + [Status.CONFLICT]
    assert [answer.offsets for answer in answers] == [(1,), (0, 1), (1, 1), ()]


async def test_a_sender_that_is_no_text_refuses_only_its_entry(calendar: Store) -> None:
    home, other = await home_of(calendar), await home_of(calendar, "plain/other")
    odd = Entry(b"odd", "u\x00", 1, b"odd")
    answers = await calendar.append(
        "acme", [home.batch(entry("a"), odd, entry("b")), other.batch(entry("x"))]
    )
    assert [answer.offsets for answer in answers] == [(1, 0, 2), (1,)]
    assert set(answers[0].refusals) == {1}


async def test_transactions_in_each_others_way_all_come_through(calendar: Store) -> None:
    def rename(slot: int, letter: str) -> Statement:
        return Statement("UPDATE booking SET who = who || ? WHERE slot = ?", (letter, slot))

    # Those that go up and those that go down wait for each other in a circle.
    await asyncio.gather(
        *(
            calendar.execute("acme", [rename(1, "u"), rename(2, "u")])
            if number % 2
            else calendar.execute("acme", [rename(2, "d"), rename(1, "d")])
            for number in range(4)
        )
    )
    rows = await calendar.query("acme", BOOKED)
    assert [sorted(str(who).removeprefix("ann")) for _, who in rows] == [list("dduu")] * 2


@pytest.mark.parametrize(
    ("role", "transaction"),
    [("off", "on"), ("local", "on"), ("on", "on"), ("remote_apply", "remote_apply")],
)
async def test_a_commit_waits_for_the_disk_whatever_the_roles_setting(
    database: Database, role: str, transaction: str
) -> None:
    database.execute(f"ALTER ROLE {NODE} SET synchronous_commit TO {role}")
    engine = Engine(database.node, pooled=False, connections=1)
    try:
        async with engine.transaction("acme") as connection:
            asked = "SELECT current_setting('synchronous_commit')"
            assert await connection.fetchval(asked) == transaction
    finally:
        await engine.close()
        database.execute(f"ALTER ROLE {NODE} RESET synchronous_commit")


async def test_a_commit_of_appends_waits_for_the_disk_too(database: Database) -> None:
    """The function has settings of its own, which end with it; this one must not."""
    database.execute(f"ALTER ROLE {NODE} SET synchronous_commit TO off")
    connection = await asyncpg.connect(database.node)
    try:
        assert await connection.fetchval("SHOW synchronous_commit") == "off"
        async with transaction(connection):
            nothing = "SELECT parvis.append('acme', '{}', '{}')"
            assert await connection.fetchval(nothing) == (None, None, None)
            assert await connection.fetchval("SHOW synchronous_commit") == "on"
            assert await connection.fetchval("SHOW plan_cache_mode") == "auto"
    finally:
        await connection.close()
        database.execute(f"ALTER ROLE {NODE} RESET synchronous_commit")
