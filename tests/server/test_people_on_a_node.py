"""Accounts and letters on a real node: what its sockets see, and what a crash leaves."""

import asyncio
import email
import socket
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from parvis.client import ClientError, Disconnected, connect
from parvis.protocol import CloseCode
from tests.faults import ways_in
from tests.faults.bystander import within
from tests.faults.commands import run
from tests.faults.ways_in import Promptly
from tests.identities import OTHER_PASSWORD, PASSWORD
from tests.running import Server, start_server
from tests.server.mail.mail_server import mail_server
from tests.server.site import secret_in

T = TypeVar("T")

ADA = "ada@example.org"


async def post(server: Server, path: str, body: object) -> tuple[int, Any]:
    """Send JSON to the API."""
    url = f"{server.url}/api/v1{path}"
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        return answer.status, await answer.json()


async def add_ada(server: Server) -> None:
    await run(server, "user", "add", ADA, "--password-stdin", stdin=PASSWORD)


async def found(look: Callable[[], list[T]]) -> T:
    """Return the only thing that there is to see, once it is there."""
    while True:
        if things := look():
            [thing] = things
            return thing
        await asyncio.sleep(0.02)


def letters_in(folder: Path) -> list[EmailMessage]:
    """Return the letters in a folder."""
    contents = [file.read_bytes() for file in folder.glob("*.eml")]
    return [email.message_from_bytes(content, policy=default) for content in contents]


async def test_a_new_password_by_letter_closes_the_websockets_of_the_old_one(
    tmp_path: Path,
) -> None:
    with start_server(tmp_path, open=False) as server:
        await add_ada(server)
        token = (await run(server, "token", ADA)).strip()
        async with connect(ways_in.native(server), token, random=Promptly()) as session:
            ended: list[ClientError] = []
            session.on_disconnected(ended.append)
            assert (await post(server, "/password/forgot", {"email": ADA}))[0] == 202
            letter = await within(found(lambda: letters_in(server.data / "mail")))
            secret = secret_in(letter, f"{server.url}/reset")
            body = {"secret": secret, "password": OTHER_PASSWORD}
            assert (await post(server, "/password/reset", body))[0] == 200
            why = await within(found(lambda: ended))
            assert isinstance(why, Disconnected)
            assert why.code == CloseCode.SIGNED_OUT
        assert secret not in "".join(server.log)


async def test_a_letter_that_waits_for_a_mail_server_outlives_a_crash(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "PARVIS_SERVER__PUBLIC_URL": "https://parvis.example.org",
        "PARVIS_MAIL__HOST": "127.0.0.1",
        "PARVIS_MAIL__PORT": str(port),
        "PARVIS_MAIL__SECURITY": "none",
    }
    with start_server(tmp_path, open=False, settings=settings) as server:
        await add_ada(server)
        assert (await post(server, "/password/forgot", {"email": ADA}))[0] == 202

        tried = "is not taken now"
        await within(found(lambda: [line for line in server.log if tried in line][:1]))
        server.kill()
        async with mail_server(port=port) as mail:
            await asyncio.to_thread(server.start)
            await within(mail.came.wait())
            [letter] = mail.letters()
            secret = secret_in(letter, "https://parvis.example.org/reset")
            body = {"secret": secret, "password": OTHER_PASSWORD}
            assert (await post(server, "/password/reset", body))[0] == 200
            await within(run(server, "token", ADA))
