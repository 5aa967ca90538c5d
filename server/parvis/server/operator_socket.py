"""``DATA/parvis.sock``: how a command reaches the process that holds the data folder.

JSON over HTTP over a Unix socket that only its owner may open: ``POST /room_list`` with the
operation's arguments, answered ``{"result": …}`` or ``{"error": {"code", "message", "hint"}}``.
"""

import contextlib
import json
import os
import socket
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from parvis.storage import StorageError

from .api.faults import Fault, answer_faults, fault_of
from .operations import OPERATIONS, CannotExport, NotServing, Operations, UnknownUser
from .ports import HelperStopped

NAME: Final = "parvis.sock"
MAX_REQUEST: Final = 256 * 1024 * 1024
"""Bytes; documents that move in are the longest. Nobody but the node's own user can send any."""

LONGEST_PATH: Final = 100
"""Bytes that fit a Unix address on every system, with some to spare."""

TIMEOUT: Final = 600.0


class OperatorSocket:
    """The open socket; `close` takes it away."""

    def __init__(self, runner: web.AppRunner, path: Path) -> None:
        self._runner = runner
        self._path = path

    async def close(self) -> None:
        await self._runner.cleanup()
        self._path.unlink(missing_ok=True)


async def start_operator_socket(operations: Operations, folder: Path) -> OperatorSocket:
    """Let commands in. This process must hold the data folder.

    Args:
        operations: What they may ask for.
        folder: The data folder.

    Raises:
        OSError: If the socket cannot be made there.
    """
    app = web.Application(middlewares=[answer_faults], client_max_size=MAX_REQUEST)

    async def handle(request: web.Request) -> web.Response:
        name = request.match_info["operation"]
        if name not in OPERATIONS:
            raise Fault(404, "unknown_operation", f"there is no operation {name[:40]!r}")
        try:
            arguments: Mapping[str, Any] = json.loads(await request.read())
            result = await getattr(operations, name)(**arguments)
        except Exception as error:
            raise fault(error) from error
        return web.json_response({"result": result})

    app.router.add_post("/{operation}", handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.SockSite(runner, _bind(folder)).start()
    except BaseException:
        await runner.cleanup()
        raise
    return OperatorSocket(runner, folder / NAME)


async def ask(folder: Path, operation: str, arguments: Mapping[str, Any]) -> Any:
    """Have the process that holds a data folder do an operation.

    Raises:
        Fault: As it answered.
        OSError: If nobody answers.
    """
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    with _address(folder) as address:
        connector = aiohttp.UnixConnector(path=address)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.post(f"http://parvis/{operation}", json=dict(arguments)) as response,
        ):
            answer: dict[str, Any] = await response.json()
    if "error" in answer:
        error = answer["error"]
        raise Fault(response.status, error["code"], error["message"], error.get("hint", ""))
    return answer["result"]


def fault(error: Exception) -> Fault:
    """Return what a command shows of an exception; the exception again if it is a bug."""
    match error:
        case UnknownUser():
            return Fault(404, "unknown_user", str(error), "parvis user list shows who there is.")
        case CannotExport():
            return Fault(422, "cannot_export", str(error))
        case NotServing():
            hint = "Start parvis serve: rooms are changed by the node that serves them."
            return Fault(409, "not_serving", str(error), hint)
        case HelperStopped():
            return Fault(500, "helper_stopped", f"the document cannot be read: {error}")
        case _:
            pass
    found = fault_of(error)
    if found is not None:
        return found
    if isinstance(error, StorageError):
        return Fault(500, "storage", str(error), error.hint)
    raise error


def _bind(folder: Path) -> socket.socket:
    # Whoever holds the folder is the only one, so a socket that lies there is a dead one's.
    (folder / NAME).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        with _address(folder) as address:
            listening.bind(address)
    except BaseException:
        listening.close()
        raise
    finally:
        os.umask(before)
    return listening


@contextlib.contextmanager
def _address(folder: Path) -> Generator[str]:
    """Give the socket's path, through a short one if it is too long for an address."""
    path = str(folder / NAME)
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{NAME}"
    finally:
        os.close(descriptor)
