"""Whatever is asked of them in whatever order, the durable stores and the memory store agree."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from parvis.storage import (
    Address,
    Appended,
    Batch,
    Entry,
    Job,
    Migration,
    Quarantined,
    Snapshot,
    Statement,
    StorageError,
    Store,
)
from parvis.storage.memory import open_memory
from parvis.storage.postgres import open_postgres
from parvis.storage.sqlite import open_sqlite
from tests.databases import Databases

TABLES = [
    Migration(
        1,
        "slots",
        {
            "sqlite": "CREATE TABLE slot (n INTEGER PRIMARY KEY, who TEXT) STRICT",
            "postgres": "CREATE TABLE slot (n BIGINT, who TEXT,"
            " tenant TEXT NOT NULL DEFAULT parvis_tenant(), PRIMARY KEY (tenant, n))",
        },
    )
]
SLOTS = Statement("SELECT n, who FROM slot ORDER BY n")

tenants = st.sampled_from(["acme", "Acme"])
rooms = st.sampled_from(["p/a", "p/a%", "p/A", "p/é", "q/a"])
parts = st.sampled_from(["", "meta"])
addresses = st.builds(Address, tenants, rooms, parts)
keys = st.integers(0, 40).map(lambda number: f"k{number}".encode())
slots = st.integers(0, 5)
statements = st.one_of(
    slots.map(lambda slot: Statement("INSERT INTO slot VALUES (?, 'x')", (slot,))),
    slots.map(lambda slot: Statement("INSERT OR ROLLBACK INTO slot VALUES (?, 'y')", (slot,))),
    slots.map(lambda slot: Statement("DELETE FROM slot WHERE n = ?", (slot,))),
    st.sampled_from([Statement("nonsense"), Statement("COMMIT"), Statement("SELECT 1")]),
)
conditions = st.one_of(
    slots.map(lambda slot: Statement("SELECT count(*) = 0 FROM slot WHERE n = ?", (slot,))),
    st.sampled_from(
        [Statement("SELECT 1"), Statement("SELECT NULL"), Statement("DELETE FROM slot")]
    ),
)
entries = st.one_of(
    st.builds(Entry, st.binary(max_size=20), st.just("u_ann"), st.floats(0, 1e9), keys),
    st.builds(
        Entry,
        st.binary(max_size=20),
        st.just("u_bob"),
        st.integers(0, 10),
        keys,
        st.lists(conditions, max_size=2).map(tuple),
        st.lists(statements, max_size=3).map(tuple),
    ),
)
batches = st.tuples(
    rooms, parts, st.integers(0, 9), st.integers(0, 9), st.lists(entries, max_size=5)
)


def seen(answer: object) -> object:
    """Return what must agree in an answer: reasons are each store's own."""
    if isinstance(answer, Appended):
        return (answer.status, answer.offsets, answer.end, sorted(answer.refusals))
    if isinstance(answer, list | tuple):
        return [seen(item) for item in cast("Sequence[object]", answer)]
    if isinstance(answer, StorageError):
        return type(answer)
    return answer


class StoresAgree(RuleBasedStateMachine):
    """Asks both stores the same, and compares the answers."""

    tenants_by_asking = True

    def opened(self) -> Store:
        """Open the durable store; the same one until the example ends."""
        return open_sqlite(self.folder, writers=2, readers=1, open_files=2)[0]

    @initialize()
    def open(self) -> None:
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="parvis-agree-"))
        self.fences: dict[tuple[str, str], int] = {}
        self.ends: dict[Address, int] = {}
        self.ids: dict[tuple[str, str], list[int]] = {}  # of jobs, in the order given, by store
        self.memory: Store = open_memory()[0]
        self.durable: Store = self.opened()
        self.both(lambda store: store.migrate("slots", TABLES))

    def teardown(self) -> None:
        if hasattr(self, "durable"):
            self.runner.run(self.durable.close())
            self.runner.run(self.memory.close())
            self.runner.close()
            shutil.rmtree(self.folder)

    def both(self, ask: Callable[[Store], Awaitable[Any]]) -> Any:
        """Ask both stores and return the answer on which they agree."""

        async def answer(store: Store) -> Any:
            try:
                return await ask(store)
            except StorageError as error:
                return error

        one = self.runner.run(answer(self.memory))
        other = self.runner.run(answer(self.durable))
        assert seen(one) == seen(other)
        return one

    @rule()
    def restart(self) -> None:
        self.runner.run(self.durable.close())
        self.durable = self.opened()
        self.runner.run(self.durable.migrate("slots", TABLES))

    @rule(tenant=tenants, room=rooms, creator=st.sampled_from([None, "u_ann"]))
    def open_room(self, tenant: str, room: str, creator: str | None) -> None:
        opened = self.both(lambda store: store.open_room(tenant, room, creator=creator, now=1))
        if not isinstance(opened, StorageError):
            self.fences[tenant, room] = opened.fence

    @rule(tenant=tenants, room=rooms, now=st.integers(1, 9))
    def delete_room(self, tenant: str, room: str, now: int) -> None:
        self.both(lambda store: store.delete_room(tenant, room, now=now))

    @precondition(lambda self: self.fences)
    @rule(tenant=tenants, calls=st.lists(batches, max_size=4), stale=st.integers(-1, 12))
    def append(
        self,
        tenant: str,
        calls: list[tuple[str, str, int, int, list[Entry]]],
        stale: int,
    ) -> None:
        asked: list[Batch] = []
        for room, part, lie, wrong, updates in calls:
            end = self.ends.get(Address(tenant, room, part), 0)
            fence = self.fences.get((tenant, room), 1) - (lie == 0)
            expected = wrong if stale == 0 else end
            asked.append(Batch(room, part, fence, expected, tuple(updates)))
        for batch, answer in zip(
            asked, self.both(lambda store: store.append(tenant, asked)), strict=True
        ):
            self.ends[Address(tenant, batch.room, batch.part)] = answer.end

    @rule(address=addresses, update=entries, behind=st.integers(0, 3))
    def rebuild(self, address: Address, update: Entry, behind: int) -> None:
        fence = self.fences.get((address.tenant, address.room), 1)
        expected = self.ends.get(address, 0) - (behind == 0)
        answer = self.both(
            lambda store: store.rebuild(address, fence, expected=expected, entry=update)
        )
        self.ends[address] = answer.end

    @rule(
        address=addresses,
        after=st.integers(0, 20),
        limit=st.integers(1, 9),
        max_bytes=st.integers(0, 50),
    )
    def read(self, address: Address, after: int, limit: int, max_bytes: int) -> None:
        self.both(lambda store: store.read(address, after=after, limit=limit, max_bytes=max_bytes))
        self.both(
            lambda store: store.read_back(
                address, before=after or None, limit=limit, max_bytes=max_bytes
            )
        )

    @rule(address=addresses, incarnation=st.integers(1, 2), offset=st.integers(0, 12))
    def save_snapshot(self, address: Address, incarnation: int, offset: int) -> None:
        fence = self.fences.get((address.tenant, address.room), 1)
        snapshot = Snapshot(incarnation, offset, f"at {offset}".encode())
        self.both(lambda store: store.save_snapshot(address, fence, snapshot))
        self.both(lambda store: store.snapshot(address))

    @rule(address=addresses, offset=st.integers(0, 6))
    def quarantine(self, address: Address, offset: int) -> None:
        rows = self.both(lambda store: store.read(address, after=max(0, offset - 1), limit=1))
        update = rows[0].update if rows else b"?"
        poison = Quarantined(
            address.room, address.part, offset, update, update[:4], "u_eve", offset, "panic"
        )
        self.both(lambda store: store.quarantine(address.tenant, poison))
        self.both(lambda store: store.quarantined(address.tenant))

    @rule(address=addresses, offset=st.integers(0, 12))
    def advance(self, address: Address, offset: int) -> None:
        self.both(lambda store: store.advance("search", address, offset))
        self.both(lambda store: store.cursor("search", address))

    @rule(tenant=tenants, asked=st.lists(statements, max_size=4))
    def execute(self, tenant: str, asked: list[Statement]) -> None:
        self.both(lambda store: store.execute(tenant, asked))

    @rule(tenant=tenants, key=st.integers(0, 3), due=st.integers(0, 5))
    def enqueue(self, tenant: str, key: int, due: int) -> None:
        async def enqueue(store: Store) -> int:
            id = await store.enqueue(tenant, Job("mail", str(key), b"p", due))
            ids = self.ids.setdefault((store.kind, tenant), [])
            if id not in ids:
                ids.append(id)
            return ids.index(id)

        self.both(enqueue)

    @rule(tenant=tenants, now=st.integers(0, 9), limit=st.integers(0, 3), job=st.integers(1, 6))
    def work(self, tenant: str, now: int, limit: int, job: int) -> None:
        async def claim(store: Store) -> list[Job]:
            ids = self.ids.get((store.kind, tenant), [])
            claimed = await store.claim(tenant, "mail", now=now, lease=2, limit=limit)
            return [replace(job, id=ids.index(job.id)) for job in claimed]

        async def end(store: Store) -> None:
            ids = self.ids.get((store.kind, tenant), [])
            id = ids[job % len(ids)] if ids else job
            if now % 2:
                await store.finish(tenant, id)
            else:
                await store.retry(tenant, id, due=now, error="again")

        self.both(claim)
        self.both(end)

    @rule(tenant=tenants, prefix=st.sampled_from(["", "p/", "p/a", "p/a%"]), after=rooms)
    def look_around(self, tenant: str, prefix: str, after: str) -> None:
        self.both(lambda store: store.rooms(tenant, prefix=prefix))
        self.both(lambda store: store.rooms(tenant, prefix=prefix, after=after, limit=2))
        self.both(lambda store: store.room(tenant, after))
        self.both(lambda store: store.lagging("search", tenant, prefix=prefix))
        self.both(lambda store: store.lagging("search", tenant, after=(after, ""), limit=2))
        self.both(lambda store: store.query(tenant, SLOTS))
        if self.tenants_by_asking:
            self.both(lambda store: store.tenants())


class PostgresAgrees(StoresAgree):
    """Asks PostgreSQL and memory the same."""

    # Its tables are there for every tenant, so a question does not make one.
    tenants_by_asking = False

    databases: ClassVar[Databases]

    def __init__(self) -> None:
        super().__init__()
        self._kept = contextlib.ExitStack()
        self._database = self._kept.enter_context(self.databases.fresh())

    def opened(self) -> Store:
        return open_postgres(self._database.node, owner=self._database.owner)[0]

    def teardown(self) -> None:
        super().teardown()
        self._kept.close()


def run_examples(
    count: int, machine: type[RuleBasedStateMachine] = StoresAgree, steps: int = 40
) -> None:
    """Try this many random histories."""
    how = settings(max_examples=count, stateful_step_count=steps, deadline=None)
    run_state_machine_as_test(machine, settings=how)


def agreeing_in(databases: Databases) -> type[PostgresAgrees]:
    """Return the machine that makes its databases there."""

    class Agreeing(PostgresAgrees):
        pass

    Agreeing.databases = databases
    return Agreeing


def test_the_stores_agree_on_random_calls() -> None:
    run_examples(40)


def test_postgresql_agrees_on_random_calls(databases: Databases) -> None:
    run_examples(15, agreeing_in(databases), steps=30)


@pytest.mark.soak
def test_the_stores_agree_for_a_long_time() -> None:
    run_examples(2000)


@pytest.mark.soak
def test_postgresql_agrees_for_a_long_time(databases: Databases) -> None:
    run_examples(300, agreeing_in(databases))
