"""What is sent to an ordered part is logged once and in one order, whatever is killed meanwhile.

The mailbox of the third-party distribution is the ordered room type; its senders resend with their
keys what had no ack when the node died.
"""

import asyncio
import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Final

import pytest

from parvis.client import LogPart, connect
from tests.checkout import CHECKOUT
from tests.faults import ways_in
from tests.faults.bystander import within
from tests.faults.commands import run
from tests.faults.ways_in import Promptly
from tests.running import Server, start_server

ROOM: Final = "mailbox/crash"
SENDERS: Final = 3
LETTERS: Final = 150
WINDOW: Final = 8


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    site = tmp_path_factory.mktemp("site")
    argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    argv += ["--no-build-isolation", "--target", str(site)]
    argv.append(str(CHECKOUT / "tests/third_party/parvis_whiteboard"))
    subprocess.run(argv, check=True)
    folder = tmp_path_factory.mktemp("ordered")
    with start_server(folder, open=False, settings={"PYTHONPATH": str(site)}) as server:
        yield server


async def send_all(part: LogPart, name: str, kill: list[asyncio.Event]) -> dict[bytes, int]:
    """Send numbered letters, a few at a time; return the offset that each was given."""
    offsets: dict[bytes, int] = {}
    gate = asyncio.Semaphore(WINDOW)

    async def send(number: int) -> None:
        async with gate:
            letter = f"{name} {number}".encode()
            offsets[letter] = await part.send(letter)
            if number % 25 == 24:
                kill[number // 25].set()

    await asyncio.gather(*(send(number) for number in range(LETTERS)))
    return offsets


async def test_each_letter_is_logged_once_through_six_kills(server: Server) -> None:
    chance = random.Random(6)
    await run(
        server,
        *("user", "add", "writer@example.org", "--password-stdin", "--admin"),
        stdin=secrets.token_urlsafe(16),
    )
    token = (await run(server, "token", "writer@example.org")).strip()
    kills = [asyncio.Event() for _ in range(LETTERS // 25)]
    async with AsyncExitStack() as stack:
        parts: list[LogPart] = []
        for at in range(SENDERS):
            way = connect(ways_in.native(server), token, random=Promptly(at * 10_000))
            session = await stack.enter_async_context(way)
            parts.append(await session.join_log(ROOM))
        sending = [
            asyncio.create_task(send_all(part, f"sender-{at}", kills))
            for at, part in enumerate(parts)
        ]
        for at, moment in enumerate(kills):
            await within(moment.wait())
            if at % 2 or chance.random() < 0.3:
                server.kill_worker()
            else:
                server.kill()
                await asyncio.to_thread(server.start)
        given: dict[bytes, int] = {}
        for offsets in await within(asyncio.gather(*sending)):
            given |= offsets

        reader = await stack.enter_async_context(connect(ways_in.native(server), token))
        log = await reader.join_log(ROOM)
        updates = log.updates
        read = [await within(anext(updates)) for _ in range(SENDERS * LETTERS)]
        assert [each.offset for each in read] == list(range(1, SENDERS * LETTERS + 1))
        assert {each.update: each.offset for each in read} == given

        # Those who were there all along saw the same log, each letter once.
        for part in parts:
            own = part.updates
            seen = [await within(anext(own)) for _ in range(SENDERS * LETTERS)]
            assert [(each.offset, each.update) for each in seen] == [
                (each.offset, each.update) for each in read
            ]
