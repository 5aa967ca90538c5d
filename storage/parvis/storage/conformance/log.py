"""The log: gap-free, in order, fenced, and never a row twice."""

import asyncio
import random
from collections.abc import Awaitable

from parvis.storage.api import Address, Appended, Batch, Entry, LoggedUpdate, Status, Store
from parvis.storage.conformance.base import ROOM, TENANT, Home, StoreSuite, entry, home_of


class LogSuite(StoreSuite):
    """Part of `StoreConformance`."""

    async def test_offsets_count_from_one_without_a_gap(self, store: Store) -> None:
        home = await home_of(store)
        assert await home.log("a") == (1,)
        assert await home.log("b", "c", "d") == (2, 3, 4)
        assert await home.updates() == ["a", "b", "c", "d"]

    async def test_a_row_keeps_all_that_came_with_it(self, store: Store) -> None:
        home = await home_of(store)
        update, key = bytes(range(256)), b"\x00\xff" * 32
        await home.try_append(Entry(update, "u_ann", 1732111200.123456, key))
        assert await store.read(home.address, after=0) == [
            LoggedUpdate(1, update, "u_ann", 1732111200.123456, key)
        ]

    async def test_an_empty_update_takes_an_offset(self, store: Store) -> None:
        home = await home_of(store)
        assert await home.try_append(entry("", key="k")) is not None
        assert await home.log("a") == (2,)
        assert [row.update for row in await home.rows()] == [b"", b"a"]

    async def test_updates_of_four_mebibytes_are_logged_whole(self, store: Store) -> None:
        home = await home_of(store)
        big = random.Random(2).randbytes(4 * 1024 * 1024)
        answer = await home.try_append(
            Entry(big, "u_ann", 1, b"1"), Entry(big[::-1], "u_ann", 1, b"2")
        )
        assert (answer.status, answer.offsets) == (Status.LOGGED, (1, 2))
        assert [row.update for row in await home.rows()] == [big, big[::-1]]

    async def test_parts_of_a_room_have_logs_of_their_own(self, store: Store) -> None:
        opened = await store.open_room(TENANT, ROOM, creator="u_ann", now=1)
        homes = [Home(store, Address(TENANT, ROOM, part), opened.fence, 0) for part in ("", "meta")]
        for home in homes:
            assert await home.log(f"a of {home.address.part}") == (1,)
            assert await home.log("same key") == (2,)
        assert await homes[1].updates() == ["a of meta", "same key"]

    async def test_one_call_carries_many_rooms_and_answers_each(self, store: Store) -> None:
        homes = [await home_of(store, f"plain/{number}") for number in range(50)]
        answers = await store.append(
            TENANT, [home.batch(entry(f"{n}a"), entry(f"{n}b")) for n, home in enumerate(homes)]
        )
        assert [answer.offsets for answer in answers] == [(1, 2)] * 50
        for number, home in enumerate(homes):
            assert await home.updates() == [f"{number}a", f"{number}b"]

    async def test_batches_of_one_part_are_taken_in_the_order_given(self, store: Store) -> None:
        home = await home_of(store)
        answers = await store.append(
            TENANT,
            [
                home.batch(entry("a"), expected=0),
                home.batch(entry("b"), entry("c"), expected=1),
                home.batch(entry("d"), expected=3),
            ],
        )
        assert [answer.offsets for answer in answers] == [(1,), (2, 3), (4,)]
        assert await home.updates() == ["a", "b", "c", "d"]

    async def test_a_batch_of_nothing_is_logged(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a")
        answer = await home.try_append()
        assert (answer.status, answer.offsets, answer.end) == (Status.LOGGED, (), 1)
        assert await store.append(TENANT, []) == []

    async def test_a_home_that_was_replaced_cannot_append(self, store: Store) -> None:
        old = await home_of(store)
        await old.log("a")
        new = await home_of(store)
        answer = await old.try_append(entry("late"))
        assert (answer.status, answer.offsets) == (Status.FENCED, ())
        assert answer.detail
        assert await new.log("b") == (2,)
        assert (await old.try_append(entry("later"), expected=2)).status is Status.FENCED
        assert (await old.try_append(entry("a"), expected=0)).status is Status.FENCED
        assert await new.updates() == ["a", "b"]

    async def test_a_fence_that_was_never_issued_is_worth_nothing(self, store: Store) -> None:
        home = await home_of(store)
        for fence in (0, -1, home.fence + 1, 2**40):
            forged = Home(store, home.address, fence, 0)
            assert (await forged.try_append(entry("x"))).status is Status.FENCED
        assert not await home.rows()

    async def test_one_stale_batch_does_not_touch_the_others(self, store: Store) -> None:
        stale = await home_of(store, "plain/1")
        await home_of(store, "plain/1")
        first, last = await home_of(store, "plain/0"), await home_of(store, "plain/2")
        behind = await home_of(store, "plain/3")
        await behind.log("x")
        nowhere = Batch("plain/4", "", 1, 0, (entry("a"),))
        answers = await store.append(
            TENANT,
            [
                first.batch(entry("a")),
                stale.batch(entry("a")),
                behind.batch(entry("a"), expected=0),
                nowhere,
                last.batch(entry("a")),
            ],
        )
        assert [answer.status for answer in answers] == [
            Status.LOGGED,
            Status.FENCED,
            Status.CONFLICT,
            Status.GONE,
            Status.LOGGED,
        ]
        assert [await home.updates() for home in (first, stale, behind, last)] == [
            ["a"],
            [],
            ["x"],
            ["a"],
        ]

    async def test_a_caller_who_expects_another_end_gets_a_conflict(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        for expected in (0, 1, 3, 99):
            answer = await home.try_append(entry("new"), expected=expected)
            assert (answer.status, answer.end, answer.offsets) == (Status.CONFLICT, 2, ())
            assert answer.detail
        assert await home.log("c") == (3,)

    async def test_rooms_that_do_not_exist_are_gone(self, store: Store) -> None:
        batch = Batch(ROOM, "", 1, 0, (entry("a"),))
        assert (await store.append(TENANT, [batch]))[0].status is Status.GONE
        await home_of(store, "plain/other")
        assert (await store.append(TENANT, [batch]))[0].status is Status.GONE
        assert await store.room(TENANT, ROOM) is None

    async def test_a_repeated_call_answers_as_it_did_before(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a")
        entries = (entry("b"), entry("c"))
        first = await home.try_append(*entries, expected=1)
        assert await home.try_append(*entries, expected=1) == first
        assert await home.try_append(*entries, expected=3) == first
        await home.log("d")
        again = await home.try_append(*entries, expected=1)
        assert (again.status, again.offsets, again.end) == (Status.LOGGED, (2, 3), 4)
        assert await home.updates() == ["a", "b", "c", "d"]

    async def test_a_repeated_call_may_carry_more_than_before(self, store: Store) -> None:
        home = await home_of(store)
        await home.try_append(entry("a"), entry("b"), expected=0)
        answer = await home.try_append(entry("a"), entry("b"), entry("c"), expected=0)
        assert (answer.status, answer.offsets, answer.end) == (Status.LOGGED, (1, 2, 3), 3)
        assert await home.updates() == ["a", "b", "c"]

    async def test_new_entries_beside_known_ones_go_to_the_end(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a", "b")
        answer = await home.try_append(entry("new"), entry("b"), entry("newer"), entry("a"))
        assert (answer.offsets, answer.end) == ((3, 2, 4, 1), 4)
        assert await home.updates() == ["a", "b", "new", "newer"]

    async def test_somebody_elses_rows_make_a_conflict_of_a_repeat(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a")
        await home.log("foreign")
        answer = await home.try_append(entry("a"), entry("new"), expected=0)
        assert (answer.status, answer.end) == (Status.CONFLICT, 2)
        assert await home.updates() == ["a", "foreign"]

    async def test_an_entry_is_known_by_its_key_whatever_its_update(self, store: Store) -> None:
        home = await home_of(store)
        await home.try_append(entry("first", key="k"))
        answer = await home.try_append(entry("second", key="k"))
        assert (answer.status, answer.offsets) == (Status.LOGGED, (1,))
        assert await home.updates() == ["first"]

    async def test_one_key_twice_in_a_batch_is_one_row(self, store: Store) -> None:
        home = await home_of(store)
        answer = await home.try_append(entry("a", key="k"), entry("b", key="k"), entry("c"))
        assert (answer.offsets, answer.end) == ((1, 1, 2), 2)
        assert await home.updates() == ["a", "c"]

    async def test_a_key_of_the_wrong_size_refuses_its_entry(self, store: Store) -> None:
        home = await home_of(store)
        answer = await home.try_append(
            entry("a", key=""), entry("b", key="k" * 65), entry("c", key="k" * 64)
        )
        assert answer.offsets == (0, 0, 1)
        assert set(answer.refusals) == {0, 1}
        assert await home.updates() == ["c"]

    async def test_overlapping_calls_keep_their_order(self, store: Store) -> None:
        homes = [await home_of(store, f"plain/{number}") for number in range(8)]
        calls: list[Awaitable[Appended]] = []
        for step in range(40):
            for home in homes:
                entries = (entry(f"{step}a"), entry(f"{step}b"))
                calls.append(asyncio.create_task(home.try_append(*entries, expected=2 * step)))
        await asyncio.gather(*calls)
        expected = [f"{step}{letter}" for step in range(40) for letter in "ab"]
        for home in homes:
            assert await home.updates() == expected

    async def test_of_two_homes_that_race_only_one_gets_through(self, store: Store) -> None:
        home = await home_of(store)
        answers = await asyncio.gather(
            *(home.try_append(entry(f"writer {n}"), expected=0) for n in range(20))
        )
        statuses = [answer.status for answer in answers]
        assert statuses.count(Status.LOGGED) == 1
        assert statuses.count(Status.CONFLICT) == 19
        assert len(await home.rows()) == 1

    async def test_a_take_over_amid_appends_lets_nothing_slip_in_behind_it(
        self, store: Store
    ) -> None:
        old = await home_of(store)
        appends = [
            asyncio.create_task(old.try_append(entry(str(n)), expected=n)) for n in range(100)
        ]
        await asyncio.sleep(0)
        new = await home_of(store)
        answers = await asyncio.gather(*appends)
        logged = [answer for answer in answers if answer.status is Status.LOGGED]
        assert len(logged) == new.end
        assert {answer.status for answer in answers} <= {Status.LOGGED, Status.FENCED}
        assert await new.updates() == [str(n) for n in range(new.end)]

    async def test_a_cancelled_call_leaves_the_store_usable(self, store: Store) -> None:
        home = await home_of(store)
        task = asyncio.create_task(home.try_append(entry("a")))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        answer = await home.try_append(entry("a"), expected=0)
        assert (answer.status, answer.offsets) == (Status.LOGGED, (1,))
        assert await home.updates() == ["a"]
