"""The client against a real node."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map, Text, TransactionEvent

from parvis.client import Closed, Disconnected, Refused, Session, connect
from parvis.client.stock import connect_hocuspocus, connect_y
from parvis.protocol import ErrorCode
from tests.faults import ways_in
from tests.faults.bystander import marks, within
from tests.faults.commands import run
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("client")) as server:
        yield server


def session_on(server: Server, ticket: str = "", seed: int = 0) -> Any:
    return connect(ways_in.native(server), ticket, random=Promptly(seed))


async def until(doc: Doc[Any], expected: dict[str, Any]) -> None:
    """Return once a document's marks are these."""
    found: Map[Any] = marks(doc)
    reached = asyncio.Event()

    def look() -> None:
        if found.to_py() == expected:
            reached.set()

    def changed(event: TransactionEvent) -> None:
        # Inside an observer a document cannot be read.
        asyncio.get_running_loop().call_soon(look)

    subscription = doc.observe(changed)
    look()
    await within(reached.wait())
    doc.unobserve(subscription)


async def test_what_one_writes_the_other_reads(server: Server) -> None:
    async with session_on(server, seed=1) as one, session_on(server, seed=1000) as two:
        first, second = await one.join("plain/pair"), await two.join("plain/pair")
        marks(first.doc)["one"] = 1
        marks(second.doc)["two"] = 2
        await until(first.doc, {"one": 1, "two": 2})
        await until(second.doc, {"one": 1, "two": 2})
        await within(first.saved())
        await within(second.saved())


async def test_the_three_dialects_share_a_room(server: Server) -> None:
    room = "plain/mixed"
    async with (
        session_on(server) as session,
        await connect_y(ways_in.yjs(server), room) as by_yjs,
        await connect_hocuspocus(ways_in.hocuspocus(server), room) as by_hocuspocus,
    ):
        part = await session.join(room)
        await within(by_yjs.synced())
        await within(by_hocuspocus.synced())
        for name, doc in (("n", part.doc), ("y", by_yjs.doc), ("h", by_hocuspocus.doc)):
            marks(doc)[name] = name
        for doc in (part.doc, by_yjs.doc, by_hocuspocus.doc):
            await until(doc, {"n": "n", "y": "y", "h": "h"})
        await within(part.saved())
        await within(by_yjs.saved())
        await within(by_hocuspocus.saved())


async def test_two_parts_on_one_connection_do_not_mix(server: Server) -> None:
    async with session_on(server) as session:
        first, second = await session.join("plain/a"), await session.join("plain/b")
        marks(first.doc)["a"] = 1
        marks(second.doc)["b"] = 1
        await within(first.saved())
        await within(second.saved())
        await first.leave()
        again = await session.join("plain/a")
        assert marks(again.doc).to_py() == {"a": 1}
        assert marks(second.doc).to_py() == {"b": 1}


async def test_awareness_appears_changes_and_disappears(server: Server) -> None:
    async with session_on(server, seed=1) as watching:
        watched = await watching.join("plain/cursors")
        seen: asyncio.Queue[list[Any]] = asyncio.Queue()

        def look(clients: frozenset[int]) -> None:
            states = watched.awareness.states.values()
            seen.put_nowait([state.get("cursor") for state in states])

        watched.awareness.on_change(look)
        async with session_on(server, seed=1000) as moving:
            part = await moving.join("plain/cursors")
            part.awareness.local = {"cursor": 1}
            assert await within(seen.get()) == [1]
            part.awareness.local = {"cursor": 2}
            assert await within(seen.get()) == [2]
        assert await within(seen.get()) == []


async def test_edits_made_while_the_node_is_down_are_saved_when_it_is_back(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        async with session_on(server) as session:
            part = await session.join("plain/offline")
            marks(part.doc)["before"] = 1
            await within(part.saved())
            lost = asyncio.Event()
            part.on_lost(lost.set)
            server.kill()
            await within(lost.wait())
            marks(part.doc)["meanwhile"] = 1
            assert part.unsaved
            await asyncio.to_thread(server.start)
            await within(part.saved())
        async with session_on(server, seed=1000) as fresh:
            part = await fresh.join("plain/offline")
            assert marks(part.doc).to_py() == {"before": 1, "meanwhile": 1}


async def test_more_than_one_frame_may_hold_is_saved_when_the_node_is_back(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        async with session_on(server) as session:
            part = await session.join("plain/long")
            lost = asyncio.Event()
            part.on_lost(lost.set)
            server.kill()
            await within(lost.wait())
            text = part.doc.get("text", type=Text)
            for _ in range(300):
                text.insert(0, "x" * 65_536)
            await asyncio.to_thread(server.start)
            await within(part.saved())
        async with session_on(server, seed=1000) as fresh:
            part = await fresh.join("plain/long")
            assert str(part.doc.get("text", type=Text)) == "x" * (300 * 65_536)


async def test_a_node_that_drains_is_left_and_found_again(tmp_path: Path) -> None:
    with start_server(tmp_path) as server:
        async with session_on(server) as session:
            part = await session.join("plain/drained")
            ends: asyncio.Queue[Exception] = asyncio.Queue()
            session.on_disconnected(ends.put_nowait)
            marks(part.doc)["before"] = 1
            assert await asyncio.to_thread(server.stop) == 0
            end = await within(ends.get())
            assert isinstance(end, Disconnected)
            assert end.comes_back
            await asyncio.to_thread(server.start)
            await within(part.saved())
            assert marks(part.doc).to_py() == {"before": 1}


async def test_signals_that_a_room_does_not_take_are_refused(server: Server) -> None:
    async with session_on(server) as session:
        part = await session.join("plain/signals")
        with pytest.raises(Refused, match="UNKNOWN_COMMAND"):
            await within(part.signal("knock"))
        with pytest.raises(Refused, match="UNKNOWN_COMMAND"):
            await within(part.command("knock"))


async def test_a_member_who_may_only_view_is_told_so_and_changes_nothing(tmp_path: Path) -> None:
    settings = {"PARVIS_ROOMS__PLAIN__MEMBERS": "view"}
    with start_server(tmp_path, open=False, settings=settings) as server:
        password = "a long enough secret 7Q"
        for email, *flags in (("admin@example.org", "--admin"), ("viewer@example.org",)):
            await run(server, "user", "add", email, "--password-stdin", *flags, stdin=password)
        admin = (await run(server, "token", "admin@example.org")).strip()
        viewer = (await run(server, "token", "viewer@example.org")).strip()
        async with session_on(server, admin) as writing, session_on(server, viewer, 1000) as other:
            written = await writing.join("plain/notice")
            marks(written.doc)["official"] = 1
            await within(written.saved())
            await view_only(other)


async def view_only(session: Session) -> None:
    part = await session.join("plain/notice")
    assert "edit" not in part.access
    assert marks(part.doc).to_py() == {"official": 1}
    refused: asyncio.Queue[Refused] = asyncio.Queue()
    part.on_refused(lambda edits, refusal: refused.put_nowait(refusal))
    marks(part.doc)["graffiti"] = 1
    assert (await within(refused.get())).code == ErrorCode.PERMISSION_DENIED
    with pytest.raises(Refused):
        await part.saved()
    assert part.unsaved == {1}
    await part.leave()
    again = await session.join("plain/notice")
    assert marks(again.doc).to_py() == {"official": 1}


async def test_a_token_that_is_not_one_ends_the_session(tmp_path: Path) -> None:
    with start_server(tmp_path, open=False) as server:
        with pytest.raises(Disconnected) as end:
            async with session_on(server, "nonsense"):
                pass
        assert not end.value.comes_back


async def test_leaving_the_block_ends_the_session(server: Server) -> None:
    async with session_on(server) as session:
        part = await session.join("plain/short")
    with pytest.raises(Closed):
        await part.signal("knock")
    with pytest.raises(Closed):
        await session.join("plain/other")


async def test_a_stock_client_sees_everything_once_it_calls_itself_synced(server: Server) -> None:
    """yrs would hide what it got before what it builds on, here the newest value of a key."""
    room = "plain/overwritten"
    async with session_on(server, seed=1) as one, session_on(server, seed=1000) as two:
        first, second = await one.join(room), await two.join(room)
        marks(first.doc)["key"] = "old"
        await within(first.saved())
        # The node keeps the state that it sends to a joiner, and what follows in rows behind it.
        async with session_on(server, seed=2000) as joiner:
            await joiner.join(room)
        marks(first.doc)["other"] = "here"
        await until(second.doc, {"key": "old", "other": "here"})
        marks(second.doc)["key"] = "new"
        await within(second.saved())
        async with (
            await connect_y(ways_in.yjs(server), room) as by_yjs,
            await connect_hocuspocus(ways_in.hocuspocus(server), room) as by_hocuspocus,
        ):
            for client in (by_yjs, by_hocuspocus):
                await within(client.synced())
                assert marks(client.doc).to_py() == {"key": "new", "other": "here"}
