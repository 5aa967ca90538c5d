"""Updates that would kill or break the document behind them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from pycrdt import Doc

from parvis.client import ClientError, Disconnected, Refused, connect
from parvis.client.stock import StockClient, connect_hocuspocus, connect_y
from parvis.protocol import yjs
from parvis.protocol.messages import Ack, Error, Join, Joined, Refuse, Reset, Update
from parvis.storage import Batch, Entry, Status
from parvis.storage.factory import open_store
from tests.faults import poison, ways_in
from tests.faults.bystander import marks, undisturbed, within, works
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server

ROOM: Final = "plain/poisoned"

Attack = Callable[[Server, str, bytes], Awaitable[None]]


OFFER: Final = yjs.encode_sync_step2(poison.NESTED_ARRAYS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("poison")) as server:
        yield server


async def attack_natively(server: Server, room: str, update: bytes) -> None:
    """Send an update; it must be refused, not acknowledged."""
    async with await ways_in.wire(server) as wire:
        await wire.send(Join(1, room))
        joined = await within(wire.expect(Joined, ref=1))
        try:
            await wire.send(Update(joined.channel, 2, update))
            while not isinstance(answer := await within(wire.receive()), (Refuse, Error, Reset)):
                assert not (isinstance(answer, Ack) and answer.ref == 2), "it was acknowledged"
        except Disconnected as end:
            assert end.code >= 1000, end


async def attack_by_yjs(server: Server, room: str, update: bytes) -> None:
    client = await connect_y(ways_in.yjs(server), room)
    await turned_away(client, lambda: client.send_update(update))


async def attack_by_hocuspocus(server: Server, room: str, update: bytes) -> None:
    client = await connect_hocuspocus(ways_in.hocuspocus(server), room)
    await turned_away(client, lambda: client.send_update(update))


async def turned_away(client: StockClient, attack: Callable[[], object]) -> None:
    """The attack must end the connection with a final code, or be answered by a refusal."""
    async with client:
        await within(client.synced())
        refused = asyncio.Event()
        client.on_refused(lambda edit: refused.set())
        client.closed.add_done_callback(lambda closed: refused.set())
        attack()
        await within(refused.wait())
        if client.closed.done():
            end = client.closed.result()
            assert isinstance(end, Refused) or 4400 <= end.code < 4500, end


ATTACKS: Final[dict[str, Attack]] = {
    "native": attack_natively,
    "yjs": attack_by_yjs,
    "hocuspocus": attack_by_hocuspocus,
}
POISON: Final = {
    "arrays nested 40,000 deep": poison.NESTED_ARRAYS,
    "maps nested 50,000 deep": poison.nested_maps(50_000),
    "a panic": poison.PANIC,
}


@pytest.mark.parametrize("update", POISON.values(), ids=POISON)
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_poison_is_refused_and_the_room_works_at_once(
    server: Server, attack: Attack, update: bytes
) -> None:
    async with undisturbed(server), connect(ways_in.native(server)) as session:
        part = await session.join(ROOM)
        marks(part.doc)["before"] = 1
        await within(part.saved())
        await attack(server, ROOM, update)
        await works(server, ROOM, holds={"before": 1})
        marks(part.doc)["after"] = 1
        await within(part.saved())
        await works(server, ROOM, holds={"before": 1, "after": 1})


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_the_delete_of_a_deep_root_kills_nobody(server: Server, attack: Attack) -> None:
    """Whether the first half was taken or not, the second must not end the process."""
    room = "plain/deep"
    async with undisturbed(server):
        try:
            await attack(server, room, poison.nested_maps(50_000))
        finally:
            await harmless(server, room, poison.DELETE_OF_ROOT)
        await works(server, room)


async def harmless(server: Server, room: str, update: bytes) -> bool:
    """Send an update of which it does not matter whether it is taken; return whether it was."""
    async with await ways_in.wire(server) as wire:
        await wire.send(Join(1, room))
        joined = await within(wire.expect(Joined, ref=1))
        try:
            await wire.send(Update(joined.channel, 2, update))
            await wire.send(Join(3, f"{room}-aside"))
            while True:
                answer = await within(wire.receive())
                if isinstance(answer, (Refuse, Error, Reset)):
                    return False
                if isinstance(answer, Ack) and answer.ref == 2:
                    return True
                if isinstance(answer, Joined):  # it waits for something that it builds on
                    return True
        except Disconnected:
            return False


async def test_depth_that_grows_over_many_updates_kills_nobody(server: Server) -> None:
    room = "plain/deep/step-by-step"
    async with undisturbed(server), await ways_in.wire(server) as wire:
        await wire.send(Join(1, room))
        joined = await within(wire.expect(Joined, ref=1))
        taken = 0
        try:
            for at in range(300):
                update = poison.nested_maps(200, at * 200)
                await wire.send(Update(joined.channel, at + 2, update))
                while not isinstance(answer := await within(wire.receive()), (Ack, Refuse, Reset)):
                    pass
                if not isinstance(answer, Ack):
                    break
                taken += 1
        except Disconnected:
            pass
        await harmless(server, room, poison.DELETE_OF_ROOT)
        await works(server, room)
    print(f"{taken * 200} levels were taken")


async def test_who_resends_poison_for_ever_causes_no_crash_loop(server: Server) -> None:
    async with undisturbed(server):
        for at in range(60):
            attack = list(ATTACKS.values())[at % 3]
            await attack(server, ROOM, list(POISON.values())[at % 2 * 2])
        await works(server, ROOM)


async def test_a_client_that_keeps_poison_in_its_document_is_turned_away_each_time(
    server: Server,
) -> None:
    """A stock provider comes back for ever, and offers all it has each time."""
    room = "plain/keeper"
    async with undisturbed(server):
        for _ in range(30):
            client = await connect_y(ways_in.yjs(server), room)
            await turned_away(client, partial(client.send_frame, OFFER))
        await works(server, room)


@pytest.mark.parametrize("update", [poison.NESTED_ARRAYS, poison.PANIC], ids=["deep", "panic"])
async def test_a_log_that_holds_poison_opens_without_it(tmp_path: Path, update: bytes) -> None:
    """Such a log is from before the firewall knew this kind, or from another program."""
    healthy: list[bytes] = []
    doc: Doc[Any] = Doc()
    subscription = doc.observe(lambda event: healthy.append(event.update))
    for at in range(10):
        marks(doc)[f"mark-{at}"] = at
    doc.unobserve(subscription)
    await log_offline(tmp_path / "data", ROOM, [*healthy[:5], update, *healthy[5:]])
    with start_server(tmp_path) as server:
        async with connect(ways_in.native(server), random=Promptly()) as session:
            ends: list[ClientError] = []
            part = await session.join("plain/bystander")
            marks(part.doc)["mine"] = 1
            await within(part.saved())
            session.on_disconnected(ends.append)
            await works(server, ROOM, holds={f"mark-{at}": float(at) for at in range(10)})
            marks(part.doc)["again"] = 1
            await within(part.saved())
            # At most the first look at the room may cost the worker.
            assert len(ends) <= 1
        server.restart()
        async with undisturbed(server):
            await works(server, ROOM, holds={f"mark-{at}": float(at) for at in range(10)})


async def log_offline(folder: Path, room: str, updates: list[bytes]) -> None:
    """Write a room's log while no node runs."""
    store, _ = open_store(f"sqlite:///{folder}")
    opened = await store.open_room("local", room, creator="nobody", now=time.time())
    entries = tuple(
        Entry(update, "nobody", time.time(), at.to_bytes(4, "big"))
        for at, update in enumerate(updates, start=1)
    )
    (appended,) = await store.append("local", [Batch(room, "", opened.fence, 0, entries)])
    assert appended.status is Status.LOGGED, appended
    await store.close()
