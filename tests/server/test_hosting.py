"""What a node does for room types: durable consumers, jobs, background work, settings, routes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint

import pytest

from parvis.plugins import (
    EDITOR,
    Access,
    Caller,
    Commit,
    Job,
    Node,
    OpaqueLog,
    Refused,
    RoomType,
)
from parvis.protocol import ErrorCode
from parvis.server.hosting import registry as registries
from parvis.server.hosting.registry import Registry, installed
from parvis.server.settings import RoomSettings, Settings, SettingsInvalid
from parvis.storage.factory import open_store
from tests.server.rooms.lab import EDITOR_CALLER, Board, Draft, Lab, Mail, lab


class Counting(Mail):
    """Counts what was committed, room by room; some rooms break it for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, list[int]]] = []
        self.broken: set[str] = set()
        self.calls = 0

    async def on_commit(self, commit: Commit) -> None:
        self.calls += 1
        if commit.room in self.broken:
            raise ZeroDivisionError("a bug in the consumer")
        self.seen.append((commit.room, commit.part, [row.offset for row in commit.updates]))


def offsets(kind: Counting, room: str = "mail/r") -> list[int]:
    return [offset for name, _, some in kind.seen if name == room for offset in some]


async def test_every_commit_is_seen_in_order() -> None:
    kind = Counting()
    async with lab(kind) as it:
        ada = await it.join("ada")
        for number in range(20):
            ada.update(b"%d" % number)
            await it.turns(3)
        await it.turns()
        assert offsets(kind) == list(range(1, 21))
        assert await it.store.inner.cursor("mail", it.address()) == 20


async def test_what_a_crash_left_unseen_is_seen_by_the_next_node() -> None:
    store, _ = open_store("memory:")
    async with lab(Mail(), store=store) as it:  # a type that does not consume: nothing advances
        ada = await it.join("ada")
        for number in range(3):
            ada.update(b"%d" % number)
        await it.turns()
    kind = Counting()
    async with lab(kind, store=store, life=2) as it:
        await it.turns()
        assert offsets(kind) == [1, 2, 3]
        assert not it.is_live, "no room was loaded for it"
    await store.close()


async def test_what_was_seen_but_not_noted_is_seen_again() -> None:
    store, _ = open_store("memory:")
    kind = Counting()
    async with lab(kind, store=store) as it:
        ada = await it.join("ada")
        ada.update(b"one")
        await it.turns()
        assert offsets(kind) == [1]
    again = Forgetful()
    async with lab(again, store=store, life=2) as it:
        (await it.join("ada")).update(b"two")
        await it.turns()
        assert offsets(again)[:1] == [2]
    await store.close()


class Forgetful(Counting):
    """The same consumer in a later life."""


async def test_a_failing_consumer_is_called_again_with_the_same_rows() -> None:
    kind = Counting()
    async with lab(kind) as it:
        kind.broken.add("mail/r")
        ada = await it.join("ada")
        ada.update(b"one")
        await it.turns()
        assert (kind.calls, kind.seen) == (1, [])
        await it.pass_time(1)
        assert kind.calls == 2
        ada.update(b"two")
        await it.turns()
        kind.broken.clear()
        await it.pass_time(120)
        assert offsets(kind) == [1, 2]


async def test_a_failing_consumer_is_left_alone_for_longer_and_longer() -> None:
    kind = Counting()
    async with lab(kind) as it:
        kind.broken.add("mail/r")
        (await it.join("ada")).update(b"one")
        await it.turns()
        for _ in range(600):
            await it.pass_time(1)
        assert 5 < kind.calls < 20


async def test_a_room_that_cannot_be_consumed_holds_no_other_up() -> None:
    kind = Counting()
    async with lab(kind) as it:
        kind.broken.add("mail/r")
        (await it.join("ada")).update(b"one")
        await it.turns()
        for _ in range(30):
            await it.pass_time(1)
        async with it.core.directory.hold(kind, "kit", "mail/z", "ada") as room:
            async with room.edit(EDITOR_CALLER) as edit:
                edit.append(b"fine")
            await it.turns()
            assert offsets(kind, "mail/z") == [1]
        kind.broken.clear()
        await it.pass_time(120)
        assert offsets(kind) == [1]


async def test_a_hundred_rooms_that_cannot_be_consumed_hold_no_other_up() -> None:
    kind = Counting()
    async with lab(kind) as it:
        for number in range(120):
            name = f"mail/{number:03}"
            kind.broken.add(name)
            await letter_to(it, kind, name)
        await letter_to(it, kind, "mail/z")
        await it.turns(300)
        assert offsets(kind, "mail/z") == [1]


async def letter_to(it: Lab, kind: Counting, name: str) -> None:
    hold = it.core.directory.hold(kind, "kit", name, "ada")
    async with hold as room, room.edit(EDITOR_CALLER) as edit:
        edit.append(b"letter")


async def test_a_store_that_fails_keeps_no_commit_from_being_seen() -> None:
    kind = Counting()
    async with lab(kind) as it:
        ada = await it.join("ada")
        ada.update(b"one")
        it.store.stall()
        await it.store.reached()
        it.store.fail(2)
        it.store.resume()
        it.store.fail(2)
        await it.turns()
        for _ in range(20):
            await it.pass_time(2)
        assert offsets(kind) == [1]


class Working(Board):
    """Does jobs; the first attempts at some fail."""

    def __init__(self) -> None:
        super().__init__()
        self.node: Node | None = None
        self.done: list[tuple[str, bytes, int]] = []
        self.failures = 0
        self.running = False

    @asynccontextmanager
    async def lifespan(self, node: Node) -> AsyncGenerator[None]:
        self.node, self.running = node, True
        try:
            yield
        finally:
            self.running = False

    async def on_job(self, node: Node, tenant: str, job: Job) -> None:
        if self.failures:
            self.failures -= 1
            raise ZeroDivisionError("a bug in a job")
        self.done.append((job.key, job.payload, job.attempts))


async def test_a_job_is_done_at_once_and_once() -> None:
    kind = Working()
    async with lab(kind) as it:
        await it.join("ada")
        assert kind.node is not None
        await kind.node.enqueue("kit", "mail:1", b"hello")
        await it.turns()
        assert kind.done == [("mail:1", b"hello", 1)]
        await it.pass_time(1000)
        assert len(kind.done) == 1


async def test_a_job_that_fails_is_tried_again_later() -> None:
    kind = Working()
    kind.failures = 2
    async with lab(kind) as it:
        await it.join("ada")
        assert kind.node is not None
        await kind.node.enqueue("kit", "mail:1", b"hello")
        await it.turns()
        assert kind.done == []
        for _ in range(10):
            await it.pass_time(5)
        assert kind.done == [("mail:1", b"hello", 3)]


async def test_a_job_is_not_done_before_it_is_due() -> None:
    kind = Working()
    async with lab(kind) as it:
        await it.join("ada")
        assert kind.node is not None
        await kind.node.enqueue("kit", "later", b"", due=kind.node.now() + 100)
        await it.pass_time(90)
        assert kind.done == []
        for _ in range(4):
            await it.pass_time(5)
        assert [key for key, _, _ in kind.done] == ["later"]


async def test_a_job_of_an_earlier_node_is_done_by_the_next() -> None:
    store, _ = open_store("memory:")
    first = Working()
    first.failures = 100
    async with lab(first, store=store) as it:
        await it.join("ada")
        assert first.node is not None
        await first.node.enqueue("kit", "mail:1", b"hello")
        await it.turns()
    assert not first.running
    second = Working()
    async with lab(second, store=store, life=2) as it:
        for _ in range(20):
            await it.pass_time(5)
        assert [key for key, _, _ in second.done] == ["mail:1"]
    await store.close()


async def test_a_bug_in_one_job_leaves_the_queue_working() -> None:
    kind = Working()
    async with lab(kind) as it:
        await it.join("ada")
        assert kind.node is not None
        kind.failures = 1
        await kind.node.enqueue("kit", "bad", b"")
        await kind.node.enqueue("kit", "good", b"")
        await it.turns()
        assert [key for key, _, _ in kind.done] == ["good"]


class Stuck(Working):
    """Never comes to an end with its first job."""

    async def on_job(self, node: Node, tenant: str, job: Job) -> None:
        if job.key == "stuck" and job.attempts == 1:
            await asyncio.Event().wait()
        await super().on_job(node, tenant, job)


async def test_a_job_that_hangs_is_given_up_when_its_lease_ends_and_tried_again() -> None:
    kind = Stuck()
    async with lab(kind) as it:
        await it.join("ada")
        assert kind.node is not None
        await kind.node.enqueue("kit", "stuck", b"")
        await kind.node.enqueue("kit", "other", b"")
        await it.turns()
        await it.pass_time(59)
        assert kind.done == []
        for _ in range(4):
            await it.pass_time(5)
        assert kind.done == [("other", b"", 1), ("stuck", b"", 2)]


async def test_jobs_wait_for_a_store_that_fails() -> None:
    kind = Working()
    async with lab(kind) as it:
        await it.join("ada")
        assert kind.node is not None
        await kind.node.enqueue("kit", "mail:1", b"", due=kind.node.now() + 1)
        it.store.fail()
        for _ in range(4):
            await it.pass_time(5)
        it.store.resume()
        for _ in range(4):
            await it.pass_time(5)
        assert [key for key, _, _ in kind.done] == ["mail:1"]


async def test_background_work_opens_rooms_with_the_rights_of_somebody() -> None:
    kind = Working()
    async with lab(kind) as it:
        assert kind.node is not None
        async with kind.node.open(EDITOR_CALLER, "r") as room:
            async with room.edit(EDITOR_CALLER) as edit:
                edit.append(Draft(7).write("from behind"))
            assert it.is_live
        assert await it.logged_text() == "from behind"
        with pytest.raises(Refused) as refused:
            async with kind.node.open(Caller("kit", "stranger"), "r"):
                raise AssertionError("strangers stay outside")
        assert refused.value.code is ErrorCode.PERMISSION_DENIED


async def test_a_room_held_by_background_work_is_not_let_go() -> None:
    kind = Working()
    async with lab(kind, settings={"idle": 0.0}) as it:
        assert kind.node is not None
        async with kind.node.open(EDITOR_CALLER, "r"):
            ada = await it.join("ada")
            ada.disconnect()
            await it.pass_time(5)
            assert it.is_live
        await it.pass_time(1)
        await it.until(lambda: not it.is_live)


# The registry


@dataclass(frozen=True, slots=True)
class ShelfSettings:
    """``[rooms.shelf]``."""

    width: int = 10


class Shelf(RoomType[OpaqueLog]):
    """Has a setting."""

    name = "shelf"
    replica = OpaqueLog
    Settings = ShelfSettings

    async def authorize(self, caller: Caller, key: str, part: str) -> Access:
        return EDITOR


class Misnamed(Shelf):
    """Calls itself by another name than its entry point."""

    name = "other"


def install(monkeypatch: pytest.MonkeyPatch, **points: str) -> None:
    """Have these entry points installed, as the packaging tools say it."""
    found = [EntryPoint(name, value, registries.GROUP) for name, value in points.items()]

    def entry_points(*, group: str) -> Sequence[EntryPoint]:
        return found if group == registries.GROUP else []

    monkeypatch.setattr(registries, "entry_points", entry_points)


HERE = "tests.server.test_hosting"


def test_installed_types_get_their_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shelf=f"{HERE}:Shelf")
    settings = Settings(rooms={"shelf": RoomSettings(options={"width": 25})})
    assert [kind.settings for kind in installed(settings)] == [ShelfSettings(25)]
    assert [kind.settings for kind in installed(Settings())] == [ShelfSettings(10)]


def test_a_wrong_setting_of_a_type_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, shelf=f"{HERE}:Shelf")
    for options in ({"width": "wide"}, {"height": 3}):
        settings = Settings(rooms={"shelf": RoomSettings(options=options)})
        with pytest.raises(SettingsInvalid, match=r"rooms\.shelf"):
            installed(settings)


def test_settings_for_a_type_that_is_not_installed_stop_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, shelf=f"{HERE}:Shelf")
    with pytest.raises(SettingsInvalid, match="no such room type; installed: shelf"):
        installed(Settings(rooms={"shelves": RoomSettings()}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shelf", f"{HERE}:Misnamed"),
        ("shelf", f"{HERE}:ShelfSettings"),
        ("other", f"{HERE}:Shelf"),
    ],
)
def test_what_is_no_room_type_of_that_name_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    install(monkeypatch, **{name: value})
    with pytest.raises(TypeError):
        installed(Settings())


def test_names_are_read_by_the_parts_of_their_type() -> None:
    registry = Registry([Board(), Shelf()], Settings())
    assert registry.parse("board/a:notes").part == "notes"
    assert registry.parse("shelf/a:notes").key == "a:notes"
    for name, code in (
        ("board/a:other", ErrorCode.INVALID_NAME),
        ("nothing/a", ErrorCode.UNKNOWN_ROOM_TYPE),
    ):
        with pytest.raises(Refused) as refused:
            registry.parse(name)
        assert refused.value.code is code


class Closed(RoomType[OpaqueLog]):
    """Overrides nothing."""

    name = "closed"
    replica = OpaqueLog


async def test_a_room_type_that_overrides_nothing_refuses_everybody() -> None:
    with pytest.raises(Refused, match="this room is closed"):
        await Closed().authorize(EDITOR_CALLER, "x", "")
