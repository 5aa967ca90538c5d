"""Cursors and jobs: work that must happen at least once."""

import asyncio
from dataclasses import replace

import pytest

from parvis.storage.api import Address, Job, Lag, Store
from parvis.storage.conformance.base import ROOM, TENANT, StoreSuite, home_of
from parvis.storage.errors import StorageError

MAIL = Job("mail", "welcome u_ann", b"\x00payload", due=100)


class WorkSuite(StoreSuite):
    """Part of `StoreConformance`."""

    async def test_a_cursor_only_moves_forward(self, store: Store) -> None:
        home = await home_of(store)
        await home.log(*"abcde")
        assert await store.cursor("search", home.address) == 0
        await store.advance("search", home.address, 3)
        await store.advance("search", home.address, 2)
        assert await store.cursor("search", home.address) == 3
        assert await store.cursor("backup", home.address) == 0

    async def test_a_cursor_stays_within_the_log(self, store: Store) -> None:
        home = await home_of(store)
        await home.log("a")
        await store.advance("search", home.address, 99)
        await home.log("b")
        assert await store.lagging("search", TENANT) == [Lag(ROOM, "", 1, 2)]

    async def test_a_log_lags_until_it_was_read_to_its_end(self, store: Store) -> None:
        home = await home_of(store)
        assert not await store.lagging("search", TENANT)
        await home.log("a", "b")
        assert await store.lagging("search", TENANT) == [Lag(ROOM, "", 0, 2)]
        await store.advance("search", home.address, 1)
        assert await store.lagging("search", TENANT) == [Lag(ROOM, "", 1, 2)]
        await store.advance("search", home.address, 2)
        assert not await store.lagging("search", TENANT)
        assert await store.lagging("backup", TENANT) == [Lag(ROOM, "", 0, 2)]
        await home.log("c")
        assert await store.lagging("search", TENANT) == [Lag(ROOM, "", 2, 3)]

    async def test_lagging_logs_are_listed_in_pages(self, store: Store) -> None:
        names = [("p/a", ""), ("p/a", "meta"), ("p/a%", ""), ("p/b", ""), ("q/a", "")]
        for room, part in reversed(names):
            await (await home_of(store, room, part)).log("x")

        async def listed(
            prefix: str = "", after: tuple[str, str] = ("", ""), limit: int = 100
        ) -> list[tuple[str, str]]:
            found = await store.lagging("search", TENANT, prefix=prefix, after=after, limit=limit)
            return [(lag.room, lag.part) for lag in found]

        assert await listed() == names
        assert await listed(prefix="p/") == names[:4]
        assert await listed(prefix="p/a%") == names[2:3]
        assert await listed(limit=2) == names[:2]
        assert await listed(limit=2, after=("p/a", "")) == names[1:3]
        assert await listed(prefix="p/", after=("p/a%", "")) == names[3:4]
        await store.advance("search", Address(TENANT, "p/a", "meta"), 1)
        assert await listed(prefix="p/") == [names[0], *names[2:4]]

    async def test_a_job_is_claimed_when_it_is_due(self, store: Store) -> None:
        id = await store.enqueue(TENANT, MAIL)
        assert id > 0
        assert not await store.claim(TENANT, "mail", now=99, lease=30)
        assert not await store.claim(TENANT, "webhooks", now=100, lease=30)
        claimed = await store.claim(TENANT, "mail", now=100, lease=30)
        assert claimed == [replace(MAIL, id=id, attempts=1)]

    async def test_a_claimed_job_is_nobody_elses_until_its_lease_ends(self, store: Store) -> None:
        id = await store.enqueue(TENANT, MAIL)
        await store.claim(TENANT, "mail", now=100, lease=30)
        assert not await store.claim(TENANT, "mail", now=129, lease=30)
        assert await store.claim(TENANT, "mail", now=130, lease=30) == [
            replace(MAIL, id=id, attempts=2)
        ]

    async def test_a_finished_job_is_forgotten(self, store: Store) -> None:
        id = await store.enqueue(TENANT, MAIL)
        await store.claim(TENANT, "mail", now=100, lease=30)
        await store.finish(TENANT, id)
        await store.finish(TENANT, id)
        assert not await store.claim(TENANT, "mail", now=1000, lease=30)

    async def test_a_job_that_failed_comes_again_later(self, store: Store) -> None:
        id = await store.enqueue(TENANT, MAIL)
        await store.claim(TENANT, "mail", now=100, lease=30)
        await store.retry(TENANT, id, due=110, error="mail server away")
        assert not await store.claim(TENANT, "mail", now=109, lease=30)
        assert await store.claim(TENANT, "mail", now=110, lease=30) == [
            Job("mail", MAIL.key, MAIL.payload, 110, id, 2, "mail server away")
        ]

    async def test_a_retry_of_a_finished_job_changes_nothing(self, store: Store) -> None:
        id = await store.enqueue(TENANT, MAIL)
        await store.finish(TENANT, id)
        await store.retry(TENANT, id, due=0, error="late")
        assert not await store.claim(TENANT, "mail", now=1000, lease=30)

    async def test_one_key_is_one_job_until_it_is_finished(self, store: Store) -> None:
        id = await store.enqueue(TENANT, MAIL)
        again = replace(MAIL, payload=b"other", due=0)
        assert await store.enqueue(TENANT, again) == id
        assert await store.enqueue(TENANT, replace(MAIL, queue="webhooks")) != id
        assert await store.enqueue("globex", MAIL) > 0
        await store.claim(TENANT, "mail", now=100, lease=30)
        assert await store.enqueue(TENANT, again) == id
        await store.finish(TENANT, id)
        later = await store.enqueue(TENANT, again)
        assert later != id
        assert await store.claim(TENANT, "mail", now=100, lease=30) == [
            replace(again, id=later, attempts=1)
        ]

    async def test_the_oldest_jobs_are_claimed_first(self, store: Store) -> None:
        for number, due in enumerate((5, 3, 9, 1, 7, 3)):
            await store.enqueue(TENANT, Job("mail", str(number), b"", due))
        first = await store.claim(TENANT, "mail", now=8, lease=30, limit=3)
        assert [job.due for job in first] == [1, 3, 3]
        assert first[1].id < first[2].id
        rest = await store.claim(TENANT, "mail", now=8, lease=30)
        assert [job.due for job in rest] == [5, 7]

    async def test_workers_that_claim_at_once_get_different_jobs(self, store: Store) -> None:
        ids = {await store.enqueue(TENANT, Job("mail", str(n), b"", 0)) for n in range(30)}
        claims = await asyncio.gather(
            *(store.claim(TENANT, "mail", now=1, lease=30, limit=4) for _ in range(10))
        )
        claimed = [job.id for jobs in claims for job in jobs]
        assert len(claimed) == 30
        assert set(claimed) == ids

    async def test_a_payload_that_is_too_large_is_an_error(self, store: Store) -> None:
        await store.enqueue(TENANT, replace(MAIL, payload=bytes(256 * 1024)))
        with pytest.raises(StorageError, match="262144"):
            await store.enqueue(TENANT, replace(MAIL, key="big", payload=bytes(256 * 1024 + 1)))
