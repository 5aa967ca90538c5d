"""What room types are told of rooms that are no more."""

from parvis.plugins import Node
from parvis.server.hosting.deletions import LATER, QUEUE, delete_room
from parvis.server.hosting.registry import Registry
from parvis.server.settings import Settings
from parvis.storage import Job
from parvis.storage.factory import open_store
from tests.server.rooms.lab import Board, Draft, lab


class Shelf(Board):
    """Keeps something beside its rooms."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self.broken = False

    async def on_delete(self, node: Node, tenant: str, key: str) -> None:
        if self.broken:
            raise ZeroDivisionError("a bug in the room type")
        self.told.append((tenant, key))


async def test_a_room_type_is_told_once_a_room_is_deleted() -> None:
    kind = Shelf()
    async with lab(kind, "a/b") as it:
        (await it.join("ada")).update(Draft(7).write("x"))
        await it.turns()
        await it.core.directory.delete("kit", "board/a/b")
        assert kind.told == [("kit", "a/b")]


async def test_what_failed_is_done_again_until_it_works() -> None:
    kind = Shelf()
    async with lab(kind) as it:
        (await it.join("ada")).update(Draft(7).write("x"))
        await it.turns()
        kind.broken = True
        await it.core.directory.delete("kit", "board/r")
        await it.pass_time(LATER + 5)
        assert kind.told == []
        kind.broken = False
        for _ in range(5):
            await it.pass_time(5)
        assert kind.told == [("kit", "r")]


async def test_a_room_deleted_while_no_node_ran_is_told_of_at_the_start() -> None:
    store, _ = open_store("memory:")
    async with lab(Shelf(), store=store) as it:
        (await it.join("ada")).update(Draft(7).write("x"))
        await it.turns()
    kind = Shelf()
    registry = Registry([kind], Settings())
    assert await delete_room(store, registry, "kit", "board/r", now=1.0, due=1.0)
    async with lab(kind, store=store, life=2) as it:
        await it.turns()
        assert kind.told == [("kit", "r")]
    await store.close()


async def test_nobody_is_told_of_a_room_that_is_there_all_the_same() -> None:
    kind = Shelf()
    async with lab(kind) as it:
        (await it.join("ada")).update(Draft(7).write("x"))
        await it.turns()
        # A node died between noting what it would do and doing it.
        await it.store.inner.enqueue("kit", Job(QUEUE, "board/r", b"", 0.0))
        await it.pass_time(10)
        assert kind.told == []
        assert await it.store.inner.claim("kit", QUEUE, now=1e12, lease=1.0) == []
