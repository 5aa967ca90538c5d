"""A backup that is made while a real node serves and people write."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
from pycrdt import Doc, Text

from parvis.client import connect
from parvis.storage import Address
from parvis.storage.factory import open_blobs, open_store
from tests.checkout import CHECKOUT
from tests.running import start_server

PARVIS = (sys.executable, "-m", "parvis.server")


async def parvis(*words: str, data: Path) -> str:
    """Run a command that succeeds; return what it prints."""
    process = await asyncio.create_subprocess_exec(
        *PARVIS, *words, "--data", str(data), cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_what_was_acknowledged_before_is_in_a_backup_made_while_people_write(
    tmp_path: Path,
) -> None:
    key = str(tmp_path / "key.txt")
    with start_server(tmp_path) as server:
        await open_blobs("sqlite:///x", server.data, alone=False).put("local", b"picture")
        await parvis("backup", "key", key, data=server.data)
        async with connect(f"ws://127.0.0.1:{server.port}/ws", ticket="any") as session:
            part = await session.join("plain/x")
            text = part.doc.get("text", type=Text)
            for number in range(20):
                text += f"{number} "
            await part.saved()
            stopped = asyncio.Event()

            async def go_on() -> None:
                number = 20
                while not stopped.is_set():
                    text.insert(len(str(text)), f"{number} ")
                    number += 1
                    await part.saved()

            writing = asyncio.create_task(go_on())
            made = json.loads(
                await parvis("backup", "create", "--key", key, "--json", data=server.data)
            )
            stopped.set()
            await writing
            written = str(text)
        # The node reads it at its next beat.
        name = "parvis_backup_last_success_timestamp_seconds"
        async with asyncio.timeout(60), aiohttp.ClientSession() as http:
            shown = 0.0
            while not shown:
                async with http.get(f"{server.url}/metrics") as answer:
                    lines = (await answer.text()).splitlines()
                (shown,) = (float(line.split()[1]) for line in lines if line.startswith(name))
        assert shown == made["created"]
    new = tmp_path / "new"
    await parvis("backup", "restore", made["file"], "--key", key, data=new)
    store, _ = open_store(f"sqlite:///{new}")
    rows = await store.read(Address("local", "plain/x"), after=0, max_bytes=10**9, limit=10**6)
    info = await store.room("local", "plain/x")
    await store.close()
    assert info is not None and info.parts[""].offset == len(rows)
    assert [row.offset for row in rows] == list(range(1, len(rows) + 1))
    restored: Doc[Any] = Doc()
    for row in rows:
        restored.apply_update(row.update)
    found = str(restored.get("text", type=Text))
    assert found.startswith("".join(f"{number} " for number in range(20)))
    assert written.startswith(found)
    assert [kept.size async for kept in open_blobs("sqlite:///x", new).kept("local")] == [7]
