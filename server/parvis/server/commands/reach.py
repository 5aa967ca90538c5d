"""Has an operation done: here, if nobody holds the data folder, else by the process that does."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import aiohttp

from parvis.storage import DataFolderHeld, StorageError
from parvis.storage.factory import open_store
from parvis.storage.folder import hold_data_folder

from ..api.faults import Fault
from ..clock import SystemClock, SystemRandom
from ..firewall.helpers import HelperPool
from ..hosting.deletions import delete_room
from ..hosting.registry import installed
from ..identity import open_identity
from ..operations import Operations
from ..operator_socket import ask, fault
from ..setaside.desk import Desk
from ..setaside.journal import Journal
from ..setaside.stored import replay_stored
from ..settings import Settings
from .output import CommandError


def operate(
    settings: Settings, operation: str, arguments: Mapping[str, Any], *, create: bool = False
) -> Any:
    """Do an operation of `parvis.server.operations.OPERATIONS` and return its result.

    Args:
        create: Make the data folder if it is missing, instead of saying so.

    Raises:
        CommandError: With the reason, for people.
    """
    if not create:
        require_folder(settings)
    return asyncio.run(reached(settings, operation, arguments))


async def reached(settings: Settings, operation: str, arguments: Mapping[str, Any]) -> Any:
    """Do an operation, as `operate` does, for a command that runs a loop of its own."""
    try:
        return await _operate(settings, operation, arguments)
    except Fault as error:
        raise CommandError(error.message, error.hint, code=error.code) from None
    except StorageError as error:
        raise CommandError(str(error), error.hint, code="storage") from None


def _home(settings: Settings) -> str:
    """Return where a node with these settings would be found."""
    server = settings.server
    host = "127.0.0.1" if server.host in ("", "0.0.0.0", "::") else server.host
    host = f"[{host}]" if ":" in host else host
    return (server.public_url or f"http://{host}:{server.port}").rstrip("/")


def require_folder(settings: Settings) -> None:
    """Return if there is a data folder: a command makes none. Raises `CommandError`."""
    if not settings.data.is_dir():
        raise CommandError(
            f"there is no data folder {settings.data}",
            "Name it with --data, as for parvis serve.",
            code="no_data_folder",
        )


async def _operate(settings: Settings, operation: str, arguments: Mapping[str, Any]) -> Any:
    try:
        held = hold_data_folder(settings.data, now=time.time())
    except DataFolderHeld as holder:
        try:
            return await ask(settings.data, operation, arguments)
        except (OSError, aiohttp.ClientError) as error:
            raise CommandError(
                f"{holder}, and it does not answer: {error}",
                "It may be starting or ending; try again in a moment.",
                code="not_answering",
            ) from None
    try:
        return await _here(settings, operation, arguments)
    finally:
        held.release()


async def _here(settings: Settings, operation: str, arguments: Mapping[str, Any]) -> Any:
    clock = SystemClock()
    store, accounts = open_store(settings.store_url)
    helpers = HelperPool(1, clock)
    try:
        registry = installed(settings)
        identity = await open_identity(settings, accounts, clock, SystemRandom())

        async def delete(tenant: str, room: str) -> None:
            # Its room type is told by the next node that runs: there is none here.
            now = clock.time()
            await delete_room(store, registry, tenant, room, now=now, due=now)

        operations = Operations(
            store=store,
            identity=identity,
            helpers=helpers,
            registry=registry,
            delete=delete,
            clock=clock,
            home=_home(settings),
            desk=Desk(
                store,
                helpers,
                clock,
                partial(replay_stored, store, helpers, clock),
                Journal(settings.data),
            ),
        )
        try:
            return await getattr(operations, operation)(**arguments)
        except Exception as error:
            raise fault(error) from error
        finally:
            identity.close()
    finally:
        await helpers.close()
        await store.close()
