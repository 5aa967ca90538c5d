"""Rebuilding on a real node: as an operator types it, with clients that were away, under kills."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest
from pycrdt import Doc, Text

from parvis.client import ClientError, Rescue, SetAside, connect
from parvis.client.stock import connect_y
from parvis.server.api import Fault
from parvis.server.commands.program import main
from parvis.server.operator_socket import ask
from tests.faults import ways_in
from tests.faults.bystander import within
from tests.faults.proxy import FaultProxy
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server

HOW = {"tenant": "local", "dry_run": False, "now": False, "positions": False}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with start_server(tmp_path_factory.mktemp("rebuilt")) as server:
        yield server


def text_of(doc: Doc[Any]) -> Text:
    found: Text = doc.get("text", type=Text)
    return found


async def write(server: Server, room: str, *texts: str) -> None:
    """Write, and take half of it away again."""
    async with connect(ways_in.native(server), random=Promptly(1)) as session:
        part = await session.join(room)
        text = text_of(part.doc)
        for each in texts:
            text += each
            text += "gone"
            del text[len(str(text).encode()) - 4 :]
            await within(part.saved())


async def read(server: Server, room: str) -> str:
    async with connect(ways_in.native(server), random=Promptly(2)) as session:
        return str(text_of((await session.join(room)).doc))


def parvis(server: Server, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main([*words, "--data", str(server.data)])
    out, err = capsys.readouterr()
    return code, out, err


def test_an_operator_rebuilds_a_room_after_a_look(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(write(server, "plain/op", "one ", "two "))
    code, out, _ = parvis(server, capsys, "room", "rebuild", "plain/op", "--dry-run")
    assert code == 0
    assert ("50% of 16 letters" in out, "1; nothing was changed" in out) == (True, True)
    assert "told to reload the page" in out
    code, out, _ = parvis(server, capsys, "room", "rebuild", "plain/op")
    assert (code, "2, begun at offset" in out) == (0, True)
    assert asyncio.run(read(server, "plain/op")) == "one two "
    code, out, _ = parvis(server, capsys, "room", "inspect", "plain/op")
    assert "incarnation 2" in out
    code, out, _ = parvis(server, capsys, "room", "export", "plain/op", "--format", "text")
    assert (code, out) == (0, "one two ")
    code, _, err = parvis(server, capsys, "room", "rebuild", "plain/none")
    assert (code, "there is no room" in err) == (1, True)


def test_an_operator_goes_back_to_a_moment(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(write(server, "plain/back", "one ", "two "))
    for words in (["--offset", "1"], ["--at", "2100-01-01T00:00+01:00"]):
        code, out, _ = parvis(server, capsys, "room", "restore", "plain/back", *words)
        assert (code, "plain/back is what it was at offset" in out) == (0, True)
    assert asyncio.run(read(server, "plain/back")) == "one "
    assert parvis(server, capsys, "room", "restore", "plain/back")[0] == 2
    code, _, err = parvis(server, capsys, "room", "restore", "plain/back", "--at", "yesterday")
    assert (code, "'yesterday' is no time" in err) == (2, True)
    code, _, err = parvis(server, capsys, "room", "restore", "plain/back", "--version", "v1")
    assert (code, "there is no version 'v1'" in err) == (1, True)


async def test_a_native_client_that_was_away_keeps_its_unsent_work(server: Server) -> None:
    room = "plain/native"
    await write(server, room, "kept ")
    async with (
        FaultProxy(lambda: server.port) as proxy,
        connect(ways_in.native(proxy), random=Promptly(3)) as session,
    ):
        part = await session.join(room)
        rescues: list[Rescue] = []
        part.on_reset(rescues.append)
        proxy.shut = True
        proxy.cut()
        text = text_of(part.doc)
        text += "unsent"
        await ask(server.data, "room_rebuild", {"room": room, **HOW})
        proxy.shut = False
        with pytest.raises(SetAside):
            await within(part.saved())
        (rescue,) = rescues
        kept: Doc[Any] = Doc()
        kept.apply_update(rescue.update)
        assert str(text_of(kept)) == "kept unsent"
        assert rescue.unsaved
        async with connect(ways_in.native(server), random=Promptly(4)) as other:
            assert str(text_of((await other.join(room)).doc)) == "kept "


async def test_a_native_client_that_is_there_goes_on_in_the_new_life(server: Server) -> None:
    room = "plain/there"
    await write(server, room, "kept ")
    async with connect(ways_in.native(server), random=Promptly(5)) as session:
        part = await session.join(room)
        reset = asyncio.Event()
        part.on_reset(lambda rescue: reset.set())
        await ask(server.data, "room_rebuild", {"room": room, **HOW})
        await within(reset.wait())
        text = text_of(part.doc)
        text += "new"
        await within(part.saved())
    assert "kept " in await read(server, room)
    assert "new" in await read(server, room)
    assert len(await read(server, room)) == 8


async def test_what_came_too_late_is_listed_shown_exported_and_dropped(
    server: Server, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    room = "plain/late"
    await write(server, room, "kept ")
    async with (
        FaultProxy(lambda: server.port) as proxy,
        await connect_y(ways_in.yjs(proxy), room) as stock,
    ):
        await within(stock.synced())
        doc = stock.doc
        proxy.shut = True
    text = text_of(doc)
    text += "too late"
    await ask(server.data, "room_rebuild", {"room": room, **HOW})
    async with await connect_y(ways_in.yjs(server), room, doc=doc) as stock:
        with pytest.raises(ClientError, match="reload"):
            await within(stock.synced())
    words = ("room", "rescued")
    code, out, _ = await asyncio.to_thread(parvis, server, capsys, *words, "list", room, "--json")
    (rescue,) = json.loads(out)
    assert (code, rescue["origin"]) == (0, "offline")
    one = (room, rescue["id"])
    _, out, _ = await asyncio.to_thread(parvis, server, capsys, *words, "show", *one)
    assert "text before:\nkept \ntext with it:\nkept too late" in out
    file = tmp_path / "late"
    for format in ("text", "json", "update", "added"):
        code, *_ = await asyncio.to_thread(
            parvis,
            server,
            capsys,
            *(*words, "export", *one, "--format", format, "--output", str(file)),
        )
        assert code == 0
        if format == "text":
            assert file.read_text() == "kept too late"
        elif format == "json":
            assert json.loads(file.read_text()) == {"text": "kept too late"}
        elif format == "update":
            whole: Doc[Any] = Doc()
            whole.apply_update(file.read_bytes())
            assert str(text_of(whole)) == "kept too late"
    code, out, _ = await asyncio.to_thread(parvis, server, capsys, *words, "drop", *one)
    assert (code, out.startswith(f"dropped {rescue['id']}")) == (0, True)
    _, out, _ = await asyncio.to_thread(parvis, server, capsys, *words, "list", room, "--json")
    assert json.loads(out) == []


def test_without_a_node_nothing_is_rebuilt_and_the_reason_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    code = main(["room", "rebuild", "plain/x", "--data", str(tmp_path / "data")])
    assert (code, "no node serves" in capsys.readouterr().err) == (1, True)


def test_a_kill_at_any_moment_leaves_the_one_life_or_the_other(tmp_path: Path) -> None:
    room, random = "plain/killed", Random(11)
    with start_server(tmp_path) as server:
        asyncio.run(write(server, room, *[f"{number} " for number in range(30)]))
        whole = asyncio.run(read(server, room))
        lives: set[int] = set()
        for _ in range(4):
            asked = threading.Thread(target=_rebuild, args=(server, room))
            asked.start()
            asked.join(random.uniform(0.0, 0.6))  # somewhere on the way, or after it
            server.kill()
            asked.join()
            server.start()
            assert asyncio.run(read(server, room)) == whole
            described = asyncio.run(
                ask(server.data, "room_inspect", {"tenant": "local", "room": room})
            )
            lives.add(described["parts"][""]["incarnation"])
        assert max(lives) <= 5
        done = _rebuild(server, room)
        assert done["incarnation"] == max(lives) + 1
        assert done["retired"] >= max(lives)
        assert asyncio.run(read(server, room)) == whole


def _rebuild(server: Server, room: str) -> Any:
    try:
        return asyncio.run(ask(server.data, "room_rebuild", {"room": room, **HOW}))
    except (OSError, Fault, aiohttp.ClientError) as problem:  # the node has died
        return problem
