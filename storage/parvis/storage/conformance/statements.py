"""Statements: a plugin's rows commit with the entry they came with, or not at all."""

import pytest

from parvis.storage.api import Statement, Status, Store
from parvis.storage.conformance.base import (
    BOOKED,
    BOOKINGS,
    ROOM,
    TENANT,
    StoreSuite,
    book,
    entry,
    home_of,
)
from parvis.storage.errors import StatementRefused

FREE = "SELECT NOT EXISTS (SELECT 1 FROM booking WHERE slot = ?)"


class StatementsSuite(StoreSuite):
    """Part of `StoreConformance`."""

    @pytest.fixture
    async def booked(self, store: Store) -> Store:
        """A store with a table of bookings."""
        await store.migrate("calendar", BOOKINGS)
        return store

    async def test_a_statement_commits_with_its_entry(self, booked: Store) -> None:
        home = await home_of(booked)
        answer = await home.try_append(entry("a", statements=[book(1), book(2)]))
        assert answer.offsets == (1,)
        assert await booked.query(TENANT, BOOKED) == [(1, "ann"), (2, "ann")]

    async def test_a_broken_constraint_refuses_only_its_entry(self, booked: Store) -> None:
        home = await home_of(booked)
        answer = await home.try_append(
            entry("a", statements=[book(1)]),
            entry("b", statements=[book(2), book(1, "bob")]),
            entry("c", statements=[book(3)]),
        )
        assert (answer.status, answer.offsets, answer.end) == (Status.LOGGED, (1, 0, 2), 2)
        assert set(answer.refusals) == {1}
        assert answer.refusals[1]
        assert await home.updates() == ["a", "c"]
        assert await booked.query(TENANT, BOOKED) == [(1, "ann"), (3, "ann")]

    async def test_a_broken_reference_refuses_its_entry(self, booked: Store) -> None:
        home = await home_of(booked)
        guest = Statement("INSERT INTO guest (slot) VALUES (?)", (9,))
        answer = await home.try_append(entry("a", statements=[guest]))
        assert set(answer.refusals) == {0}
        assert not await booked.query(TENANT, Statement("SELECT slot FROM guest"))

    @pytest.mark.parametrize(
        ("value", "holds"),
        [("1", True), ("-3", True), ("0.5", True), ("0", False), ("0.0", False), ("NULL", False)],
    )
    async def test_a_precondition_holds_if_it_is_neither_null_nor_zero(
        self, booked: Store, value: str, holds: bool
    ) -> None:
        home = await home_of(booked)
        condition = Statement(f"SELECT {value}, 0")
        answer = await home.try_append(
            entry("a", preconditions=[condition], statements=[book(1)]), entry("b")
        )
        assert answer.offsets == ((1, 2) if holds else (0, 1))
        assert set(answer.refusals) == (set() if holds else {0})
        assert len(await booked.query(TENANT, BOOKED)) == holds

    async def test_a_precondition_without_a_row_does_not_hold(self, booked: Store) -> None:
        home = await home_of(booked)
        condition = Statement("SELECT 1 FROM booking")
        assert set((await home.try_append(entry("a", preconditions=[condition]))).refusals) == {0}

    async def test_all_preconditions_must_hold(self, booked: Store) -> None:
        home = await home_of(booked)
        yes, no = Statement("SELECT 1"), Statement("SELECT 0")
        answer = await home.try_append(
            entry("a", preconditions=[yes, no]),
            entry("b", preconditions=[no, yes]),
            entry("c", preconditions=[yes, yes]),
        )
        assert answer.offsets == (0, 0, 1)

    async def test_a_precondition_sees_the_entries_before_it(self, booked: Store) -> None:
        home = await home_of(booked)
        attempts = [
            entry(who, preconditions=[Statement(FREE, (7,))], statements=[book(7, who)])
            for who in ("ann", "bob", "eve")
        ]
        answer = await home.try_append(*attempts)
        assert answer.offsets == (1, 0, 0)
        assert await booked.query(TENANT, BOOKED) == [(7, "ann")]

    async def test_a_precondition_changes_nothing(self, booked: Store) -> None:
        home = await home_of(booked)
        sly = Statement("INSERT INTO booking (slot, who) VALUES (1, 'eve') RETURNING 1")
        assert set((await home.try_append(entry("a", preconditions=[sly]))).refusals) == {0}
        assert not await booked.query(TENANT, BOOKED)

    async def test_a_known_entry_does_not_run_its_statements_again(self, booked: Store) -> None:
        home = await home_of(booked)
        added = Statement("UPDATE booking SET who = who || '!'")
        await home.try_append(entry("a", statements=[book(1)]))
        for _ in range(3):
            answer = await home.try_append(entry("b", statements=[added]), expected=1)
            assert (answer.status, answer.offsets) == (Status.LOGGED, (2,))
        assert await booked.query(TENANT, BOOKED) == [(1, "ann!")]

    async def test_a_repeated_call_tries_again_what_it_refused(self, booked: Store) -> None:
        home = await home_of(booked)
        entries = (
            entry("a", statements=[book(1)]),
            entry("b", statements=[book(1)]),
            entry("c", statements=[book(2)]),
        )
        await home.try_append(*entries, expected=0)
        await booked.execute(TENANT, [Statement("DELETE FROM booking WHERE slot = 1")])
        answer = await home.try_append(*entries, expected=0)
        assert (answer.offsets, dict(answer.refusals)) == ((1, 3, 2), {})
        assert await home.updates() == ["a", "c", "b"]

    async def test_a_refused_entry_may_come_again_with_its_key(self, booked: Store) -> None:
        home = await home_of(booked)
        await home.try_append(entry("a", statements=[book(1)]))
        assert (await home.try_append(entry("b", statements=[book(1)]))).offsets == (0,)
        assert (await home.try_append(entry("b", statements=[book(2)]))).offsets == (2,)

    async def test_a_part_whose_entries_are_all_refused_has_no_log(self, booked: Store) -> None:
        home = await home_of(booked)
        no = [Statement("SELECT 0")]
        answer = await home.try_append(entry("a", preconditions=no), entry("b", preconditions=no))
        assert (answer.status, answer.offsets, answer.end) == (Status.LOGGED, (0, 0), 0)
        assert not (await booked.open_room(TENANT, ROOM, creator=None, now=1)).parts

    @pytest.mark.parametrize(
        "sql",
        [
            "this is not SQL",
            "INSERT INTO nowhere VALUES (1)",
            "INSERT INTO booking (slot, who) VALUES (?, 'few')",
            "INSERT INTO booking (slot, who) VALUES (1, 'x'); DELETE FROM booking",
            "COMMIT",
            "ROLLBACK",
            "SAVEPOINT mine",
            "CREATE TABLE another (x INTEGER)",
            "DROP TABLE booking",
        ],
    )
    async def test_a_statement_that_makes_no_sense_refuses_only_its_entry(
        self, booked: Store, sql: str
    ) -> None:
        home, other = await home_of(booked), await home_of(booked, "plain/other")
        bad = entry("bad", statements=[book(5), Statement(sql)])
        answers = await booked.append(
            TENANT,
            [
                other.batch(entry("x", statements=[book(1)])),
                home.batch(entry("a", statements=[book(2)]), bad, entry("c")),
            ],
        )
        assert [answer.offsets for answer in answers] == [(1,), (1, 0, 2)]
        assert set(answers[1].refusals) == {1}
        assert await booked.query(TENANT, BOOKED) == [(1, "ann"), (2, "ann")]
        assert (await home.updates(), await other.updates()) == (["a", "c"], ["x"])

    async def test_values_come_back_as_they_went_in(self, booked: Store) -> None:
        question = Statement("SELECT ?, ?, ?", (None, 2**62, "it's \N{SNOWMAN} %_"))
        assert await booked.query(TENANT, question) == [(None, 2**62, "it's \N{SNOWMAN} %_")]

    async def test_a_query_cannot_write(self, booked: Store) -> None:
        await booked.execute(TENANT, [book(1)])
        for sql in ("DELETE FROM booking", "DROP TABLE booking", "INSERT INTO guest VALUES (1)"):
            with pytest.raises(StatementRefused):
                await booked.query(TENANT, Statement(sql))
        assert await booked.query(TENANT, BOOKED) == [(1, "ann")]

    async def test_a_query_that_makes_no_sense_is_refused(self, booked: Store) -> None:
        for sql in ("nonsense", "SELECT * FROM nowhere", "SELECT ?"):
            with pytest.raises(StatementRefused):
                await booked.query(TENANT, Statement(sql))

    async def test_statements_are_executed_all_or_none(self, booked: Store) -> None:
        with pytest.raises(StatementRefused):
            await booked.execute(TENANT, [book(1), book(2), book(1)])
        assert not await booked.query(TENANT, BOOKED)
        await booked.execute(TENANT, [book(1), book(2)])
        assert await booked.query(TENANT, BOOKED) == [(1, "ann"), (2, "ann")]

    async def test_plugins_rows_belong_to_one_tenant(self, booked: Store) -> None:
        await booked.execute(TENANT, [book(1)])
        await booked.execute("globex", [book(1, "theirs")])
        assert await booked.query(TENANT, BOOKED) == [(1, "ann")]
        assert await booked.query("globex", BOOKED) == [(1, "theirs")]
        assert not await booked.query("initech", BOOKED)
