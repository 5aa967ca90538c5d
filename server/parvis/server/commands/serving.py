"""``parvis serve``, and what is looked at before it begins."""

import argparse
import ipaddress
import os
import socket
import tempfile
from pathlib import Path

from ..hosting.registry import installed
from ..settings import Settings
from .output import USAGE, CommandError


def serve(settings: Settings, arguments: argparse.Namespace) -> int:
    """Run a node until it is told to stop."""
    check(settings)
    installed(settings)
    # A supervisor needs little of what the other commands do.
    from ..supervisor import serve as supervise

    return supervise(settings)


def check(settings: Settings) -> None:
    """Return if a node can start with these settings. Raises `CommandError`."""
    server = settings.server
    if server.open and not is_loopback(server.host):
        raise _refuse(
            f"--open lets anyone do anything, so it cannot listen on {server.host or 'everything'}",
            "Listen on 127.0.0.1, or leave --open away and make accounts.",
        )
    if server.workers > 1 or server.redis:
        wanted = "--redis" if server.redis else f"--workers {server.workers}"
        raise _refuse(
            f"{wanted} is for several workers, which this version of Parvis does not have yet",
            "One node with one worker serves from SQLite or PostgreSQL: leave --redis and"
            " --workers away.",
        )
    problem = why_not_writable(settings.data)
    if problem:
        raise CommandError(
            f"the data folder {settings.data} cannot be used: {problem}",
            "Name another one with --data, or give this user the right to write there.",
            code="data_folder",
        )


def is_loopback(host: str) -> bool:
    """Tell whether everything that a host name stands for is this machine only."""
    if not host:
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = {str(address[0]).partition("%")[0] for *_, address in found}
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)


def why_not_writable(folder: Path) -> str | None:
    """Say why a file cannot be made in a folder, or the folder if it is missing; or None.

    Nothing is left behind: whoever only looks makes no folder out of a slip of the pen.
    """
    try:
        descriptor, probe = tempfile.mkstemp(prefix=".probe-", dir=nearest(folder))
    except OSError as error:
        return error.strerror or str(error)
    os.close(descriptor)
    os.unlink(probe)
    return None


def nearest(folder: Path) -> Path:
    """Return a folder, or what exists of the path to it. Raises OSError."""
    folder = folder.absolute()
    while True:
        try:
            folder.stat()
        except FileNotFoundError:
            folder = folder.parent
        else:
            return folder


def _refuse(message: str, hint: str) -> CommandError:
    return CommandError(message, hint, code="usage", exit_code=USAGE)
